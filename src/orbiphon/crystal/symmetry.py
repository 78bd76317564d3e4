"""Rotations, reflections and their like that map a crystal onto itself."""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from orbiphon.crystal.lattice import Crystal

_TOLERANCE = 1e-4  # of a length: atoms and lattices are given with six digits or so
_REACH = 2  # an image of a primitive vector has no larger coefficient, unless the cell is very oblique


class Operation(NamedTuple):
    """One operation g: a symmetry up to a translation t.

    `matrix` (xyz xyz); `cells` (dim dim), a_i -> sum_j cells_ij a_j; `image` (site,), where each atom goes; `shift`
    (site dim): g tau_i + t = tau_image(i) + shift_i . a.
    """

    matrix: Float[np.ndarray, "xyz xyz"]
    cells: Int[np.ndarray, "dim dim"]
    image: Int[np.ndarray, "site"]
    shift: Int[np.ndarray, "site dim"]


def point_operations(crystal: Crystal) -> tuple[Operation, ...]:
    """All operations of a crystal with three periodic directions, the identity first; else the identity alone."""
    vectors, positions = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    found = []
    for cells in _lattice_images(vectors) if crystal.lattice.dim == 3 else [np.eye(crystal.lattice.dim, dtype=int)]:
        matrix = (np.linalg.pinv(vectors) @ cells @ vectors).T if crystal.lattice.dim == 3 else np.eye(3)
        u, _, v = np.linalg.svd(matrix)  # strictly orthogonal
        placed = _placed(crystal.species, positions @ np.linalg.pinv(vectors), positions @ (u @ v).T, vectors)
        if placed is not None:
            found.append(Operation(u @ v, cells, *placed))
    return tuple(sorted(found, key=lambda operation: float(np.sum((operation.matrix - np.eye(3)) ** 2))))


def _lattice_images(vectors: np.ndarray) -> list[Int[np.ndarray, "3 3"]]:
    """Integer matrices that keep all lengths and angles of the primitive vectors."""
    metric = vectors @ vectors.T
    tolerance = 2.0 * _TOLERANCE * np.max(np.diag(metric))
    steps = np.array(list(itertools.product(range(-_REACH, _REACH + 1), repeat=3)))
    lengths = np.einsum("ij,jk,ik->i", steps, metric, steps)
    candidates = [steps[np.abs(lengths - metric[i, i]) < tolerance] for i in range(3)]
    images = []
    for first, second in itertools.product(candidates[0], candidates[1]):
        if abs(first @ metric @ second - metric[0, 1]) < tolerance:
            for third in candidates[2]:
                cells = np.array([first, second, third])
                if np.all(np.abs(cells @ metric @ cells.T - metric) < tolerance):
                    images.append(cells)
    return images


def _placed(
    species: tuple[str, ...], reduced: np.ndarray, turned: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the atoms go, for the translation that takes atom 0 to some atom of its kind; None if there is none."""
    images = turned @ np.linalg.pinv(vectors)
    for target in range(len(species)):
        if species[target] != species[0]:
            continue
        apart = (images - images[0] + reduced[target])[:, None] - reduced[None]  # (site, onto, dim)
        shift = np.rint(apart).astype(int)
        fits = np.linalg.norm((apart - shift) @ vectors, axis=-1) < _TOLERANCE * np.max(np.abs(vectors))
        fits &= np.array(species)[:, None] == np.array(species)[None]
        if np.all(np.sum(fits, axis=1) == 1) and len(set(np.argmax(fits, axis=1).tolist())) == len(species):
            image = np.argmax(fits, axis=1)
            return image, shift[np.arange(len(species)), image]
    return None
