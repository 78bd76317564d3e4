"""Energies and eigenstates at given wave vectors."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._types import Vector, WaveVectors
from orbiphon.electrons.tight_binding import TightBinding


def energies_by_sector(electrons: TightBinding, k: Vector) -> Float[Array, "band"]:
    """Energies (eV) at one wave vector (1/Å), sector after sector, rising within each."""
    hamiltonian = electrons.hamiltonian(k)
    blocks = [hamiltonian[np.ix_(sector, sector)] for sector in electrons.sectors]
    # A sector of one orbital is its own band.
    return jnp.concatenate([b[0].real if len(b) == 1 else jnp.linalg.eigvalsh(b) for b in blocks])


def bands(electrons: TightBinding, k: WaveVectors) -> Float[Array, "k band"]:
    """Energies (eV), rising, at each wave vector (1/Å)."""
    return jnp.sort(jax.vmap(lambda one: energies_by_sector(electrons, one))(k), axis=1)


def eigensystem(
    electrons: TightBinding, k: WaveVectors
) -> tuple[Float[Array, "k band"], Complex[Array, "k orbital band"]]:
    """Energies (eV), rising, and eigenvectors as columns.

    Inside a degenerate level the eigenvectors are an arbitrary choice: use them only in sums over the level.
    """
    return jax.vmap(lambda one: tuple(jnp.linalg.eigh(electrons.hamiltonian(one))))(k)


def orbital_weights(electrons: TightBinding, k: WaveVectors) -> Float[Array, "k band orbital"]:
    """|<orbital|band>|² at each wave vector: each band sums to 1, for colouring bands by orbital."""
    _, vectors = eigensystem(electrons, k)
    return jnp.abs(jnp.swapaxes(vectors, 1, 2)) ** 2
