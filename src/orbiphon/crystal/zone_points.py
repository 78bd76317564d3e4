"""Equispaced wave vectors of the first Brillouin zone."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from orbiphon.crystal.lattice import Lattice
from orbiphon.errors import InputError


def zone_points(lattice: Lattice, mesh: Sequence[int]) -> Float[np.ndarray, "q xyz"]:
    """The points (m_1/N_1) b_1 + ... (1/Å) of a mesh with N_j points along each reciprocal vector, Γ first.

    Each is the shortest of those that differ by reciprocal lattice vectors. **Raises:** `InputError` unless there is
    one whole number > 0 per periodic direction.
    """
    if len(mesh) != lattice.dim or any(int(n) != n or n < 1 for n in mesh):
        raise InputError(
            f"Argument `mesh` must hold a whole number of points for each of {lattice.dim} periodic direction(s), but "
            f"is {tuple(mesh)}. Give (24, 24), say, for a layer."
        )
    reciprocal = np.asarray(lattice.reciprocal)
    kappa = np.stack(np.meshgrid(*(np.arange(n) / n for n in mesh), indexing="ij"), axis=-1).reshape(-1, lattice.dim)
    around = np.array(list(itertools.product((-1, 0, 1), repeat=lattice.dim)))
    q = (kappa - np.rint(kappa)) @ reciprocal
    images = q[:, None] + (around @ reciprocal)[None]
    length = np.linalg.norm(images, axis=-1)
    first = np.argmax(length <= np.min(length, axis=1, keepdims=True) * (1.0 + 1e-9) + 1e-12, axis=1)
    return images[np.arange(len(q)), first]
