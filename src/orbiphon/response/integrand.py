"""Integrands that know their state, and their means over the zone."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon.electrons import TightBinding
from orbiphon.electrons.filling import nearest_band, resolving_mesh
from orbiphon.response.problem import Numerics
from orbiphon.units import k_B
from orbiphon.zone import AbstractIntegrand, Integers, ZoneMean, at_phases, star_mean, zone_mean

ELEMENTS = 2**15
"""Of matrices at a time: they stay in the caches."""
GAP = 2.0
"""Times broadening + pi k_B T: a Fermi level this far from all bands lies in a gap."""
_FULL = 5.0  # likewise: bands this far are full or empty
_LEAST_BLOCK = 64
_APART = 6  # of the points that resolve the broadening, an adaptive sum begins with one in so many along each axis


class AbstractStateIntegrand(AbstractIntegrand):
    """An integrand of electrons with a broadening (eV) and a temperature (K), which set its narrowest structure."""

    electrons: eqx.AbstractVar[TightBinding]
    broadening: eqx.AbstractVar[Float[Array, ""]]
    temperature: eqx.AbstractVar[Float[Array, ""]]


@runtime_checkable
class FermiIntegrand(Protocol):
    """One with a Fermi level, in eV."""

    electrons: TightBinding
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]

    @property
    def temperature(self) -> Float[Array, ""]: ...


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


def widths(integrand: FermiIntegrand) -> tuple[float, float]:
    """Broadening and temperature together, and the distance of the Fermi level from the nearest band, in eV."""
    width = float(integrand.broadening) + np.pi * k_B * float(integrand.temperature)
    return width, nearest_band(integrand.electrons, float(integrand.fermi_level))


def lies_in_gap(integrand: FermiIntegrand) -> bool:
    """Whether all bands are full or empty, to e^(-5 pi) = 10^-7.

    Levels that meet are equally full then. What does not cancel of their poles is rounding, which an adaptive sum would
    look for.
    """
    width, gap = widths(integrand)
    return gap > _FULL * width


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
