"""Means over shifted meshes of k that the little group of q folds (docs/theory.md 5.7).

Let F_w[O_a](k) be what k adds to the moment of wave w at q. An operation g with Rq = q + G takes the waves there to
each other, w to gw, and the observables, g O_a g^-1 = sum_b N_ab O_b:

    F_w[O_a](k) = sum_b N_ab F_gw[O_b](gk),    or    F(k) = D(g) F(gk),

gk = Rk for the lower one of the states at k and k + q, and Rk + G/2 where k is half-way between them. So of a star of k
that a group takes to each other one is enough: the others add up to their number times the mean of D(g) F(k). A
shifted mesh that g takes to another one has its mean up to D(g). Operations with time reversal hold for F(k) + F(-k)
only, and are none of these.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

Shift = tuple[float, ...]
_WHOLE = 1e-9


class StarOperations(NamedTuple):
    """Operations, the identity first: k -> `cells` k + `offset` in units of the reciprocal vectors, the waves of one q
    -> `wave`, and N, `turns`."""

    cells: Int[np.ndarray, "operation dim dim"]
    offset: Float[np.ndarray, "operation dim"]
    wave: Int[np.ndarray, "operation wave"]
    turns: Float[np.ndarray, "operation observable observable"]

    def some(self, chosen: np.ndarray) -> "StarOperations":
        """Those operations."""
        return StarOperations(*(part[chosen] for part in self))

    def mean(self, value: np.ndarray, *, modulus: bool = False) -> np.ndarray:
        """The mean of D(g) F, (component,) being (wave observable); with |N|, a bound for moduli."""
        turns = np.abs(self.turns) if modulus else self.turns
        waves = value.reshape(self.wave.shape[1], -1)[self.wave]  # (operation wave observable)
        return np.mean(waves @ turns.swapaxes(1, 2), axis=0).ravel()


class Part(NamedTuple):
    """Of one shifted mesh: the number of the one, `source`, that `there` takes it to; if this is itself, the `points`
    to be computed, their `weight`, and the operations, `here`, that make the others of each star."""

    source: int
    there: StarOperations
    here: StarOperations
    points: Int[np.ndarray, "point"]
    weight: Float[np.ndarray, "point"]


def folded_part(group: StarOperations, shape: tuple[int, ...], shifts: list[Shift], number: int) -> Part:
    """What is to be computed of the mesh (i_j + shift_j)/shape_j of that number."""
    n, every = np.array(shape), np.array(shifts)
    steps = n[:, None] * group.cells / n[None, :]
    landed = every @ steps.swapaxes(1, 2) + (n * group.offset)[:, None]  # (operation shift dim)
    apart = landed[:, :, None] - every[None, None]
    same = np.max(np.abs(apart - np.rint(apart)), axis=-1) < _WHOLE
    whole = np.max(np.abs(steps - np.rint(steps)), axis=(1, 2)) < _WHOLE
    group, image = _some(group, same, whole)
    source = int(np.min(image[:, number]))
    there = group.some(np.flatnonzero(image[:, number] == source)[:1])
    here = group.some(image[:, number] == number)
    if source != number:
        return Part(source, there, here, np.zeros(0, int), np.zeros(0))
    steps = np.rint(n[:, None] * here.cells / n[None, :]).astype(int)
    moved = np.rint(steps @ every[number] + n * here.offset - every[number]).astype(int)
    points, size = _stars(shape, steps.tobytes(), moved.tobytes())
    return Part(number, there, here, points, size / math.prod(shape))


def _some(
    group: StarOperations, same: Bool[np.ndarray, "operation shift image"], whole: Bool[np.ndarray, "operation"]
) -> tuple[StarOperations, Int[np.ndarray, "kept shift"]]:
    """The operations that take the meshes to each other, and the number of each one's image."""
    kept = whole & np.all(np.any(same, axis=2), axis=1)
    return group.some(kept), np.argmax(same[kept], axis=2)


@functools.lru_cache(maxsize=8)
def _stars(
    shape: tuple[int, ...], steps: bytes, moved: bytes
) -> tuple[Int[np.ndarray, "point"], Int[np.ndarray, "point"]]:
    """The number of one point i of each star of i -> steps i + moved, and how many there are in it."""
    dim, n = len(shape), np.array(shape)
    matrices, offsets = np.frombuffer(steps, int).reshape(-1, dim, dim), np.frombuffer(moved, int).reshape(-1, dim)
    number = np.arange(math.prod(shape))
    points, same = np.stack(np.unravel_index(number, shape), axis=-1), np.zeros(len(number), int)
    for matrix, offset in zip(matrices, offsets, strict=True):
        image = np.ravel_multi_index(tuple(((points @ matrix.T + offset) % n).T), shape)
        same, first = same + (image == number), image >= number
        points, same, number = points[first], same[first], number[first]
    return number, len(matrices) // same
