"""The coupling of long waves from Hamiltonians of deformed cells.

A wave u = e exp(iq·r) has the displacement gradient G = ∂u_a/∂x_b = i q_b e_a, and a long wave couples through

    ∂g/∂|q| = i D[e n^T],    D[G] = ∂H(R)/∂G at fixed integer R,    n = q/|q|,

with orbitals that keep their axes in space and ride on the atoms. G has a symmetric part, the strain, and an
antisymmetric one, a rotation by θ, which turns the crystal as a whole and is known without any calculation:

    D[G] = D[ε] − i[θ·J, H(R)],    ε = (G + G^T)/2,    θ × r = (G − G^T)/2 r,    J = L, or L + S with spin.

A transverse wave along z has G = ∂u_x/∂z, and half of it is a rotation: leaving it out is wrong at leading order.
D[ε] comes from central differences, (H(ε) − H(−ε))/2|ε|, of Hamiltonians in one gauge, and from their images under the
operations of the crystal, D[g ε g^T] = g D[ε] g^+.
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num

from orbiphon._types import Polarisation, Vector
from orbiphon.coupling.abstract import Coupling
from orbiphon.coupling.differences import STRAIN, Kind
from orbiphon.crystal.concrete import as_complex, as_real
from orbiphon.electrons import TightBinding
from orbiphon.electrons.operators import observable
from orbiphon.errors import InputError

_ABSENT = 1e-6  # of a strain: less than this need not be known


class Deformation(Coupling):
    """How H follows a homogeneous deformation: long waves of one displacement for all atoms, at second or first order.

    **Fields:** `electrons`; `strains` (strain xyz xyz), orthonormal symmetric tensors; `derivative` (strain cell
    orbital orbital), eV: D of each. Made by `orbiphon.io.read_pairs`.

    A strain that they do not span is refused (`InputError`), and so is a wave of finite length.
    """

    homogeneous: ClassVar[bool] = True
    electrons: TightBinding
    strains: Float[Array, "strain xyz xyz"] = eqx.field(converter=as_real)
    derivative: Complex[Array, "strain cell orbital orbital"] = eqx.field(converter=as_complex)

    @property
    def kind(self) -> Kind:
        """What `changes` are of."""
        return STRAIN

    @property
    def changes(self) -> Float[np.ndarray, "strain component"]:
        """The strains, each in a row."""
        return np.asarray(self.strains).reshape(len(self.strains), -1)

    def of_changes(
        self,
        electrons: TightBinding,
        changes: Float[np.ndarray, "strain component"],
        derivative: Complex[np.ndarray, "strain cell orbital orbital"],
    ) -> "Deformation":
        """Another coupling of the same kind."""
        return Deformation(electrons, changes.reshape(-1, 3, 3), derivative)

    def bonds(self, q: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        raise InputError(
            "Argument `coupling` must have a vertex at finite wave vectors for this method, but comes from homogeneous "
            "deformations. Use a long-wave method, such as Adiabatic."
        )

    def strain(self, direction: Vector, polarisation: Polarisation) -> Complex[Array, "cell orbital orbital"]:
        """i D[e n^T], in eV. **Raises:** `InputError` for atoms that move differently, or a strain that is not
        known."""
        e, n = np.asarray(polarisation), np.asarray(direction)
        if np.max(np.abs(e - e[:1])) > _ABSENT * np.max(np.abs(e)):
            raise InputError(
                "Argument `polarisation` must be the same for all atoms of the cell, but is not. Optical modes need "
                "Hamiltonians of displaced atoms, which this coupling does not have."
            )
        return 1j * self.gradient_derivative(np.outer(e[0], n))

    def gradient_derivative(self, gradient: Num[np.ndarray, "xyz xyz"]) -> Complex[Array, "cell orbital orbital"]:
        """D[G] of a displacement gradient G_ab = ∂u_a/∂x_b, in eV. **Raises:** `InputError` for an unknown strain."""
        gradient = np.asarray(gradient, dtype=complex)
        strain, spin = (gradient + gradient.T) / 2, (gradient - gradient.T) / 2
        weight = np.tensordot(np.asarray(self.strains), strain, axes=2)
        missing = strain - np.tensordot(weight, np.asarray(self.strains), axes=1)
        if np.max(np.abs(missing)) > _ABSENT * max(float(np.max(np.abs(gradient))), 1e-300):
            raise InputError(
                f"Argument `coupling` must know the strain {_named(missing)}, but knows {self.known()}. Add a pair of "
                "Hamiltonians with the missing strain."
            )
        angle = np.array([spin[2, 1], spin[0, 2], spin[1, 0]])
        stretched = jnp.tensordot(jnp.asarray(weight), self.derivative, axes=1)
        return stretched + jnp.asarray(rotation_derivative(self.electrons, angle))

    def known(self) -> str:
        """The strains that are known, in words."""
        tensors = np.asarray(self.strains)
        basis = {f"{'xyz'[a]}{'xyz'[b]}": (a, b) for a in range(3) for b in range(a, 3)}
        found = []
        for name, (a, b) in basis.items():
            unit = np.zeros((3, 3))
            unit[a, b] = unit[b, a] = 1.0
            rest = unit - np.tensordot(np.tensordot(tensors, unit, axes=2), tensors, axes=1)
            if np.max(np.abs(rest)) < _ABSENT:
                found.append(name)
        return ", ".join(found) + (f" ({len(tensors)} independent strains)" if len(found) < len(tensors) else "")


def rotation_derivative(
    electrons: TightBinding, angle: Complex[np.ndarray, "xyz"]
) -> Complex[np.ndarray, "cell orbital orbital"]:
    """−i[θ·J, H(R)], eV: what a small rotation of the whole crystal by θ does to H in orbitals with fixed axes."""
    kind = "J" if electrons.basis.spin else "L"
    momentum = np.stack([np.asarray(observable(electrons.basis, kind + axis).matrix) for axis in "xyz"])
    generator, h = np.tensordot(angle, momentum, axes=1), np.asarray(electrons.hopping)
    return -1j * (generator @ h - h @ generator)


def _named(strain: np.ndarray) -> str:
    parts = {"xyz"[a] + "xyz"[b]: strain[a, b] for a in range(3) for b in range(a, 3)}
    return ", ".join(name for name, value in parts.items() if abs(value) > _ABSENT * np.max(np.abs(strain)))
