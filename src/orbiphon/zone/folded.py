"""Equispaced meshes of the zone, folded by the operations under which an integrand does not change."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from orbiphon.zone.integrand import AbstractIntegrand
from orbiphon.zone.mean import at_phases
from orbiphon.zone.mesh import even

Integers = tuple[tuple[int, ...], ...]
_PROBES = 48
_INVARIANT = 3e-4  # of the largest value


@dataclasses.dataclass(frozen=True)
class FoldedMesh:
    """The points kappa_j = i_j/shape_j in units of the reciprocal vectors, one of each star of `operations`.

    An operation is a matrix of integers (dim dim), kappa -> C kappa; together they are a group.
    """

    shape: tuple[int, ...]
    operations: tuple[Integers, ...]

    @property
    def size(self) -> int:
        """Number of points at which the integrand is evaluated, about."""
        return max(math.prod(self.shape) // len(self.operations), 1)

    def stars(self) -> tuple[Int[np.ndarray, "point dim"], Int[np.ndarray, "point"]]:
        """One point of each star, as integers, and the number of points in the star."""
        return _stars(self.shape, self.operations)

    def blocks(self, block: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Phases exp(-i k a_j), (dim, block), and weights (block,), padded with weight zero; all weights sum to one."""
        points, counts = self.stars()
        for begin in range(0, len(points), block):
            part = points[begin : begin + block]
            phases, weight = np.ones((len(self.shape), block), complex), np.zeros(block)
            phases[:, : len(part)] = np.exp(-2j * np.pi * part / np.array(self.shape)).T
            weight[: len(part)] = counts[begin : begin + block] / math.prod(self.shape)
            yield phases, weight

    def refined(self, growth: float) -> "FoldedMesh":
        """The next mesh of a convergent sequence."""
        return dataclasses.replace(self, shape=tuple(n if n == 1 else even(growth * n) for n in self.shape))


@functools.lru_cache(maxsize=4)
def _stars(
    shape: tuple[int, ...], operations: tuple[Integers, ...]
) -> tuple[Int[np.ndarray, "point dim"], Int[np.ndarray, "point"]]:
    n = np.array(shape)
    axes = [np.arange(size).reshape([-1 if i == j else 1 for j in range(len(n))]) for i, size in enumerate(shape)]
    first = np.arange(np.prod(n)).reshape(shape)
    for operation in np.array(operations):
        scaled = n[:, None] * operation // n[None, :]  # i'_a = N_a C_ab i_b/N_b
        image = np.zeros(shape, int)
        for size, row in zip(shape, scaled, strict=True):
            image = image * size + sum(c * axis for c, axis in zip(row, axes, strict=True)) % size
        np.minimum(first, image, out=first)
    counts = np.bincount(first.ravel(), minlength=first.size)
    found = np.flatnonzero(counts)
    return np.stack(np.unravel_index(found, shape), axis=-1), counts[found]


def folded_mesh(
    integrand: AbstractIntegrand, start: tuple[int, ...], candidates: Sequence[Int[np.ndarray, "dim dim"]]
) -> FoldedMesh:
    """The first mesh, folded by those candidates under which the integrand is the same at random points.

    `candidates` are the lattice's operations as integers; each counts also with k -> -k. Axes that they mix get as
    many points as the one with most.
    """
    kappa = np.random.default_rng(2).uniform(size=(_PROBES, len(start)))
    start = _alike(start, candidates)
    n = np.array(start)
    both = {tuple(map(tuple, (sign * c).tolist())) for c in candidates for sign in (1, -1)}
    fitting = [c for c in sorted(both, reverse=True) if np.all((n[:, None] * np.array(c)) % n[None, :] == 0)]
    values = np.asarray(at_phases(integrand, jnp.asarray(np.exp(-2j * np.pi * kappa))))
    scale = np.max(np.abs(values), axis=0) + 1e-300
    kept = []
    for c in fitting:
        images = np.asarray(at_phases(integrand, jnp.asarray(np.exp(-2j * np.pi * kappa @ np.array(c).T))))
        if np.all(np.abs(images - values) <= _INVARIANT * scale):
            kept.append(c)
    identity = tuple(map(tuple, np.eye(len(start), dtype=int).tolist()))
    return FoldedMesh(start, tuple(kept) or (identity,))


def _alike(start: tuple[int, ...], candidates: Sequence[Int[np.ndarray, "dim dim"]]) -> tuple[int, ...]:
    n = np.array(start)
    mixed = np.eye(len(n), dtype=bool) | np.any(np.array(candidates) != 0, axis=0)
    mixed &= (n[:, None] > 1) == (n[None, :] > 1)
    for _ in n:
        n = np.max(np.where(mixed, n[None, :], 0), axis=1)
    return tuple(n.tolist())
