"""The moment that oscillates with a coherent wave."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expit

from orbiphon import units
from orbiphon.coupling import Quadrupole
from orbiphon.crystal import Crystal, Lattice
from orbiphon.drives import CoherentWave, ThermalInjection
from orbiphon.electrons import Basis, SlaterKoster, observable, tight_binding
from orbiphon.errors import InputError
from orbiphon.models import square_p
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response import Adiabatic, ElectronState, Kubo, Numerics, Problem, Published, solve
from systems import random_crystal, random_system

LEVEL, KELVIN, U = 0.2, 900.0, 0.01


def wave(q, omega, direction="x", chirality=1):
    branch = AcousticBranch(speed=omega / q, mass=1.0, direction=direction)
    return CoherentWave(branch, amplitude=U, q=q, chirality=chirality)


def amplitude(
    electrons, drive, method, names=("Ly", "Lz"), coupling="two_centre", level=LEVEL, kelvin=KELVIN, rtol=1e-5
):
    state = ElectronState(fermi_level=level, temperature=kelvin)
    asked = Problem(electrons, drive, state, coupling=coupling, observables=names, order=1)
    answer = solve(asked, method, Numerics(rtol=rtol, block=1024))
    assert answer.converged.all() and answer.order == 1
    return answer.value[0, 0], answer.error[0, 0]


def matrices(electrons, names):
    return [np.asarray(observable(electrons.basis, name).matrix) for name in names]


def test_kubo_does_not_depend_on_the_cell():
    system = random_system(6, dim=1, sites=2)
    electrons = system.electrons
    vectors, positions = np.asarray(electrons.crystal.lattice.vectors), np.asarray(electrons.crystal.positions)
    drive = wave(0.4, 0.25, (0.6, 0.5, -0.3))
    values = []
    for shift in (0, np.stack([0 * vectors[0], 2 * vectors[0]])):
        crystal = Crystal(electrons.crystal.lattice, positions + shift, electrons.crystal.species)
        law = SlaterKoster(system.integrals, length=system.length, decay=system.decay)
        moved = tight_binding(crystal, electrons.basis, law, system.cutoff, onsite=system.onsite)
        values.append(amplitude(moved, drive, Kubo(0.3), rtol=1e-8)[0])
    np.testing.assert_allclose(values[1], values[0], rtol=1e-6, atol=1e-9 * np.abs(values[0]).max())


def flat(levels):
    """p orbitals on a chain along x whose levels do not depend on k, though bonds couple them to the lattice."""
    crystal = Crystal(Lattice(np.array([[3.0, 0, 0]])), np.zeros((1, 3)), ("X",))
    law = SlaterKoster({"pp_sigma": 0.4, "pp_pi": -0.3}, length=3.0)
    model = tight_binding(crystal, Basis(((0, "p"),)), law, 3.1, onsite=np.array(levels))
    home = np.linalg.norm(np.asarray(model.cells), axis=1) == 0
    return type(model)(**{**vars(model), "hopping": model.hopping * jnp.asarray(home, dtype=complex)[:, None, None]})


LEVELS = (0.0, 0.3, -0.2)
Q = 1e-3
NAMES = ("Ly", "Lz", "Qxy", "Qzx")


def constant_vertex(electrons, chirality=1):
    """g of the long-wave vertex (10), with the wave's amplitude: (orbital, orbital), eV."""
    e = U * np.sqrt(2) * np.asarray(circular_polarisation("x", chirality))
    return np.asarray(Quadrupole(electrons).vertex(jnp.zeros(3), jnp.array([Q, 0.0, 0.0]), jnp.asarray(e[None])))


def s84(electrons, omega, broadening, chirality=1):
    """sum_ab O_ba g_ab (f_b - f_a)/(omega + e_b - e_a + i0), at 300 K and Fermi level 0."""
    e, g = np.array(LEVELS), constant_vertex(electrons, chirality)
    f = expit(-e / (units.k_B * 300.0))
    chi = (f[None, :] - f[:, None]) / (omega + e[None, :] - e[:, None] + 1j * broadening)
    return np.array([np.sum(o.T * g * chi) for o in matrices(electrons, NAMES)])


def test_kubo_without_broadening_is_s84():
    electrons = flat(LEVELS)
    for omega in (0.05, 0.13, 0.4):
        kubo = {"coupling": "quadrupole", "level": 0.0, "kelvin": 300.0, "names": NAMES}
        expected = s84(electrons, omega, 0.0)
        found, _ = amplitude(electrons, wave(Q, omega), Kubo(1e-7), **kubo)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())
    limit, error = amplitude(electrons, wave(Q, 0.05), Kubo(0.0), **kubo)
    expected = s84(electrons, 0.05, 0.0)
    assert np.all(np.abs(limit - expected) <= error + 1e-9 * np.abs(expected).max())
    np.testing.assert_allclose(limit, expected, atol=1e-3 * np.abs(expected).max())


def test_resonances():
    # |Ly| is largest at hbar omega = |e_x - e_z|, |Lz| at |e_x - e_y|, with the width of both levels, 2 Gamma
    electrons, gamma = flat(LEVELS), 0.002
    frequencies = np.array([0.19, 0.195, 0.2, 0.205, 0.21, 0.29, 0.295, 0.3, 0.305, 0.31])
    values = np.array(
        [
            amplitude(electrons, wave(Q, w), Kubo(gamma), coupling="quadrupole", level=0.0, kelvin=300.0)[0]
            for w in frequencies
        ]
    )
    assert frequencies[np.argmax(np.abs(values[:, 0]))] == 0.2
    assert frequencies[np.argmax(np.abs(values[:, 1]))] == 0.3
    height = np.abs(values[2, 0]) / np.abs(values[3, 0])  # 1/(2 Gamma) against 1/|5 meV + 2 i Gamma|
    np.testing.assert_allclose(height, np.hypot(0.005, 2 * gamma) / (2 * gamma), rtol=0.05)


@pytest.mark.parametrize("chirality", [1, -1])
def test_sign_and_phase_are_those_of_the_equation_of_motion(chirality):
    # i d rho/dt = [H, rho] for the states k and k + q, the wave switched on slowly; u = Re{...} has half at +q
    electrons, omega, kelvin = flat(LEVELS), 0.13, 300.0
    g, e = constant_vertex(electrons, chirality), np.array(LEVELS)
    f, rate = expit(-e / (units.k_B * kelvin)), 0.01
    energies, zero = np.diag(np.concatenate([e, e])), np.zeros((3, 3))
    rho = np.diag(np.concatenate([f, f])).astype(complex)
    strength = 1e-3 / np.abs(g).max()

    def motion(t, y):
        push = np.block([[zero, 0.5 * strength * g * np.exp(-1j * omega * t)], [zero, zero]]) * np.exp(rate * t)
        h = energies + push + push.conj().T
        state = y.reshape(6, 6)
        return (-1j * (h @ state - state @ h)).ravel()

    solution = solve_ivp(motion, (-1200, 0), rho.ravel(), method="DOP853", rtol=1e-9, atol=1e-12)
    block = solution.y[:, -1].reshape(6, 6)[:3, 3:]  # <c+_k c_{k+q}> at t = 0
    moved = [2 * np.trace(o @ block) / strength for o in matrices(electrons, NAMES)]
    grown = s84(electrons, omega, rate, chirality)  # exp(rate t) makes the frequency omega + i rate
    np.testing.assert_allclose(moved, grown, rtol=1e-3, atol=1e-4 * np.abs(grown).max())
    found, _ = amplitude(electrons, wave(Q, omega, chirality=chirality), Kubo(1e-7), NAMES, "quadrupole", 0.0, kelvin)
    np.testing.assert_allclose(found, s84(electrons, omega, 0.0, chirality), rtol=1e-5, atol=1e-6 * np.abs(found).max())


def test_long_low_wave_is_the_adiabatic_one():
    # Kubo for q -> 0 at fixed omega: the difference falls as omega^2
    electrons, gaps = random_crystal(7, dim=1, sites=1), []
    for omega in (0.04, 0.02):
        drive = wave(1e-6, omega)
        full, _ = amplitude(electrons, drive, Kubo(0.3), ("Ly", "Qzx"), rtol=1e-8)
        slow, _ = amplitude(electrons, drive, Adiabatic(0.3), ("Ly", "Qzx"), rtol=1e-8)
        gaps.append(np.abs(full - slow) / np.abs(full).max())
    assert np.all(gaps[0] < 0.02)
    assert np.abs(gaps[1]).max() < 0.27 * np.abs(gaps[0]).max()


def square_means(gamma, level, kelvin, powers):
    """<(f_x - f_z) P(e_x - e_z)>, <(f_x - f_y) P(e_x - e_y)> on a plain mesh."""
    kd = 2 * np.pi * (np.arange(700) + 0.5) / 700
    c_x, c_y = np.cos(kd)[:, None], np.cos(kd)[None, :]
    x, y, z = 2 * (-1.9) * c_x - 4 * c_y, -4 * c_x + 2 * (-1.9) * c_y, -4 * (c_x + c_y) + 0.1
    f_x, f_y, f_z = (expit((level - e) / (units.k_B * kelvin)) for e in (x, y, z))
    broad = lambda e: np.real(1 / (e + 1j * gamma) ** powers)  # noqa: E731
    return np.mean((f_x - f_z) * broad(x - z)), np.mean((f_x - f_y) * broad(x - y))


@pytest.mark.parametrize("chirality", [1, -1])
def test_published_first_order_is_18_and_s89(chirality):
    # L+-_q = 2 omega C u^lambda_q sum {lambda (f_x - f_z)/(e_x - e_z)^2 +- (f_x - f_y)/(e_x - e_y)^2}, where a real
    # wave has half its amplitude at q: u^lambda_q = u_y +- i u_z = U, and X = 2 <O_q>
    gamma, level, kelvin, omega = 0.05, -1.5, 600.0, 0.01
    drive = wave(Q, omega, chirality=chirality)
    names = ("Lx", "Ly", "Lz", "Qxy", "Qzx")
    (l_x, l_y, l_z, q_xy, q_zx), _ = amplitude(
        square_p(-1.9, -2.0, pz_shift=0.1), drive, Published(gamma), names, "quadrupole", level, kelvin
    )
    xz, xy = square_means(gamma, level, kelvin, 2)
    scale = 4 * omega * 0.1 * Q * U
    np.testing.assert_allclose(
        (l_y + 1j * l_z, l_y - 1j * l_z), l_y * (1 + chirality * xy / xz * np.array([1, -1])), rtol=1e-3
    )
    np.testing.assert_allclose(
        (abs(l_y), abs(l_z)), (scale * abs(xz), scale * abs(xy)), rtol=1e-3, atol=1e-12 * abs(l_y)
    )
    assert abs(l_x) < 1e-12 * abs(l_y)
    # (S89): what is there without frequency, <Q_q> = 2 C u^lambda_q <(f_x - f_y)/(e_x - e_y)>
    xz, xy = square_means(gamma, level, kelvin, 1)
    np.testing.assert_allclose(
        (abs(q_xy), abs(q_zx)),
        (4 * 0.1 * Q * U * abs(xy), 4 * 0.1 * Q * U * abs(xz)),
        rtol=2e-3,
        atol=1e-12 * abs(q_zx),
    )


def test_only_coherent_waves_have_a_first_order():
    sound = AcousticBranch(speed=1.0, mass=1.0)
    thermal = ThermalInjection(sound, transmission=0.1, splitting=0.1, q_domain="line")
    state = ElectronState(fermi_level=0.0, temperature=300.0)
    with pytest.raises(InputError, match="`drive` must be a CoherentWave here, but is a ThermalInjection"):
        solve(Problem(square_p(-1.9, -2.0), thermal, state, order=1), Adiabatic(0.1))
    with pytest.raises(InputError, match="Method `kubo` must be asked for order .1,., but is for 2"):
        solve(Problem(square_p(-1.9, -2.0), thermal, state, order=2), Kubo(0.1))
    with pytest.raises(InputError, match="`order` must be 1 or 2, but is 3"):
        Problem(square_p(-1.9, -2.0), thermal, state, order=3)
    with pytest.raises(InputError, match="`broadening` must not be negative, but is -1"):
        Kubo(-1.0)
