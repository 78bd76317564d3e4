"""Wave functions of electron and phonon, against the exact states of a cut chain and against the other roads."""

import numpy as np
import pytest
from scipy.special import expit

import dense
from orbiphon.drives import OnePhonon
from orbiphon.electrons import observable
from orbiphon.models import cubic_p, linear_chain
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response import ElectronState, Keldysh, Numerics, Perturbation, Problem, solve, zone_map
from orbiphon.units import k_B
from systems import random_crystal

Q, OMEGA, LEVEL, KELVIN, MASS = 0.4, 3.0, 0.8, 900.0, 1.0  # no resonance: omega is wider than a band
TILTED = (0.6, 0.5, -0.3)


def problem(electrons, names, chirality=1, q=Q, omega=OMEGA, level=LEVEL, kelvin=KELVIN, direction=TILTED):
    drive = OnePhonon(AcousticBranch(speed=omega / q, mass=MASS, direction=direction), q=q, chirality=chirality)
    return Problem(electrons, drive, ElectronState(fermi_level=level, temperature=kelvin), observables=names)


def gapped(electrons, *onsite):
    home = np.linalg.norm(np.asarray(electrons.cells), axis=1) == 0
    shift = home[:, None, None] * np.diag(np.array(onsite, dtype=complex))
    return type(electrons)(**{**vars(electrons), "hopping": electrons.hopping + shift})


def chain(electrons, k, u, chirality):
    """H of the states k - q, k, k + q in a wave of amplitude u (one quantum: u = 1), energies counted with phonons."""
    n = np.array(TILTED) / np.linalg.norm(TILTED)
    e = np.asarray(circular_polarisation(TILTED, chirality)) * u / np.sqrt(2 * MASS * OMEGA)
    size = electrons.size
    h = np.zeros((3 * size, 3 * size), complex)
    for i, step in enumerate((-1, 0, 1)):
        rows = slice(i * size, (i + 1) * size)
        h[rows, rows] = dense.bloch(electrons, k + step * Q * n) - step * OMEGA * np.eye(size)
        if step < 1:
            up = slice((i + 1) * size, (i + 2) * size)
            h[up, rows] = dense.vertex(electrons, k + step * Q * n, Q * n, e)
            h[rows, up] = h[up, rows].conj().T
    return h


def dressed_moment(electrons, k, matrix, u, chirality):
    """sum_a f_a <O> in the exact eigenstates that grow out of the states at k, without what was there before."""
    size, moment = electrons.size, 0.0
    energies, bare = np.linalg.eigh(dense.bloch(electrons, k))
    whole = np.kron(np.eye(3), matrix)
    _, states = np.linalg.eigh(chain(electrons, k, u, chirality))
    filled = expit((LEVEL - energies) / (k_B * KELVIN))
    for a in range(size):
        start = np.concatenate([np.zeros(size), bare[:, a], np.zeros(size)])
        state = states[:, np.argmax(np.abs(start.conj() @ states))]
        moment += filled[a] * np.real(state.conj() @ whole @ state - start.conj() @ whole @ start)
    return moment


def test_moment_of_dressed_states():
    # a zone sum: the method orders the same terms by other wave vectors
    bare, points = random_crystal(6, dim=1, sites=2), 80
    electrons = gapped(bare, *np.linspace(0, 30, bare.size))
    names, reciprocal = ("Lx", "Lz"), np.asarray(electrons.crystal.lattice.reciprocal)
    kappa = (np.arange(points)[:, None] + 0.5) / points
    for chirality in (1, -1):
        found = zone_map(problem(electrons, names, chirality), Perturbation(), kappa).mean(axis=0)
        for o, name in enumerate(names):
            matrix = np.asarray(observable(electrons.basis, name).matrix)
            sums = [
                np.mean([dressed_moment(electrons, k, matrix, u, chirality) for k in kappa @ reciprocal]) / u**2
                for u in (2e-2, 1e-2)
            ]
            expected = (4 * sums[1] - sums[0]) / 3
            assert abs(found[o] - expected) < 1e-6 * np.abs(found).max()


def test_degenerate_levels_count_as_one():
    single, pairs = cubic_p(-0.7, 0.3, 3.0), cubic_p(-0.7, 0.3, 3.0, spin_orbit=0.0)
    kappa = np.random.default_rng(3).uniform(size=(4, 3))
    once, twice = (zone_map(problem(e, ("Lx", "Ly")), Perturbation(), kappa) for e in (single, pairs))
    assert np.abs(once).max() > 0
    np.testing.assert_allclose(twice, 2 * once, atol=1e-8 * np.abs(once).max())


INSULATOR = {"names": ("Lx",), "omega": 0.05, "level": -1.0, "kelvin": 300.0, "direction": "x"}


@pytest.fixture(scope="module")
def insulator():
    return gapped(linear_chain({"pp_sigma": 0.3, "pp_pi": -0.2}, "p"), -3.0, 1.0, 1.4)


def moment(electrons, method, **changes):
    return solve(problem(electrons, **(INSULATOR | changes)), method, Numerics(rtol=1e-9, block=256)).value.item()


def test_clean_limit_of_keldysh_off_resonance(insulator):
    exact = moment(insulator, Perturbation())
    gaps = [abs(moment(insulator, Keldysh(gamma)) - exact) / abs(exact) for gamma in (0.02, 0.01)]
    assert gaps[1] < 1e-3
    assert 1.7 < gaps[0] / gaps[1] < 4.5
