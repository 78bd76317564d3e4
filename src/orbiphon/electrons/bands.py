"""Energies and eigenstates at given wave vectors."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from orbiphon._types import WaveVectors
from orbiphon.electrons.tight_binding import TightBinding


def bands(electrons: TightBinding, k: WaveVectors) -> Float[Array, "k band"]:
    """Energies (eV), rising, at each wave vector (1/Å)."""
    return jax.vmap(lambda one: jnp.linalg.eigvalsh(electrons.hamiltonian(one)))(k)


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
