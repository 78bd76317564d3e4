"""What every electron–phonon coupling offers."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from orbiphon._checks import check_shape
from orbiphon._types import OrbitalMatrix, Polarisation, Vector
from orbiphon.crystal import is_concrete
from orbiphon.electrons import TightBinding
from orbiphon.electrons.structure import Pairs
from orbiphon.errors import InputError

_ROUNDING = 1e-10  # of the largest element of a vertex


class Coupling(eqx.Module):
    """The response of H to a lattice wave u_site(R) = e_site exp(iq·(R + τ_site)).

    A new coupling is one class with one method, `bonds`. Everything is linear in the polarisation (site xyz).
    """

    electrons: eqx.AbstractVar[TightBinding]
    homogeneous: ClassVar[bool] = False
    """Whether it is known for long waves only: `strain` is given, and `bonds` refused."""
    zone_centre: ClassVar[bool] = False
    """Whether it is known at q = 0 only: `strain` is refused, and of waves those that `check_waves` refuses."""

    @abstractmethod
    def bonds(self, q: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        """The vertex in real space, eV/Å: all of it but e^{−ik·d}, so that a zone sum computes it once."""

    def vertex(self, k: Vector, q: Vector, polarisation: Polarisation) -> OrbitalMatrix:
        """g_ij(k, q; e) = <k+q, i| dH/du |k, j>, (orbital orbital), in eV/Å; k and q (xyz) in 1/Å."""
        return self.electrons.bloch_sum(self.bonds(q, polarisation), k)

    @eqx.filter_jit
    def strain(self, direction: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        """∂/∂|q| of `bonds` at q = 0 along a unit vector, in eV: the coupling of a long wave."""
        along = lambda q: self.bonds(q, polarisation)  # noqa: E731
        return jax.jvp(along, (jnp.zeros_like(direction),), (direction,))[1]

    def gradient_derivative(self, gradient: Num[np.ndarray, "xyz xyz"]) -> Complex[Array, "cell orbital orbital"]:
        """D[G], eV: dH in real space where the displacement has the gradient G_ab = ∂u_a/∂x_b, all atoms alike; may be
        complex. A long wave has G = i q e n^T, so that `strain` is i D[e n^T]."""
        sites = self.electrons.crystal.sites
        columns = jnp.asarray(gradient, dtype=complex).T
        alike = [jnp.tile(column[None], (sites, 1)) for column in columns]
        along = [self.strain(axis, e) for axis, e in zip(jnp.eye(3), alike, strict=True)]
        return -1j * jnp.sum(jnp.stack(along), axis=0)

    def long_wave(self, k: Vector, direction: Vector, polarisation: Polarisation) -> OrbitalMatrix:
        """∂g/∂|q| at q = 0 along a unit vector, (orbital orbital), in eV."""
        return self.electrons.bloch_sum(self.strain(direction, polarisation), k)

    def check_waves(self, q: Num[np.ndarray, "wave xyz"], displacement: Num[np.ndarray, "wave site xyz"]) -> None:
        """Raise `InputError` for waves that it does not know."""

    def random_wave(self, random: np.random.Generator) -> tuple[Float[np.ndarray, "xyz"], Polarisation]:
        """Some q and displacements (site xyz) that it knows, for checks."""
        size = float(np.max(np.abs(np.asarray(self.electrons.crystal.lattice.vectors))))
        shape = (self.electrons.crystal.sites, 3)
        return random.normal(size=3) / size, jnp.asarray(random.normal(size=shape) + 1j * random.normal(size=shape))

    @property
    def pairs(self) -> Pairs:
        """Pairs (row sector, column sector) of `electrons.sectors` that the vertex can connect, by the model's form."""
        return self.electrons.gradient_pairs


def check_vertex(coupling: Coupling, electrons: TightBinding) -> None:
    """Raise `InputError` unless `coupling` is one of these electrons and g(k, q; e) = g(k+q, -q; e*)†.

    Asked at one random k, q and e: what is analytic in them holds everywhere or almost nowhere. Not asked of tracers.
    """
    if coupling.homogeneous or not is_concrete(coupling, electrons):
        return
    random = np.random.default_rng(0)
    k = jnp.asarray(random.normal(size=3))
    q, e = map(jnp.asarray, coupling.random_wave(random))
    there, back = coupling.bonds(q, e), coupling.bonds(-q, jnp.conj(e))
    check_shape("coupling.bonds", there, "cell orbital orbital", electrons.hopping.shape)
    there, back = electrons.bloch_sum(there, k), electrons.bloch_sum(back, k + q)
    off, largest = (float(jnp.max(jnp.abs(x))) for x in (there - jnp.conj(back).T, there))
    if not off <= _ROUNDING * largest:
        raise InputError(
            f"Argument `coupling` must obey g(k, q; e) = g(k+q, -q; e*)†, but is off by {off:.3g} "
            f"(largest element {largest:.3g}): dH/du is not hermitian. Check the phases of `bonds`, and that both "
            "ends of a bond move."
        )
