"""What can be averaged over the zone."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Complex, Num, PyTree


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
