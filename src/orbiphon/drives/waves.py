"""The waves of a drive on the real modes of a crystal: what the second-order methods are given."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from orbiphon.crystal import Crystal
from orbiphon.phonons import PhononModes


class Waves(eqx.Module):
    """Lattice waves, each with its own wave vector, and how many more quanta of it there are than in equilibrium.

    <O> per cell = sum over waves of `excess` times the moment per phonon m[O] (docs/theory.md 5.4).
    """

    q: Float[Array, "wave xyz"]
    """Wave vector, 1/angstrom."""
    frequency: Float[Array, "wave"]
    """hbar omega in eV."""
    displacement: Complex[Array, "wave site xyz"]
    """Of one quantum per cell, angstrom: e_s/sqrt(2 M_s omega), with the phase of the atom's position."""
    excess: Float[Array, "temperature wave"]
    """Excess quanta per cell, the measure of a sum over q included; positive or negative."""
    mesh: tuple[int, ...] | None = eqx.field(static=True, default=None)
    """If all q are points (m_1/N_1) b_1 + ... of one mesh: the N_j. Moments are then found together, and faster."""


class AbstractModeDrive(eqx.Module):
    """A source of phonons of a crystal with force constants. One file each; `waves` is all that a method needs."""

    @abstractmethod
    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """The phonons of this drive at the electrons' temperatures (kelvin)."""


def waves_of(
    modes: PhononModes,
    excess: Float[Array, "temperature q mode"],
    mesh: tuple[int, ...] | None = None,
) -> Waves:
    """All modes as waves, mode after mode at each q, with so many quanta per cell each."""
    count, states = modes.frequency.size, excess.shape[0]
    return Waves(
        q=jnp.repeat(modes.q, modes.frequency.shape[1], axis=0),
        frequency=modes.frequency.reshape(count),
        displacement=modes.displacement.reshape(count, -1, 3),
        excess=excess.reshape(states, count),
        mesh=mesh,
    )
