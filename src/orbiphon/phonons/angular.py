"""The angular momentum of phonons, and circular modes.

Per quantum, about an axis n,

    l_ν·n = −i Σ_s n·(e_νs* × e_νs) = Σ_s (|e_s·ε_+|² − |e_s·ε_−|²),        ε_± = (e1 ± i e2)/√2,

in ħ, between −1 and 1: the circular polarisation. A mode that turns counterclockwise, seen against n, has l·n > 0. The
chirality λ of `phonons.circular` has the opposite sign: λ = +1 carries −ħ along its direction.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._types import Vector
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.errors import InputError
from orbiphon.phonons.circular import direction_vector
from orbiphon.phonons.modes import PhononModes, check_mode, diagonal_in

_LEVI_CIVITA = np.array([[[(i - j) * (j - k) * (k - i) / 2 for k in range(3)] for j in range(3)] for i in range(3)])
_CIRCULAR = 1e-6  # ħ: a level without more angular momentum than this has no circular modes


def phonon_angular_momentum(modes: PhononModes) -> Float[Array, "q mode xyz"]:
    """l_ν in ħ per quantum. Within a degenerate level it depends on the choice of modes; `circular_modes` makes one."""
    e = modes.polarisation
    return jnp.imag(jnp.sum(jnp.cross(jnp.conj(e), e), axis=2))


def circular_polarisation_by_site(modes: PhononModes, axis: str | ArrayLike = "z") -> Float[Array, "q mode site"]:
    """What each atom adds to l_ν·n (ħ per quantum): > 0 for counterclockwise motion, seen against the axis."""
    e = modes.polarisation
    return jnp.imag(jnp.tensordot(jnp.cross(jnp.conj(e), e), direction_vector(axis).astype(jnp.complex128), axes=1))


def circular_modes(modes: PhononModes, axis: str | ArrayLike | None = None) -> PhononModes:
    """The same modes, each degenerate level in its circular basis about an axis.

    Within a level the modes diagonalise l·n, by rising l·n: of a pair, chirality λ = +1 comes first. `axis` is "x",
    "y", "z", a vector (xyz), or (q xyz); by default that of q, or z where q = 0. Levels of one mode stay what they are.
    """
    return diagonal_in(modes, _momentum(modes, _axes(modes, axis)))[0]


def check_circular(modes: PhononModes, mode: int, axis: str | ArrayLike | None = None) -> None:
    """Raise `InputError` unless `mode`, at the first wave vector, has a circular partner about the axis: its level is
    degenerate, and its modes can carry angular momentum."""
    check_mode(mode, modes.frequency.shape[1])
    level = list(modes.level_of(mode))
    if len(level) < 2:
        raise InputError(
            f"Argument `mode` must name one of degenerate modes for a circular basis, but mode {mode} at q = "
            f"{np.round(np.asarray(modes.q[0]), 6).tolist()} 1/Å is alone at its frequency, and its motion is what it "
            "is: see phonon_angular_momentum. Choose a degenerate mode."
        )
    _, momentum = diagonal_in(modes, _momentum(modes, _axes(modes, axis)))
    if float(np.max(np.abs(np.asarray(momentum)[0, level]))) < _CIRCULAR:
        raise InputError(
            f"Argument `mode` must name modes that can turn about the axis, but the level of mode {mode} (modes "
            f"{level}) moves along it, or along one line. Choose another axis, or keep the linear modes."
        )


@eqx.filter_jit
def _momentum(modes: PhononModes, axes: Float[Array, "q xyz"]) -> Complex[Array, "q mode mode"]:
    """e_μ† (l·n) e_ν, with (l_a)_bc = −i ε_abc on every atom."""
    matrix = jnp.tensordot(axes, jnp.asarray(_LEVI_CIVITA), axes=1)  # (q, xyz, xyz)
    e = modes.polarisation
    return -1j * jnp.einsum("qmsb,qbc,qnsc->qmn", jnp.conj(e), matrix.astype(jnp.complex128), e)


def _axes(modes: PhononModes, axis: str | ArrayLike | None) -> Float[Array, "q xyz"]:
    if axis is None:
        return _along(modes.q)
    if not isinstance(axis, str) and np.ndim(axis) == 2:
        return jnp.stack([direction_vector(one) for one in np.asarray(axis)])
    n: Vector = direction_vector(axis)
    return jnp.tile(n[None], (modes.q.shape[0], 1))


@eqx.filter_jit
def _along(q: Float[Array, "q xyz"]) -> Float[Array, "q xyz"]:
    """Unit vectors; z where q = 0."""
    norm = jnp.linalg.norm(q, axis=1, keepdims=True)
    return jnp.where(norm > 0.0, q / jnp.where(norm > 0.0, norm, 1.0), jnp.eye(3)[2][None])
