"""From `[phonons]` to the classes of `orbiphon.phonons`: one function for each kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from orbiphon import io
from orbiphon.crystal import Crystal
from orbiphon.errors import InputError
from orbiphon.phonons import AcousticBranch, ForceConstants, Spring, spring_model
from orbiphon.study import phonon_sections as sections
from orbiphon.study.quantity import KINDS

_SAME = 0.01  # angstrom

Build = Callable[[Any, Crystal, Path, dict[str, float]], AcousticBranch | ForceConstants]
"""Of a table, the electrons' crystal, the study's folder, and the table's quantities in internal units by key."""


def _acoustic(table: Any, crystal: Crystal, folder: Path, given: dict[str, float]) -> AcousticBranch:
    return AcousticBranch(direction=table.direction, **given)


def _springs(table: Any, crystal: Crystal, folder: Path, given: dict[str, float]) -> ForceConstants:
    if len(table.masses) != crystal.sites:
        raise InputError(
            f"phonons.masses must hold one mass for each of the {crystal.sites} atoms of the electrons' crystal "
            f"({', '.join(crystal.species)}), but holds {len(table.masses)}. Change the list."
        )
    springs = [
        Spring(*(given[f"springs.{i}.{key}"] for key in ("length", "central", "transverse")), between=spring.between)
        for i, spring in enumerate(table.springs)
    ]
    return spring_model(crystal, np.array(table.masses) * KINDS["mass"].internal, springs)


def _from_file(table: Any, crystal: Crystal, folder: Path, given: dict[str, float]) -> ForceConstants:
    read = io.read_phonopy(folder / table.file, leave_out_charges=table.leave_out_charges)
    if read.dipoles is not None and crystal.lattice.dim != 3:
        raise InputError(
            "phonons.file must hold short-ranged forces for a layer or a chain, but comes with Born charges, whose "
            "long-ranged forces are known for a crystal that repeats in three directions only. Write "
            "leave_out_charges = true: transverse and acoustic modes are right then."
        )
    turns = _check_same(read.crystal, crystal)
    # The electrons' crystal in place of the file's: the same numbers to the last digit, and each atom in the cell where
    # they have it. Of a layer or a chain, which phonopy repeats in all directions, copies count as one.
    reduced = np.rint(np.asarray(read.cells) @ np.linalg.inv(np.asarray(read.crystal.lattice.vectors)))
    reduced = reduced[:, None, None, : crystal.lattice.dim] + turns[None, :, None] - turns[None, None, :]
    cells, which = np.unique(reduced.reshape(-1, crystal.lattice.dim), axis=0, return_inverse=True)
    first, second = np.meshgrid(np.arange(crystal.sites), np.arange(crystal.sites), indexing="ij")
    matrices = np.zeros((len(cells), *read.matrices.shape[1:]))
    np.add.at(matrices, (which.reshape(reduced.shape[:3]), first[None], second[None]), np.asarray(read.matrices))
    return ForceConstants(crystal, read.masses, cells @ np.asarray(crystal.lattice.vectors), matrices, read.dipoles)


def _check_same(found: Crystal, electrons: Crystal) -> Float[np.ndarray, "site dim"]:
    """By how many lattice vectors each atom lies off that of the electrons' crystal.

    Raises `InputError` unless the two are the same, in the directions in which this repeats, but for the origin.
    """
    wrong = (
        f"phonons.file must hold the electrons' crystal, atom by atom to {_SAME} angstrom, but {{}}. Make both from "
        "one structure: the same cell, the same order of atoms."
    )
    if found.sites != electrons.sites:
        counts = f"has {found.sites} atoms per cell ({', '.join(found.species)}), and theirs {electrons.sites}"
        raise InputError(wrong.format(counts))
    vectors, other = (np.asarray(one.lattice.vectors) for one in (electrons, found))
    if len(other) < len(vectors) or np.max(np.abs(other[: len(vectors)] - vectors)) > _SAME:
        here, there = (np.round(one, 3).tolist() for one in (other, vectors))
        raise InputError(wrong.format(f"has lattice vectors {here}, and theirs are {there}"))
    places, theirs = (np.asarray(one.positions) - np.asarray(one.positions)[:1] for one in (found, electrons))
    turns = np.rint((places - theirs) @ np.linalg.pinv(vectors))
    if np.max(np.abs(places - theirs - turns @ vectors)) > _SAME:
        here, there = (np.round(one, 3).tolist() for one in (places, theirs))
        raise InputError(wrong.format(f"has its atoms, from the first one on, at {here}, and theirs are at {there}"))
    return turns


PHONONS: dict[type[sections.Section], Build] = {
    sections.Acoustic: _acoustic,
    sections.Springs: _springs,
    sections.PhononsFromFile: _from_file,
}
