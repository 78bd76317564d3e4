"""Which atoms are bonded: the topology of a tight-binding model, kept apart from its lengths."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree

from orbiphon.crystal.concrete import is_concrete
from orbiphon.crystal.lattice import Crystal
from orbiphon.errors import InputError


@dataclass(frozen=True)
class Bonds:
    """A list of directed bonds: bond number b runs from atom `start[b]` of cell 0 to atom `end[b]` of cell `cell[b]`.

    It holds plain numbers and is hashable, so that it can stay fixed while lengths are traced. `direction` (unit
    vectors at the time of the search) only serves to find out which orbitals a bond can couple at all. Every bond
    is there in both directions.
    """

    start: tuple[int, ...]
    end: tuple[int, ...]
    cell: tuple[tuple[int, ...], ...]
    direction: tuple[tuple[float, float, float], ...]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def cells(self) -> tuple[tuple[int, ...], ...]:
        """The lattice vectors (as integers) that bonds reach, with cell 0, sorted: the reverse list is its negative."""
        dim = len(self.cell[0])
        return tuple(sorted({*self.cell, (0,) * dim}))


def bonds_within(crystal: Crystal, cutoff: float | int) -> Bonds:
    """All bonds between different atoms whose length is at most `cutoff` (Å; a part in 10⁹ longer still counts).

    **Raises:** `InputError` if there is none, or if the positions are traced (then find the bonds of an example of
    the crystal first, and pass those).
    """
    if not is_concrete(crystal, cutoff):
        raise InputError(
            "Argument `crystal` must hold numbers when bonds are searched, but is traced by JAX. "
            "Call bonds_within on an example of the crystal outside, and pass the Bonds."
        )
    vectors, positions = np.asarray(crystal.lattice.vectors), np.asarray(crystal.positions)
    reach = float(cutoff) * (1 + 1e-9)

    # In each periodic direction the cells are slabs of thickness 2π/|b|; atoms may lie outside their cell by `spread`.
    reciprocal = np.linalg.pinv(vectors).T
    spread = np.max(np.linalg.norm(positions[:, None] - positions[None, :], axis=-1))
    most = [math.ceil((reach + spread) * np.linalg.norm(b)) for b in reciprocal]

    found = []
    for cell in itertools.product(*(range(-n, n + 1) for n in most)):
        bond = np.array(cell) @ vectors + positions[:, None] - positions[None, :]  # (end, start, xyz)
        length = np.linalg.norm(bond, axis=-1)
        for end, start in np.argwhere((length <= reach) & (length > 0)):
            direction = tuple((bond[end, start] / length[end, start]).tolist())
            found.append((int(start), int(end), cell, direction))
    if not found:
        raise InputError(
            f"Argument `neighbours` must reach at least one neighbour, but is {cutoff} Å, and no atoms are that close. "
            f"Give a longer distance."
        )
    return Bonds(*(tuple(column) for column in zip(*found, strict=True)))


def opposite_cells(cells: Float[np.ndarray, "cell xyz"]) -> Int[np.ndarray, "cell"]:
    """The index of −R for every lattice vector R. **Raises:** `InputError` if one is missing, or there twice."""
    scale = max(1.0, float(np.max(np.abs(cells), initial=0.0)))
    apart, opposite = KDTree(cells).query(-cells)
    if np.any(apart > 1e-8 * scale) or len(set(np.atleast_1d(opposite).tolist())) != len(cells):
        raise InputError(
            "Argument `cells` must hold each lattice vector once and −R with every R, but does not. "
            "Add the missing negatives (with X(−R) = X(R)†)."
        )
    return np.asarray(opposite)
