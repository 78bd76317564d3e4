"""Transverse polarisations and their sign.

Displacement of a circular wave along x with chirality λ = ±1 (8):

    u_i(t) = U [cos(q·R_i − ωt) e_y + λ sin(q·R_i − ωt) e_z] = Re{ U (e_y − iλ e_z) e^{i(q·R_i − ωt)} }.

At a fixed site λ = +1 turns from e_y towards −e_z as time runs: such a quantum carries −ħ along +x, whatever the sign
of q. The snapshot in space is a right-handed screw for λ q_x > 0. Other directions follow by rotating (x; y, z) into
(direction; e1, e2), a right-handed triad. The unit vector of one quantum is (e1 − iλ e2)/√2.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_choice, check_finite, check_not_negative, check_shape
from orbiphon._types import Number, Vector
from orbiphon.crystal import is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.errors import InputError


def direction_vector(direction: str | ArrayLike) -> Vector:
    """The unit vector (xyz) of "x", "y", "z" or any vector. **Raises:** `InputError` for other names, or length 0."""
    if isinstance(direction, str):
        check_choice("direction", direction, ("x", "y", "z"))
        return as_real(np.eye(3)["xyz".index(direction)])
    vector = as_real(direction)
    check_shape("direction", vector, "xyz", (3,))
    if is_concrete(vector):
        check_finite("direction", vector)
        if not np.any(np.asarray(vector)):
            raise InputError("Argument `direction` must not be the zero vector, but is. Give where the wave goes.")
    return vector / jnp.linalg.norm(vector)


def transverse_basis(direction: str | ArrayLike) -> tuple[Float[Array, "xyz"], Float[Array, "xyz"]]:
    """Unit vectors e1, e2 of a right-handed triad (e1, e2, direction): "x" -> (y, z), "y" -> (z, x), "z" -> (x, y).

    For another direction e1 is the axis after the largest component, made orthogonal to it.
    """
    n = direction_vector(direction)
    largest = jnp.argmax(jnp.abs(n))
    axis = jnp.roll(as_real(np.eye(3)[1]), largest)  # x -> y, y -> z, z -> x
    e1 = axis - (axis @ n) * n
    e1 = e1 / jnp.linalg.norm(e1)
    return e1, jnp.cross(n, e1)


def circular_polarisation(direction: str | ArrayLike, chirality: int) -> Complex[Array, "xyz"]:
    """(e1 − iλ e2)/√2: the unit polarisation of a circular wave of chirality λ = ±1 (8)."""
    return elliptical_polarisation(direction, chirality, 1.0)


def elliptical_polarisation(direction: str | ArrayLike, chirality: int, ellipticity: Number) -> Complex[Array, "xyz"]:
    """The unit vector along e1 − iλ ε e2: ε = 0 linear along e1, ε = 1 circular, with the sense of chirality λ = ±1.

    **Raises:** `InputError` unless λ is 1 or −1 and 0 ≤ ε ≤ 1.
    """
    if is_concrete(chirality) and chirality not in (1, -1):
        raise InputError(
            f"Argument `chirality` must be 1 or -1, but is {chirality!r}. A linear wave has ellipticity 0."
        )
    if is_concrete(ellipticity):
        check_not_negative("ellipticity", ellipticity)
        if float(np.asarray(ellipticity)) > 1:
            raise InputError(
                f"Argument `ellipticity` must be between 0 (linear) and 1 (circular), but is {ellipticity}. "
                f"To make the other axis the long one, turn the direction's basis instead."
            )
    e1, e2 = transverse_basis(direction)
    epsilon = as_real(ellipticity)
    norm = jnp.sqrt(1 + epsilon**2)
    return jax.lax.complex(e1 / norm, -(chirality * epsilon * e2) / norm)
