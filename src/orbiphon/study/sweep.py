"""The points of a study: which quantities are swept, how they combine, and what their columns are called.

Swept quantities form a product in file order; quantities tied by `sweep.zip` run together and share one axis. The
solver takes temperatures and Fermi levels (or fillings) as lists, so these are *inner* axes unless they are tied to
something else; of a pulse that is followed in time, the times are. A point of the other, outer axes is a *group* and
needs its own problem.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orbiphon._checks import nearest
from orbiphon.errors import InputError
from orbiphon.study.config import Study
from orbiphon.study.quantity import Quantity

TEMPERATURE = "state.temperature"
LEVELS = ("state.fermi_level", "state.filling", "state.fermi_shift")
TIME = "drive.time"


@dataclass(frozen=True)
class Axis:
    """One dimension of the result: the quantities that run along it (several if tied), by key path."""

    quantities: dict[str, Quantity]

    @property
    def size(self) -> int:
        return len(next(iter(self.quantities.values())).values)

    @property
    def path(self) -> str:
        """The key path that names the axis: the first."""
        return next(iter(self.quantities))


@dataclass(frozen=True)
class Plan:
    """All axes of a study in file order, and the name of each swept quantity's column."""

    axes: tuple[Axis, ...]
    columns: dict[str, str]
    fixed: dict[str, Quantity]
    listed: tuple[tuple[str, ...], ...]
    """The quantities of which one problem takes many values, one of each tuple."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(self.shape)

    @property
    def dims(self) -> tuple[str, ...]:
        """The name of each axis: the column of its first quantity."""
        return tuple(self.columns[axis.path] for axis in self.axes)

    def inner(self, paths: tuple[str, ...]) -> int | None:
        """The number of the axis along which only one of `paths` runs, or None."""
        return next((i for i, axis in enumerate(self.axes) if set(axis.quantities) <= set(paths)), None)

    def groups(self) -> Iterator[tuple[tuple[int | slice, ...], dict[str, tuple[float, ...]]]]:
        """For every group: where its points lie in an array of the plan's shape, and the values of all quantities.

        A quantity has one value, except those of inner axes, which have all of theirs.
        """
        free = {self.inner(paths) for paths in self.listed}
        outer = [1 if i in free else n for i, n in enumerate(self.shape)]
        for index in np.ndindex(*outer):
            where = tuple(slice(None) if i in free else int(j) for i, j in enumerate(index))
            values = {path: found.values for path, found in self.fixed.items()}
            for at, axis in zip(where, self.axes, strict=True):
                for path, found in axis.quantities.items():
                    values[path] = found.values if isinstance(at, slice) else (found.values[at],)
            yield where, values


def plan(study: Study) -> Plan:
    """The axes of a study. Raises `InputError` for ties that do not fit and for more points than `sweep.max_points`."""
    every = study.quantities()
    axes = [Axis({path: every[path]}) for path in study.swept]
    for group in study.config.sweep.zip:
        axes = _tie(axes, [_path(key, study) for key in group])
    fixed = {path: q for path, q in every.items() if path not in study.swept}
    listed = ((TIME,),) if study.config.drive.in_time else ((TEMPERATURE,), LEVELS)
    found = Plan(tuple(axes), _columns(study), fixed, listed)
    most = study.config.sweep.max_points
    if found.size > most:
        parts = " x ".join(f"{axis.size} ({axis.path})" for axis in axes)
        raise InputError(
            f"The sweep must have at most {most} points (sweep.max_points), but has {parts} = {found.size:.4g}. "
            "Shorten a list or a range, or raise sweep.max_points if you mean it."
        )
    _refuse_swept_numerics(study)
    return found


def _path(key: str, study: Study) -> str:
    """The key path of a swept quantity, given as such or by its last key."""
    fits = [path for path in study.swept if key in (path, path.rpartition(".")[2])]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise InputError(
            f"sweep.zip must name one quantity by `{key}`, but could mean {', '.join(fits)}. Write its path."
        )
    names = [name for path in study.swept for name in (path, path.rpartition(".")[2])]
    guess = nearest(key, names)
    fix = f"Did you mean `{guess}`?" if guess else f"Swept here: {', '.join(study.swept) or 'nothing'}."
    raise InputError(f"sweep.zip must name swept quantities, but `{key}` is none. {fix}")


def _tie(axes: list[Axis], paths: list[str]) -> list[Axis]:
    """The axes with those of `paths` run together, in the place of the first."""
    tied = [axis for axis in axes if set(axis.quantities) & set(paths)]
    if len(set(paths)) < len(paths) or len(tied) < len(paths) or any(len(axis.quantities) > 1 for axis in tied):
        raise InputError(f"sweep.zip must name each quantity once, but ties {', '.join(paths)} again. Remove one.")
    if len({axis.size for axis in tied}) > 1:
        sizes = " and ".join(f"{axis.path} has {axis.size}" for axis in tied)
        raise InputError(f"sweep.zip must tie quantities with equally many values, but {sizes}. Make them equal.")
    merged = Axis({path: q for axis in tied for path, q in axis.quantities.items()})
    return [merged if axis is tied[0] else axis for axis in axes if axis is tied[0] or axis not in tied]


def _columns(study: Study) -> dict[str, str]:
    """Names of columns: last key and canonical unit. Two alike get their table's name in front, except in [state]."""
    every = study.quantities()
    names = {path: path.rpartition(".")[2] + every[path].kind.suffix for path in study.swept}
    alike = {path for path in names if list(names.values()).count(names[path]) > 1 and not path.startswith("state.")}
    return {
        path: path.replace(".", "_") + every[path].kind.suffix if path in alike else name
        for path, name in names.items()
    }


def _refuse_swept_numerics(study: Study) -> None:
    swept = [path for path in study.swept if path.startswith("numerics.")]
    if swept:
        raise InputError(f"{swept[0]} must be one value, but is swept: it changes no physics. Write a single value.")
