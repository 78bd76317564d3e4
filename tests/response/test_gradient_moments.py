"""Moments from slow, homogeneous displacement gradients, and those of a surface wave at each depth."""

import numpy as np
import pytest

from orbiphon import units
from orbiphon.coupling import TwoCentre
from orbiphon.coupling.deformed import rotation_derivative
from orbiphon.drives import CoherentWave
from orbiphon.errors import InputError
from orbiphon.models import cubic_p, honeycomb_p
from orbiphon.phonons import AcousticBranch, RayleighWave
from orbiphon.response import Adiabatic, ElectronState, Numerics, Problem, solve
from orbiphon.response.scan import gradient_moments

CUBE, LAYER = cubic_p(0.6, -0.25), honeycomb_p(1.5, -0.5, stagger=1.6)
STATE, GAMMA = (0.2, 2000.0), 0.3
NUMERICS = Numerics(rtol=1e-6)
THREEFOLD = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
MIRROR = np.diag([1, 1, -1])


def moments(*gradients, electrons=CUBE, frequency=1e-6, observables=("Lx", "Ly", "Lz")):
    found = gradient_moments(
        TwoCentre(electrons), gradients, frequency, GAMMA, [STATE], observables=observables, numerics=NUMERICS
    )
    assert found.converged
    return found.value[:, 0]


def random_gradient(seed):
    random = np.random.default_rng(seed)
    return 1e-4 * (random.normal(size=(3, 3)) + 1j * random.normal(size=(3, 3)))


@pytest.mark.parametrize(("electrons", "ellipticity"), [(CUBE, 1.0), (LAYER, 0.4)], ids=["cube", "honeycomb"])
def test_a_plane_wave_is_a_gradient(electrons, ellipticity):
    """Through the sum over triples of bands, and the drive of a wave."""
    sound = AcousticBranch(speed=4000 * units.m / units.s, mass=40 * units.amu, direction="x")
    wave = CoherentWave(sound, strain=1e-4, frequency=1 * units.GHz, chirality=-1, ellipticity=ellipticity)
    gradient = 1j * float(wave.q) * np.outer(np.asarray(wave.displacement), [1, 0, 0])
    state = ElectronState(fermi_level=STATE[0], temperature=STATE[1])
    problem = Problem(electrons, wave, state, observables=["Lx", "Lz"])
    expected = solve(problem, Adiabatic(GAMMA), NUMERICS).value[0, 0]
    found = moments(gradient, electrons=electrons, frequency=float(wave.frequency), observables=("Lx", "Lz"))[0]
    assert expected[0] != 0.0
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * abs(expected[0]))


@pytest.mark.parametrize("operation", [THREEFOLD, MIRROR], ids=["threefold", "mirror"])
def test_the_moment_turns_with_the_gradient(operation):
    gradient = random_gradient(1)
    here, there = moments(gradient, operation @ gradient @ operation.T)
    np.testing.assert_allclose(there, np.linalg.det(operation) * operation @ here, atol=1e-5 * np.abs(here).max())
    assert np.min(np.abs(here)) > 1e-3 * np.max(np.abs(here)) > 0


def test_sense_phase_and_size():
    gradient = random_gradient(2)
    given = gradient, gradient.conj(), 2j * gradient, np.exp(0.3j) * gradient.real
    once, back, twice, linear = moments(*given)
    np.testing.assert_allclose(back, -once, atol=1e-9 * np.abs(once).max())
    np.testing.assert_allclose(twice, 4 * once, rtol=1e-9)
    np.testing.assert_allclose(linear, 0, atol=1e-9 * np.abs(once).max())
    np.testing.assert_allclose(moments(gradient, frequency=3e-6)[0], 3 * once, rtol=1e-4)


def test_a_rotation_is_known_without_the_law():
    """D of an antisymmetric gradient is the commutator of the angular momentum with H."""
    random = np.random.default_rng(3)
    angle = random.normal(size=3) + 1j * random.normal(size=3)
    gradient = np.cross(np.eye(3), -angle).T  # gradient @ r = angle x r
    np.testing.assert_allclose(gradient @ [1.0, 2.0, 3.0], np.cross(angle, [1.0, 2.0, 3.0]))
    for electrons in (CUBE, LAYER):
        found = TwoCentre(electrons).gradient_derivative(gradient)
        np.testing.assert_allclose(found, rotation_derivative(electrons, angle), atol=1e-12)


def test_a_surface_wave_at_every_depth():
    """Only about y; deep below only the part with the slower decay is left, and a moment goes with its square."""
    speeds = {"longitudinal": 6000 * units.m / units.s, "transverse": 3000 * units.m / units.s}
    density, power = 7000 * units.kg / units.m**3, 20 * units.W / units.m
    wave = RayleighWave(**speeds, density=density, frequency=1 * units.GHz, power_per_width=power)
    wavelength = 2 * np.pi / wave.q
    depth = wavelength * np.array([0.0, 0.1, 3.2, 3.5])
    found = moments(*wave.gradient(depth), frequency=2 * np.pi * wave.frequency)
    assert np.all(np.abs(found[:, [0, 2]]) < 1e-6 * np.abs(found[:, 1]).max())
    assert np.all(found[:, 1] != 0)
    decay = wave.q * np.sqrt(1 - (wave.speed / speeds["transverse"]) ** 2)
    assert found[3, 1] / found[2, 1] == pytest.approx(np.exp(-2 * decay * 0.3 * wavelength), rel=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gradients": np.zeros((2, 3))}, "gradients"),
        ({"gradients": np.full((1, 3, 3), np.nan)}, "gradients"),
        ({"frequency": 0.0}, "frequency"),
        ({"broadening": -1.0}, "broadening"),
        ({"observables": ["Qxy"]}, "odd under time reversal"),
    ],
)
def test_bad_input(change, words):
    given = {"gradients": np.zeros((1, 3, 3)), "frequency": 1e-6, "broadening": GAMMA, "states": [STATE]} | change
    with pytest.raises(InputError, match=words):
        gradient_moments(TwoCentre(CUBE), **given)
