"""Electrons and couplings of a study from files: `[electrons] file = ...`, `[coupling] pairs = [...]`."""

import dataclasses
import functools
import hashlib
import itertools
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from orbiphon import io, response
from orbiphon.coupling import FromPairs
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.response import Answer, Numerics, Problem
from orbiphon.study.config import Study

_WITHOUT_STEP = 10.0
STEP_SHARE = 10  # of the points: the change of a moment with the step needs no fine mesh


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


def fingerprint(folders: list[Path]) -> str:
    """Equal only for the same Hamiltonian files, byte for byte."""
    return fingerprint_of(io.hamiltonian_files(folders))


def fingerprint_of(paths: Iterable[Path]) -> str:
    """Equal only for the same files, byte for byte."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def files_of(study: Study) -> str:
    """The fingerprint of the files that a study reads. Raises `InputError`."""
    return fingerprint(_folders(study))


def read(study: Study) -> io.Pairs:
    """What the files of a study hold; read once. Raises `InputError`."""
    home, *cells = _folders(study)
    electrons, coupling = study.config.electrons, study.config.coupling
    told = [
        path if cell is None or cell.atom is None else io.Displaced(path, cell.atom, cell.direction, cell.step)
        for path, cell in itertools.zip_longest(cells, coupling.pairs)
    ]
    return _read(home, tuple(told), electrons.spin_order, electrons.symmetrize, coupling.sum_rule)


def _folders(study: Study) -> list[Path]:
    """The undeformed cell, then the deformed ones."""
    home = study.folder / study.config.electrons.file
    if not home.exists():
        raise InputError(
            f"electrons.file must be a file of Wannier90 or its folder, but `{home}` is not there. Give the path from "
            "the study file on."
        )
    named = study.config.coupling.pairs
    cells = [study.folder / cell.path for cell in named] if named else deformed_cells(home)
    if not cells:
        raise InputError(
            "coupling.pairs must name folders of deformed cells where none lie beside the undeformed one, but is not "
            'given. Write pairs = ["ezx_p0.01", "ezx_m0.01"], say.'
        )
    return [home, *cells]


@functools.lru_cache(maxsize=2)
def _read(
    home: Path, cells: tuple[Path | io.Displaced, ...], spin_order: str, symmetrize: bool, sum_rule: bool
) -> io.Pairs:
    pairs = io.read_pairs(home, cells, spin_order=spin_order, sum_rule=sum_rule)
    return pairs.symmetrized() if symmetrize else pairs


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
    """The same answer with `step_error` added to its errors."""
    rough = dataclasses.replace(numerics, max_points=max(numerics.max_points // STEP_SHARE, 1))

    def values(couplings: list[FromPairs]) -> np.ndarray:
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ToleranceWarning)  # both miss it alike, and only their difference counts
            for coupling in couplings:
                state = problem.state
                other = Problem(problem.electrons, problem.drive, state, coupling, problem.observables, problem.order)
                found.append(response.solve(other, method, rough).value)
        return np.stack(found)

    return dataclasses.replace(answer, error=answer.error + step_error(pairs, answer.value, values))


def step_error(
    pairs: io.Pairs, value: np.ndarray, values: Callable[[list[FromPairs]], np.ndarray]
) -> Float[np.ndarray, "..."]:
    """The error that the finite changes make: the change with the next larger ones, for which `values` (coupling, ...)
    is asked; without them, ten times the squared even part of the pairs."""
    if pairs.coarse is None:
        return _WITHOUT_STEP * pairs.even**2 * np.abs(value)
    return np.abs(np.diff(values([pairs.coupling, pairs.coarse]), axis=0)[0])


def findings(study: Study) -> list[str]:
    """What was understood of the files, line by line."""
    pairs = read(study)
    level = "none known" if pairs.fermi_level is None else f"{pairs.fermi_level:.4f} eV in info.json"
    return [f"{pairs.home.path}", *pairs.home.notes, *pairs.notes, f"Fermi level of the calculation: {level}"]
