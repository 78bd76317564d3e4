"""Rotations and screws about an axis that need not pass through the origin."""

import numpy as np
from jaxtyping import Float

from orbiphon.crystal.lattice import Crystal
from orbiphon.crystal.symmetry import Operation
from orbiphon.errors import InputError

_TOLERANCE = 1e-4  # Å


def axis_rotation(
    crystal: Crystal,
    order: int,
    axis: Float[np.ndarray, "xyz"],
    centre: Float[np.ndarray, "xyz"],
    screw: float = 0.0,
) -> Operation:
    """The turn by 2π/order about the unit vector `axis` through `centre` (Å), then a shift by `screw` (Å) along it.

    **Raises:** `InputError` unless it maps the lattice and the atoms, by species, onto themselves.
    """
    matrix = rotation_matrix(2.0 * np.pi / order, axis)
    vectors, positions = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    reduced = np.linalg.pinv(vectors)
    turned = vectors @ matrix.T
    cells = np.rint(turned @ reduced).astype(int)
    moved = (positions - centre) @ matrix.T + centre + screw * axis
    apart = moved[:, None] - positions[None]  # (site, onto, xyz)
    shift = np.rint(apart @ reduced).astype(int)
    same = np.array(crystal.species)[:, None] == np.array(crystal.species)[None]
    distance = np.where(same, np.linalg.norm(apart - shift @ vectors, axis=-1), np.inf)
    image = np.argmin(distance, axis=1)
    sites = np.arange(crystal.sites)
    if np.max(np.abs(turned - cells @ vectors)) > _TOLERANCE or np.max(distance[sites, image]) > _TOLERANCE:
        raise InputError(
            f"Argument `order` must be that of a rotation of the crystal about `axis` through `centre`, but "
            f"{order} with a shift of {screw:g} Å along the axis does not map the crystal onto itself. Check the point "
            "that the axis passes through, and `screw`."
        )
    return Operation(matrix, cells, image, shift[sites, image])


def rotation_matrix(angle: float, axis: Float[np.ndarray, "xyz"]) -> Float[np.ndarray, "xyz xyz"]:
    """The turn by `angle` (radian), counterclockwise seen against the unit vector `axis`."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross
