"""Adaptive means over the zone: for structures that are narrow, but not everywhere.

A resonance e_b(k + q/2) = e_c(k - q/2) is as narrow as the broadening over a velocity, and matters only where both
levels are near the Fermi level; an equispaced mesh pays for it all over the zone. Here the zone is cut into boxes, each
with a product of rules of 15 points per axis (Gauss and Kronrod). The boxes that carry most of the error are halved,
each across the axis that makes most of its error, until the errors of all together are within the tolerance.

Along an axis the two rules differ by a gap, the error of Gauss's rule, far larger than that of Kronrod's. The error of
the sum is, axis by axis, what the two rules make of it all, |sum of gaps|; and because gaps may cancel by chance, three
times the root of the sum of their squares is added. A narrow structure that both rules miss continues in boxes next
door that are halved: no box may be more than twice as wide, along any axis, as one that it touches.

Where two bands nearly touch at a point, 1/k^2 of two dimensions gives as much to each scale as to the one before, down
to the gap. The rules of one box tell what a scale gives, not how many there are: for integrands with such `points` the
largest gap of one box counts for each time it could be halved. A round halves a few boxes only there, and rounds
are cheap: they go on as far as boxes can be halved. What boxes narrower than a millionth of the zone hold is part of
the error: a mean that needs them does not exist.
"""

import functools
import math
from collections.abc import Callable, Hashable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from orbiphon.zone.converge import ROUNDING, Tolerance, ZoneMean
from orbiphon.zone.integrand import AbstractIntegrand
from orbiphon.zone.progress import tell
from orbiphon.zone.together import together

_LEFT = 0.5  # of the tolerance, for the boxes that a round leaves as they are
_PATIENCE = 7  # rounds in which the error must fall to half; it does not at lines of poles, nor where rounding is left
_AT_A_POINT = 12.0  # times the gap of the box that holds it: more than 1/k^2 gives to one scale
_TO_COME = 40.0  # times the error, where it falls no more: rounds to come
_FEW = 128  # boxes are halved in a round without such a condition
_SURE = 3.0  # times the root of the sum of squares
_MOST_BOXES = 2**20
_TOGETHER = 64  # of them compared with all others
_NARROWEST = 1e-12
_POINTLIKE = 1e-6  # of the zone: bands so close together are no property of a model

# Nodes in [-1, 1] and weights of the rules of 15 (Kronrod) and 7 (Gauss) points: one half, from the end to the middle.
_NODES = (0.99145537112081264, 0.94910791234275852, 0.86486442335976907, 0.74153118559939444,
          0.58608723546769113, 0.40584515137739717, 0.20778495500789847, 0.0)  # fmt: skip
_KRONROD = (0.02293532201052922, 0.06309209262997855, 0.10479001032225018, 0.14065325971552592,
            0.16900472663926790, 0.19035057806478541, 0.20443294007529889, 0.20948214108472783)  # fmt: skip
_GAUSS = (0.0, 0.12948496616886969, 0.0, 0.27970539148927667, 0.0, 0.38183005050511894, 0.0, 0.41795918367346939)
POINTS = 2 * len(_NODES) - 1
FRACTIONS = (1.0 + np.concatenate([-np.array(_NODES[:-1]), _NODES[::-1]])) / 2.0
"""Where the points of a box are along an axis, in units of its width."""
WEIGHTS = np.array([(*half[:-1], *half[::-1]) for half in (_KRONROD, _GAUSS)]) / 2.0
"""Of both rules, for means over the box: (rule, point)."""


class Boxes(NamedTuple):
    """`low` corners and `width`s, in units of the part of the zone that is visited."""

    low: Float[np.ndarray, "box axis"]
    width: Float[np.ndarray, "box axis"]

    @property
    def count(self) -> int:
        """How many there are."""
        return self.low.shape[0]

    @property
    def volume(self) -> Float[np.ndarray, "box"]:
        """As parts of the whole."""
        return np.prod(self.width, axis=1)

    def of(self, chosen: np.ndarray) -> "Boxes":
        """Some of them."""
        return Boxes(*(values[chosen] for values in self))

    def joined(self, others: "Boxes") -> "Boxes":
        """These and others."""
        return Boxes(*map(np.concatenate, zip(self, others, strict=True)))

    def halves(self, axis: np.ndarray) -> "Boxes":
        """The lower halves of all, each cut across its own axis, then the upper ones."""
        cut = np.arange(self.low.shape[1]) == axis[:, None]
        width = np.where(cut, self.width / 2, self.width)
        return Boxes(self.low, width).joined(Boxes(self.low + np.where(cut, width, 0.0), width))


def first_boxes(shape: tuple[int, ...]) -> Boxes:
    """Equal ones, so many along each axis."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, len(shape))
    return Boxes(index / np.array(shape), np.broadcast_to(1.0 / np.array(shape), index.shape))


class BoxMeans(NamedTuple):
    """Of each box: mean (box, component), mean of the modulus, and how far the two rules are apart (box, component,
    axis)."""

    value: np.ndarray
    scale: np.ndarray
    gap: np.ndarray

    def of(self, chosen: np.ndarray) -> "BoxMeans":
        """Some of them."""
        return BoxMeans(*(values[chosen] for values in self))

    def joined(self, others: "BoxMeans") -> "BoxMeans":
        """These and others."""
        return BoxMeans(*map(np.concatenate, zip(self, others, strict=True)))


def boxes_mean(
    integrand: AbstractIntegrand,
    start: tuple[int, ...],
    mirrors: tuple[bool, ...],
    tolerance: Tolerance,
    block: int,
    points: bool = False,
) -> ZoneMean:
    """The mean over the zone, with at least `start` points per axis to begin with."""
    shape = _first_shape(start, mirrors)
    each, boxes = POINTS ** len(shape), first_boxes(shape)
    means, fresh = box_means(integrand, boxes, mirrors, block), boxes.count
    evaluated, missed = fresh * each, []  # error over tolerance, round by round
    while True:
        value, scale, error, squares = summed(means, boxes.volume)
        once = points * _AT_A_POINT * _rounds_left(boxes) * np.sqrt(np.max(squares, axis=2)).T / _SURE
        error, wanted = error + np.max(once, axis=1), tolerance.of(value, scale) + 1e-300
        missed.append(float(np.max(error / wanted)))
        shares = np.max(squares / wanted[:, None] ** 2, axis=1)
        touched = np.any(once > _LEFT * wanted[:, None], axis=0)
        halved, axis = _to_halve(boxes, shares, touched, missed[-1], fresh, mirrors)
        count = int(np.sum(halved))
        after = evaluated + 2 * each * count
        lately = missed[-1 - _PATIENCE :]
        stuck = count > _FEW and len(lately) > _PATIENCE and min(lately) > 1.0 and lately[-1] > 0.5 * lately[0]
        if not count or stuck or after > tolerance.max_points or boxes.count + count > _MOST_BOXES:
            first = tuple(POINTS * n * (2 if mirror else 1) for n, mirror in zip(shape, mirrors, strict=True))
            error = (_TO_COME if stuck and not points else 1.0) * error + _pointlike(boxes, means)
            within = bool(np.all(error <= wanted))
            return ZoneMean(value, error + ROUNDING * scale, first, evaluated, within, "adaptive")
        halves, evaluated = boxes.of(halved).halves(axis), after
        means = means.of(~halved).joined(box_means(integrand, halves, mirrors, block))
        boxes, fresh = boxes.of(~halved).joined(halves), halves.count


def _to_halve(
    boxes: Boxes, squares: np.ndarray, touched: np.ndarray, missed: float, fresh: int, mirrors: tuple[bool, ...]
) -> tuple[Bool[np.ndarray, "box"], Int[np.ndarray, "halved"]]:
    """Which boxes, and across which axis, from what each adds to the square of the error along each axis."""
    uneven = too_wide(boxes, fresh, mirrors)
    large = (_largest(np.sum(squares, axis=1), _LEFT) | touched) & (missed > 1.0)
    halved = (large | np.any(uneven, axis=1)) & np.all(boxes.width > _NARROWEST, axis=1)
    by_axis = np.where(np.any(uneven, axis=1, keepdims=True), uneven, squares)
    return halved, np.argmax(by_axis[halved], axis=1)


def _rounds_left(boxes: Boxes) -> Float[np.ndarray, "box"]:
    """How often each could still be halved along its axes, on average."""
    return np.mean(np.log2(np.maximum(boxes.width / _NARROWEST, 1.0)), axis=1)


def _pointlike(boxes: Boxes, means: BoxMeans) -> Float[np.ndarray, "component"]:
    """What comes from points of the zone, where the mean of |integrand| diverges or nearly does."""
    narrow = np.max(boxes.width, axis=1) < _POINTLIKE
    return boxes.volume[narrow] @ means.scale[narrow]


def too_wide(boxes: Boxes, fresh: int, mirrors: tuple[bool, ...]) -> Bool[np.ndarray, "box axis"]:
    """Where boxes are more than twice as wide as one that they touch; one of both is among the last `fresh`."""
    wide, middle = np.zeros(boxes.width.shape, bool), boxes.low + boxes.width / 2
    for begin in range(boxes.count - fresh, boxes.count, _TOGETHER):
        some = slice(begin, begin + _TOGETHER)
        apart = np.abs(middle[some, None] - middle)
        apart = np.where(mirrors, apart, np.minimum(apart, 1.0 - apart))
        reach = (boxes.width[some, None] + boxes.width) / 2
        touching = np.all(apart <= reach * (1 + 1e-9), axis=2, keepdims=True)
        ratio = boxes.width[some, None] / boxes.width
        wide[some] |= np.any(touching & (ratio > 2.5), axis=1)
        wide |= np.any(touching & (ratio < 1 / 2.5), axis=0)
    return wide


def first_points(start: tuple[int, ...], mirrors: tuple[bool, ...]) -> int:
    """Evaluations that `boxes_mean` begins with."""
    return math.prod(POINTS * n for n in _first_shape(start, mirrors))


def _first_shape(start: tuple[int, ...], mirrors: tuple[bool, ...]) -> tuple[int, ...]:
    """Boxes along each axis."""
    return tuple(-(-n // (POINTS * (2 if mirror else 1))) for n, mirror in zip(start, mirrors, strict=True))


def summed(means: BoxMeans, volume: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean over all boxes, that of the modulus, absolute error (component,), and what each box adds to its square."""
    value, scale, gap = (np.tensordot(volume, values, 1) for values in means)
    squares = (_SURE * volume[:, None, None] * np.abs(means.gap)) ** 2
    return value, scale, np.sum(np.abs(gap), axis=1) + np.sqrt(np.sum(squares, axis=(0, 2))), squares


def _largest(squares: Float[np.ndarray, "box"], left: float) -> Bool[np.ndarray, "box"]:
    """The largest ones, so that the others together are no more than `left` of the tolerance, or of all."""
    order = np.argsort(squares)
    together = np.cumsum(squares[order])
    chosen = np.zeros(squares.size, bool)
    chosen[order[together > left**2 * min(together[-1], 1.0)]] = True
    return chosen


def box_means(integrand: AbstractIntegrand, boxes: Boxes, mirrors: tuple[bool, ...], block: int) -> BoxMeans:
    """By both rules, `block` points at a time."""
    arrays, form = jax.tree.flatten(integrand)
    count, dim = boxes.low.shape
    at_a_time, rule = max(block // POINTS**dim, 1), _compiled(form)
    parts = (boxes.of(np.arange(begin, min(begin + at_a_time, count))) for begin in range(0, count, at_a_time))

    def means(part: Boxes) -> tuple[np.ndarray, ...]:
        return tuple(map(np.asarray, rule(arrays, _phases(part, mirrors, at_a_time))))

    found: list[tuple[np.ndarray, ...]] = []
    for one in together(means, parts):
        found.append(one)
        tell(f"{count} boxes", min(len(found) * at_a_time, count), count)
    return BoxMeans(*(np.concatenate(values)[:count] for values in zip(*found, strict=True)))


def _phases(boxes: Boxes, mirrors: tuple[bool, ...], at_a_time: int) -> Complex[np.ndarray, "axis box point"]:
    """exp(-i k a_j) at the points of a rule along each axis, filled up to so many boxes."""
    span = np.where(mirrors, 0.5, 1.0)[:, None, None]
    places = boxes.low.T[:, :, None] + boxes.width.T[:, :, None] * FRACTIONS
    phases = np.ones((len(mirrors), at_a_time, POINTS), complex)
    phases[:, : boxes.count] = np.exp(-2j * np.pi * span * places)
    return phases


@functools.lru_cache(maxsize=256)
def _compiled(form: Hashable) -> Callable[[list, np.ndarray], tuple[Array, ...]]:
    """Means of boxes for all integrands of one form, from their arrays and phases."""
    return jax.jit(lambda arrays, phases: _by_both_rules(jax.tree.unflatten(form, arrays), phases))


def _by_both_rules(integrand: AbstractIntegrand, phases: Complex[Array, "axis box point"]) -> tuple[Array, ...]:
    """What `BoxMeans` holds. The barriers are those of the equispaced sums."""
    dim, boxes, points = phases.shape
    prepared = jax.lax.optimization_barrier(jax.vmap(integrand.prepare, in_axes=1)(_grids(phases)))
    values = jax.lax.optimization_barrier(jax.vmap(integrand.respond)(prepared)).reshape(boxes, *[points] * dim, -1)

    def mean(values: Array, gauss: int | None = None) -> Array:
        """By Kronrod's rule, along one axis by Gauss's."""
        for axis in range(dim):
            weights = jnp.asarray(WEIGHTS[int(axis == gauss)]).astype(values.dtype)
            values = jnp.tensordot(values, weights, ((1,), (0,)))
        return values

    kronrod = mean(values)
    gap = jnp.stack([kronrod - mean(values, axis) for axis in range(dim)], axis=-1)
    return kronrod, mean(jnp.abs(values)), gap


def _grids(phases: Complex[Array, "axis box point"]) -> Complex[Array, "axis box_points"]:
    """The phases at all points of every box."""
    dim = phases.shape[0]
    return jax.vmap(lambda box: jnp.stack(jnp.meshgrid(*box, indexing="ij")).reshape(dim, -1), 1, 1)(phases).reshape(
        dim, -1
    )
