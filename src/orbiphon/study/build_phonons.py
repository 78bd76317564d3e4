"""From `[phonons]` to the classes of `orbiphon.phonons`: one function for each kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

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
    _check_same(read.crystal, crystal)
    # The same numbers to the last digit: wave vectors and phases of both are compared.
    reduced = np.rint(np.asarray(read.cells) @ np.linalg.pinv(np.asarray(read.crystal.lattice.vectors)))
    return ForceConstants(crystal, read.masses, reduced @ np.asarray(crystal.lattice.vectors), read.matrices)


def _check_same(found: Crystal, electrons: Crystal) -> None:
    """Raise `InputError` unless a crystal is that of the electrons."""
    if found.sites != electrons.sites:
        what = f"has {found.sites} atoms per cell ({', '.join(found.species)}), and theirs {electrons.sites}"
    elif found.lattice.dim != electrons.lattice.dim:
        what = f"repeats in {found.lattice.dim} directions, and theirs in {electrons.lattice.dim}"
    else:
        pairs = {
            "lattice vectors": (found.lattice.vectors, electrons.lattice.vectors),
            "positions": (found.positions, electrons.positions),
        }
        apart = {name: float(np.max(np.abs(np.asarray(a) - np.asarray(b)))) for name, (a, b) in pairs.items()}
        name = max(apart, key=lambda name: apart[name])
        if apart[name] <= _SAME:
            return
        here, there = (np.round(np.asarray(one), 3).tolist() for one in pairs[name])
        what = f"has {name} {here}, and theirs are {there}"
    raise InputError(
        f"phonons.file must hold the electrons' crystal, atom by atom to {_SAME} angstrom, but {what}. Make both from "
        "one structure: the same cell, the same order of atoms."
    )


PHONONS: dict[type[sections.Section], Build] = {
    sections.Acoustic: _acoustic,
    sections.Springs: _springs,
    sections.PhononsFromFile: _from_file,
}
