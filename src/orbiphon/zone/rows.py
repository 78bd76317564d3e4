"""Means over the zone with one axis adaptive: for structures that are narrow, but not everywhere.

A resonance e_b(k + q/2) = e_c(k - q/2) is as narrow as the broadening over a velocity, and matters only where both
levels are near the Fermi level; an equispaced mesh pays for it all over the zone. Here each row of points, along the
axis on which the integrand changes fastest, is an integral that is refined where it needs it. Across the rows the mesh
stays equispaced, because what is left there is smooth.

The rows of a mesh share one tolerance. Each interval of a row has 15 points (Gauss and Kronrod); those intervals that
carry most of the error are halved until the errors of all together are within the tolerance. The error of an interval
is the difference of both rules, or QUADPACK's empirical power of it where that is smaller (Piessens et al., 1983).
"""

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Hashable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int, Num
from scipy.ndimage import binary_dilation

from orbiphon.zone.converge import MeshMean, Tolerance
from orbiphon.zone.integrand import AbstractIntegrand
from orbiphon.zone.mesh import Mesh, mesh_phases
from orbiphon.zone.progress import tell

_SHARE = 0.3  # of the tolerance, for the rows; the rest is for the mesh across them
_CAUTION = 30.0  # the two rules may agree by chance: an error is at least this part of the change by halving
_LEFT = 0.5  # of that, for the intervals that a round leaves as they are
_PATIENCE = 7  # rounds in which the error must fall to half; it does not where rounding is all that is left
_MOST_INTERVALS = 2**17  # at a time
_NARROWEST = 1e-12
_QUEUE = 4

# Nodes in [-1, 1] and weights of the rules of 15 (Kronrod) and 7 (Gauss) points: one half, from the end to the middle.
_NODES = (0.99145537112081264, 0.94910791234275852, 0.86486442335976907, 0.74153118559939444,
          0.58608723546769113, 0.40584515137739717, 0.20778495500789847, 0.0)  # fmt: skip
_KRONROD = (0.02293532201052922, 0.06309209262997855, 0.10479001032225018, 0.14065325971552592,
            0.16900472663926790, 0.19035057806478541, 0.20443294007529889, 0.20948214108472783)  # fmt: skip
_GAUSS = (0.0, 0.12948496616886969, 0.0, 0.27970539148927667, 0.0, 0.38183005050511894, 0.0, 0.41795918367346939)
POINTS = 2 * len(_NODES) - 1
FRACTIONS = (1.0 + np.concatenate([-np.array(_NODES[:-1]), _NODES[::-1]])) / 2.0
"""Where the points of an interval are, in units of its width."""
WEIGHTS = np.array([(*half[:-1], *half[::-1]) for half in (_KRONROD, _GAUSS)]) / 2.0
"""Of both rules, for means over the interval: (rule, point)."""


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows along `axis`, each of `intervals` to begin with; `across` is the mesh of the other axes."""

    across: Mesh
    axis: int
    intervals: int
    mirrored: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Points per axis, before any refinement along the rows."""
        along = self.intervals * POINTS * (2 if self.mirrored else 1)
        return (*self.across.shape[: self.axis], along, *self.across.shape[self.axis :])

    @property
    def size(self) -> int:
        """Points to evaluate, before any refinement along the rows."""
        return self.across.size * self.intervals * POINTS

    def refined(self, growth: float) -> "Rows":
        """More rows."""
        return dataclasses.replace(self, across=self.across.refined(growth))

    def phases(self) -> Complex[np.ndarray, "axis row"]:
        """exp(-i k a_j) of every row, for the other axes."""
        tables = [mesh_phases(*sides) for sides in zip(self.across.visited, self.across.shape, strict=True)]
        points = [table.ravel() for table in np.meshgrid(*tables, indexing="ij")]
        return np.array(points, complex).reshape(len(tables), self.across.size)


def rows_along(mesh: Mesh, axis: int, along: int) -> Rows:
    """Rows with at least as many points as `along`, across them the points of the mesh."""
    mirrored = mesh.mirrors[axis]
    return Rows(mesh.without(axis), axis, -(-along // (POINTS * (2 if mirrored else 1))), mirrored)


class Intervals(NamedTuple):
    """`low` end and `width`, as parts of the row; `row` is an index."""

    row: Int[np.ndarray, "interval"]
    low: Float[np.ndarray, "interval"]
    width: Float[np.ndarray, "interval"]

    def of(self, chosen: np.ndarray) -> "Intervals":
        """Some of them."""
        return Intervals(*(values[chosen] for values in self))

    def joined(self, others: "Intervals") -> "Intervals":
        """These and others."""
        return Intervals(*map(np.concatenate, zip(self, others, strict=True)))

    def halves(self) -> "Intervals":
        """The lower halves of all, then the upper ones."""
        half = self.width / 2
        return Intervals(self.row, self.low, half).joined(Intervals(self.row, self.low + half, half))


def first_intervals(rows: int, each: int) -> Intervals:
    """Equal ones of every row."""
    low = np.tile(np.arange(each) / each, rows)
    return Intervals(np.repeat(np.arange(rows), each), low, np.full(low.size, 1 / each))


class IntervalMeans(NamedTuple):
    """Of each interval: mean (interval, component), its absolute error, and mean of the modulus."""

    value: np.ndarray
    error: np.ndarray
    scale: np.ndarray

    def of(self, chosen: np.ndarray) -> "IntervalMeans":
        """Some of them."""
        return IntervalMeans(*(values[chosen] for values in self))

    def joined(self, others: "IntervalMeans") -> "IntervalMeans":
        """These and others."""
        return IntervalMeans(*map(np.concatenate, zip(self, others, strict=True)))

    def summed(self, weight: np.ndarray) -> "IntervalMeans":
        """Over the intervals, (component,)."""
        return IntervalMeans(*(weight @ values for values in self))

    def after(self, whole: "IntervalMeans") -> "IntervalMeans":
        """Those of the halves of `whole`, whose errors are not trusted beyond a part of the change of their sum."""
        lower, upper = np.split(self.value, 2)
        change = np.abs((lower + upper) / 2 - whole.value) / _CAUTION
        return self._replace(error=np.maximum(self.error, np.concatenate([change, change])))


def rows_mean(
    integrand: AbstractIntegrand, rows: Rows, coarser: MeshMean | None, tolerance: Tolerance, block: int
) -> MeshMean:
    """The mean over all rows, to a share of the tolerance, some rows at a time.

    What the tolerance is relative to is the mean over the coarser mesh, or else that of the rows at hand.
    """
    phases = rows.phases()
    count, several = phases.shape[1], max(_MOST_INTERVALS // rows.intervals, 1)
    parts, spent = [], 0
    for begin in range(0, count, several):
        part = phases[:, begin : begin + several]
        share = part.shape[1] / count
        most = int((tolerance.max_points - spent) * part.shape[1] / (count - begin))
        expected = None if coarser is None else share * coarser.value
        part_sum, points = _some_rows(
            integrand, rows, part, share, expected, tolerance._replace(max_points=most), block
        )
        parts.append(part_sum)
        spent += points
        tell(f"rows of {count}", begin + part.shape[1], count)
    value, error, scale = (np.sum(values, axis=0) for values in zip(*parts, strict=True))
    return MeshMean(value, scale, error, spent)


def _some_rows(
    integrand: AbstractIntegrand,
    rows: Rows,
    phases: Complex[np.ndarray, "axis row"],
    share: float,
    expected: np.ndarray | None,
    tolerance: Tolerance,
    block: int,
) -> tuple[IntervalMeans, int]:
    """The part of the mean that some rows make, which are that share of all, and the evaluated points."""
    count = phases.shape[1]
    of_part = tolerance._replace(atol=share * tolerance.atol)
    intervals = first_intervals(count, rows.intervals)
    means, points = interval_means(integrand, rows, phases, intervals, block), intervals.row.size * POINTS
    missed: list[float] = []  # error over tolerance, round by round
    while True:
        weight = intervals.width * (share / count)
        total = means.summed(weight)
        wanted = _SHARE * of_part.of(total.value if expected is None else expected, total.scale) + 1e-300
        halved = _largest(np.max(weight[:, None] * means.error / wanted, axis=1), _LEFT) & (
            intervals.width > _NARROWEST
        )
        if not missed:
            halved = _with_neighbours(halved.reshape(count, rows.intervals)).ravel()
        after = points + 2 * POINTS * np.sum(halved)
        missed.append(float(np.max(total.error / wanted)))
        stuck = len(missed) > _PATIENCE and missed[-1] > 0.5 * missed[-1 - _PATIENCE]
        if missed[-1] <= 1.0 or stuck or not np.any(halved) or after > tolerance.max_points:
            return total, points
        halves, points = intervals.of(halved).halves(), int(after)
        fresh = interval_means(integrand, rows, phases, halves, block).after(means.of(halved))
        means, intervals = means.of(~halved).joined(fresh), intervals.of(~halved).joined(halves)


def _with_neighbours(chosen: Bool[np.ndarray, "row interval"]) -> Bool[np.ndarray, "row interval"]:
    """What is narrow continues in the rows beside; there, both rules may agree by chance."""
    return binary_dilation(chosen, np.ones((3, 3), bool))


def _largest(sizes: Float[np.ndarray, "interval"], left: float) -> Bool[np.ndarray, "interval"]:
    """The largest ones, so that the others together are no more than `left`."""
    order = np.argsort(sizes)
    chosen = np.zeros(sizes.size, bool)
    chosen[order[np.cumsum(sizes[order]) > left]] = True
    return chosen


def interval_means(
    integrand: AbstractIntegrand,
    rows: Rows,
    phases: Complex[np.ndarray, "axis row"],
    intervals: Intervals,
    block: int,
) -> IntervalMeans:
    """By both rules, `block` points at a time."""
    arrays, form = jax.tree.flatten(integrand)
    together, rule = max(block // POINTS, 1), _compiled(form)
    span = 0.5 if rows.mirrored else 1.0
    queue, found = deque(), []
    for begin in range(0, intervals.row.size, together):
        some = intervals.of(np.arange(begin, min(begin + together, intervals.row.size)))
        used = some.row.size
        points = np.ones((len(phases) + 1, together, POINTS), complex)
        along = some.low[:, None] + some.width[:, None] * FRACTIONS
        points[rows.axis, :used] = np.exp(-2j * np.pi * span * along)
        others = [axis for axis in range(len(points)) if axis != rows.axis]
        points[others, :used] = phases[:, some.row, None]
        queue.append((rule(arrays, points), used))
        if len(queue) > _QUEUE:
            found.append(_collected(*queue.popleft()))
    found += [_collected(*one) for one in queue]
    return IntervalMeans(*map(np.concatenate, zip(*found, strict=True)))


def _collected(means: tuple[Array, Array, Array], used: int) -> IntervalMeans:
    return IntervalMeans(*(np.asarray(values)[:used] for values in means))


@functools.lru_cache(maxsize=256)
def _compiled(form: Hashable) -> Callable[[list, np.ndarray], tuple[Array, Array, Array]]:
    """Means of intervals for all integrands of one form, from their arrays and phases."""
    return jax.jit(lambda arrays, phases: _by_both_rules(jax.tree.unflatten(form, arrays), phases))


def _by_both_rules(
    integrand: AbstractIntegrand, phases: Complex[Array, "dim interval point"]
) -> tuple[Num[Array, "interval component"], Float[Array, "interval component"], Float[Array, "interval component"]]:
    """Mean, error and mean of the modulus. The barriers are those of the equispaced sums."""
    dim, interval, point = phases.shape
    prepared = jax.lax.optimization_barrier(jax.vmap(integrand.prepare, in_axes=1)(phases.reshape(dim, -1)))
    values = jax.lax.optimization_barrier(jax.vmap(integrand.respond)(prepared)).reshape(interval, point, -1)
    kronrod, gauss = jnp.einsum("rp,ipc->ric", jnp.asarray(WEIGHTS).astype(values.dtype), values)
    scale, spread = (
        jnp.einsum("p,ipc->ic", jnp.asarray(WEIGHTS[0]), jnp.abs(part)) for part in (values, values - kronrod[:, None])
    )
    gap = jnp.abs(kronrod - gauss)
    part = jnp.minimum(200.0 * gap / jnp.maximum(spread, gap + 1e-300), 1.0)
    return kronrod, jnp.minimum(gap, spread * part**1.5), scale
