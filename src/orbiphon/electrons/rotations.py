"""How orbitals turn: rotations and reflections of a crystal in the basis of its orbitals.

A rotation by the vector theta turns the real harmonics of a shell by exp(-i theta L), and a spinor by exp(-i theta S).
An improper operation is -1 times a rotation; inversion gives a shell the sign (-1)^l and leaves the spin alone.
"""

import numpy as np
from jaxtyping import Complex, Float
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from orbiphon.electrons.operators import orbital_momentum, spin_momentum
from orbiphon.electrons.orbitals import SHELLS, Basis, kept_orbitals
from orbiphon.errors import InputError

_CLOSED = 1e-6


def shell_rotation(l: int, operation: Float[np.ndarray, "xyz xyz"]) -> Float[np.ndarray, "orbital orbital"]:
    """The orthogonal matrix of an operation on the real harmonics of a shell; column by column, the turned orbitals.

    Raises `InputError` unless `operation` is orthogonal.
    """
    vector, sign = _rotation(operation)
    return sign**l * np.real(expm(-1j * np.tensordot(vector, orbital_momentum(l), axes=1)))


def spin_rotation(operation: Float[np.ndarray, "xyz xyz"]) -> Complex[np.ndarray, "spin spin"]:
    """The unitary matrix of an operation on a spinor, up to its sign. Raises `InputError` as `shell_rotation`."""
    vector, _ = _rotation(operation)
    return expm(-1j * np.tensordot(vector, spin_momentum(), axes=1))


def basis_rotation(basis: Basis, operation: Float[np.ndarray, "xyz xyz"]) -> Complex[np.ndarray, "orbital orbital"]:
    """The unitary matrix of an operation on all orbitals, each staying on its site. Raises `InputError` as above, or if
    the operation takes a part of a shell out of itself."""
    turned = np.zeros((basis.spatial_size,) * 2, complex)
    for (_, shell), where in zip(basis.shells, basis.spatial_slices(), strict=True):
        kept = np.array(kept_orbitals(shell))
        turned[where, where] = part = shell_rotation(SHELLS[shell], operation)[np.ix_(kept, kept)]
        if np.max(np.abs(part @ part.T - np.eye(len(kept)))) > _CLOSED:
            raise InputError(
                f"Argument `basis` must hold whole shells for this operation, but {shell} alone is not closed under "
                f"{np.round(operation, 6).tolist()}. Use the whole shell."
            )
    return np.kron(turned, spin_rotation(operation)) if basis.spin else turned


def time_reversed(
    basis: Basis, matrix: Complex[np.ndarray, "... orbital orbital"]
) -> Complex[np.ndarray, "... orbital orbital"]:
    """T M T^-1 with T = complex conjugation of real orbitals, times i sigma_y on the spin."""
    if not basis.spin:
        return matrix.conj()
    flip = np.kron(np.eye(basis.spatial_size), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    return flip @ matrix.conj() @ flip.T


def _rotation(operation: Float[np.ndarray, "xyz xyz"]) -> tuple[Float[np.ndarray, "xyz"], int]:
    """The rotation vector, and the sign of the determinant."""
    operation = np.asarray(operation, dtype=float)
    if operation.shape != (3, 3) or np.max(np.abs(operation @ operation.T - np.eye(3))) > 1e-6:
        raise InputError(
            f"Argument `operation` must be an orthogonal 3 x 3 matrix, but is {operation.tolist()}. Give a rotation, a "
            "reflection, or a product of both."
        )
    sign = 1 if np.linalg.det(operation) > 0 else -1
    return Rotation.from_matrix(sign * operation).as_rotvec(), sign
