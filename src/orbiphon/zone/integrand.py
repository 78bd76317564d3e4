"""What can be averaged over the zone."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num, PyTree


class AbstractIntegrand(eqx.Module):
    """A function of the wave vector, in two steps. Its arrays may change without another compilation.

    XLA fuses elementwise code into its consumers and computes it again in each of them. What is used often (levels,
    weights) belongs into `prepare`, whose results are kept in memory for a block of wave vectors at a time.
    """

    @abstractmethod
    def prepare(self, phases: Complex[Array, "dim"]) -> PyTree[Array]:
        """What the second step needs, from the phases exp(-i k a_j) of the lattice vectors."""

    @abstractmethod
    def respond(self, prepared: PyTree[Array]) -> Num[Array, "component"]:
        """The components, real or complex."""

    def block_sums(self, phases: Complex[Array, "dim point"], weight: Float[Array, "point"]) -> Num[Array, "2 sum"]:
        """Weighted sums of the components and of their moduli, or of what `finished` makes these from."""
        # The barriers keep XLA from computing what both steps share once more in each of its uses, and let the
        # elementwise work run on all cores, which a fused sum does not.
        prepared = jax.lax.optimization_barrier(jax.vmap(self.prepare, in_axes=1)(phases))
        values = jax.vmap(self.respond)(prepared)
        weighted = jax.lax.optimization_barrier(weight[:, None].astype(values.dtype) * values)
        return jnp.stack([jnp.sum(weighted, axis=0), jnp.sum(jnp.abs(weighted), axis=0).astype(weighted.dtype)])

    def finished(self, sums: Num[np.ndarray, "2 sum"]) -> Num[np.ndarray, "2 component"]:
        """Means of the components and of their moduli, from the sum of all blocks."""
        return sums
