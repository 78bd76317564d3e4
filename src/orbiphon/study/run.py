"""Run a study into a folder: in blocks of points, each kept when finished, so that a stopped run can be taken up."""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orbiphon import response
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.study import build, first_principles
from orbiphon.study.config import Study
from orbiphon.study.folder import PARTIAL, claim
from orbiphon.study.progress import ctrl_c, progress_bars
from orbiphon.study.results import Checkpoint, Results, empty_results
from orbiphon.study.store import write_results
from orbiphon.study.sweep import LEVELS, TEMPERATURE, Plan, plan

_STATES = 32  # at least, of electrons from files: they share eigensystems
_SECONDS = 1.0  # a block of points takes about this long; also the time between checkpoints


@dataclass(frozen=True)
class Report:
    """What a run did: of `entries` (points times methods times orders), how many are finished, fresh, inaccurate; and
    the observables that are zero by symmetry in all of them."""

    folder: Path
    entries: int
    finished: int
    fresh: int
    missed: int
    zero_by_symmetry: tuple[str, ...] = ()


class Interrupted(KeyboardInterrupt):
    """A run was stopped; `report` says what is kept."""

    def __init__(self, report: Report):
        super().__init__(f"{report.finished} of {report.entries} are finished")
        self.report = report


def check(study: Study) -> Plan:
    """Everything that can be refused before work: the sweep, and the first group's objects. Raises `InputError`."""
    found = plan(study)
    _, values = next(found.groups())
    build.numerics(study)
    for order in study.config.response.order:
        problem = build.problem(study, values, order)
        for name in study.config.response.method:
            try:
                build.method(study, values, name).prepare(problem)
            except InputError as error:
                raise InputError(f'response.method = "{name}" at order {order}: {error}') from None
    return found


def run(study: Study, out: str | Path, *, quiet: bool = False, overwrite: bool = False) -> Report:
    """Compute what is missing of a study in the folder `out`, and write `result.zarr` and `result.csv` there.

    A folder that holds the same study, from the same version, is taken up where it stopped; another one is refused
    unless `overwrite`. Stopped by Ctrl-C, it writes what is finished and raises `Interrupted`.

    Raises `InputError` before anything is written if the study cannot be computed or the folder not be used.
    """
    folder = Path(out)
    results = empty_results(study, check(study))
    claim(study, folder, overwrite)
    checkpoint = Checkpoint(folder / PARTIAL)
    checkpoint.load(results)
    before = int(results.done.sum())
    stopped = False
    try:
        with progress_bars(results.done.size, before, quiet) as advance, ctrl_c() as check_ctrl_c:

            def after_block(count: int) -> None:
                advance(count)
                check_ctrl_c()

            _fill(study, results, checkpoint, after_block)
    except KeyboardInterrupt:
        stopped = True
    finally:
        checkpoint.save(results)
    finished = int(results.done.sum())
    report = Report(folder, results.done.size, finished, finished - before, results.missed, results.zero_by_symmetry)
    if report.fresh or not (folder / "result.csv").exists() or not (folder / "result.zarr").exists():
        write_results(study, results, folder)
    if stopped:
        raise Interrupted(report)
    return report


class _Pace:
    """How many states make a block: doubled while blocks are quick, halved when one takes long, but not below
    `least`."""

    def __init__(self, least: int = 1) -> None:
        self.size = self.least = least

    def took(self, seconds: float) -> None:
        if seconds < _SECONDS / 2:
            self.size *= 2
        elif seconds > 2 * _SECONDS:
            self.size = max(self.least, self.size // 2)


def _fill(study: Study, results: Results, checkpoint: Checkpoint, after_block: Callable[[int], None]) -> None:
    """Compute every entry that is not done, block after block."""
    saved = time.monotonic()
    pairs = first_principles.read(study) if first_principles.is_from_files(study) else None
    pace = _Pace() if pairs is None else _Pace(least=_STATES)
    numerics = build.numerics(study)
    points = np.arange(results.plan.size).reshape(results.plan.shape)
    for where, values in results.plan.groups():
        states = _states(results.plan, np.asarray(points[where]), len(values[TEMPERATURE]))
        if results.done[states].all():
            continue
        for m, o in np.ndindex(len(results.methods), len(results.orders)):
            method = build.method(study, values, results.methods[m])
            for block in _missing(results.done[states, m, o], pace):
                start = time.monotonic()
                problem = build.problem(study, _part(values, block), results.orders[o])
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ToleranceWarning)  # counted in the report
                    answer = response.solve(problem, method, numerics)
                    if pairs is not None:
                        answer = first_principles.with_step_error(answer, problem, method, numerics, pairs)
                results.put(states[block], m, o, answer)
                after_block(states[block].size)
                pace.took(time.monotonic() - start)
                if time.monotonic() - saved > _SECONDS:
                    checkpoint.save(results)
                    saved = time.monotonic()


def _states(plan: Plan, points: np.ndarray, temperatures: int) -> np.ndarray:
    """The numbers of a group's points as (fermi, temperature)."""
    inner_t, inner_f = plan.inner((TEMPERATURE,)), plan.inner(LEVELS)
    if inner_t is not None and inner_f is not None and inner_t < inner_f:
        points = points.T
    return points.reshape(-1, temperatures)


def _missing(done: np.ndarray, pace: _Pace) -> Iterator[tuple[slice, slice]]:
    """Rectangles of states (fermi, temperature) that cover all that are not done, each at most as big as the pace."""
    done = done.copy()
    levels, temperatures = done.shape
    while not done.all():
        i, j = np.argwhere(~done)[0]
        rows, columns = 1, 1
        while j + columns < temperatures and columns < pace.size and not done[i, j + columns]:
            columns += 1
        if columns == temperatures:
            while i + rows < levels and (rows + 1) * columns <= pace.size and not done[i + rows].any():
                rows += 1
        block = (slice(i, i + rows), slice(j, j + columns))
        done[block] = True
        yield block


def _part(values: build.Values, block: tuple[slice, slice]) -> build.Values:
    """The values with only those Fermi levels (or fillings) and temperatures of the block."""
    rows, columns = block
    part = values | {TEMPERATURE: values[TEMPERATURE][columns]}
    return part | {path: values[path][rows] for path in LEVELS if path in values}
