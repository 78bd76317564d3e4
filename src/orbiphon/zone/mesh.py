"""Equispaced meshes of the Brillouin zone, folded by mirrors."""

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np


@dataclasses.dataclass(frozen=True)
class Mesh:
    """The points kappa_j = (i_j + 1/2)/shape_j in units of the reciprocal vectors, i_j = 0 .. shape_j - 1.

    Along the axes in `mirrors` the integrand is even, and only the lower half is visited; `shape` is even.
    """

    shape: tuple[int, ...]
    mirrors: tuple[bool, ...]

    @property
    def visited(self) -> tuple[int, ...]:
        """Points per axis after folding."""
        return tuple(n // 2 if mirror else n for n, mirror in zip(self.shape, self.mirrors, strict=True))

    @property
    def size(self) -> int:
        """Number of points at which the integrand is evaluated."""
        return math.prod(self.visited)

    def blocks(self, block: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Phases exp(-i k a_j), (dim, block), and weights (block,), padded with weight zero; all weights sum to one.

        Blocks hold whole rows, points that differ in the last axis only, unless one row is longer than a block.
        """
        tables = [mesh_phases(m, n) for m, n in zip(self.visited, self.shape, strict=True)]
        *leading, last = self.visited
        count, columns = math.prod(leading), min(last, block)
        for row, column in itertools.product(range(0, count, block // columns), range(0, last, columns)):
            index = np.arange(row, min(row + block // columns, count))
            across = tables[-1][column : column + columns]
            used = index.size * across.size
            phases, weight = np.empty((len(self.shape), block), complex), np.zeros(block)
            phases[:, used:], weight[:used] = 1.0, 1.0 / self.size
            rows = [tables[axis][i, None] for axis, i in enumerate(np.unravel_index(index, leading) if leading else ())]
            for axis, values in enumerate([*rows, across]):
                phases[axis, :used].reshape(index.size, across.size)[...] = values  # a view: the part is contiguous
            yield phases, weight

    def without(self, axis: int) -> "Mesh":
        """The mesh of the other axes."""
        others = [i for i in range(len(self.shape)) if i != axis]
        return Mesh(tuple(self.shape[i] for i in others), tuple(self.mirrors[i] for i in others))

    def refined(self, growth: float) -> "Mesh":
        """The next mesh of a convergent sequence: `growth` times as many points along each axis, or one more."""
        return dataclasses.replace(self, shape=tuple(even(growth * n) for n in self.shape))


def mesh_phases(visited: int, n: int) -> np.ndarray:
    """exp(-i k a) of the first points along an axis of `n`."""
    return np.exp(-2j * np.pi * (np.arange(visited) + 0.5) / n)


def first_mesh(start: tuple[int, ...], mirrors: tuple[bool, ...], most: float | int) -> Mesh:
    """A mesh of at least `start` points per axis, or a coarser one of `most` points altogether."""
    mesh = Mesh(tuple(even(n) for n in start), mirrors)
    scale = min(1.0, (most / mesh.size) ** (1 / len(start)))
    return dataclasses.replace(mesh, shape=tuple(even(int(scale * n)) for n in mesh.shape))


def even(n: float | int) -> int:
    """The even number from n on, at least 2."""
    return 2 * max(math.ceil(n / 2), 1)
