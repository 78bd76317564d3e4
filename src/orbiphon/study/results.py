"""The numbers of a study while it runs, and their checkpoints.

An entry is one point of the sweep by one method at one order. Finished entries are kept in small files of their own in
the output folder, each complete or absent, so that a run that was stopped at any moment can go on.
"""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from orbiphon.response import Answer
from orbiphon.study.config import Study
from orbiphon.study.sweep import Plan

_ENTRIES = ("value", "error", "forbidden", "fermi_level", "points", "converged")


@dataclass
class Results:
    """Arrays (point, method, order), `value`, `error` and `forbidden` (zero by symmetry) with a fourth axis
    (observable); NaN until known."""

    plan: Plan
    methods: tuple[str, ...]
    orders: tuple[int, ...]
    observables: tuple[str, ...]
    value: np.ndarray
    error: np.ndarray
    forbidden: np.ndarray
    fermi_level: np.ndarray
    points: np.ndarray
    converged: np.ndarray
    done: np.ndarray
    unit: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return bool(self.done.all())

    @property
    def zero_by_symmetry(self) -> tuple[str, ...]:
        """The observables that are zero by symmetry in all finished entries."""
        everywhere = np.all(self.forbidden[self.done], axis=0) if self.done.any() else np.zeros(len(self.observables))
        return tuple(name for name, zero in zip(self.observables, everywhere, strict=True) if zero)

    @property
    def missed(self) -> int:
        """The number of finished entries that missed their tolerance."""
        return int(np.count_nonzero(self.done & ~self.converged))

    def put(self, at: np.ndarray, method: int, order: int, found: "Found") -> None:
        """Take over what was found for the points `at`."""
        here = (at, method, order)
        self.value[here], self.error[here] = found.value, found.error
        self.forbidden[here] = found.forbidden or False
        self.fermi_level[here], self.points[here] = found.fermi_level, found.points
        finite = np.isfinite(found.value).all(axis=-1) & np.isfinite(found.error).all(axis=-1)
        self.converged[here] = found.converged & finite
        self.done[here] = True
        self.unit = found.unit
        self.descriptions = tuple(dict.fromkeys((*self.descriptions, found.description)))


class Found(NamedTuple):
    """`value` and `error` (..., observable), the rest for each point (...) or for all, and words."""

    value: np.ndarray
    error: np.ndarray
    forbidden: tuple[bool, ...]
    fermi_level: np.ndarray | float
    points: np.ndarray | int
    converged: np.ndarray | bool
    unit: tuple[str, ...]
    description: str


def of_answer(answer: Answer) -> Found:
    """What a steady answer says of its states (fermi, temperature)."""
    return Found(
        answer.value,
        answer.error,
        answer.forbidden,
        answer.fermi_level,
        answer.points,
        answer.converged,
        answer.unit,
        f"{answer.method}: {answer.description}",
    )


def empty_results(study: Study, plan: Plan) -> Results:
    """Nothing known yet."""
    table = study.config.response
    shape = (plan.size, len(table.method), len(table.order))
    wide = (*shape, len(table.observables))
    return Results(
        plan,
        table.method,
        table.order,
        table.observables,
        value=np.full(wide, np.nan, dtype=complex if 1 in table.order else float),
        error=np.full(wide, np.nan),
        forbidden=np.zeros(wide, dtype=bool),
        fermi_level=np.full(shape, np.nan),
        points=np.zeros(shape, dtype=np.int64),
        converged=np.zeros(shape, dtype=bool),
        done=np.zeros(shape, dtype=bool),
    )


class Checkpoint:
    """The folder of finished entries of one output folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._saved: np.ndarray | None = None
        self._files = 0

    def load(self, results: Results) -> None:
        """Fill in every entry that was kept; a file that cannot be read is as if it were not there."""
        for path in sorted(self.folder.glob("*.npz")):
            self._files = max(self._files, int(path.stem) + 1 if path.stem.isdigit() else 0)
            try:
                with np.load(path, allow_pickle=False) as kept:
                    entries = tuple(kept["entries"])
                    for name in _ENTRIES:
                        getattr(results, name)[entries] = kept[name]
                    results.unit, results.descriptions = (tuple(map(str, kept[n])) for n in ("unit", "descriptions"))
                    results.done[entries] = True
            except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
                continue
        self._saved = results.done.copy()

    def save(self, results: Results) -> None:
        """Keep what was finished since the last time."""
        before = np.zeros_like(results.done) if self._saved is None else self._saved
        entries = np.nonzero(results.done & ~before)
        if not entries[0].size:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self._files:06d}.npz"
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            np.savez(
                file,
                entries=np.array(entries),
                unit=np.array(results.unit),
                descriptions=np.array(results.descriptions),
                **{name: getattr(results, name)[entries] for name in _ENTRIES},
            )
        os.replace(fresh, path)
        self._files += 1
        self._saved = results.done.copy()
