"""Random crystals, and the same crystals as real, displaced supercells; the maths is in README.md."""

import itertools
from typing import NamedTuple

import numpy as np

from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from slater_koster_1954 import table_block

_LETTERS = "spd"
_SHELLS = {  # shells by number of sites: 2 to 6 orbitals per cell
    1: [((0, "p"),), ((0, "s"), (0, "p")), ((0, "d"),), ((0, "s"), (0, "d"))],
    2: [((0, "s"), (1, "s")), ((0, "s"), (1, "p")), ((0, "p"), (1, "p")), ((0, "d"), (1, "s"))],
    3: [((0, "s"), (1, "s"), (2, "s")), ((0, "s"), (1, "p"), (2, "s"))],
}


class RandomSystem(NamedTuple):
    """A tight-binding model, and the numbers it was made of."""

    electrons: TightBinding
    integrals: dict[str, float]
    decay: dict[str, float]
    length: float
    cutoff: float
    onsite: np.ndarray


def random_system(
    seed: int, dim: int | None = None, sites: int | None = None, spin: bool = False, orbit: bool = True
) -> RandomSystem:
    """A crystal without symmetry: 1-3 dimensions, 1-3 atoms, 2-6 spatial orbitals; `orbit`: spins couple to them."""
    random = np.random.default_rng(seed)
    dim = int(random.integers(1, 4)) if dim is None else dim
    sites = int(random.integers(1, 4)) if sites is None else sites
    shells = _SHELLS[sites][int(random.integers(len(_SHELLS[sites])))]
    vectors = 3.0 * (np.eye(3) + 0.15 * random.uniform(-1, 1, (3, 3)))[:dim]
    lattice = Lattice(vectors)
    positions = separate_positions(random, vectors, sites)
    cutoff = 1.02 * float(np.max(np.linalg.norm(vectors, axis=1)))
    names = ["ss_sigma", "sp_sigma", "sd_sigma", "pp_sigma", "pp_pi", "pd_sigma", "pd_pi"]
    names += ["dd_sigma", "dd_pi", "dd_delta"]
    integrals = {name: float(random.uniform(-1, 1)) for name in names}
    decay = {name: float(random.uniform(1, 4)) for name in names}
    basis = Basis(shells, spin=spin)
    onsite = np.repeat(random.uniform(-1, 1, basis.spatial_size), basis.spins)  # the same for both spins
    spin_orbit = (
        {shell: float(random.uniform(0.1, 0.5)) for shell in shells if shell[1] != "s"} if spin and orbit else None
    )
    electrons = tight_binding(
        Crystal(lattice, positions, tuple(f"X{i}" for i in range(sites))),
        basis,
        SlaterKoster(integrals, length=2.5, decay=decay),
        cutoff,
        onsite=onsite,
        spin_orbit=spin_orbit,
    )
    return RandomSystem(electrons, integrals, decay, 2.5, cutoff, onsite)


def random_crystal(seed: int, dim: int | None = None, sites: int | None = None, spin: bool = False) -> TightBinding:
    """The electrons of `random_system`."""
    return random_system(seed, dim, sites, spin).electrons


def random_polarisation(seed: int, sites: int) -> np.ndarray:
    """A complex displacement of each atom, (site, xyz)."""
    random = np.random.default_rng(seed)
    return random.normal(size=(sites, 3)) + 1j * random.normal(size=(sites, 3))


def random_wave_vector(seed: int, electrons: TightBinding) -> np.ndarray:
    """A Cartesian wave vector (xyz) anywhere in the zone."""
    kappa = np.random.default_rng(seed).uniform(-0.5, 0.5, electrons.crystal.lattice.dim)
    return kappa @ np.asarray(electrons.crystal.lattice.reciprocal)


def supercell_hamiltonian(system: RandomSystem, repeats: tuple[int, ...], displacement) -> np.ndarray:
    """The Hamiltonian of a periodic supercell (without spin) whose atoms at r are moved by `displacement(r, site)`.

    Rows and columns: cells in the order of itertools.product, then orbitals of the cell. Which atoms are bonded is
    decided before they move; every bond vector is recomputed after.
    """
    crystal, basis = system.electrons.crystal, system.electrons.basis
    vectors, positions = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    cells = [np.array(cell) @ vectors for cell in itertools.product(*map(range, repeats))]
    sites = [site for _ in cells for site in range(len(positions))]
    atoms = np.concatenate([cell + positions for cell in cells])
    moved = np.array([r + displacement(r, site) for r, site in zip(atoms, sites, strict=True)])
    big = np.asarray(repeats)[:, None] * vectors
    images = np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=len(repeats)))) @ big

    per_site = [[(shell, where) for (s, shell), where in _shells(basis) if s == site] for site in range(len(positions))]
    hamiltonian = np.diag(np.tile(system.onsite, len(cells)))
    distance = np.linalg.norm(images[:, None, None] + atoms[:, None] - atoms[None, :], axis=-1)
    for image, a, b in np.argwhere((distance > 0) & (distance <= system.cutoff)):
        bond = images[image] + moved[a] - moved[b]
        for end, rows in per_site[sites[a]]:
            for start, columns in per_site[sites[b]]:
                i = basis.size * (a // len(positions)) + np.array(rows)
                j = basis.size * (b // len(positions)) + np.array(columns)
                hamiltonian[np.ix_(i, j)] += law_block(system, bond, end, start)
    return hamiltonian


def supercell_bloch(system: RandomSystem, repeats: tuple[int, ...], k: np.ndarray) -> np.ndarray:
    """Bloch sums N^{-1/2} e^{ik·r} of a commensurate k as columns, (supercell orbital, orbital)."""
    crystal, basis = system.electrons.crystal, system.electrons.basis
    vectors, positions = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    cells = [np.array(cell) @ vectors for cell in itertools.product(*map(range, repeats))]
    tau = positions[np.array(basis.site_of)]
    return np.concatenate([np.diag(np.exp(1j * (cell + tau) @ k)) for cell in cells]) / np.sqrt(len(cells))


def law_block(system: RandomSystem, bond: np.ndarray, end: str, start: str) -> np.ndarray:
    """The hopping along a bond from the classical table."""
    low, high = sorted((_LETTERS.index(end), _LETTERS.index(start)))
    names = [f"{_LETTERS[low]}{_LETTERS[high]}_{kind}" for kind in ("sigma", "pi", "delta")[: low + 1]]
    ratio = system.length / np.linalg.norm(bond)
    values = [system.integrals[name] * ratio ** system.decay[name] for name in names]
    return table_block(bond, _LETTERS.index(end), _LETTERS.index(start), values)


def _shells(basis: Basis):
    slices = basis.spatial_slices()
    return [(shell, range(where.start, where.stop)) for shell, where in zip(basis.shells, slices, strict=True)]


def separate_positions(random: np.random.Generator, vectors: np.ndarray, sites: int) -> np.ndarray:
    """Positions in the cell, and off the line or plane of a chain or sheet, at least 1.2 Å apart."""
    around = np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=len(vectors)))) @ vectors
    while True:
        positions = random.uniform(0, 1, (sites, len(vectors))) @ vectors + random.uniform(-0.8, 0.8, (sites, 3))
        apart = [positions[i] - positions[j] + around for i in range(sites) for j in range(i)]
        if not apart or np.min(np.linalg.norm(np.concatenate(apart), axis=1)) > 1.2:
            return positions
