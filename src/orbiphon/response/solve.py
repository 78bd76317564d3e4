"""The one verb."""

import warnings

import numpy as np
from jaxtyping import Bool

from orbiphon.errors import ToleranceWarning
from orbiphon.response.answer import Answer
from orbiphon.response.method import AbstractMethod, Progress, check_order
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.selection import selection_rules
from orbiphon.zone import ZoneMean

_DOUBTFUL = 1e-4  # of the largest moment; operations are symmetries to a tenth of that


def solve(
    problem: Problem, method: AbstractMethod, numerics: Numerics | None = None, progress: Progress | None = None
) -> Answer:
    """Moments per cell that the drive makes, for every Fermi level and temperature of the state.

    **Arguments:** the physics, the method (with its broadening), the accuracy, and a callable told (done, all) states.

    **Returns:** an `Answer`; a state that misses its tolerance is flagged and warned of (`ToleranceWarning`). What is
    zero by symmetry is computed all the same, and told in `Answer.forbidden`; as the exact value is known there, the
    error is at least what was found.

    **Raises:** `InputError` if the method does not have that order, drive or observable.
    """
    numerics = Numerics() if numerics is None else numerics
    check_order(problem, method)
    prepared, forbidden = method.prepare(problem), selection_rules(problem, method).forbidden
    levels = problem.state.fermi_levels(problem.electrons)
    means = []
    for done, (i, j) in enumerate(np.ndindex(levels.shape)):
        means.append(prepared.moments(float(levels[i, j]), j, numerics))
        if progress is not None:
            progress(done + 1, levels.size)
    means = [_with_exact_zeros(mean, np.array(forbidden)) for mean in means]
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
        forbidden=forbidden,
    )


def _with_exact_zeros(mean: ZoneMean, forbidden: Bool[np.ndarray, "observable"]) -> ZoneMean:
    """What is known to be zero is off by its value; if that is no rounding beside the others, all is in doubt."""
    value = np.abs(mean.value)
    beyond = forbidden & (value > mean.error)
    doubtful = beyond & (value > _DOUBTFUL * np.max(value))
    error = np.where(beyond, value, mean.error)
    return mean._replace(error=error, converged=mean.converged and not bool(np.any(doubtful & ~np.all(forbidden))))
