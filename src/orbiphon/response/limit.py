"""The limit of zero broadening.

What remains of the Fermi surface at zero broadening is a principal value, and where two lines of degeneracy cross
there is a term beyond the product of principal values. Both are in the limit of the means at broadenings g, g/2, g/4,
..., which Richardson's scheme extrapolates in powers of g.
"""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np

from orbiphon.response.method import Prepared
from orbiphon.response.problem import Numerics, Problem
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean

_LEAST, _MOST = 4, 9
_START = 0.5  # of k_B T
_AMPLIFIED = 100.0  # the scheme multiplies errors by 10, and the means may be ten times the limit


def at_zero_broadening(
    problem: Problem,
    moments: Callable[[float, float, int, Numerics], ZoneMean],
    words: str,
    smooth: Callable[[float, int, Numerics], ZoneMean] | None = None,
) -> Prepared:
    """The limit of `moments(broadening, fermi_level, temperature index, numerics)`, plus a part that needs no limit.

    The broadening is halved until the error is within the tolerance; a state that does not get there is flagged.
    """

    def limit(fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        finer = dataclasses.replace(numerics, rtol=numerics.rtol / _AMPLIFIED, atol=numerics.atol / _AMPLIFIED)
        start = _START * k_B * float(problem.state.temperature[index])
        rest = None if smooth is None else smooth(fermi_level, index, finer)
        means, found = [], []
        for step in range(_MOST):
            means.append(moments(start / 2**step, fermi_level, index, finer))
            if len(means) >= _LEAST:
                found.append(extrapolate(means) if rest is None else _sum(rest, extrapolate(means)))
                if _within(found[-1], numerics):
                    return found[-1]._replace(converged=True)
            if not means[-1].converged:  # smaller broadenings need still finer meshes
                break
        if not found:  # the last mean is the best there is; its distance from the limit is not known
            return means[-1]._replace(error=np.full(means[-1].error.shape, np.inf), converged=False)
        best = min(found, key=lambda mean: float(np.max(mean.error)))
        return best._replace(converged=False)

    return Prepared(limit, words + ", limit of zero broadening (principal values)")


def _within(found: ZoneMean, numerics: Numerics) -> bool:
    """Whether every error is within the tolerance; what symmetry makes zero is measured by the largest moment."""
    size = np.maximum(np.abs(found.value), 1e-3 * np.max(np.abs(found.value)))
    return bool(np.all(found.error <= np.maximum(numerics.atol, numerics.rtol * size)))


def extrapolate(means: list[ZoneMean]) -> ZoneMean:
    """Value at zero of a quantity known at g, g/2, g/4, ...

    The error is the last change of the scheme, by one more power and by one more mean, whichever is larger, plus the
    errors of the means, enlarged as the scheme does.
    """
    table, noise = [mean.value for mean in means], np.max([mean.error for mean in means], axis=0)
    for power in range(1, len(means)):
        factor = 2.0**power
        last = table
        table = [(factor * fine - coarse) / (factor - 1.0) for coarse, fine in itertools.pairwise(table)]
        noise = noise * (factor + 1.0) / (factor - 1.0)
    before, power_less = last
    change = np.maximum(np.abs(table[0] - power_less), np.abs(table[0] - before))
    converged, points = all(mean.converged for mean in means), sum(mean.points for mean in means)
    return ZoneMean(table[0], change + noise, means[-1].shape, points, converged, means[-1].rule)


def _sum(first: ZoneMean, second: ZoneMean) -> ZoneMean:
    value, error = first.value + second.value, first.error + second.error
    return ZoneMean(value, error, second.shape, first.points + second.points, first.converged and second.converged)
