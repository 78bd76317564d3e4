"""Crystals with springs, and the same springs as a finite, displaced supercell; the maths is in README.md."""

import itertools

import numpy as np

from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import Basis, SlaterKoster, TightBinding, tight_binding
from orbiphon.phonons import ForceConstants, Spring, spring_model

BOND = 2.0
SIDE = np.sqrt(3.0) * BOND


def honeycomb(species: tuple[str, str] = ("A", "B"), turn: float = 0.0) -> Crystal:
    """Two atoms, one bond along y for `turn` = 0 (radian)."""
    c, s = np.cos(turn), np.sin(turn)
    turned = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    vectors = np.array([[SIDE, 0.0, 0.0], [SIDE / 2, 1.5 * BOND, 0.0]]) @ turned
    return Crystal(Lattice(vectors), np.array([[0.0, 0.0, 0.0], [0.0, BOND, 0.0]]) @ turned, species)


def honeycomb_springs(crystal: Crystal, masses=(11.0, 14.0)) -> ForceConstants:
    """Springs to first and second neighbours."""
    springs = [Spring(BOND, 20.0, 5.0), Spring(SIDE, 3.0, 0.5)]
    return spring_model(crystal, np.array(masses) * units.amu, springs)


def honeycomb_electrons(crystal: Crystal, stagger: float = 0.8, spin_orbit: float | None = None) -> TightBinding:
    """p orbitals; in a gap at energy 0 if staggered."""
    spin = spin_orbit is not None
    return tight_binding(
        crystal,
        Basis(((0, "p"), (1, "p")), spin=spin),
        SlaterKoster({"pp_sigma": 1.5, "pp_pi": -0.5}, length=BOND),
        1.1 * BOND,
        onsite=np.repeat([stagger, -stagger], 6 if spin else 3),
        spin_orbit={(0, "p"): spin_orbit, (1, "p"): spin_orbit} if spin else None,
    )


def helix(hand: int = 1, angle: float = 2 * np.pi / 3, side: float = 9.0) -> Crystal:
    """A threefold helix of one kind of atom along z (hand = +1: right-handed), chains far apart on a square lattice."""
    pitch, radius = 5.0, 1.2
    lattice = Lattice(np.diag([side, side, pitch])[2:])
    n = np.arange(3)
    positions = np.stack([radius * np.cos(n * angle), hand * radius * np.sin(n * angle), n * pitch / 3], axis=1)
    return Crystal(lattice, positions, ("Te",) * 3)


def helix_springs(crystal: Crystal) -> ForceConstants:
    """Along the helix to first, second and third neighbours."""
    tau, pitch = np.asarray(crystal.positions), float(crystal.lattice.vectors[0, 2])
    first = float(np.linalg.norm(tau[1] - tau[0]))
    second = float(np.linalg.norm(tau[2] - tau[0]))
    springs = [Spring(first, 8.0, 1.0), Spring(second, 2.0, 0.3), Spring(pitch, 0.7, 0.2)]
    return spring_model(crystal, np.full(3, 127.0) * units.amu, springs)


def spring_energy(crystal: Crystal, springs, repeats: tuple[int, ...], u: np.ndarray) -> float:
    """Half of all springs' k_L (n.du)^2 + k_T |du_perp|^2 in a periodic supercell, atom by atom.

    `springs` are (length, central, transverse); `u` (atom, xyz), atoms in the order of itertools.product of cells, then
    sites.
    """
    vectors, tau = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    cells = [np.array(cell) @ vectors for cell in itertools.product(*map(range, repeats))]
    atoms = np.concatenate([cell + tau for cell in cells])
    big = np.asarray(repeats)[:, None] * vectors
    images = np.array(list(itertools.product((-1, 0, 1), repeat=len(repeats)))) @ big
    total = 0.0
    for image in images:
        for a, b in itertools.product(range(len(atoms)), repeat=2):
            bond = image + atoms[a] - atoms[b]
            length = np.linalg.norm(bond)
            for distance, central, transverse in springs:
                if abs(length - distance) < 1e-3 * distance:
                    along = bond @ (u[a] - u[b]) / length
                    across = np.sum((u[a] - u[b]) ** 2) - along**2
                    total += 0.25 * (central * along**2 + transverse * across)  # each bond is met twice
    return total
