"""The steady answers of a study: blocks of states (Fermi levels and temperatures) of one problem."""

import time
import warnings
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from orbiphon import response
from orbiphon.errors import ToleranceWarning
from orbiphon.study import build, first_principles
from orbiphon.study.config import Study
from orbiphon.study.results import Results, of_answer
from orbiphon.study.sweep import LEVELS, TEMPERATURE, Plan

SECONDS = 1.0
"""A block of points takes about this long; also the time between checkpoints."""
_STATES = 32  # at least, of electrons from files: they share eigensystems


def solve_states(
    study: Study, results: Results, points: Int[np.ndarray, "..."], values: build.Values, m: int
) -> Iterator[int]:
    """Compute what is missing of one group by one method, order after order; yields the size of each block."""
    pairs = first_principles.read(study) if first_principles.is_from_files(study) else None
    pace = _Pace() if pairs is None else _Pace(least=_STATES)
    numerics, method = build.numerics(study), build.method(study, values, results.methods[m])
    states = _states(results.plan, points, len(values[TEMPERATURE]))
    for o, order in enumerate(results.orders):
        for block in _missing(results.done[states, m, o], pace):
            start = time.monotonic()
            problem = build.problem(study, _part(values, block), order)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ToleranceWarning)  # counted in the report
                answer = response.solve(problem, method, numerics)
                if pairs is not None:
                    answer = first_principles.with_step_error(answer, problem, method, numerics, pairs)
            results.put(states[block], m, o, of_answer(answer))
            yield states[block].size
            pace.took(time.monotonic() - start)


class _Pace:
    """How many states make a block: doubled while blocks are quick, halved when one takes long, but not below
    `least`."""

    def __init__(self, least: int = 1) -> None:
        self.size = self.least = least

    def took(self, seconds: float) -> None:
        if seconds < SECONDS / 2:
            self.size *= 2
        elif seconds > 2 * SECONDS:
            self.size = max(self.least, self.size // 2)


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
