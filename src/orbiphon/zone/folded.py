"""Equispaced meshes of the zone, folded by the operations under which an integrand does not change."""

import dataclasses
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
        shape = np.array(self.shape)
        points = np.stack(np.unravel_index(np.arange(math.prod(self.shape)), self.shape), axis=-1)
        first = np.arange(len(points))
        for operation in np.array(self.operations):
            scaled = shape[:, None] * operation / shape[None, :]  # n'_i = N_i C_ij n_j/N_j
            image = np.rint(points @ scaled.T).astype(int) % shape
            first = np.minimum(first, np.ravel_multi_index(tuple(image.T), self.shape))
        found, counts = np.unique(first, return_counts=True)
        return points[found], counts

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


def folded_mesh(
    integrand: AbstractIntegrand, start: tuple[int, ...], candidates: Sequence[Int[np.ndarray, "dim dim"]]
) -> FoldedMesh:
    """The first mesh, folded by those candidates under which the integrand is the same at random points.

    `candidates` are the lattice's operations as integers; each counts also with k -> -k.
    """
    kappa = np.random.default_rng(2).uniform(size=(_PROBES, len(start)))
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
