"""The phonons of a drive: what every response method is given."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Complex, Float

from orbiphon.crystal import Crystal
from orbiphon.phonons import AcousticBranch


class Modes(eqx.Module):
    """Phonons along one direction, and how many more of them there are than in equilibrium.

    <O> per cell = sum over polarisations and modes of `excess` times the moment per phonon m_q[O] (docs/theory.md 5.4).
    """

    along: Float[Array, "q"]
    """Wave vector along the direction of propagation, 1/angstrom."""
    frequency: Float[Array, "q"]
    """hbar omega in eV."""
    polarisation: Complex[Array, "polarisation xyz"]
    """Unit polarisation vectors."""
    excess: Float[Array, "temperature polarisation q"]
    """Excess quanta per cell in each mode, the measure of the sum over q included."""
    excess_error: Float[Array, "temperature polarisation"]
    """Relative error of the sum over q of excess times along squared."""


class AbstractDrive(eqx.Module):
    """A source of phonons. One file each; `modes` is all that a response method needs."""

    branch: eqx.AbstractVar[AcousticBranch]

    @abstractmethod
    def modes(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Modes:
        """The phonons of this drive at the electrons' temperatures (kelvin)."""
