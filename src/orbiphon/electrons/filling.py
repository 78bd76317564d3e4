"""How many electrons there are: number, density of states, and the Fermi level that belongs to a filling.

    N(μ) = <Σ_n f(ε_n)>,        D(μ) = ∂N/∂μ = <Σ_n −f'(ε_n)>,

per cell, < > the mean over the zone, spin counted only if it is in the basis. D is the density of states smoothed over
a few k_B T, as a measurement at that temperature sees it.
"""

import warnings
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive
from orbiphon._types import RealScalar
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.electrons.bands import bands
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.electrons.structure import Steps
from orbiphon.electrons.tight_binding import TightBinding
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.fermi import fermi
from orbiphon.units import k_B
from orbiphon.zone import AbstractIntegrand, ZoneMean, zone_mean

_MAX_POINTS = 10**8
_PROBED, _NEAREST, _ZOOMS = 24, 8, 6  # points along a direction; the nearest ones looked at closer; how often
_COARSE = 4096  # wave vectors of the mesh on which a Fermi level is first looked for


class _Filling(AbstractIntegrand):
    """Phases of k -> (Σ_n f(ε_n), −k_B T Σ_n f'(ε_n)), or one of the two."""

    electrons: TightBinding
    fermi_level: RealScalar = eqx.field(converter=as_real)
    temperature: RealScalar = eqx.field(converter=as_real)
    components: tuple[int, ...] = eqx.field(static=True)

    steps: Steps = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> Float[Array, "band"]:
        return jnp.concatenate(BlochSum(self.electrons, self.steps, phases).levels())

    def respond(self, prepared: Float[Array, "band"]) -> Float[Array, "component"]:
        filled = fermi(prepared, self.fermi_level, self.temperature)
        sums = jnp.stack([jnp.sum(filled), jnp.sum(filled * (1.0 - filled))])  # -k_B T f' = f (1 - f)
        return sums[np.array(self.components)]


def electron_number(
    electrons: TightBinding,
    fermi_level: ArrayLike,
    temperature: ArrayLike,
    rtol: float = 1e-6,
    max_points: int = _MAX_POINTS,
) -> ZoneMean:
    """Electrons per cell at a Fermi level (eV) and a temperature (K, > 0): `value`, `error`, both (1,), and the mesh.

    **Raises:** `InputError` for a temperature that is not positive. Warns if `rtol` is missed within `max_points`.
    """
    return _mean((0,), electrons, fermi_level, temperature, rtol, max_points)


def density_of_states(
    electrons: TightBinding,
    energy: ArrayLike,
    temperature: ArrayLike,
    rtol: float = 1e-4,
    max_points: int = _MAX_POINTS,
) -> ZoneMean:
    """∂N/∂μ in 1/eV per cell at an energy (eV) and a temperature (K, > 0), whose −f' smooths it: `value`, `error` (1,).

    **Raises:** `InputError` for a temperature that is not positive. Warns if `rtol` is missed within `max_points`.
    """
    mean = _mean((1,), electrons, energy, temperature, rtol, max_points)
    thermal = k_B * float(np.asarray(temperature))
    return mean._replace(value=mean.value / thermal, error=mean.error / thermal)


def fermi_level_for(
    electrons: TightBinding,
    filling: float | int,
    temperature: float | int,
    rtol: float = 1e-6,
    max_points: int = _MAX_POINTS,
) -> float:
    """The Fermi level (eV) at which a cell holds `filling` electrons at a temperature (K, > 0), N to `rtol`.

    Where N(μ) is flat, in a gap much wider than k_B T, the middle of the flat piece is returned.

    **Raises:** `InputError` unless 0 < filling < number of orbitals, and for a temperature that is not positive. Warns
    if `rtol` is missed within `max_points`.
    """
    check_positive("temperature", temperature)
    check_positive("filling", filling)
    if filling >= electrons.size:
        raise InputError(
            f"Argument `filling` must be less than the {electrons.size} orbitals of a cell, but is {filling}. "
            f"Give electrons per cell, with both spins only if the model has spin."
        )
    thermal = k_B * temperature
    level, low, high = _first_level(electrons, float(filling), float(thermal))
    accuracy = max(rtol, 1e-3)
    for _ in range(60):  # Newton, kept between the bounds found so far, and no more accurate than it already is
        number, states = _mean((0, 1), electrons, level, temperature, accuracy, max_points).value
        if states < rtol * min(filling, electrons.size - filling):
            break  # a gap
        excess = float(number) - filling
        low, high = (low, level) if excess > 0 else (level, high)
        newton = level - thermal * excess / float(states)
        level = newton if low <= newton <= high else (low + high) / 2  # equal: exact to rounding
        if abs(excess) < rtol * filling and accuracy == rtol:
            break
        accuracy = max(rtol, min(accuracy, 0.01 * abs(excess) / filling))
    return level


def _first_level(electrons: TightBinding, filling: float, thermal: float) -> tuple[float, float, float]:
    """The Fermi level from one coarse mesh, and bounds that are safe on any mesh."""
    from scipy.optimize import brentq  # here, because it takes a while to load

    lattice = electrons.crystal.lattice
    per_axis = int(_COARSE ** (1 / lattice.dim))
    kappa = np.stack(np.meshgrid(*[(np.arange(per_axis) + 0.5) / per_axis] * lattice.dim, indexing="ij"), axis=-1)
    energies = np.asarray(bands(electrons, lattice.k_from_reduced(jnp.asarray(kappa.reshape(-1, lattice.dim)))))

    def excess(level: float, offset: float) -> float:
        occupation = 0.5 * (1.0 + np.tanh((level - energies) / (2.0 * thermal)))
        return float(np.mean(np.sum(occupation, axis=1))) - filling - offset

    # No band lies beyond Σ_R |H(R)|, and 40 k_B T further out only an exponentially small part of a state is filled.
    spare = min(filling, electrons.size - filling)
    margin = thermal * (40 + np.log(electrons.size / spare))
    width = float(np.sum(np.linalg.norm(np.asarray(electrons.hopping), ord=2, axis=(1, 2))))
    low, high = -width - margin, width + margin
    # N = filling ∓ δ: the same level in a metal, the two edges of the gap in an insulator.
    delta = 1e-9 * spare
    below, above = (cast(float, brentq(excess, low, high, args=(o,), xtol=1e-9 * thermal)) for o in (-delta, delta))
    return (below + above) / 2, low, high


def resolving_mesh(electrons: TightBinding, width: float) -> tuple[int, ...]:
    """Points per reciprocal vector that begin to resolve structures of energy `width` (eV) in the zone.

    No band changes faster with the phase of reciprocal direction j than Σ_R |H(R)| |n_j(R)|, R = Σ_j n_j a_j.
    """
    hopping = np.linalg.norm(np.asarray(electrons.hopping), ord=2, axis=(1, 2))
    steps = np.abs(np.asarray(electrons.cells) @ np.asarray(electrons.crystal.lattice.reciprocal).T) / (2 * np.pi)
    return tuple(int(n) for n in np.maximum(np.ceil(4 * (hopping @ steps) / width), 8))


def nearest_band(electrons: TightBinding, fermi_level: float) -> float:
    """The smallest distance of a level from the Fermi level, eV: of all on a mesh, then closer and closer around the
    nearest ones. A pocket may be far smaller than the steps of the mesh."""
    dim, steps = electrons.crystal.lattice.dim, lattice_steps(electrons)
    count = _PROBED if dim < 3 else _PROBED // 2
    around = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 5)] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    places = (np.stack(np.meshgrid(*[np.arange(count)] * dim, indexing="ij"), axis=-1) / count).reshape(-1, dim)
    away = np.zeros(1)
    for closer in range(_ZOOMS):
        levels = _levels(electrons, steps, jnp.asarray(np.exp(-2j * np.pi * places)))
        away = np.min(np.abs(np.asarray(levels) - fermi_level), axis=1)
        near = places[np.argsort(away)[:_NEAREST]]
        places = (near[:, None] + around / (count * 2.0**closer)).reshape(-1, dim)
    return float(np.min(away))


@eqx.filter_jit
def _levels(electrons: TightBinding, steps: Steps, phases: Complex[Array, "k dim"]) -> Float[Array, "k band"]:
    return jax.vmap(lambda one: jnp.concatenate(BlochSum(electrons, steps, one).levels()))(phases)


def band_centre(electrons: TightBinding) -> float:
    """The mean of the levels at k = 0, in eV: a Fermi level at which bands are neither full nor empty."""
    return float(np.mean(np.real(np.diagonal(np.sum(np.asarray(electrons.hopping), axis=0)))))


def _mean(
    components: tuple[int, ...],
    electrons: TightBinding,
    fermi_level: ArrayLike,
    temperature: ArrayLike,
    rtol: float,
    max_points: int,
) -> ZoneMean:
    check_finite("fermi_level", fermi_level)
    check_positive("temperature", temperature)
    check_positive("rtol", rtol)
    start = resolving_mesh(electrons, np.pi * k_B * float(np.asarray(temperature)))
    integrand = _Filling(electrons, fermi_level, temperature, components, lattice_steps(electrons))
    # An empty cell has N = 0 and no relative accuracy: ask for rounding there.
    mean = zone_mean(integrand, start=start, rtol=rtol, atol=1e-12, max_points=max_points)
    if not mean.converged:
        warnings.warn(
            f"Relative tolerance {rtol:g} missed: {mean.value[0]:.6g} is known to {mean.error[0]:.2g} after "
            f"{mean.points} wave vectors. Raise max_points, or the temperature.",
            ToleranceWarning,
            stacklevel=3,
        )
    return mean
