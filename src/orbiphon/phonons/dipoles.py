"""Dipoles of moving ions: the long-ranged forces that split longitudinal from transverse optical phonons.

An atom s with Born charges Z_s,ab = dP_a/du_sb that moves by u_s is a dipole; in a crystal with the high-frequency
dielectric tensor ε these dipoles act on each other. Their charges smeared (Gaussian, of width 1/Λ), that costs

    Φ_ss'(q) = C_ss'(q) − δ_ss' Σ_s'' C_ss''(0),        K = q + G ≠ 0,

    C_sa,s'b(q) = (4π/Ω) (e²/4πε₀) Σ_G (K·Z_s)_a (K·Z_s')_b/(K·ε·K) e^{−K·ε·K/4Λ²} e^{iG·(τ_s − τ_s')},

G the reciprocal lattice vectors, Ω the volume of the cell. The rest is short-ranged, and depends on Λ: it is what
`ForceConstants.matrices` hold. The term G = 0 has no limit for q → 0 but one for every direction n of q, K → n: the
macroscopic field of a longitudinal wave.

Source: X. Gonze and C. Lee, Phys. Rev. B 55, 10355 (1997), Eqs. (71)-(76), as phonopy sums it.
"""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_finite, check_positive, check_shape
from orbiphon._types import Number, Vector
from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import ArrayLike, as_real
from orbiphon.errors import InputError
from orbiphon.units import coulomb_constant

_NEUTRAL = 1e-6  # of the largest charge
_SYMMETRIC = 1e-6  # of the largest element of the dielectric tensor
_SMALLEST = 1e-10  # e^{−K·ε·K/4Λ²} at the end of the sum
_NO_WAVE = 1e-10  # 1/Å: a shorter wave vector is zero


class DipoleForces(eqx.Module):
    """What a polar crystal has beside short-ranged force constants; given to `ForceConstants` as `dipoles`.

    **Arguments:** `crystal`, periodic in three directions; `charges` (site xyz xyz), Z_s,ab = dP_a/du_sb in e, that
    add up to zero; `dielectric` (xyz xyz), symmetric and positive; `width` Λ (1/Å); `coulomb`, e²/4πε₀ (eV Å).

    **Raises:** `InputError` for wrong shapes, a layer or chain, charges that do not add up to zero, or a dielectric
    tensor that is not symmetric and positive.
    """

    charges: Float[Array, "site xyz xyz"]
    dielectric: Float[Array, "xyz xyz"]
    width: Float[Array, ""]
    coulomb: Float[Array, ""]
    reduced: Float[Array, "G dim"]
    """Reciprocal lattice vectors of the sum, in units of the primitive ones."""

    def __init__(
        self,
        crystal: Crystal,
        charges: ArrayLike,
        dielectric: ArrayLike,
        *,
        width: Number,
        coulomb: Number = coulomb_constant,
    ):
        if crystal.lattice.dim != 3:
            raise InputError(
                f"Argument `crystal` must repeat in three directions for dipole forces, but does in "
                f"{crystal.lattice.dim}: a layer or a chain has other long-ranged forces. Leave them out."
            )
        check_shape("charges", charges, "site xyz xyz", (crystal.sites, 3, 3))
        check_shape("dielectric", dielectric, "xyz xyz", (3, 3))
        for name, value in (("width", width), ("coulomb", coulomb)):
            check_positive(name, value)
        check_neutral(charges)
        _check_dielectric(np.asarray(dielectric, dtype=float))
        self.charges, self.dielectric = as_real(charges), as_real(dielectric)
        self.width, self.coulomb = as_real(width), as_real(coulomb)
        furthest = 2.0 * float(width) * np.sqrt(-np.log(_SMALLEST) / (np.trace(np.asarray(dielectric)) / 3.0))
        self.reduced = as_real(_reciprocal_within(crystal, furthest))

    def matrix(self, crystal: Crystal, q: Vector, direction: Vector | None = None) -> Complex[Array, "mode mode"]:
        """Φ(q) in eV/Å², hermitian, rows and columns (site, xyz); the phase is that of the atoms' positions.

        `direction` (xyz), a unit vector: that from which q = 0 is approached; without it the term G = 0 is left out.
        """
        size = 3 * crystal.sites
        waves, still = self._waves(crystal, q, direction), self._waves(crystal, jnp.zeros(3), None)
        rest = jnp.real(jnp.einsum("Gsa,Gtb->sab", still, jnp.conj(still)))
        onsite = jax.scipy.linalg.block_diag(*((rest + jnp.swapaxes(rest, 1, 2)) / 2))
        flat = waves.reshape(-1, size)
        return flat.T @ jnp.conj(flat) - onsite.astype(jnp.complex128)

    def _waves(self, crystal: Crystal, q: Vector, direction: Vector | None) -> Complex[Array, "G site xyz"]:
        """w_G with C = Σ_G w_G w_G†."""
        lattice = crystal.lattice
        nearest = jnp.rint(lattice.vectors @ q / (2.0 * np.pi))  # the same forces at every q + G, also far away
        shift = (self.reduced - nearest[None]) @ lattice.reciprocal
        k = q[None] + shift
        still = jnp.sum(k**2, axis=1) < _NO_WAVE**2
        along = jnp.where(still[:, None], (jnp.ones(3) if direction is None else direction)[None], k)
        screened, damped = (jnp.einsum("Ga,ab,Gb->G", v, self.dielectric, v) for v in (along, k))
        size = jnp.exp(-damped / (8.0 * self.width**2)) / jnp.sqrt(screened)
        if direction is None:
            size = jnp.where(still, 0.0, size)
        size = size * jnp.sqrt(4.0 * np.pi * self.coulomb / lattice.cell_volume)
        angle, dipole = shift @ crystal.positions.T, jnp.einsum("Ga,sab->Gsb", along, self.charges)
        phase = jax.lax.complex(jnp.cos(angle), jnp.sin(angle))
        return phase[:, :, None] * (size[:, None, None] * dipole).astype(jnp.complex128)


def _reciprocal_within(crystal: Crystal, radius: float) -> Float[np.ndarray, "G dim"]:
    """Reciprocal lattice vectors shorter than `radius` (1/Å), in units of the primitive ones."""
    lengths = np.linalg.norm(np.asarray(crystal.lattice.vectors), axis=1)
    most = np.floor(radius * lengths / (2.0 * np.pi)).astype(int)  # n_j = G·a_j/2π
    every = np.array(list(itertools.product(*(range(-n, n + 1) for n in most))), dtype=float)
    return every[np.linalg.norm(every @ np.asarray(crystal.lattice.reciprocal), axis=1) < radius]


def check_neutral(charges: ArrayLike) -> None:
    """Raise `InputError` unless effective charges (site xyz xyz) add up to zero."""
    check_finite("charges", charges)
    total = float(np.max(np.abs(np.sum(np.asarray(charges), axis=0))))
    if total > _NEUTRAL * float(np.max(np.abs(np.asarray(charges)))):
        raise InputError(
            f"Argument `charges` must add up to zero over the cell, but the sum is {total:.3g}: a uniform field would "
            "push the crystal as a whole. Subtract the mean."
        )


def _check_dielectric(dielectric: np.ndarray) -> None:
    check_finite("dielectric", dielectric)
    off = float(np.max(np.abs(dielectric - dielectric.T)))
    least = float(np.linalg.eigvalsh((dielectric + dielectric.T) / 2)[0])
    if off > _SYMMETRIC * float(np.max(np.abs(dielectric))) or least <= 0.0:
        raise InputError(
            f"Argument `dielectric` must be symmetric with positive eigenvalues, but is off by {off:.3g}, and its "
            f"lowest eigenvalue is {least:.3g}. Check the tensor."
        )
