"""The limit of zero broadening.

What remains of the Fermi surface at zero broadening is a principal value, and where two lines of degeneracy cross
there is a term beyond the product of principal values. Both are in the limit of the means at broadenings g, g/2, g/4,
..., which Richardson's scheme extrapolates in powers of g.
"""

import itertools
from collections.abc import Callable

import numpy as np

from orbiphon.response.method import Prepared
from orbiphon.response.problem import Numerics, Problem
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean

_STEPS = 5
_START = 0.5  # of k_B T


def at_zero_broadening(
    problem: Problem,
    moments: Callable[[float, float, int, Numerics], ZoneMean],
    words: str,
    smooth: Callable[[float, int, Numerics], ZoneMean] | None = None,
) -> Prepared:
    """The limit of `moments(broadening, fermi_level, temperature index, numerics)`, plus a part that needs no limit."""

    def limit(fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        start = _START * k_B * float(problem.state.temperature[index])
        means = [moments(start / 2**j, fermi_level, index, numerics) for j in range(_STEPS)]
        extrapolated = extrapolate(means)
        return extrapolated if smooth is None else _sum(smooth(fermi_level, index, numerics), extrapolated)

    return Prepared(limit, words + ", limit of zero broadening (principal values)")


def extrapolate(means: list[ZoneMean]) -> ZoneMean:
    """Value at zero of a quantity known at g, g/2, g/4, ...

    The error is the last change of the scheme's diagonal plus the errors of the means, enlarged as the scheme does.
    """
    table, noise = [mean.value for mean in means], np.max([mean.error for mean in means], axis=0)
    diagonal = [table[-1]]
    for power in range(1, len(means)):
        factor = 2.0**power
        table = [(factor * fine - coarse) / (factor - 1.0) for coarse, fine in itertools.pairwise(table)]
        noise = noise * (factor + 1.0) / (factor - 1.0)
        diagonal.append(table[-1])
    error = np.abs(diagonal[-1] - diagonal[-2]) + noise
    converged, points = all(mean.converged for mean in means), sum(mean.points for mean in means)
    return ZoneMean(diagonal[-1], error, means[-1].shape, points, converged)


def _sum(first: ZoneMean, second: ZoneMean) -> ZoneMean:
    value, error = first.value + second.value, first.error + second.error
    return ZoneMean(value, error, second.shape, first.points + second.points, first.converged and second.converged)
