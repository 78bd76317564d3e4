"""Of which orbitals states are made: weights summed over groups of orbitals, the same whatever states are chosen in a
degenerate level.

The weight of a band is that of its whole level, divided by the number of its bands: the sum of |<i|n>|^2 over the level
does not depend on the basis of the level, and each band's weights still add up to one.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._types import WaveVectors
from orbiphon.crystal import Crystal
from orbiphon.electrons.bands import eigensystem
from orbiphon.electrons.orbitals import ORBITALS, Basis
from orbiphon.electrons.tight_binding import TightBinding

MOST = 6
"""Groups that are told apart."""
LEVEL = 1e-6
"""eV: bands that are closer are one level."""


class OrbitalGroups(NamedTuple):
    """`names` of sets of orbitals, and `member` (orbital group), 1 where an orbital belongs to a group, 0 elsewhere."""

    names: tuple[str, ...]
    member: Float[np.ndarray, "orbital group"]


def orbital_groups(crystal: Crystal, basis: Basis) -> OrbitalGroups:
    """Orbitals ("0:px"), or where these are more than `MOST` shells ("0:p"), or shells of a species ("Ti p"), or shells
    ("p"); both spins together. Each orbital is in one group."""
    spatial = [(site, shell, orbital) for site, shell in basis.shells for orbital in ORBITALS[shell]]
    by_site = [f"{site}:{shell}" for site, shell, _ in spatial]
    by_species = [f"{crystal.species[site]} {shell}" for site, shell, _ in spatial]
    namings = (
        [f"{site}:{orbital}" for site, _, orbital in spatial],
        by_site if len(set(by_site)) > len(set(by_species)) else by_species,
        by_species,
        [shell for _, shell, _ in spatial],
    )
    names = next((found for found in namings if len(set(found)) <= MOST), namings[-1])
    known = tuple(dict.fromkeys(names))
    member = np.equal.outer(np.array(names), np.array(known)).astype(float)
    return OrbitalGroups(known, np.repeat(member, basis.spins, axis=0))


def characters(
    electrons: TightBinding, k: WaveVectors, groups: OrbitalGroups
) -> tuple[Float[Array, "k band"], Float[Array, "k band group"]]:
    """Energies (eV), rising, and the weight of each group in the level of each band; these add up to one."""
    energy, vectors = eigensystem(electrons, k)
    weight = jnp.abs(jnp.swapaxes(vectors, 1, 2)) ** 2 @ jnp.asarray(groups.member)
    alike = (jnp.abs(energy[:, :, None] - energy[:, None, :]) < LEVEL).astype(weight.dtype)
    return energy, alike @ weight / jnp.sum(alike, axis=2)[:, :, None]
