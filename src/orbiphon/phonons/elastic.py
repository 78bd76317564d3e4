"""Long waves of an elastic body: speeds of sound and polarisations from elastic constants (Christoffel).

With stiffness C_ijkl, density ρ and a wave e exp(iq n·r − iωt),

    ρ ∂²u_i/∂t² = C_ijkl ∂_j ∂_l u_k        gives        Σ_jkl C_ijkl n_j n_l e_k = ρ v² e_i,        v = ω/q.

Voigt's indices 1 ... 6 are xx, yy, zz, yz, xz, xy.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbiphon._checks import check_finite, check_positive, check_shape
from orbiphon._types import Number
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.errors import InputError
from orbiphon.phonons.circular import direction_vector

_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
_ROUNDING = 1e-9


class ElasticWaves(NamedTuple):
    """The three waves along a direction: `speed` (mode,), Å eV/ħ, rising; `polarisation` (mode xyz), real unit vectors.

    Of equal speeds any two perpendicular polarisations are as good; a circular wave is made of both.
    """

    speed: Float[np.ndarray, "3"]
    polarisation: Float[np.ndarray, "3 xyz"]


def elastic_waves(stiffness: ArrayLike, density: Number, direction: str | ArrayLike) -> ElasticWaves:
    """Speeds of sound from elastic constants.

    **Arguments:** `stiffness` (6 6), Voigt's matrix in eV/Å³ (`100 * units.GPa`); `density`
    (`8900 * units.kg / units.m**3`); `direction`: "x", "y", "z" or a vector.

    **Raises:** `InputError` for a matrix that is not symmetric or not stable, or a density that is not positive.
    Source: Christoffel's equation, e.g. Landau and Lifshitz, Theory of Elasticity, §23.
    """
    matrix, n = np.asarray(stiffness, dtype=float), np.asarray(direction_vector(direction))
    check_positive("density", density)
    check_shape("stiffness", matrix, "six six", (6, 6))
    check_finite("stiffness", matrix)
    if np.max(np.abs(matrix - matrix.T)) > _ROUNDING * np.max(np.abs(matrix)):
        i, j = np.unravel_index(np.argmax(np.abs(matrix - matrix.T)), (6, 6))
        raise InputError(
            f"Argument `stiffness` must be symmetric, but C_{i + 1}{j + 1} and C_{j + 1}{i + 1} differ. Correct one."
        )
    least = float(np.linalg.eigvalsh(matrix)[0])
    if least <= 0.0:
        raise InputError(
            "Argument `stiffness` must be that of a stable body, all of whose strains cost energy, but has the "
            f"eigenvalue {least:.3g} eV/Å³. Check the constants and their order (xx, yy, zz, yz, xz, xy)."
        )
    tensor = matrix[_VOIGT[:, :, None, None], _VOIGT[None, None]]
    squares, vectors = np.linalg.eigh(np.einsum("ijkl,j,l->ik", tensor, n, n) / float(density))
    return ElasticWaves(np.sqrt(squares), vectors.T)


def cubic_stiffness(c11: Number, c12: Number, c44: Number) -> Float[np.ndarray, "6 6"]:
    """Voigt's matrix of a cubic crystal with its axes along x, y, z."""
    matrix = np.diag([float(c11)] * 3 + [float(c44)] * 3)
    matrix[:3, :3] += float(c12) * (1.0 - np.eye(3))
    return matrix
