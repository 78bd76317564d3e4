"""Do the methods agree? Wave vector by wave vector, in the crystals of tests/cases.py; maths in tests/README.md."""

import equinox as eqx
import numpy as np
import pytest
from scipy.special import expit

import dense
from orbiphon.phonons import circular_polarisation
from orbiphon.response import Adiabatic, Berry, Floquet, Keldysh, Kubo, Motion, Perturbation
from orbiphon.response.moment_matrix import PolarisedPhonon, four_waves, hermitian_form
from orbiphon.response.self_energy import field_slope
from orbiphon.units import k_B
from orbiphon.zone import at_phases
from pointwise import (
    CASES,
    CLEAN,
    GAMMA,
    HALVES,
    KELVIN,
    MASS,
    OMEGA,
    along,
    asked,
    at,
    distance,
    fermi_level,
    least_gap,
    levels_at,
    limit,
    moved,
    phases,
    power,
    quick_compilation as quick_compilation,
    slow,
    steady,
    summed,
    wave_vectors,
)

every_crystal = pytest.mark.parametrize("name", CASES)


def close(found, expected, part):
    """Whether a fitted power is the expected one."""
    return abs(found / expected - 1) < part


POWERS = {"square lattice": (2, 2), "spin doublets, sheet": (2, 1)}  # of q and of omega; without symmetry 1 and 1


@every_crystal
def test_long_slow_waves_of_keldysh_are_adiabatic(name):
    # m/q^2 = sum of a_ij q^i omega^j; inversion forbids odd i, a mirror that contains q odd j
    case, kappa, level = CASES[name], wave_vectors(name), fermi_level(name)
    q, omega = slow(name, GAMMA), GAMMA / 3

    def keldysh(q, omega):
        return summed(Keldysh(GAMMA), kappa, asked(case, q, omega, level=level)) / q**2

    end = summed(Adiabatic(GAMMA), kappa, asked(case, q, omega, level=level)) / q**2
    assert distance(limit([keldysh(q * s, omega * s) for s in HALVES[:6]]), end) < 1e-8
    in_q, in_omega = POWERS.get(name, (1, 1))
    assert close(power([keldysh(q * s / 8, 1e-3) for s in HALVES[:3]], keldysh(1e-7, 1e-3)), in_q, 0.05)
    assert close(power([keldysh(1e-7, omega * s / 16) for s in HALVES[:4]], end), in_omega, 0.05)


@pytest.mark.parametrize("name", [name for name in CLEAN if name != "two orbitals, chain"])  # two bands have none
def test_without_intraband_coupling_three_roads_have_one_clean_limit(name):
    case, kappa, level = CLEAN[name], wave_vectors(name, clean=True), fermi_level(name)
    gap = least_gap(levels_at(case.electrons, kappa))
    q, omega, gamma = slow(name, gap / 4), gap / 8, gap / 16
    berry = summed(Berry(), kappa, asked(case, q, omega, level=level)) / q**2
    problem = asked(case, q, omega, level=level)
    adiabatic = [summed(Adiabatic(gamma * s), kappa, problem) / q**2 for s in HALVES]
    dressed = [summed(Perturbation(), kappa, asked(case, q * s, omega * s, level=level)) / (q * s) ** 2 for s in HALVES]
    clean = limit(dressed[:4], 2) if name == "square lattice" else limit(dressed)  # even in q and in omega
    assert distance(adiabatic[0], berry) > 1e-6 and distance(dressed[0], berry) > 1e-4
    assert distance(limit(adiabatic), berry) < 1e-8
    assert distance(clean, berry) < 1e-8


def between(name, kappa, level, kelvin):
    """Moments over q^2 for q -> 0 at three frequencies below the gaps: as Gamma -> 0, and at falling Gamma."""
    gap = min(least_gap(levels_at(CASES[name].electrons, kappa)), k_B * KELVIN)
    q, values = 1e-13, []
    for omega in gap / 8 * HALVES[:3]:
        problem = asked(CASES[name], q, omega, level=level, kelvin=kelvin)
        values.append([summed(Keldysh(omega / 8 * s), kappa, problem) / q**2 for s in 2.0 ** -np.arange(9)])
    return [limit(one[:7]) for one in values], values


@pytest.mark.parametrize("name", [name for name in CASES if name != "mixed doublets, chain"])
def test_berry_is_keldysh_at_frequencies_between_broadening_and_gaps(name):
    # Linear in Gamma/omega, as electrons follow within a band; without intraband coupling Gamma^2. Even in omega:
    # what is odd is absorption.
    kappa, level = wave_vectors(name), fermi_level(name)
    berry = summed(Berry(), kappa, asked(CASES[name], 0.1, 0.1, level=level)) / 0.1**2
    clean, values = between(name, kappa, level, KELVIN)
    fit = slice(1, 5) if name == "square lattice" else slice(5, 9)
    assert close(power(values[0][fit], clean[0]), 2 if name == "square lattice" else 1, 0.05)
    assert close(power(clean, berry), 2, 0.05)
    assert distance(limit(clean, 2), berry) < 1e-6


def test_berry_is_keldysh_only_in_a_gap_if_vertices_do_not_commute_within_a_doublet():
    # the wave splits the doublet by g g+/omega, the bath fills it anew: f' O [g, g+]/omega^2
    name = "mixed doublets, chain"
    kappa = wave_vectors(name)[[0, 3]]
    levels = levels_at(CASES[name].electrons, kappa)
    for level, kelvin, in_omega in ((np.mean(levels[0, 1:3]), 100.0, 2), (levels[0, 0] + 0.1, KELVIN, -2)):
        berry = summed(Berry(), kappa, asked(CASES[name], 0.1, 0.1, level=level, kelvin=kelvin)) / 0.1**2
        clean, _ = between(name, kappa, level, kelvin)
        assert close(power(clean, berry), in_omega, 0.05)
        assert in_omega < 0 or distance(limit(clean, 2), berry) < 1e-6


IN_TIME = ("mixed doublets, chain", "square lattice", "two atoms, bulk")  # each takes ten seconds


@every_crystal
def test_waves_of_small_amplitude(name):
    """Floquet, second order and first, and the density matrix in time, against the closed forms with the same bath."""
    case, level, (q, direction) = CASES[name], fermi_level(name), along(name)
    kappa, n = wave_vectors(name), np.array(direction) / np.linalg.norm(direction)
    e = np.asarray(circular_polarisation(direction, 1)) * np.sqrt(2)
    ks = kappa @ np.asarray(case.electrons.crystal.lattice.reciprocal)
    vertices = [dense.vertex(case.electrons, k, q * n, e) for k in ks]
    levels = [levels_at(case.electrons, moved(name, part)) for part in (1 / 3, 0)]
    detuning = np.min(np.abs(levels[0][:, :, None] - levels[1][:, None, :] - OMEGA))
    weak = 0.1 * np.hypot(1.0, detuning) / np.max(np.linalg.norm(vertices, axis=(1, 2)))

    def wave(amplitude, order):
        return asked(case, q, OMEGA, order, level=level, direction=direction, amplitude=amplitude)

    # on a closed line of wave vectors the sums are over the same pairs, wherever each method counts them
    keldysh = summed(Keldysh(GAMMA), moved(name, 1 / 6), wave(1.0, 2))
    kubo = at(Kubo(GAMMA), kappa, wave(1.0, 1))
    small = weak * HALVES[:4]
    second = [summed(Floquet(GAMMA, 1), kappa, wave(u, 2)) / u**2 for u in small]
    first = [at(Floquet(GAMMA, 1), kappa, wave(u, 1)) / u for u in small]
    assert close(power(second[:3], keldysh), 2, 0.05) and close(power(first[:3], kubo), 2, 0.05)
    assert distance(limit(second, 2), keldysh) < 1e-6 and distance(limit(first, 2), kubo) < 1e-8
    if name in IN_TIME:
        u = weak / 30
        uniform, harmonic = steady(Motion(GAMMA, tolerance=2e-5), kappa, wave(u, 2))
        assert distance(harmonic / u, kubo) < 1e-4 and distance(np.sum(uniform, axis=0) / u**2, keldysh) < 1e-4

    state = OMEGA, GAMMA, level, KELVIN
    ends = [(dense.bloch(case.electrons, k + q * n), dense.bloch(case.electrons, k)) for k in ks]
    green = [
        [dense.first_order(*both, g, np.asarray(o.matrix), *state) for o in case.observables]
        for both, g in zip(ends, vertices, strict=True)
    ]
    assert distance(np.array(green), kubo) < 1e-8


def s84(above, below, g, observable, omega, level):
    """sum_ab O_ba g_ab (f_b - f_a)/(omega + e_b - e_a) between eigenstates, and the least denominator."""
    (e_a, v_a), (e_b, v_b) = np.linalg.eigh(above), np.linalg.eigh(below)
    f_a, f_b = (expit((level - e) / (k_B * KELVIN)) for e in (e_a, e_b))
    detuning = omega + e_b[None, :] - e_a[:, None]
    weight = (v_a.conj().T @ g @ v_b) * (v_b.conj().T @ observable @ v_a).T
    return np.sum(weight * (f_b[None, :] - f_a[:, None]) / detuning), np.min(np.abs(detuning))


@every_crystal
def test_first_order_without_broadening_is_s84(name):
    case, level, (q, direction) = CASES[name], fermi_level(name), along(name)
    kappa, n = wave_vectors(name), np.array(direction) / np.linalg.norm(direction)
    e = np.asarray(circular_polarisation(direction, 1)) * np.sqrt(2)
    problem = asked(case, q, OMEGA, 1, level=level, direction=direction, amplitude=1.0)
    for i, k in enumerate(kappa[:1] @ np.asarray(case.electrons.crystal.lattice.reciprocal)):
        above, below = dense.bloch(case.electrons, k + q * n), dense.bloch(case.electrons, k)
        g = dense.vertex(case.electrons, k, q * n, e)
        expected, detunings = zip(
            *(s84(above, below, g, np.asarray(o.matrix), OMEGA, level) for o in case.observables), strict=True
        )
        gamma = min(*detunings, k_B * KELVIN) / 8
        values = [at(Kubo(gamma * s), kappa, problem)[i] for s in HALVES]
        assert close(power(values[:3], np.array(expected)), 1, 0.05)
        assert distance(limit(values), np.array(expected)) < 1e-8


@every_crystal
def test_a_phonon_shows_what_it_pumps_less_what_is_absorbed(name):
    """-d Re Pi/db = m - Re sum O W W* D, all three matrices between the two circular modes, three roads."""
    case, level, (q, direction) = CASES[name], fermi_level(name), along(name)
    kappa, n = wave_vectors(name)[:2], np.array(direction) / np.linalg.norm(direction)
    problem = asked(case, q, OMEGA, level=level, direction=direction)
    waves = [PolarisedPhonon(problem.drive.branch, problem.drive.q, e) for e in four_waves(direction)]
    of_waves = [eqx.tree_at(lambda p: p.drive, problem, wave) for wave in waves]
    pumped = hermitian_form(*(at(Keldysh(GAMMA), moved(name, 1 / 6)[:2], one) for one in of_waves))
    vectors = [np.asarray(circular_polarisation(direction, chirality)) for chirality in (1, -1)]
    for i, o in enumerate(case.observables):
        slope = field_slope(problem, o, GAMMA, 0.004 / float(np.linalg.norm(o.matrix, 2)))
        wide, narrow = np.moveaxis(np.asarray(at_phases(slope, phases(kappa))).reshape(-1, 2, 2, 2), 1, 0)
        shown = (4 * narrow - wide) / 3
        for k, vector in enumerate(kappa @ np.asarray(case.electrons.crystal.lattice.reciprocal)):
            g = [dense.vertex(case.electrons, vector, q * n, e) for e in vectors]
            ends = dense.bloch(case.electrons, vector + q * n), dense.bloch(case.electrons, vector)
            lost = dense.absorbed(*ends, g, np.asarray(o.matrix), OMEGA, GAMMA, level, KELVIN) / (2 * MASS * OMEGA)
            assert distance(shown[k], pumped[k, i] - lost) < 1e-6
            assert name == "square lattice" or np.max(np.abs(lost)) > 1e-3 * np.max(np.abs(pumped[k, i]))
