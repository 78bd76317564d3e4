"""Cells with displaced atoms: which atoms moved, by how much, and whether the orbitals moved with them."""

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbiphon._checks import check_choice
from orbiphon.coupling.differences import Difference
from orbiphon.coupling.displaced import named_displacement
from orbiphon.crystal import Crystal
from orbiphon.errors import InputError
from orbiphon.io.wannier import Wannier

_SAME = 0.05  # of the displacement: how well what is told and what is read must agree


class Displaced(NamedTuple):
    """A cell, and what was done to it: `atom` (from 0) moved along `direction` ("x", "y" or "z") by `step` angstrom,
    all its copies with it. `read_pairs` compares that with the positions in the files."""

    path: str | Path
    atom: int
    direction: str
    step: float


def displacement_between(model: Wannier, found: Wannier) -> Float[np.ndarray, "site xyz"]:
    """By how much the atoms lie off their places at the same fractions of the lattice vectors, angstrom."""
    vectors, others = (np.asarray(w.electrons.crystal.lattice.vectors) for w in (model, found))
    places, moved = (np.asarray(w.electrons.crystal.positions) for w in (model, found))
    return moved - places @ np.linalg.inv(vectors) @ others


def neighbour_distance(crystal: Crystal) -> float:
    """The smallest distance between two atoms, angstrom: the unit in which displacements are small."""
    vectors, positions = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    cells = np.array(list(itertools.product((-1, 0, 1), repeat=len(vectors)))) @ vectors
    length = np.linalg.norm(cells[:, None, None] + positions[:, None] - positions[None], axis=-1)
    return float(np.min(length[length > 1e-6]))


def words_of(crystal: Crystal, pair: Difference) -> str:
    """The displacement of a pair."""
    change = pair.change.reshape(-1, 3)
    return (
        f"{named_displacement(crystal.species, change)}, |u| = {pair.step * neighbour_distance(crystal):.4f} angstrom"
    )


def check_told(told: Displaced, crystal: Crystal, found: Float[np.ndarray, "site xyz"] | None) -> None:
    """Raise `InputError` unless the displacement that was found (None: another change) is what was told."""
    check_choice("direction", told.direction, ("x", "y", "z"))
    if not 0 <= told.atom < crystal.sites:
        raise InputError(
            f"Argument `atom` of `{told.path}` must be a number from 0 to {crystal.sites - 1}, but is {told.atom}. "
            f"Atoms: {', '.join(f'{i}:{name}' for i, name in enumerate(crystal.species))}."
        )
    expected = np.zeros((crystal.sites, 3))
    expected[told.atom, "xyz".index(told.direction)] = told.step
    if found is None or np.max(np.abs(found - expected)) > _SAME * abs(told.step):
        moved = (
            "none is displaced"
            if found is None
            else f"{named_displacement(crystal.species, found)} by {np.linalg.norm(found):.5f} angstrom is"
        )
        raise InputError(
            f"`{told.path}` must have {named_displacement(crystal.species, expected)} displaced by {told.step:g} "
            f"angstrom, as it is called, but by its positions {moved}. Files of different cells are mixed up, or the "
            "`.win` file is not that of the displaced cell."
        )
