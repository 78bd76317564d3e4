"""Elastic waves in bodies and at surfaces, against closed forms, the equation of motion and the flow of energy."""

import numpy as np
import pytest
from scipy.integrate import quad

from orbiphon import units
from orbiphon.errors import InputError
from orbiphon.phonons import RayleighWave, cubic_stiffness, elastic_waves

SPEED = units.m / units.s
C11, C12, C44 = (x * units.GPa for x in (350.0, 68.0, 101.0))  # chromium, about
DENSITY = 7190 * units.kg / units.m**3


def test_cubic_crystals_along_their_axes():
    """Closed forms, e.g. Kittel, chapter 3: [100], [110], [111]."""
    stiffness = cubic_stiffness(C11, C12, C44)
    expected = {
        (1, 0, 0): [C44, C44, C11],
        (1, 1, 0): sorted([C44, (C11 - C12) / 2, (C11 + C12 + 2 * C44) / 2]),
        (1, 1, 1): sorted([(C11 - C12 + C44) / 3] * 2 + [(C11 + 2 * C12 + 4 * C44) / 3]),
    }
    for direction, moduli in expected.items():
        waves = elastic_waves(stiffness, DENSITY, np.array(direction, dtype=float))
        np.testing.assert_allclose(waves.speed, np.sqrt(np.array(moduli) / DENSITY), rtol=1e-12)
        np.testing.assert_allclose(waves.polarisation @ waves.polarisation.T, np.eye(3), atol=1e-12)
        along = np.abs(waves.polarisation @ np.array(direction)) / np.linalg.norm(direction)
        np.testing.assert_allclose(along, [0, 0, 1] if C11 > C44 else [1, 0, 0], atol=1e-7)
    waves = elastic_waves(stiffness, DENSITY, "z")
    np.testing.assert_allclose(waves.speed / SPEED, [np.sqrt(101e9 / 7190)] * 2 + [np.sqrt(350e9 / 7190)], rtol=1e-9)


def test_voigts_order():
    """C_55 is xz: it alone carries a wave along z that moves along x."""
    waves = elastic_waves(np.diag([9.0, 8.0, 7.0, 1.0, 2.0, 3.0]), 1.0, "z")
    np.testing.assert_allclose(waves.speed**2, [1.0, 2.0, 7.0])
    np.testing.assert_allclose(np.abs(waves.polarisation), [[0, 1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stiffness": np.diag([1.0] * 5 + [-1.0])}, "stable body"),
        ({"stiffness": np.eye(6) + np.eye(6, k=1)}, r"symmetric, but C_12 and C_21 differ"),
        ({"stiffness": np.eye(5)}, "stiffness"),
        ({"density": -1.0}, "density"),
    ],
)
def test_bad_elastic_constants(change, message):
    with pytest.raises(InputError, match=message):
        elastic_waves(**({"stiffness": np.eye(6), "density": 1.0, "direction": "x"} | change))


def rayleigh(transverse=3000.0, longitudinal=5500.0, power=20.0):
    return RayleighWave(
        longitudinal=longitudinal * SPEED,
        transverse=transverse * SPEED,
        density=DENSITY,
        frequency=1 * units.GHz,
        power_per_width=power * units.W / units.m,
    )


@pytest.mark.parametrize(("ratio", "speed"), [(np.sqrt(3), 0.9194), (2.0, 0.9326), (1e4, 0.9553)])
def test_speeds_of_rayleigh_waves(ratio, speed):
    """Textbook values of c/c_t: Poisson's ratio 1/4, 1/3 and 1/2."""
    assert rayleigh(longitudinal=ratio * 3000.0).speed / SPEED == pytest.approx(speed * 3000.0, rel=2e-4)


def stress(wave, depth):
    """(depth i j) from the gradients, by Hooke's law."""
    gradient = wave.gradient(depth)
    shear = wave.density * wave.transverse**2
    other = wave.density * wave.longitudinal**2 - 2 * shear
    trace = np.trace(gradient, axis1=1, axis2=2)
    return other * trace[:, None, None] * np.eye(3) + shear * (gradient + np.swapaxes(gradient, 1, 2))


def test_the_surface_is_free_and_the_body_obeys_newton():
    wave = rayleigh()
    depth = 2 * np.pi / wave.q * np.array([0.0, 0.05, 0.3, 1.0])
    scale = np.max(np.abs(stress(wave, depth)))
    np.testing.assert_allclose(stress(wave, depth[:1])[0, :, 2], 0, atol=1e-12 * scale)
    step = 1e-4 / wave.q
    across = (stress(wave, depth[1:] - step) - stress(wave, depth[1:] + step))[..., 2] / (2 * step)  # z = -depth
    force = 1j * wave.q * stress(wave, depth[1:])[..., 0] + across
    omega = 2 * np.pi * wave.frequency
    expected = -wave.density * omega**2 * wave.displacement(depth[1:])
    np.testing.assert_allclose(force, expected, atol=1e-6 * np.max(np.abs(expected)))


def test_gradients_are_those_of_the_displacement():
    wave = rayleigh()
    depth, step = 0.4 / wave.q, 1e-4 / wave.q
    across = (wave.displacement(depth - step) - wave.displacement(depth + step))[0] / (2 * step)
    np.testing.assert_allclose(wave.gradient(depth)[0, :, 2], across, atol=1e-7 * np.max(np.abs(across)))
    np.testing.assert_allclose(wave.gradient(depth)[0, :, 0], 1j * wave.q * wave.displacement(depth)[0])


def test_power_is_the_flow_of_energy():
    """-<sigma_ix du_i/dt> through a plane across the wave."""
    wave, omega = rayleigh(power=20.0), 2 * np.pi * units.GHz

    def flow(depth):
        velocity = -1j * omega * wave.displacement(depth)[0]
        return -0.5 * np.real(stress(wave, depth)[0, :, 0] @ np.conj(velocity))

    wavelength = 2 * np.pi / wave.q
    total = quad(flow, 0, 4 * wavelength, epsrel=1e-9)[0]
    assert total == pytest.approx(20 * units.W / units.m, rel=1e-6)
    np.testing.assert_allclose(rayleigh(power=80.0).displacement(0.0), 2 * wave.displacement(0.0))


def test_rotation_turns_round_a_fifth_of_a_wavelength_down():
    """Retrograde at the surface: a wave along x turns its atoms backwards where they are highest."""
    wave = rayleigh(longitudinal=np.sqrt(3) * 3000.0)
    wavelength = 2 * np.pi / wave.q
    depth = np.linspace(0, 1, 401) * wavelength
    turned = np.flatnonzero(np.diff(np.sign(wave.circularity(depth))))
    assert len(turned) == 1 and depth[turned[0]] / wavelength == pytest.approx(0.193, abs=4e-3)
    u = wave.displacement(0.0)[0]
    time = np.linspace(0, 2 * np.pi, 1000)
    x, z = np.real(u[0] * np.exp(-1j * time)), np.real(u[2] * np.exp(-1j * time))
    top = int(np.argmax(z))
    assert np.gradient(x)[top] < 0  # backwards at the top
    assert np.max(z) / np.max(np.abs(x)) == pytest.approx(1.468, abs=2e-3)  # Poisson's ratio 1/4
    area = np.mean(z * np.gradient(x, time) - x * np.gradient(z, time))  # rotation from z to x
    assert np.sign(area) == np.sign(wave.circularity(0.0)[0])
    assert np.max(np.abs(wave.circularity(depth))) <= 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"longitudinal": 3100.0}, "exceed 1.155"),
        ({"transverse": 0.0}, "transverse"),
        ({"power": -1.0}, "power_per_width"),
    ],
)
def test_bad_bodies(change, message):
    with pytest.raises(InputError, match=message):
        rayleigh(**change)


def test_depths_above_the_surface_are_refused():
    with pytest.raises(InputError, match="must not be negative"):
        rayleigh().displacement(-1.0)
