"""The density of states at all energies at once, by orbital.

    D_g(E) = < sum_n w_gn exp(-(E - e_n)^2/2 s^2) / (2 pi)^(1/2) s >,

w_gn the weight of the orbitals g in state n, < > the mean over the zone, s the resolution. Meshes are refined until the
whole curve is within its tolerance; the last ones tell its error. `density_of_states` is the same at one energy,
smoothed by temperature.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.electrons.characters import OrbitalGroups, orbital_groups
from orbiphon.electrons.filling import resolving_mesh
from orbiphon.electrons.structure import Steps
from orbiphon.electrons.symmetry import electron_symmetries
from orbiphon.electrons.tight_binding import TightBinding
from orbiphon.zone import AbstractIntegrand
from orbiphon.zone.folded import Integers, star_mean

_FIRST = {1: 256, 2: 48, 3: 12}  # points per axis of the first mesh, where fewer resolve it too
_ELEMENTS, _BLOCK = 2**22, 2**12  # wave vectors times energies times groups, and wave vectors, at a time


class SpectralDensity(NamedTuple):
    """States per eV and cell by group of orbitals, `value` and absolute `error` (energy group), at `energies` (eV),
    with a Gaussian `resolution` (standard deviation, eV). `names` of the groups; `mesh`, the last; `converged`."""

    energies: Float[np.ndarray, "energy"]
    value: Float[np.ndarray, "energy group"]
    error: Float[np.ndarray, "energy group"]
    names: tuple[str, ...]
    resolution: float
    mesh: tuple[int, ...]
    converged: bool

    @property
    def total(self) -> Float[np.ndarray, "energy"]:
        """Of all orbitals, spin counted if it is in the basis."""
        return np.sum(self.value, axis=1)


class _Gaussians(AbstractIntegrand):
    """Phases of k -> the sum over bands at all energies, for one group after the other."""

    electrons: TightBinding
    energies: Float[Array, "energy"] = eqx.field(converter=as_real)
    resolution: Float[Array, ""] = eqx.field(converter=as_real)
    member: Float[Array, "orbital group"] = eqx.field(converter=as_real)
    steps: Steps = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Float[Array, "band"], Float[Array, "band group"]]:
        levels, states = BlochSum(self.electrons, self.steps, phases).states()
        sectors = zip(self.electrons.sectors, states, strict=True)
        weights = [jnp.abs(state.T) ** 2 @ self.member[np.array(sector)] for sector, state in sectors]
        return jnp.concatenate(levels), jnp.concatenate(weights)

    def respond(self, prepared: tuple[Float[Array, "band"], Float[Array, "band group"]]) -> Float[Array, "component"]:
        levels, weights = prepared
        x = (self.energies[:, None] - levels[None, :]) / self.resolution
        peaks = jnp.exp(-(x**2) / 2.0) / (np.sqrt(2.0 * np.pi) * self.resolution)
        return (peaks @ weights).ravel()


def spectral_density(
    electrons: TightBinding,
    energies: ArrayLike,
    resolution: float | int,
    groups: OrbitalGroups | None = None,
    rtol: float = 1e-2,
    max_points: int = 10**6,
) -> SpectralDensity:
    """The density of states by orbital at given energies (eV).

    **Arguments:** `resolution`: the standard deviation of a Gaussian, eV; `groups` of orbitals, by default
    `orbital_groups`; `rtol`: of the mean density, states over the range of the bands; `max_points`: wave vectors,
    about.

    **Raises:** `InputError` for energies or a resolution that are no finite numbers, or are not positive.
    """
    check_finite("energies", energies)
    check_positive("resolution", resolution)
    check_positive("rtol", rtol)
    energies, groups = np.atleast_1d(np.asarray(energies, dtype=float)), groups or _groups(electrons)
    integrand = _Gaussians(electrons, energies, resolution, groups.member, lattice_steps(electrons))
    resolved = resolving_mesh(electrons, float(resolution))
    mean = star_mean(
        integrand,
        _operations(electrons, groups),
        start=tuple(min(n, _FIRST[electrons.crystal.lattice.dim]) for n in resolved),
        rtol=0.0,
        atol=rtol * electrons.size / _range(electrons),
        max_points=max_points,
        block=min(max(_ELEMENTS // (energies.size * len(groups.names)), 16), _BLOCK),
    )
    shape = (energies.size, len(groups.names))
    value, error = mean.value.reshape(shape), mean.error.reshape(shape)
    return SpectralDensity(energies, value, error, groups.names, float(resolution), mean.shape, mean.converged)


def _operations(electrons: TightBinding, groups: OrbitalGroups) -> tuple[Integers, ...]:
    """What symmetry does to reduced wave vectors, by those operations that take each group of orbitals to itself."""
    turned = set()
    for g in electron_symmetries(electrons).kept:
        onto = groups.member.T @ np.abs(g.unitary) ** 2 @ groups.member
        if np.allclose(onto, np.diag(np.diag(onto)), atol=1e-6):
            turned.add(tuple(map(tuple, (g.operation.cells * (-1 if g.time_reversal else 1)).tolist())))
    return tuple(sorted(turned, reverse=True))


def _groups(electrons: TightBinding) -> OrbitalGroups:
    return orbital_groups(electrons.crystal, electrons.basis)


def _range(electrons: TightBinding) -> float:
    """Of the bands, eV, about: four times the root mean square distance from their mean."""
    hopping = np.array(electrons.hopping)
    home = int(np.argmin(np.linalg.norm(np.asarray(electrons.cells), axis=1)))
    hopping[home] -= np.trace(hopping[home]) / electrons.size * np.eye(electrons.size)
    return 4.0 * float(np.linalg.norm(hopping)) / np.sqrt(electrons.size) or 1.0
