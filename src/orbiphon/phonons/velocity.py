"""Group velocities, also where modes are degenerate.

    v_ν·n = ∂ω_ν/∂(q·n) = e_ν† (n·∇D) e_ν / 2ω_ν.

Within a degenerate level the slopes along n are the eigenvalues of that matrix, and its eigenvectors the modes to which
they belong. At Γ the acoustic ω is a cone; its slopes are those of second-order perturbation theory in q, with the
optical modes between:

    ω² = |q|² · eigenvalues of  P [½ n·∇∇D·n − (n·∇D) D⁺ (n·∇D)] P,      P: uniform translations, D⁺: inverse elsewhere.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._types import Vector
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.phonons.circular import direction_vector
from orbiphon.phonons.force_constants import ForceConstants, over_wave_vectors
from orbiphon.phonons.modes import PhononModes, diagonal_in

_OPTICAL = 1e-9  # of the largest ω² at Γ


def group_velocities(
    force_constants: ForceConstants, modes: PhononModes, direction: str | ArrayLike
) -> tuple[PhononModes, Float[Array, "q mode"]]:
    """Slopes ∂ω/∂(q·n) (Å eV/ħ; divide by `units.m / units.s`) along a direction, and the modes to which they belong.

    Degenerate modes are mixed so that each has a slope. Where ω = 0 the slope is 0, the mean of the cone.
    """
    n = direction_vector(direction)
    slope = modes.between(_slopes(force_constants, modes.q, n))
    omega = jnp.where(modes.still, jnp.inf, modes.frequency)
    root = jnp.sqrt(2.0 * omega).astype(jnp.complex128)
    return diagonal_in(modes, slope / root[:, :, None] / root[:, None, :])


def sound_velocities(force_constants: ForceConstants, direction: str | ArrayLike) -> Float[np.ndarray, "3"]:
    """The three speeds of sound (Å eV/ħ) along a direction, rising; 0 where the frequency grows with a higher power."""
    n = direction_vector(direction)
    along = lambda x: force_constants.dynamical_matrix(x * n, n)  # noqa: E731
    zero, one = jnp.zeros(()), jnp.ones(())
    first, second = jax.jvp(lambda x: jax.jvp(along, (x,), (one,))[1], (zero,), (one,))
    value, vectors = np.linalg.eigh(np.asarray(along(zero)))
    optical = value > _OPTICAL * value[-1]
    roots = np.sqrt(np.asarray(force_constants.masses) / np.sum(np.asarray(force_constants.masses)))
    still = np.kron(roots[:, None], np.eye(3))
    mixed = vectors[:, optical].conj().T @ np.asarray(first) @ still
    stiffness = still.T @ np.asarray(second) @ still / 2 - mixed.conj().T @ (mixed / value[optical, None])
    return np.sqrt(np.maximum(np.linalg.eigvalsh(stiffness), 0.0))


@eqx.filter_jit
def _slopes(
    force_constants: ForceConstants, q: Float[Array, "q xyz"], n: Vector
) -> Complex[Array, "q coordinate coordinate"]:
    return over_wave_vectors(lambda one: jax.jvp(force_constants.dynamical_matrix, (one,), (n,))[1], q)
