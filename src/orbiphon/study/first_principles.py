"""Electrons and couplings of a study from files: `[electrons] file = ...`, `[coupling] pairs = [...]`."""

import dataclasses
import functools
import warnings
from pathlib import Path

import numpy as np

from orbiphon import io, response
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.response import Answer, Numerics, Problem
from orbiphon.study.config import Study

_WITHOUT_STEP = 10.0
_STEP_SHARE = 10  # of the points: the change of a moment with the step needs no fine mesh


def is_from_files(study: Study) -> bool:
    """Whether the study's electrons come from files."""
    return hasattr(study.config.electrons, "file")


def deformed_cells(home: Path) -> list[Path]:
    """The folders beside that of the undeformed cell that hold a `.win` file."""
    folder = home if home.is_dir() else home.parent
    return [
        sub
        for sub in sorted(folder.resolve().parent.iterdir())
        if sub.is_dir() and sub != folder.resolve() and any(sub.glob("*.win*"))
    ]


def read(study: Study) -> io.Pairs:
    """What the files of a study hold; read once. Raises `InputError`."""
    home = study.folder / study.config.electrons.file
    if not home.exists():
        raise InputError(
            f"electrons.file must be a file of Wannier90 or its folder, but `{home}` is not there. Give the path from "
            "the study file on."
        )
    named = study.config.coupling.pairs
    cells = [study.folder / name for name in named] if named else deformed_cells(home)
    if not cells:
        raise InputError(
            "coupling.pairs must name folders of deformed cells where none lie beside the undeformed one, but is not "
            'given. Write pairs = ["ezx_p0.01", "ezx_m0.01"], say.'
        )
    return _read(home, tuple(cells), study.config.electrons.spin_order)


@functools.lru_cache(maxsize=2)
def _read(home: Path, cells: tuple[Path, ...], spin_order: str) -> io.Pairs:
    return io.read_pairs(home, cells, spin_order=spin_order)


def shifted(study: Study, shifts: list[float]) -> list[float]:
    """Fermi levels (eV) from `state.fermi_shift`. Raises `InputError` where the files tell no Fermi level."""
    level = read(study).fermi_level
    if level is None:
        raise InputError(
            "state.fermi_shift must be counted from the Fermi level in an info.json (fermi_eV) beside the Hamiltonian, "
            "but there is none. Add it, or give state.fermi_level."
        )
    return [level + shift for shift in shifts]


def with_step_error(
    answer: Answer, problem: Problem, method: response.AbstractMethod, numerics: Numerics, pairs: io.Pairs
) -> Answer:
    """The same answer with the error that the finite strains make: the change with the next larger ones, or, without
    them, ten times the squared even part of the pairs."""
    if pairs.coarse is None:
        step = _WITHOUT_STEP * pairs.even**2 * np.abs(answer.value)
    else:
        rough = Numerics(rtol=numerics.rtol, atol=numerics.atol, max_points=max(numerics.max_points // _STEP_SHARE, 1))
        values = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ToleranceWarning)  # both miss it alike, and only their difference counts
            for coupling in (pairs.coupling, pairs.coarse):
                state = problem.state
                other = Problem(problem.electrons, problem.drive, state, coupling, problem.observables, problem.order)
                values.append(response.solve(other, method, rough).value)
        step = np.abs(values[1] - values[0])
    return dataclasses.replace(answer, error=answer.error + step)


def findings(study: Study) -> list[str]:
    """What was understood of the files, line by line."""
    pairs = read(study)
    level = "none known" if pairs.fermi_level is None else f"{pairs.fermi_level:.4f} eV in info.json"
    return [f"{pairs.home.path}", *pairs.home.notes, *pairs.notes, f"Fermi level of the calculation: {level}"]
