"""Integrands that know their state, and their means over the zone."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.filling import resolving_mesh
from orbiphon.response.problem import Numerics
from orbiphon.units import k_B
from orbiphon.zone import AbstractIntegrand, Integers, ZoneMean, star_mean, zone_mean

ELEMENTS = 2**15
"""Of matrices at a time: they stay in the caches."""
_LEAST_BLOCK = 64
_NARROW = 4  # times as many points as the thermal width needs
_APART = 5  # of the points that resolve the broadening, an adaptive row begins with one in so many


class AbstractStateIntegrand(AbstractIntegrand):
    """An integrand of electrons with a broadening (eV) and a temperature (K), which set its narrowest structure."""

    electrons: eqx.AbstractVar[TightBinding]
    broadening: eqx.AbstractVar[Float[Array, ""]]
    temperature: eqx.AbstractVar[Float[Array, ""]]


def resolved_mean(
    integrand: AbstractStateIntegrand,
    numerics: Numerics,
    block: int,
    mirrors: tuple[bool, ...] | None = None,
    resonant_axis: int | None = None,
    operations: tuple[Integers, ...] = (),
) -> ZoneMean:
    """The mean over the zone, from a mesh on that begins to resolve broadening and temperature together.

    Along `resonant_axis` there are resonances that only the broadening widens; where that is far smaller than the
    thermal width the axis is adaptive. `operations`: a group that leaves the integrand alone, to be used in place of
    mirrors.
    """
    width = float(integrand.broadening) + np.pi * k_B * float(integrand.temperature)
    start, adaptive = resolving_mesh(integrand.electrons, width), None
    if resonant_axis is not None and float(integrand.broadening) > 0.0:
        alone = resolving_mesh(integrand.electrons, float(integrand.broadening))[resonant_axis]
        if alone > _NARROW * start[resonant_axis]:
            adaptive = resonant_axis, max(alone // _APART, start[resonant_axis])
    block = max(min(block, numerics.block), 1)
    most = numerics.max_points
    if operations:
        return star_mean(
            integrand, operations, start=start, rtol=numerics.rtol, atol=numerics.atol, max_points=most, block=block
        )
    return zone_mean(
        integrand,
        start=start,
        rtol=numerics.rtol,
        atol=numerics.atol,
        max_points=most,
        block=block,
        mirrors=mirrors,
        adaptive=adaptive,
    )


def affordable_block(electrons: TightBinding, most: int) -> int:
    """Wave vectors at a time, so that matrices between all bands stay in the caches."""
    return min(most, max(ELEMENTS // electrons.size**2, _LEAST_BLOCK))
