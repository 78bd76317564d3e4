"""Run a study into a folder: in blocks of points, each kept when finished, so that a stopped run can be taken up."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orbiphon.drives import Pulse
from orbiphon.errors import InputError
from orbiphon.study import build
from orbiphon.study.by_state import SECONDS, solve_states
from orbiphon.study.by_time import check_pulse, solve_in_time
from orbiphon.study.config import Study
from orbiphon.study.folder import PARTIAL, claim
from orbiphon.study.progress import ctrl_c, progress_bars
from orbiphon.study.results import Checkpoint, Results, empty_results
from orbiphon.study.store import write_results
from orbiphon.study.sweep import Plan, plan


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
            method = build.method(study, values, name)
            try:
                if isinstance(problem.drive, Pulse):
                    check_pulse(problem)
                else:
                    method.prepare(problem)
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


def _fill(study: Study, results: Results, checkpoint: Checkpoint, after_block: Callable[[int], None]) -> None:
    """Compute every entry that is not done, block after block."""
    saved = time.monotonic()
    solve = solve_in_time if study.config.drive.in_time else solve_states
    points = np.arange(results.plan.size).reshape(results.plan.shape)
    for where, values in results.plan.groups():
        for m in range(len(results.methods)):
            for count in solve(study, results, np.asarray(points[where]), values, m):
                after_block(count)
                if time.monotonic() - saved > SECONDS:
                    checkpoint.save(results)
                    saved = time.monotonic()
