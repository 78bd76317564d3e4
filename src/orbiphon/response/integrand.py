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
_APART = 6  # of the points that resolve the broadening, an adaptive sum begins with one in so many along each axis


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
    resonant: bool = False,
    operations: tuple[Integers, ...] = (),
) -> ZoneMean:
    """The mean over the zone, from a mesh on that begins to resolve broadening and temperature together.

    Where levels at two wave vectors are `resonant`, only the broadening widens what the sum must resolve, and that in
    parts of the zone only: the sum is adaptive. `operations`: a group that leaves the integrand alone, to be used in
    place of mirrors.
    """
    broadening, adaptive = float(integrand.broadening), None
    if resonant and broadening > 0.0:
        adaptive = tuple(max(n // _APART, 1) for n in resolving_mesh(integrand.electrons, broadening))
    start = resolving_mesh(integrand.electrons, broadening + np.pi * k_B * float(integrand.temperature))
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
