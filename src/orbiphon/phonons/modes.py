"""Phonons: the modes of a crystal at given wave vectors, and what degeneracy leaves open.

    D(q) e_ν = ω_ν² e_ν,    Σ_s |e_νs|² = 1,    u_s(R) = e_νs/√(2 M_s ω_ν) e^{iq·(R + τ_s)}   for one quantum per cell,

by rising ω. Within a degenerate level the e_ν are an arbitrary choice. Whatever is asked of single modes there (angular
momentum, velocity) is made well defined by choosing the eigenvectors of a hermitian operator A within each level
(`diagonal_in`); sums over a level depend on no choice.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_not_negative, check_positive, check_shape
from orbiphon.crystal import Crystal, is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_complex, as_real
from orbiphon.errors import InputError

DEGENERATE = 1e-6
"""Of the highest frequency at a wave vector: modes closer than this to the next are one level."""
_STILL = 1e-7  # of the highest frequency at a wave vector: a mode below is a uniform translation


class PhononModes(eqx.Module):
    """Modes at wave vectors: those of `ForceConstants.modes`, or given.

    **Fields:** `q` (q xyz), 1/Å; `frequency` (q mode), ħω in eV, rising; `polarisation` (q mode site xyz), orthonormal
    at each q, with the phase of the atom's position; `masses` (site,), internal units.

    **Raises:** `InputError` for wrong shapes, negative frequencies, or polarisations that are not of unit length.
    """

    q: Float[Array, "q xyz"] = eqx.field(converter=as_real)
    frequency: Float[Array, "q mode"] = eqx.field(converter=as_real)
    polarisation: Complex[Array, "q mode site xyz"] = eqx.field(converter=as_complex)
    masses: Float[Array, "site"] = eqx.field(converter=as_real)

    def __check_init__(self) -> None:
        check_shape("q", self.q, "q xyz", (None, 3))
        check_shape("masses", self.masses, "site", (None,))
        check_shape("frequency", self.frequency, "q mode", (self.q.shape[0], None))
        shape = (*self.frequency.shape, self.masses.shape[0], 3)
        check_shape("polarisation", self.polarisation, "q mode site xyz", shape)
        if is_concrete(self.q, self.frequency, self.polarisation, self.masses):
            check_finite("q", self.q)
            check_positive("masses", self.masses)
            check_not_negative("frequency", self.frequency)
            norm = np.linalg.norm(np.asarray(self.polarisation).reshape(*shape[:2], -1), axis=-1)
            if np.any(np.abs(norm - 1.0) > 1e-6):
                raise InputError(
                    "Argument `polarisation` must hold unit vectors, Σ_s |e_s|² = 1, but one has the length "
                    f"{float(norm.flat[np.argmax(np.abs(norm - 1.0))]):.6g}. Divide each by its length."
                )

    @property
    def still(self) -> Array:
        """(q mode): whether the mode is a uniform translation, ω = 0, of which no quanta are counted."""
        return self.frequency <= _STILL * jnp.max(self.frequency, axis=-1, keepdims=True)

    @property
    def displacement(self) -> Complex[Array, "q mode site xyz"]:
        """e_s/√(2 M_s ω), Å: the part of one quantum per cell that goes with e^{iq·(R + τ_s) − iωt}; 0 where ω = 0.

        A coherent wave Re{U e^{...}} of n quanta per cell has U = 2 √n times this.
        """
        omega = jnp.where(self.still, jnp.inf, self.frequency)
        scale = 1.0 / jnp.sqrt(2.0 * self.masses[None, None] * omega[..., None])
        return self.polarisation * scale[..., None].astype(jnp.complex128)

    def levels(self) -> Array:
        """(q mode), integers: the number of the level that each mode belongs to, counted from 0 by rising frequency."""
        apart = jnp.diff(self.frequency, axis=-1) > DEGENERATE * jnp.max(self.frequency, axis=-1, keepdims=True)
        first = jnp.zeros((self.q.shape[0], 1), dtype=int)
        return jnp.concatenate([first, jnp.cumsum(apart, axis=-1)], axis=-1)

    def level_of(self, mode: int) -> tuple[int, ...]:
        """The modes of the same level at the first wave vector. **Raises:** `InputError` for a mode out of range."""
        check_mode(mode, self.frequency.shape[1])
        level = np.asarray(self.levels()[0])
        return tuple(int(other) for other in np.flatnonzero(level == level[mode]))

    def between(self, operator: Complex[Array, "q coordinate coordinate"]) -> Complex[Array, "q mode mode"]:
        """e_μ† A e_ν of operators on the 3·site displacements, rows and columns (site, xyz)."""
        e = self.polarisation.reshape(*self.frequency.shape, -1)
        return jnp.einsum("qmi,qij,qnj->qmn", jnp.conj(e), operator, e)


class AbstractPhonons(eqx.Module):
    """What drives and spectra ask of the phonons of a crystal."""

    crystal: eqx.AbstractVar[Crystal]
    masses: eqx.AbstractVar[Float[Array, "site"]]

    @abstractmethod
    def modes(self, q: ArrayLike, direction: str | ArrayLike | None = None) -> PhononModes:
        """All modes at wave vectors (q xyz) or (xyz) in 1/Å; `direction`: of q → 0, in polar crystals."""


def check_mode(mode: int, count: int) -> None:
    """Raise `InputError` unless there is such a mode."""
    if isinstance(mode, bool) or int(mode) != mode or not 0 <= mode < count:
        raise InputError(
            f"Argument `mode` must be a whole number from 0 to {count - 1} (three modes per atom, by rising "
            f"frequency), but is {mode}. Choose one of these."
        )


def diagonal_in(modes: PhononModes, operator: Complex[Array, "q mode mode"]) -> tuple[PhononModes, Array]:
    """The modes that diagonalise a hermitian operator within each level, by rising eigenvalue, and these (q mode).

    What the operator has between different levels is left alone. The phase of each mode is fixed: its largest component
    is real and positive (of equals the first).
    """
    level = modes.levels()
    same = level[:, :, None] == level[:, None, :]
    size = jnp.max(jnp.abs(operator), axis=(1, 2), keepdims=True) + 1e-300
    # Each level at its own height: eigenvectors of a matrix of blocks stay within their blocks.
    height = 4.0 * level.astype(float) * modes.frequency.shape[1]
    scaled = jnp.where(same, operator / size.astype(jnp.complex128), 0.0)
    heights = jax.vmap(jnp.diag)(height).astype(jnp.complex128)
    values, mixing = jnp.linalg.eigh(scaled + heights)
    polarisation = jnp.einsum("qmn,qmsa->qnsa", mixing, modes.polarisation)
    turned = PhononModes(modes.q, modes.frequency, _phased(polarisation), modes.masses)
    return turned, (values - height) * size[..., 0]


def _phased(polarisation: Complex[Array, "q mode site xyz"]) -> Complex[Array, "q mode site xyz"]:
    flat = polarisation.reshape(*polarisation.shape[:2], -1)
    size = jnp.abs(flat)
    first = jnp.argmax(size >= jnp.max(size, axis=-1, keepdims=True) * (1.0 - 1e-6), axis=-1)
    value = jnp.take_along_axis(flat, first[..., None], axis=-1)
    return polarisation * (jnp.conj(value) / jnp.abs(value).astype(jnp.complex128))[..., None]
