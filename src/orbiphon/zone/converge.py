"""Sequences of meshes, each finer than the one before, until a mean is within its tolerance.

An equispaced sum over a period converges geometrically for an analytic integrand: its error falls as exp(-n s), where
s is the distance of the nearest singularity from the real axis, here broadening + pi k_B T over the band velocity.
Below the knee n ~ 1/s it tells nothing, so the first mesh must resolve the narrowest structure; from there on the mesh
grows by a factor, and successive meshes tell the error by their differences.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

_GROWTH = 1.5
_CAUTION = 30.0  # a lucky agreement of two meshes is not trusted beyond this gain over the one before
_TO_COME = 40  # meshes more until the smallest distance between two levels that are not one, 1e-9 of a bandwidth
ROUNDING = 1e-13  # of the mean of |integrand|
_SMALLEST = 1e-3  # of the largest column
NOUGHT = 1e-3  # of rtol times the mean of |integrand|: accurate enough where symmetry makes the mean zero


AnyMesh = TypeVar("AnyMesh", bound="AbstractMesh")


@runtime_checkable
class AbstractMesh(Protocol):
    """What a sequence of meshes offers. `shape`: points per axis; `size`: points to evaluate, about."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    def refined(self: AnyMesh, growth: float) -> AnyMesh: ...


@runtime_checkable
class PointMesh(AbstractMesh, Protocol):
    """Equispaced points: `Mesh`, `FoldedMesh`."""

    def blocks(self, block: int) -> Iterator[tuple[np.ndarray, np.ndarray]]: ...


class MeshMean(NamedTuple):
    """Over one mesh: mean of the integrand (component,) and of its modulus, absolute `error` of the mean over this mesh
    (not of the mesh), evaluated points."""

    value: np.ndarray
    scale: np.ndarray
    error: np.ndarray
    points: int


class ZoneMean(NamedTuple):
    """Mean over the zone: `value` and absolute `error` (component,), mesh `shape`, evaluated `points`, `converged`, and
    the `rule` by which it was summed."""

    value: np.ndarray
    error: np.ndarray
    shape: tuple[int, ...]
    points: int
    converged: bool
    rule: str = "equispaced"


class Tolerance(NamedTuple):
    """Each component to max(atol, rtol |mean|), within `max_points` evaluations.

    Components may stand in `columns` (row column): then each is measured by the largest of its column, and a small
    column by a thousandth of the largest one.
    """

    rtol: float
    atol: float = 0.0
    max_points: int = 10**9
    columns: int = 0

    def of(self, value: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Absolute, per component.

        A component in which everything cancels at each wave vector is the rounding of the others.
        """
        size = np.abs(value)
        if self.columns:
            largest = np.max(size.reshape(-1, self.columns), axis=0)
            size = np.resize(np.maximum(largest, _SMALLEST * np.max(largest)), size.shape)
            scale = np.full(size.shape, np.max(scale))
        nought = np.maximum(NOUGHT * self.rtol * scale, 10.0 * ROUNDING * np.max(scale, initial=0.0))
        return np.maximum(np.maximum(self.atol, self.rtol * size), nought)


MeanOver = Callable[[AnyMesh, MeshMean | None, int], MeshMean]
"""The mean over a mesh, given that over the coarser one and the number of points that are left."""


def converge(mean_over: MeanOver[AnyMesh], mesh: AnyMesh, tolerance: Tolerance) -> ZoneMean:
    """Refines the mesh until the mean is within the tolerance, or the points are used up."""
    last = mean_over(mesh, None, tolerance.max_points)
    if mesh.refined(_GROWTH) == mesh:  # a single row
        within = bool(np.all(last.error <= tolerance.of(last.value, last.scale)))
        return ZoneMean(last.value, last.error + ROUNDING * last.scale, mesh.shape, last.points, within)
    points, error, before = last.points, last.scale, None
    while points + (finer := mesh.refined(_GROWTH)).size <= tolerance.max_points:
        mesh, coarse = finer, last
        last = mean_over(mesh, coarse, tolerance.max_points - points)
        points += last.points
        difference = np.abs(last.value - coarse.value)
        error = remaining_error(difference, before) + last.error + ROUNDING * last.scale
        wanted = tolerance.of(last.value, last.scale)
        if before is not None and np.all(error <= wanted):
            return ZoneMean(last.value, error, mesh.shape, points, True)
        before = difference
    return ZoneMean(last.value, error, mesh.shape, points, False)


def remaining_error(last: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Error of the finest mesh, from the last change and the one before it.

    The last change is the error of the mesh before the finest, unless that one hit the mean by luck: an error that
    alternates as exp(-a n) cos(b n) does so often. The change before tells; one change alone is never accepted. While
    convergence is slow, the changes to come are added up. Where two bands nearly touch at a point all changes are
    alike, by the logarithm of the growth, until a mesh resolves the gap.
    """
    if before is None:
        return last
    trusted = np.maximum(last, before / _CAUTION)
    ratio = np.minimum(trusted / np.where(before > 0.0, before, trusted + 1e-300), 1.0)
    return trusted * np.maximum(1.0, sum(ratio**j for j in range(1, _TO_COME + 1)))
