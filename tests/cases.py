"""The crystals in which the methods must agree, and the same crystals in other words; the maths is in README.md."""

import itertools
from typing import NamedTuple

import numpy as np

from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import Basis, Observable, TightBinding, from_hoppings
from orbiphon.models import square_p
from systems import random_crystal, random_system, separate_positions


class Case(NamedTuple):
    """A crystal, two observables that are odd under time reversal, and a direction of waves."""

    electrons: TightBinding
    observables: tuple[Observable, Observable]
    direction: tuple[float, float, float]


def agreement_cases(intraband: bool = True) -> dict[str, Case]:
    """The crystals in which the methods must agree: the square lattice, and five at random; two with exact doublets.

    The doublets: spins without spin-orbit coupling; and two copies of a crystal between which vertex and observables
    have arbitrary elements, so that they do not commute within a doublet. Both in a random basis of orbitals.
    Without `intraband`: the crystals `without_intraband`.
    """
    crystals = {
        "two orbitals, chain": random_matrices(1, dim=1, sites=1),
        "three atoms, sheet": random_matrices(3, dim=2, sites=3),
        "two atoms, bulk": random_crystal(4, dim=3, sites=2),
        "spin doublets, sheet": random_system(11, dim=2, sites=1, spin=True, orbit=False).electrons,
        "mixed doublets, chain": random_matrices(2, dim=1, sites=2, doublets=True),
    }
    tilted = (0.6, 0.5, -0.3)
    crystals["square lattice"] = square_p(-1.9, -2.0, pz_shift=0.15)
    cases = {}
    for name, electrons in crystals.items():
        one = electrons if intraband else without_intraband(electrons)
        case = Case(one, random_observables(5, one), (1.0, 0.0, 0.0) if name == "square lattice" else tilted)
        cases[name] = rotated_orbitals(8, case) if "doublets" in name else case
    return cases


def random_matrices(seed: int, dim: int, sites: int, doublets: bool = False) -> TightBinding:
    """Two orbitals per atom, hoppings and their derivatives independent random numbers, all real: time reversal is K.

    With `doublets` the hoppings are those of one orbital per atom, twice; the derivatives know nothing of it.
    """
    random = np.random.default_rng(seed)
    vectors = 3.0 * (np.eye(3) + 0.15 * random.uniform(-1, 1, (3, 3)))[:dim]
    crystal = Crystal(Lattice(vectors), separate_positions(random, vectors, sites), ("X",) * sites)
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=dim)))  # the n-th from the end is the negative
    inner = 1 if doublets else 2
    hopping = random.uniform(-0.7, 0.7, (len(steps), inner * sites, inner * sites))
    hopping = np.kron(hopping, np.eye(2 // inner)[None])
    gradient = random.uniform(-0.7, 0.7, (len(steps), 2 * sites, 2 * sites, 3))
    basis = Basis(tuple((site, "s") for site in range(sites)), spin=True)  # the names of the orbitals do not matter
    return from_hoppings(
        crystal,
        basis,
        steps @ vectors,
        hopping + hopping[::-1].swapaxes(1, 2),
        gradient - gradient[::-1].swapaxes(1, 2),
    )


def random_observables(seed: int, electrons: TightBinding) -> tuple[Observable, Observable]:
    """Odd under time reversal, within the atoms: imaginary; or real times Pauli matrices, if spins are spins."""
    random, size = np.random.default_rng(seed), electrons.size
    site = np.array(electrons.basis.site_of)
    same = site[:, None] == site[None, :]
    shells = {shell for _, shell in electrons.basis.shells}

    def matrix() -> np.ndarray:
        x = random.normal(size=(size, size))
        if electrons.basis.spin and shells != {"s"}:
            pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
            half = size // 2
            parts = [
                np.kron(y + y.T, sigma) for y, sigma in zip(random.normal(size=(3, half, half)), pauli, strict=True)
            ]
            return same * (1j * np.kron(x[:half, :half] - x[:half, :half].T, np.eye(2)) + sum(parts))
        return same * 1j * (x - x.T)

    first, second = (Observable(name, matrix(), time_reversal=-1, inversion=1, unit="hbar") for name in "AB")
    return first, second


def without_intraband(electrons: TightBinding) -> TightBinding:
    """Every orbital a band of its own, as in the paper, with a vertex between bands of different energy only."""
    n = np.arange(electrons.size)
    levels = np.asarray(electrons.hopping)[:, n, n]
    different = np.max(np.abs(levels[:, :, None] - levels[:, None, :]), axis=0) > 0
    changed = {
        "hopping": np.asarray(electrons.hopping) * np.eye(electrons.size),
        "hopping_gradient": np.asarray(electrons.hopping_gradient) * different[None, :, :, None],
    }
    return type(electrons)(**{**vars(electrons), **changed})  # the same form: nothing is compiled again


def rotated_orbitals(seed: int, case: Case) -> Case:
    """The same crystal in a random unitary basis on every atom."""
    random, electrons = np.random.default_rng(seed), case.electrons
    site = np.array(electrons.basis.site_of)
    unitary = np.zeros((electrons.size, electrons.size), complex)
    for s in set(site):
        where = np.flatnonzero(site == s)
        random_matrix = random.normal(size=(2, len(where), len(where)))
        unitary[np.ix_(where, where)] = np.linalg.qr(random_matrix[0] + 1j * random_matrix[1])[0]

    def turned(matrix) -> np.ndarray:
        return unitary @ np.asarray(matrix) @ unitary.conj().T

    gradient = np.moveaxis(turned(np.moveaxis(np.asarray(electrons.hopping_gradient), -1, 1)), 1, -1)
    numbers = {"hopping": turned(electrons.hopping), "hopping_gradient": gradient}
    form = {"sectors": (tuple(range(electrons.size)),), "gradient_pairs": ((0, 0),)}
    changed = type(electrons)(**{**vars(electrons), **numbers, **form})
    first, second = (
        Observable(o.name, turned(o.matrix), o.time_reversal, o.inversion, o.unit) for o in case.observables
    )
    return Case(changed, (first, second), case.direction)


def folded(case: Case) -> Case:
    """The same crystal with two cells in one, along the first lattice vector."""
    electrons, size = case.electrons, case.electrons.size
    vectors = np.asarray(electrons.crystal.lattice.vectors)
    reciprocal = np.asarray(electrons.crystal.lattice.reciprocal)
    steps = np.rint(np.asarray(electrons.cells) @ reciprocal.T / (2 * np.pi)).astype(int)
    parts = {"hopping": np.asarray(electrons.hopping), "hopping_gradient": np.asarray(electrons.hopping_gradient)}
    blocks: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
    for i, step in enumerate(steps):
        for start in (0, 1):
            cell, end = divmod(start + step[0], 2)
            where = (slice(end * size, (end + 1) * size), slice(start * size, (start + 1) * size))
            block = blocks.setdefault(
                (cell, *step[1:]), {n: np.zeros((2 * size, 2 * size, *x.shape[3:]), complex) for n, x in parts.items()}
            )
            for name, matrices in parts.items():
                block[name][where] += matrices[i]
    doubled = np.concatenate([2 * vectors[:1], vectors[1:]])
    positions, tau = np.asarray(electrons.crystal.positions), np.asarray(electrons.orbital_positions)
    crystal = Crystal(
        Lattice(doubled), np.concatenate([positions, positions + vectors[0]]), 2 * electrons.crystal.species
    )
    shells = electrons.basis.shells
    twice = Basis((*shells, *((s + electrons.crystal.sites, l) for s, l in shells)), spin=electrons.basis.spin)
    changed = from_hoppings(
        crystal,
        twice,
        np.array(list(blocks)) @ doubled,
        np.stack([block["hopping"] for block in blocks.values()]),
        np.stack([block["hopping_gradient"] for block in blocks.values()]),
        np.concatenate([tau, tau + vectors[0]]),
    )
    first, second = (
        Observable(o.name, np.kron(np.eye(2), o.matrix), o.time_reversal, o.inversion, o.unit) for o in case.observables
    )
    return Case(changed, (first, second), case.direction)
