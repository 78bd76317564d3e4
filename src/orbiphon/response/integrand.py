"""Integrands that know their state, and their means over the zone."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.filling import resolving_mesh
from orbiphon.response.problem import Numerics
from orbiphon.units import k_B
from orbiphon.zone import AbstractIntegrand, Integers, ZoneMean, at_phases, star_mean, zone_mean

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

    Where levels may be `resonant`, at two wave vectors or (without any broadening) at one, only the broadening or the
    distance of the levels widens what the sum must resolve, and that in parts of the zone only: the sum is adaptive.
    `operations`: a group that leaves the integrand alone, to be used in place of mirrors.
    """
    broadening, adaptive = float(integrand.broadening), None
    thermal = np.pi * k_B * float(integrand.temperature)
    if resonant:
        adaptive = apart(resolving_mesh(integrand.electrons, broadening or thermal))
    start = resolving_mesh(integrand.electrons, broadening + thermal)
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
        points=broadening == 0.0,
    )


def apart(shape: Sequence[int]) -> tuple[int, ...]:
    """The points with which an adaptive sum begins, from those of a mesh that resolves the narrowest structure."""
    return tuple(max(n // _APART, 1) for n in shape)


def mean_difference(one: AbstractIntegrand, other: AbstractIntegrand, dim: int, probes: int) -> np.ndarray:
    """|one - other| on average over random wave vectors, (component,)."""
    phases = jnp.asarray(np.exp(-2j * np.pi * np.random.default_rng(2).uniform(size=(probes, dim))))
    return np.mean(np.abs(np.asarray(at_phases(one, phases)) - np.asarray(at_phases(other, phases))), axis=0)


def affordable_block(electrons: TightBinding, most: int) -> int:
    """Wave vectors at a time, so that matrices between all bands stay in the caches."""
    return min(most, max(ELEMENTS // electrons.size**2, _LEAST_BLOCK))
