"""Acoustic phonons with one speed of sound."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from orbiphon._checks import check_positive
from orbiphon._types import RealScalar, Vector
from orbiphon.crystal import is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.phonons.circular import direction_vector


class AcousticBranch(eqx.Module):
    """A pair of transverse acoustic branches, degenerate, with ω = speed·|q|.

    **Arguments:** `speed` (Å eV/ħ: `5000 * units.m / units.s`); `mass` of a cell (`4e-26 * units.kg`); `direction` in
    which waves travel and around which they turn: "x", "y", "z" or a vector, kept as a unit vector (xyz).

    **Raises:** `InputError` unless speed and mass are positive and the direction is not zero.
    """

    speed: RealScalar = eqx.field(converter=as_real)
    mass: RealScalar = eqx.field(converter=as_real)
    direction: Vector = eqx.field(converter=direction_vector, default="x")

    def __check_init__(self) -> None:
        if is_concrete(self.speed, self.mass):
            check_positive("speed", self.speed)
            check_positive("mass", self.mass)

    def frequency(self, q_norm: ArrayLike) -> Float[Array, "..."]:
        """ħω (eV) at |q| (1/Å)."""
        return self.speed * jnp.abs(as_real(q_norm))
