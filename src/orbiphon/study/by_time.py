"""The moments of a study in time: one integration serves all times, and both orders."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from orbiphon.drives import Pulse
from orbiphon.electrons.filling import resolving_mesh
from orbiphon.response import Motion, Numerics, Problem, TimeTraces, selection_rules, time_traces
from orbiphon.response.long_wave import check_time_reversal
from orbiphon.study import build
from orbiphon.study.config import Study
from orbiphon.study.results import Found, Results

_GROWTH = 1.5  # of the mesh per direction, from one to the next
_FINER_STEPS = 3.0  # the tolerance of the steps in time is divided by, as the mesh grows
_ROUNDS = 4
_SMALL = 1e-3  # of the largest observable: smaller ones need be known to this part of it only


def check_pulse(problem: Problem) -> None:
    """Raise `InputError` for observables that have no moment in time at the problem's order."""
    check_time_reversal(problem)


def solve_in_time(
    study: Study, results: Results, points: Int[np.ndarray, "..."], values: build.Values, m: int
) -> Iterator[int]:
    """Compute one group by one method, unless it is done; yields the number of its entries."""
    points = points.reshape(-1)
    if results.done[points, m].all():
        return
    method, numerics = build.method(study, values, results.methods[m]), build.numerics(study)
    assert isinstance(method, Motion)
    problems = [build.problem(study, values, order) for order in results.orders]
    times = build.times(study, values)
    traces, accurate = _traces(problems, times, method, numerics)
    there = np.searchsorted(traces.times, times)
    for o, problem in enumerate(problems):
        value, error = (part[there] for part in _moments(traces, problem.order))
        forbidden = np.array(selection_rules(problem, method).forbidden)
        found = Found(
            value,
            np.where(forbidden, np.maximum(error, np.abs(value)), error),
            tuple(bool(zero) for zero in forbidden),
            traces.fermi_level,
            math.prod(traces.mesh),
            accurate,
            traces.unit,
            f"{method.name}: {traces.description}",
        )
        results.put(points, m, o, found)
    yield points.size * len(problems)


def first_mesh(problem: Problem, method: Motion, most: int) -> tuple[int, ...]:
    """Points per reciprocal vector that resolve broadening and temperature, at most so many in all."""
    shape = [_GROWTH * n for n in resolving_mesh(problem.electrons, method.resolution(problem, 0))]
    scale = min(1.0, (most / math.prod(shape)) ** (1 / len(shape)))
    return tuple(max(int(scale * n), 1) for n in shape)


def _traces(
    problems: list[Problem], times: Float[np.ndarray, "time"], method: Motion, numerics: Numerics
) -> tuple[TimeTraces, bool]:
    """On finer and finer meshes, with finer and finer steps; and whether they met the tolerance in all orders."""
    problem, mesh = problems[0], first_mesh(problems[0], method, numerics.max_points)
    asked, rounds = _with_onset(problem, times), 1
    while True:
        traces = time_traces(problem, asked, method, mesh)
        accurate = all(_meets(*_moments(traces, one.order), numerics) for one in problems)
        mesh = tuple(math.ceil(_GROWTH * n) if n > 1 else n for n in mesh)
        method = Motion(method.broadening, tolerance=method.tolerance / _FINER_STEPS)
        if accurate or rounds == _ROUNDS or math.prod(mesh) > numerics.max_points:
            return traces, accurate
        rounds += 1


def _with_onset(problem: Problem, times: Float[np.ndarray, "time"]) -> Float[np.ndarray, "instant"]:
    """The times in order, and before them one at which the pulse has not begun: there the electrons are at rest."""
    assert isinstance(problem.drive, Pulse)
    envelope, first = problem.drive.envelope, float(np.min(times))
    onset = min(float(envelope.onset), first - float(envelope.timescale))
    return np.concatenate([[onset], np.sort(times)])


def _moments(traces: TimeTraces, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Value and error (time, observable): of the uniform moments, or of the wave's at r = 0."""
    return (traces.uniform, traces.uniform_error) if order == 2 else (traces.wave, traces.wave_error)


def _meets(value: np.ndarray, error: np.ndarray, numerics: Numerics) -> bool:
    """Whether the errors are small beside the largest value in time of each observable."""
    size = np.max(np.abs(value), axis=0)
    allowed = np.maximum(numerics.rtol * np.maximum(size, _SMALL * np.max(size)), numerics.atol)
    return bool(np.all(np.max(error, axis=0) <= allowed))
