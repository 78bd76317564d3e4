"""Moments per phonon of some modes without any broadening, from adaptive sums over the zone.

Nothing but the distance of two levels widens what stands between them, and no mesh knows the smallest one. There is one
sum for the waves of each q.
"""

from collections.abc import Callable, Sequence

import numpy as np

from orbiphon.response.finite_wave import FiniteWave
from orbiphon.response.integrand import affordable_block, apart
from orbiphon.response.mesh_waves import resolving_levels
from orbiphon.response.method import PerPhonon
from orbiphon.response.problem import Numerics
from orbiphon.response.stars import Group
from orbiphon.zone import ZoneMean, zone_mean
from orbiphon.zone.together import together


def adaptive_per_phonon(
    integrand: Callable[[Group], FiniteWave], groups: Sequence[Group], numerics: Numerics
) -> PerPhonon:
    """m of every wave, each to `rtol` of the largest one at its q. What misses that within `max_points` is flagged.

    `integrand` makes that of the waves of one q; waves in no group are left out.
    """
    template = integrand(groups[0])
    start, observables = resolving_levels(template), template.observables.shape[0]
    block = affordable_block(template.electrons, numerics.block)

    def mean(group: Group) -> ZoneMean:
        return zone_mean(
            integrand(group),
            start=start,
            rtol=numerics.rtol,
            atol=numerics.atol,
            max_points=numerics.max_points,
            block=block,
            mirrors=(False,) * len(start),
            adaptive=apart(start),
            columns=observables,
            points=True,
        )

    means = list(together(mean, groups))
    rows = np.concatenate(groups)
    value, error = np.zeros((2, 1 + np.max(rows), observables))
    converged = np.zeros(len(value), bool)
    value[rows] = np.concatenate([one.value.reshape(-1, observables) for one in means])
    error[rows] = np.concatenate([one.error.reshape(-1, observables) for one in means])
    converged[rows] = np.repeat([one.converged for one in means], [len(group) for group in groups])
    return PerPhonon(value, error, converged, sum(one.points for one in means))
