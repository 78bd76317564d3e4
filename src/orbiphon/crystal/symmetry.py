"""Rotations, reflections and their like that map a crystal onto itself: found by spglib.

A chain or sheet is put into a cell with much space around it; of the operations of that crystal those count that keep
its periodic directions. Around a chain the cell is square or hexagonal, whichever has more of them, and turned so that
one side points at the atom farthest from the axis: rotations about a chain are of order 1, 2, 3, 4 or 6.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from orbiphon.crystal.lattice import Crystal

_TOLERANCE = 1e-4  # of a length: atoms and lattices are given with six digits or so
_SPACE = 10.0  # times the size of a chain or sheet


class Operation(NamedTuple):
    """One operation g: a symmetry up to a translation t.

    `matrix` (xyz xyz); `cells` (dim dim), a_i -> sum_j cells_ij a_j; `image` (site,), where each atom goes; `shift`
    (site dim): g tau_i + t = tau_image(i) + shift_i . a.
    """

    matrix: Float[np.ndarray, "xyz xyz"]
    cells: Int[np.ndarray, "dim dim"]
    image: Int[np.ndarray, "site"]
    shift: Int[np.ndarray, "site dim"]


class CrystalSymmetry(NamedTuple):
    """`operations`, the identity first; `space_group`, its international symbol and number (of three-dimensional
    crystals); `vectors` (3 xyz), those of the lattice and of the space around it."""

    operations: tuple[Operation, ...]
    space_group: str | None
    vectors: Float[np.ndarray, "3 xyz"]

    def point_group(self, operations: Sequence[Operation] | None = None) -> str:
        """The international symbol of all operations, or of some that form a group."""
        import spglib

        inverse = np.linalg.inv(self.vectors)
        chosen = self.operations if operations is None else operations
        matrices = {tuple(np.rint(self.vectors @ g.matrix.T @ inverse).astype(int).T.ravel().tolist()) for g in chosen}
        found = _asked(spglib.get_pointgroup, np.array(sorted(matrices)).reshape(-1, 3, 3))
        return str(found[0]).strip() if found else "?"


def point_operations(crystal: Crystal) -> tuple[Operation, ...]:
    """All operations of a crystal, the identity first; where the cell is a supercell, its translations too."""
    return crystal_symmetry(crystal).operations


def crystal_symmetry(crystal: Crystal, kinds: Sequence[object] | None = None) -> CrystalSymmetry:
    """The symmetry of lattice and atoms; atoms of the same kind, by default of the same species, are alike."""
    vectors, positions = (np.asarray(x, dtype=float) for x in (crystal.lattice.vectors, crystal.positions))
    named = list(crystal.species if kinds is None else kinds)
    numbers = tuple(named.index(kind) for kind in named)
    return _found(vectors.tobytes(), positions.tobytes(), numbers)


@lru_cache(maxsize=64)
def _found(vectors: bytes, positions: bytes, kinds: tuple[int, ...]) -> CrystalSymmetry:
    lattice, atoms = (np.frombuffer(x).reshape(-1, 3) for x in (vectors, positions))
    return max((_by_spglib(lattice, cell, atoms, kinds) for cell in _cells(lattice, atoms)), key=_count)


def _asked(function: Callable[..., Any], *arguments: object) -> Any:
    """What a function of spglib returns, None where it fails: versions to come raise an error instead, and today's warn
    of that."""
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return function(*arguments)
        except getattr(spglib, "SpglibError", ()):
            return None


def _count(symmetry: CrystalSymmetry) -> int:
    return len(symmetry.operations)


def _cells(vectors: np.ndarray, positions: np.ndarray) -> list[Float[np.ndarray, "3 xyz"]]:
    """Cells in space that hold the atoms of a cell: one, or for a chain a square and a hexagonal one."""
    if len(vectors) == 3:
        return [vectors]
    around = positions - np.mean(positions, axis=0)
    length = _SPACE * (np.max(np.abs(vectors)) + np.max(np.linalg.norm(around, axis=1)))
    if len(vectors) == 2:
        normal = np.cross(*vectors)
        return [np.array([*vectors, length * normal / np.linalg.norm(normal)])]
    along = vectors[0] / np.linalg.norm(vectors[0])
    across = np.concatenate([around, np.eye(3)]) @ (np.eye(3) - np.outer(along, along))
    size = np.linalg.norm(across, axis=1)
    off_axis = size[: len(positions)] > _TOLERANCE * length
    first = across[np.argmax(size[: len(positions)]) if np.any(off_axis) else len(positions) + np.argmin(np.abs(along))]
    first = first / np.linalg.norm(first)
    second = np.cross(along, first)
    return [
        np.array([vectors[0], length * first, length * (np.cos(angle) * first + np.sin(angle) * second)])
        for angle in (np.pi / 2.0, 2.0 * np.pi / 3.0)
    ]


def _by_spglib(lattice: np.ndarray, cell: np.ndarray, positions: np.ndarray, kinds: tuple[int, ...]) -> CrystalSymmetry:
    import spglib

    dim, reduced = len(lattice), positions @ np.linalg.inv(cell)
    tolerance = _TOLERANCE * float(np.max(np.abs(lattice)))
    found = _asked(spglib.get_symmetry_dataset, (cell, reduced, kinds), tolerance)
    if found is None:
        sites = len(positions)
        alone = Operation(np.eye(3), np.eye(dim, dtype=int), np.arange(sites), np.zeros((sites, dim), dtype=int))
        return CrystalSymmetry((alone,), None, cell)
    operations = []
    for rotation, translation in zip(found.rotations, found.translations, strict=True):
        rows = rotation.T  # a_i -> sum_j rows_ij a_j
        u, _, v = np.linalg.svd((np.linalg.inv(cell) @ rows @ cell).T)  # strictly orthogonal
        placed = _placed(reduced @ rows + translation, reduced, cell, kinds, dim, tolerance)
        if placed is not None and not np.any(rows[:dim, dim:]) and not np.any(rows[dim:, :dim]):
            operations.append(Operation(u @ v, rows[:dim, :dim].astype(int), *placed))
    operations.sort(key=_from_identity)
    return CrystalSymmetry(tuple(operations), f"{found.international} ({found.number})" if dim == 3 else None, cell)


def _from_identity(operation: Operation) -> tuple[float, int]:
    moved = operation.image != np.arange(len(operation.image))
    return round(float(np.sum((operation.matrix - np.eye(3)) ** 2)), 6), int(np.sum(moved))


def _placed(
    moved: np.ndarray, reduced: np.ndarray, cell: np.ndarray, kinds: tuple[int, ...], dim: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the atoms go, and how many cells away; None where they end in another chain or sheet."""
    apart = moved[:, None] - reduced[None]  # (site, onto, 3)
    shift = np.rint(apart).astype(int)
    distance = np.linalg.norm((apart - shift) @ cell, axis=-1)
    image = np.argmin(np.where(np.equal.outer(kinds, kinds), distance, np.inf), axis=1)
    sites = np.arange(len(reduced))
    landed = shift[sites, image]
    elsewhere = landed[:, dim:] - landed[:1, dim:]
    if np.max(distance[sites, image]) > 2.0 * tolerance or np.any(elsewhere) or len(set(image.tolist())) < len(reduced):
        return None
    return image, landed[:, :dim]
