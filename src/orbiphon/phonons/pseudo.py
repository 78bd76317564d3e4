"""Pseudo-angular momentum: how a mode turns under a rotation or screw that leaves its wave vector alone.

Let g be the turn R by 2π/n about an axis through c, followed by a shift s along it; it takes atom s to g(s). If
Rq = q + G with a reciprocal lattice vector G, g acts on the modes at q,

    (g e)_{g(s)} = e^{−iq·s} e^{iG·(τ_g(s) − c)} R e_s,        τ_g(s) = g τ_s, not folded back into the cell,

and its eigenvalues are e^{−iq·s} e^{−2πiℓ/n}: ℓ is the pseudo-angular momentum, an integer modulo n (taken from −n/2 <
ℓ ≤ n/2). At a zone boundary (G ≠ 0) it depends on the point c.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int

from orbiphon.crystal import Operation, axis_rotation
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.errors import InputError
from orbiphon.phonons.circular import direction_vector
from orbiphon.phonons.modes import AbstractPhonons, PhononModes

_FITS = 1e-5  # of G·a/2π from an integer, of eigenvalues from the unit circle


class PseudoAngularMomentum(NamedTuple):
    """`values` (mode,): ℓ modulo n; `modes`: those at that q which have them, degenerate levels mixed accordingly."""

    values: Int[np.ndarray, "mode"]
    modes: PhononModes


def pseudo_angular_momentum(
    phonons: AbstractPhonons,
    q: ArrayLike,
    order: int,
    axis: str | ArrayLike = "z",
    centre: ArrayLike = (0.0, 0.0, 0.0),
    screw: float | int = 0.0,
) -> PseudoAngularMomentum:
    """ℓ of every mode at one `q` (xyz) under the `order`-fold rotation about `axis` through `centre` (Å).

    `screw` (Å) is the shift along the axis that goes with the rotation. **Raises:** `InputError` if this is no
    operation of the crystal, does not leave q alone, or does not commute with the dynamics.
    """
    n, at = np.asarray(direction_vector(axis)), np.asarray(q, dtype=float)
    operation = axis_rotation(phonons.crystal, order, n, np.asarray(centre, dtype=float), float(screw))
    modes = phonons.modes(at)
    matrix = _representation(phonons, operation, at, np.asarray(centre, dtype=float), float(screw) * n)
    e = np.asarray(modes.polarisation[0]).reshape(modes.frequency.shape[1], -1)
    turned = e.conj() @ matrix @ e.T  # (mode mode)
    level = np.asarray(modes.levels()[0])
    values, mixing = np.zeros(len(e), complex), np.zeros_like(turned)
    for one in np.unique(level):
        block = np.flatnonzero(level == one)
        values[block], mixing[np.ix_(block, block)] = _unitary_eigensystem(turned[np.ix_(block, block)])
    if np.max(np.abs(np.abs(values) - 1.0)) > _FITS:
        raise InputError(
            f"Argument `order` must be that of a rotation that the force constants obey, but {order} mixes modes of "
            "different frequency. Check the springs, or the masses of atoms that are alike."
        )
    ell = -np.angle(values * np.exp(1j * (at @ n) * float(screw))) * order / (2.0 * np.pi)
    whole = np.rint(ell).astype(int)
    whole = np.where(2 * whole <= -order, whole + order, whole)
    polarisation = (mixing.T @ e).reshape(1, len(e), -1, 3)
    return PseudoAngularMomentum(whole, PhononModes(modes.q, modes.frequency, polarisation, modes.masses))


def _representation(
    phonons: AbstractPhonons,
    operation: Operation,
    q: Float[np.ndarray, "xyz"],
    centre: Float[np.ndarray, "xyz"],
    shift: Float[np.ndarray, "xyz"],
) -> Complex[np.ndarray, "coordinate coordinate"]:
    """g on the displacements (site, xyz) at q."""
    vectors, positions = np.asarray(phonons.crystal.lattice.vectors), np.asarray(phonons.crystal.positions)
    g = operation.matrix @ q - q
    turns = g @ vectors.T / (2.0 * np.pi)
    if np.max(np.abs(turns - np.rint(turns))) > _FITS:
        raise InputError(
            f"Argument `q` must be left alone by the rotation, up to a reciprocal lattice vector, but q = "
            f"{np.round(q, 6).tolist()} 1/Å is not. Give a q on the axis, or a corner of the zone such as K."
        )
    sites = len(positions)
    matrix = np.zeros((sites, 3, sites, 3), complex)
    for site in range(sites):
        landed = operation.matrix @ (positions[site] - centre) + centre + shift
        matrix[operation.image[site], :, site] = np.exp(1j * (g @ (landed - centre) - q @ shift)) * operation.matrix
    return matrix.reshape(3 * sites, 3 * sites)


def _unitary_eigensystem(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a normal matrix, with orthonormal eigenvectors: Schur's form is diagonal."""
    from scipy.linalg import schur

    triangle, vectors, *_ = schur(matrix, output="complex")
    return np.diag(triangle), vectors
