"""Equispaced meshes of the Brillouin zone, folded by mirrors."""

import dataclasses
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
        """Phases exp(-i k a_j), (dim, block), and weights (block,), padded with weight zero; all weights sum to one."""
        tables = [np.exp(-2j * np.pi * (np.arange(m) + 0.5) / n) for m, n in zip(self.visited, self.shape, strict=True)]
        *leading, last = self.visited
        for start in range(0, self.size, block):
            stop = min(start + block, self.size)
            rows = np.arange(start // last, (stop - 1) // last + 1)
            inside = slice(start - rows[0] * last, stop - rows[0] * last)
            phases, weight = np.ones((len(self.shape), block), complex), np.zeros(block)
            for axis, index in enumerate(np.unravel_index(rows, leading) if leading else ()):
                phases[axis, : stop - start] = np.repeat(tables[axis][index], last)[inside]
            phases[-1, : stop - start] = np.tile(tables[-1], rows.size)[inside]
            weight[: stop - start] = 1.0 / self.size
            yield phases, weight

    def refined(self, growth: float) -> "Mesh":
        """The next mesh of a convergent sequence: `growth` times as many points along each axis, or one more."""
        return dataclasses.replace(self, shape=tuple(_even(growth * n) for n in self.shape))


def first_mesh(start: tuple[int, ...], mirrors: tuple[bool, ...], most: float | int) -> Mesh:
    """A mesh of at least `start` points per axis, or a coarser one of `most` points altogether."""
    mesh = Mesh(tuple(_even(n) for n in start), mirrors)
    scale = min(1.0, (most / mesh.size) ** (1 / len(start)))
    return dataclasses.replace(mesh, shape=tuple(_even(int(scale * n)) for n in mesh.shape))


def _even(n: float | int) -> int:
    return 2 * max(math.ceil(n / 2), 1)
