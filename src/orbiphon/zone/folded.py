"""Equispaced meshes of the zone, folded by the operations under which an integrand does not change."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from orbiphon.zone.converge import ZoneMean
from orbiphon.zone.integrand import AbstractIntegrand
from orbiphon.zone.mean import at_phases, refined_mean
from orbiphon.zone.mesh import even

Integers = tuple[tuple[int, ...], ...]
_PROBES, _FEW_PROBES = 48, 4
_PART = 2**18  # points that are sorted into stars at a time
_SHARE = 8  # the first mesh may take this part of the allowed points
_ROUNDING = 1e-9  # of the largest value
_INVARIANT = 3e-4  # of the largest value


@dataclasses.dataclass(frozen=True)
class FoldedMesh:
    """The points kappa_j = i_j/shape_j in units of the reciprocal vectors, one of each star of `operations`.

    An operation is a matrix of integers (dim dim), kappa -> C kappa; together they are a group. With `half` the points
    are (i_j + 1/2)/shape_j, as those of `Mesh`; the operations must keep these (`keep_half_steps`).
    """

    shape: tuple[int, ...]
    operations: tuple[Integers, ...]
    half: bool = False

    @property
    def size(self) -> int:
        """Number of points at which the integrand is evaluated, about."""
        return max(math.prod(self.shape) // len(self.operations), 1)

    def stars(self) -> tuple[Int[np.ndarray, "point dim"], Int[np.ndarray, "point"]]:
        """One point of each star, as integers, and the number of points in the star."""
        return tuple(np.concatenate(parts) for parts in zip(*self._parts(), strict=True))  # pyright: ignore[reportReturnType]

    def blocks(self, block: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Phases exp(-i k a_j), (dim, block), and weights (block,), padded with weight zero; all weights sum to one."""
        points, counts = np.zeros((0, len(self.shape)), int), np.zeros(0, int)
        parts = self._parts()
        while True:
            while len(points) < block and (part := next(parts, None)) is not None:
                points, counts = (np.concatenate(both) for both in zip((points, counts), part, strict=True))
            if not len(points):
                return
            used = points[:block]
            phases, weight = np.ones((len(self.shape), block), complex), np.zeros(block)
            phases[:, : len(used)] = np.exp(-2j * np.pi * (used + 0.5 * self.half) / np.array(self.shape)).T
            weight[: len(used)] = counts[:block] / math.prod(self.shape)
            points, counts = points[block:], counts[block:]
            yield phases, weight

    def refined(self, growth: float) -> "FoldedMesh":
        """The next mesh of a convergent sequence."""
        return dataclasses.replace(self, shape=tuple(n if n == 1 else even(growth * n) for n in self.shape))

    def _parts(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The points of each star with the smallest number, and the sizes of the stars; not all at once."""
        for begin in range(0, math.prod(self.shape), _PART):
            yield _stars(self, begin)


@functools.lru_cache(maxsize=16)
def _stars(mesh: FoldedMesh, begin: int) -> tuple[Int[np.ndarray, "point dim"], Int[np.ndarray, "point"]]:
    """Those among `_PART` points from one on."""
    n, half = np.array(mesh.shape), int(mesh.half)
    number = np.arange(begin, min(begin + _PART, math.prod(mesh.shape)))
    points, same = np.stack(np.unravel_index(number, mesh.shape), axis=-1), np.zeros(len(number), int)
    for operation in np.array(mesh.operations):
        scaled = n[:, None] * operation // n[None, :]  # i'_a = N_a C_ab i_b/N_b
        images = ((2 * points + half) @ scaled.T - half) // 2 % n
        image = np.ravel_multi_index(tuple(images.T), mesh.shape)
        same = same + (image == number)
        first = image >= number  # most are gone after a few operations
        points, same, number = points[first], same[first], number[first]
    return points, len(mesh.operations) // same


def keep_half_steps(operations: Sequence[Integers]) -> bool:
    """Whether meshes shifted by half a step along each axis are mapped onto themselves."""
    return bool(np.all(np.sum(np.array(operations), axis=2) % 2 == 1))


def star_mean(
    integrand: AbstractIntegrand,
    operations: tuple[Integers, ...],
    *,
    start: tuple[int, ...],
    rtol: float,
    atol: float,
    max_points: int,
    block: int,
) -> ZoneMean:
    """`zone_mean` of an integrand that a group of operations leaves alone, on equispaced meshes folded by it."""
    wanted = common_mesh(start, operations)
    scale = min(1.0, (max_points / _SHARE * len(operations) / math.prod(wanted)) ** (1 / len(wanted)))
    shape = tuple(n if n == 1 else even(int(scale * n) if scale < 1.0 else n) for n in wanted)
    mesh = FoldedMesh(shape, operations, keep_half_steps(operations))
    found = refined_mean(integrand, mesh, rtol=rtol, atol=atol, max_points=max_points, block=block)
    if any(n < least for n, least in zip(shape, wanted, strict=True)):
        return found._replace(error=np.full(found.error.shape, np.inf), converged=False)
    return found._replace(rule=f"equispaced, folded by {len(operations)} operations")


def common_mesh(start: tuple[int, ...], operations: Sequence[Integers]) -> tuple[int, ...]:
    """The least mesh from `start` on that the operations map onto itself: axes that they mix get as many points."""
    matrices = [np.array(operation) for operation in operations]
    return _alike(start, [*matrices, *(matrix.T for matrix in matrices)])


def leaves_alone(integrand: AbstractIntegrand, operations: Sequence[Integers]) -> bool:
    """Whether the integrand is the same at random points and at all their images, to rounding."""
    dim = len(operations[0])
    kappa = np.random.default_rng(2).uniform(size=(_FEW_PROBES, dim))
    images = np.concatenate([kappa @ np.array(operation).T for operation in operations])
    values = np.asarray(at_phases(integrand, jnp.asarray(np.exp(-2j * np.pi * images))))
    values = values.reshape(len(operations), _FEW_PROBES, -1)
    return bool(np.all(np.abs(values - values[:1]) <= _ROUNDING * np.max(np.abs(values), initial=0.0)))


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
    return FoldedMesh(start, _closed(kept) or (identity,))


def _closed(operations: Sequence[Integers]) -> tuple[Integers, ...]:
    """Those that take the set to itself: a group. What just passes a test and what just fails it may form none."""

    def product(a: Integers, b: Integers) -> Integers:
        return tuple(map(tuple, (np.array(a) @ np.array(b)).tolist()))

    every = set(operations)
    return tuple(a for a in operations if {product(a, b) for b in operations} == every)


def _alike(start: tuple[int, ...], candidates: Sequence[Int[np.ndarray, "dim dim"]]) -> tuple[int, ...]:
    n = np.array(start)
    mixed = np.eye(len(n), dtype=bool) | np.any(np.array(candidates) != 0, axis=0)
    mixed &= (n[:, None] > 1) == (n[None, :] > 1)
    for _ in n:
        n = np.max(np.where(mixed, n[None, :], 0), axis=1)
    return tuple(n.tolist())
