"""The one verb."""

import warnings

import numpy as np

from orbiphon.errors import ToleranceWarning
from orbiphon.response.answer import Answer
from orbiphon.response.method import AbstractMethod, Progress, check_order
from orbiphon.response.problem import Numerics, Problem


def solve(
    problem: Problem, method: AbstractMethod, numerics: Numerics | None = None, progress: Progress | None = None
) -> Answer:
    """Moments per cell that the drive makes, for every Fermi level and temperature of the state.

    **Arguments:** the physics, the method (with its broadening), the accuracy, and a callable told (done, all) states.

    **Returns:** an `Answer`; a state that misses its tolerance is flagged and warned of (`ToleranceWarning`).

    **Raises:** `InputError` if the method does not have that order, drive or observable.
    """
    numerics = Numerics() if numerics is None else numerics
    check_order(problem, method)
    prepared = method.prepare(problem)
    levels = problem.state.fermi_levels(problem.electrons)
    means = []
    for done, (i, j) in enumerate(np.ndindex(levels.shape)):
        means.append(prepared.moments(float(levels[i, j]), j, numerics))
        if progress is not None:
            progress(done + 1, levels.size)
    shape = (*levels.shape, len(problem.observables))
    converged = np.array([mean.converged for mean in means]).reshape(levels.shape)
    if not np.all(converged):
        warnings.warn(
            f"{np.sum(~converged)} of {converged.size} states missed rtol={numerics.rtol:g} within max_points="
            f"{numerics.max_points:g}; their errors say by how much. Raise max_points, rtol or the broadening.",
            ToleranceWarning,
            stacklevel=2,
        )
    return Answer(
        value=np.array([mean.value for mean in means]).reshape(shape),
        error=np.array([mean.error for mean in means], dtype=float).reshape(shape),
        fermi_level=levels,
        temperature=np.asarray(problem.state.temperature),
        points=np.array([mean.points for mean in means]).reshape(levels.shape),
        converged=converged,
        observables=tuple(o.name for o in problem.observables),
        unit=tuple(o.unit for o in problem.observables),
        method=method.name,
        coupling=problem.coupling_kind,
        order=problem.order,
        broadening=float(method.broadening),
        description=prepared.description,
        rule=" and ".join(sorted({mean.rule for mean in means})),
    )
