"""What every electron–phonon coupling offers."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Complex

from orbiphon._types import OrbitalMatrix, Polarisation, Vector
from orbiphon.electrons import TightBinding
from orbiphon.electrons.structure import Pairs


class Coupling(eqx.Module):
    """The response of H to a lattice wave u_site(R) = e_site exp(iq·(R + τ_site)).

    `long_wave` is linear in the direction; both are linear in the polarisation (site xyz).
    """

    electrons: eqx.AbstractVar[TightBinding]

    @abstractmethod
    def vertex(self, k: Vector, q: Vector, polarisation: Polarisation) -> OrbitalMatrix:
        """g_ij(k, q; e) = <k+q, i| dH/du |k, j>, (orbital orbital), in eV/Å; k and q (xyz) in 1/Å."""

    @abstractmethod
    def strain(self, direction: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        """The long-wave vertex on the bonds of `electrons`, in eV: its `bloch_sum` is `long_wave`."""

    def long_wave(self, k: Vector, direction: Vector, polarisation: Polarisation) -> OrbitalMatrix:
        """∂g/∂|q| at q = 0 along a unit vector, (orbital orbital), in eV."""
        return self.electrons.bloch_sum(self.strain(direction, polarisation), k)

    @property
    def pairs(self) -> Pairs:
        """Pairs (row sector, column sector) of `electrons.sectors` that the vertex can connect, by the model's form."""
        return self.electrons.gradient_pairs
