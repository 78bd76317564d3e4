"""The Berry-curvature method against curvatures of finite plaquettes, and against the conserving method."""

import numpy as np
import pytest
from scipy.special import expit

import dense
from orbiphon import units
from orbiphon.drives import OnePhonon
from orbiphon.electrons import observable
from orbiphon.models import cubic_p
from orbiphon.phonons import AcousticBranch, transverse_basis
from orbiphon.response import Berry, ElectronState, Problem, zone_map
from systems import random_crystal

SPEED, MASS, Q = 5000 * units.m / units.s, 4e-26 * units.kg, 0.02
LEVEL, KELVIN = 0.2, 900.0
TILTED = (0.5, -0.7, 0.4)


def problem(electrons, names, chirality=1, level=LEVEL):
    drive = OnePhonon(AcousticBranch(speed=SPEED, mass=MASS, direction=TILTED), q=Q, chirality=chirality)
    state = ElectronState(fermi_level=level, temperature=KELVIN)
    return Problem(electrons, drive, state, observables=names)


def projectors(hamiltonian):
    """Projectors on each group of degenerate levels, and their energies."""
    energies, vectors = np.linalg.eigh(hamiltonian)
    groups = np.split(np.arange(len(energies)), np.flatnonzero(np.diff(energies) > 1e-6) + 1)
    return [vectors[:, g] for g in groups], [energies[g].mean() for g in groups]


def plaquette(hamiltonian, first, second, step):
    """Traced Berry curvature of each group of levels at the origin: the phase around a square of side `step`."""
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    sets = [np.linalg.eigh(hamiltonian + step * (a * first + b * second))[1] for a, b in corners]
    sizes = [v.shape[1] for v in projectors(hamiltonian)[0]]
    curvature, start = [], 0
    for size in sizes:
        frames = [v[:, start : start + size] for v in sets]
        start += size
        links = [np.linalg.det(a.conj().T @ b) for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
        curvature.append(-np.angle(np.prod(links)) / step**2)  # A = i<n|dn>
    return np.array(curvature)


def expected(electrons, k, matrix, chirality=1):
    """-lambda q^2/2M sum_n f_n dOmega_n/db, for strains s1, s2 with H + s1 G1 + s2 G2, G = -i gamma hermitian."""
    e1, e2 = (np.asarray(e) for e in transverse_basis(TILTED))
    n = np.array(TILTED) / np.linalg.norm(TILTED)
    h = dense.bloch(electrons, k)
    first, second = (-1j * dense.strain(electrons, k, n, e) for e in (e1, e2))
    filled = expit((LEVEL - np.array(projectors(h)[1])) / (units.k_B * KELVIN))
    field, step = 2e-3, 2e-3
    high, low = (plaquette(h - b * matrix, first, second, step) for b in (field, -field))
    return -chirality * Q**2 / (2 * MASS) * np.sum(filled * (high - low) / (2 * field))


CRYSTALS = {
    "s d, chain": random_crystal(0, dim=1, sites=1),
    "three atoms, sheet": random_crystal(5, dim=2, sites=3),
    "two atoms, bulk": random_crystal(6, dim=3, sites=2),
    "p, bulk": random_crystal(1, dim=3, sites=1),
}


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("chirality", [1, -1])
def test_berry_is_the_derivative_of_the_curvature_of_plaquettes(name, chirality):
    electrons = CRYSTALS[name]
    kappa = np.random.default_rng(2).uniform(size=(3, electrons.crystal.lattice.dim))
    found = zone_map(problem(electrons, ("Lx", "Lz"), chirality), Berry(), kappa)
    matrices = [np.asarray(observable(electrons.basis, o).matrix) for o in ("Lx", "Lz")]
    ks = kappa @ np.asarray(electrons.crystal.lattice.reciprocal)
    sums = np.array([[expected(electrons, k, o, chirality) for o in matrices] for k in ks])
    assert np.abs(sums).max() > 0
    np.testing.assert_allclose(found, sums, atol=2e-3 * np.abs(sums).max())


def test_degenerate_levels_count_as_one_and_their_basis_does_not_matter():
    # with spin but without spin-orbit coupling every level is a pair: twice the spinless answer
    single, pairs = cubic_p(-0.7, 0.3, 3.0), cubic_p(-0.7, 0.3, 3.0, spin_orbit=0.0)
    kappa = np.random.default_rng(3).uniform(size=(4, 3))
    once, twice = (zone_map(problem(electrons, ("Lx", "Ly")), Berry(), kappa) for electrons in (single, pairs))
    assert np.abs(once).max() > 0
    np.testing.assert_allclose(twice, 2 * once, atol=1e-9 * np.abs(once).max())
