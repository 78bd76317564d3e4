"""A cell that is strained, or whose atoms are displaced: as read, whether it belongs to the unchanged one, and its
Fermi level."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbiphon.coupling.displaced import named_displacement
from orbiphon.errors import InputError
from orbiphon.io.displaced import Displaced, check_told, displacement_between
from orbiphon.io.wannier import Wannier, read_wannier

_SAME_PLACE = 0.05  # of a lattice vector: atoms may relax, but not change places
_SAME_CELL = 1e-5  # |F - 1|: lattices that differ by less are the same, and atoms are displaced
_SAME_ATOMS = 1e-5  # angstrom
_FOLLOWED = 0.5  # of the displacement: centres of orbitals that ride on their atoms stay behind by less


class ChangedCell(NamedTuple):
    """A changed cell as read: F of a_i' = F a_i, and the displacements (site xyz) at the same fractions."""

    path: Path
    found: Wannier
    deformation: Float[np.ndarray, "xyz xyz"]
    displacement: Float[np.ndarray, "site xyz"]

    @staticmethod
    def read(model: Wannier, given: str | Path | Displaced, spin_order: str) -> "ChangedCell":
        """One cell. Raises `InputError` as `read_wannier`, and for one that does not belong to the unchanged cell."""
        path = Path(given.path if isinstance(given, Displaced) else given)
        found = read_wannier(path, spin_order=spin_order)
        _check_same(model, found, path)
        deformation = _deformation_of(model, found)
        _check_info(path, found.path, deformation)
        cell = ChangedCell(path, found, deformation, displacement_between(model, found))
        if isinstance(given, Displaced):
            check_told(given, model.electrons.crystal, cell.displacement if cell.displaced else None)
        return cell

    @property
    def displaced(self) -> bool:
        """Whether the lattice is the same, and atoms are not where they were."""
        same = float(np.max(np.abs(self.deformation - np.eye(3)))) < _SAME_CELL
        return same and float(np.max(np.abs(self.displacement))) > _SAME_ATOMS


def all_displaced(cells: Sequence[ChangedCell]) -> bool:
    """Whether all cells have displaced atoms, or none. Raises `InputError` for some."""
    displaced = [cell for cell in cells if cell.displaced]
    if displaced and len(displaced) < len(cells):
        other = next(cell for cell in cells if not cell.displaced)
        raise InputError(
            f"`{displaced[0].path}` and `{other.path}` must both be strained, or both have displaced atoms, but the "
            "first has the lattice of the unchanged cell and other positions, and the second has not. Name one kind of "
            "cells."
        )
    return bool(displaced)


def centres_follow(model: Wannier, cells: Sequence[ChangedCell]) -> list[str]:
    """Whether the centres of the orbitals moved with their atoms, where they are known; a note. Raises `InputError`."""
    worst = 0.0
    for cell in cells:
        if model.offsets is None or cell.found.offsets is None:
            return ["no centres known: whether the orbitals moved with their atoms is unchecked"]
        off = float(np.max(np.abs(cell.found.offsets - model.offsets)) / np.max(np.abs(cell.displacement)))
        worst = max(worst, off)
        if off > _FOLLOWED:
            moved = named_displacement(model.electrons.crystal.species, cell.displacement)
            raise InputError(
                f"`{cell.path}` must have orbitals that move with their atoms, but their centres lie off by {off:.2f} "
                f"of the displacement ({moved}). The Hamiltonian is of another cell than the positions in its `.win` "
                "file, or was not made with num_iter = 0."
            )
    return [f"centres follow their atoms but for {worst:.1e} of the displacement"]


def _deformation_of(model: Wannier, other: Wannier) -> np.ndarray:
    """F of a_i' = F a_i."""
    vectors, deformed = (np.asarray(w.electrons.crystal.lattice.vectors) for w in (model, other))
    return np.linalg.solve(vectors, deformed).T


def _check_same(model: Wannier, found: Wannier, path: Path) -> None:
    """Whether two cells have the same atoms, orbitals and mesh."""
    ours, theirs = model.electrons, found.electrons
    for what, a, b in (
        ("orbitals", ", ".join(ours.basis.labels), ", ".join(theirs.basis.labels)),
        ("atoms", ", ".join(ours.crystal.species), ", ".join(theirs.crystal.species)),
        ("mesh", model.mesh, found.mesh),
    ):
        if a != b:
            raise InputError(
                f"`{path}` must have the {what} of the undeformed cell, {a}, but has {b}. It is of another "
                "calculation: check the pair."
            )
    reduced = [
        np.asarray(w.crystal.positions) @ np.linalg.inv(np.asarray(w.crystal.lattice.vectors)) for w in (ours, theirs)
    ]
    apart = reduced[1] - reduced[0]
    if np.max(np.abs(apart)) > _SAME_PLACE:
        raise InputError(
            f"`{path}` must have its atoms where the undeformed cell has them, in fractions of the lattice vectors, "
            f"but they differ by {np.max(np.abs(apart)):.3g}. Use the same order and the same origin of the atoms."
        )


def _check_info(path: Path, file: Path, deformation: np.ndarray) -> None:
    """Whether an info.json tells of the same deformation as the lattices."""
    told = _info(file).get("F")
    if told is not None and (np.shape(told) != (3, 3) or np.max(np.abs(np.array(told) - deformation)) > 1e-4):
        raise InputError(
            f"`{path}` must have a lattice deformed as its info.json says, but its lattice says "
            f"{np.round(deformation, 5).tolist()}. Files of different cells are mixed up."
        )


def fermi_level_of(path: Path, found: Wannier, levels: Mapping[str, float]) -> float | None:
    if str(path) in levels:
        return float(levels[str(path)])
    level = _info(found.path).get("fermi_eV")
    if level is not None and (not isinstance(level, int | float) or not np.isfinite(level)):
        raise InputError(f"`{found.path.parent / 'info.json'}` must give fermi_eV as a number, but gives {level!r}.")
    return None if level is None else float(level)


def _info(file: Path) -> dict:
    """What `info.json` beside a file says; empty without one."""
    path = file.parent / "info.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"`{path}` must be JSON, but is not: {error}. Mend or remove it.") from None
    if not isinstance(found, dict):
        raise InputError(f"`{path}` must hold a table, but holds {type(found).__name__}. Mend or remove it.")
    return found
