"""Means over the Brillouin zone to a tolerance.

An equispaced sum over a period converges geometrically for an analytic integrand: its error falls as exp(-n s), where
s is the distance of the nearest singularity from the real axis, here broadening + pi k_B T over the band velocity.
Below the knee n ~ 1/s it tells nothing, so the first mesh must resolve the narrowest structure (`start`); from there
on the mesh grows by a factor, and successive meshes tell the error by their differences.
"""

import functools
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Num, PyTree

from orbiphon.zone.mesh import first_mesh
from orbiphon.zone.progress import tell

BLOCK = 2**15  # points in one call: enough work for all cores, little memory
_GROWTH = 1.5
_CAUTION = 30.0  # a lucky agreement of two meshes is not trusted beyond this gain over the one before
_ROUNDING = 1e-13  # of the mean of |integrand|
_NOUGHT = 1e-3  # of rtol times the mean of |integrand|: accurate enough where symmetry makes the mean zero
_QUEUE = 4
_SHARE = 8  # the first mesh may take this part of the allowed points


class AbstractIntegrand(eqx.Module):
    """A function of the wave vector, in two steps. Its arrays may change without another compilation.

    XLA fuses elementwise code into its consumers and computes it again in each of them. What is used often (levels,
    weights) belongs into `prepare`, whose results are kept in memory for a block of wave vectors at a time.
    """

    @abstractmethod
    def prepare(self, phases: Complex[Array, "dim"]) -> PyTree[Array]:
        """What the second step needs, from the phases exp(-i k a_j) of the lattice vectors."""

    @abstractmethod
    def respond(self, prepared: PyTree[Array]) -> Num[Array, "component"]:
        """The components, real or complex."""


@runtime_checkable
class AbstractMesh(Protocol):
    """What a sequence of meshes offers: `Mesh`, `FoldedMesh`."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    def blocks(self, block: int) -> Iterator[tuple[np.ndarray, np.ndarray]]: ...
    def refined(self, growth: float) -> "AbstractMesh": ...


class ZoneMean(NamedTuple):
    """Mean over the zone: `value` and absolute `error` (component,), mesh `shape`, evaluated `points`, `converged`."""

    value: np.ndarray
    error: np.ndarray
    shape: tuple[int, ...]
    points: int
    converged: bool


def zone_mean(
    integrand: AbstractIntegrand,
    *,
    start: tuple[int, ...],
    rtol: float,
    atol: float = 0.0,
    max_points: int = 10**9,
    block: int = BLOCK,
    mirrors: tuple[bool, ...] | None = None,
) -> ZoneMean:
    """Mean of `integrand` over the Brillouin zone, each component to max(atol, rtol |mean|).

    `start` is the first mesh, points per reciprocal vector; it must resolve the narrowest structure. `max_points`
    bounds all evaluations together: beyond it the best mean is returned with its honest error and `converged` False;
    the error is infinite where not even `start` was affordable. Memory grows with `block`, not with the mesh.
    `mirrors` are the axes along which the integrand is even (default: `find_mirrors`).
    """
    mirrors = find_mirrors(integrand, len(start), block) if mirrors is None else mirrors
    mesh = first_mesh(start, mirrors, max_points / _SHARE)
    resolved = all(n >= least for n, least in zip(mesh.shape, start, strict=True))
    return refined_mean(integrand, mesh, resolved, rtol=rtol, atol=atol, max_points=max_points, block=block)


def refined_mean(
    integrand: AbstractIntegrand,
    mesh: AbstractMesh,
    resolved: bool = True,
    *,
    rtol: float,
    atol: float = 0.0,
    max_points: int = 10**9,
    block: int = BLOCK,
) -> ZoneMean:
    """The same from a given first mesh on; `resolved`: whether it resolves the narrowest structure."""
    value, scale = _mesh_mean(integrand, mesh, block)
    points, error, before = mesh.size, scale, None
    while points + (finer := mesh.refined(_GROWTH)).size <= max_points:
        mesh, coarse = finer, value
        value, scale = _mesh_mean(integrand, mesh, block)
        points += mesh.size
        difference = np.abs(value - coarse)
        error = remaining_error(difference, before) + _ROUNDING * scale
        tolerance = np.maximum(np.maximum(atol, rtol * np.abs(value)), _NOUGHT * rtol * scale)
        if resolved and before is not None and np.all(error <= tolerance):
            return ZoneMean(value, error, mesh.shape, points, True)
        before = difference
    return ZoneMean(value, error if resolved else np.full(error.shape, np.inf), mesh.shape, points, False)


def remaining_error(last: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Error of the finest mesh, from the last change and the one before it.

    The last change is the error of the mesh before the finest, unless that one hit the mean by luck: an error that
    alternates as exp(-a n) cos(b n) does so often. The change before tells; one change alone is never accepted. While
    convergence is slow, an algebraic tail is added up.
    """
    if before is None:
        return last
    trusted = np.maximum(last, before / _CAUTION)
    ratio = trusted / np.where(before > 0.0, before, trusted + 1e-300)
    return trusted * np.maximum(1.0, ratio / np.maximum(1.0 - ratio, 0.1))  # last + last ratio + last ratio^2 + ...


def at_phases(integrand: AbstractIntegrand, phases: Complex[Array, "k dim"]) -> Num[Array, "k component"]:
    """The integrand itself at given wave vectors, for maps of the zone."""
    return _values(integrand, phases)


@eqx.filter_jit
def _values(integrand: AbstractIntegrand, phases: Complex[Array, "k dim"]) -> Num[Array, "k component"]:
    return jax.vmap(lambda one: integrand.respond(integrand.prepare(one)))(phases)


def _mesh_mean(integrand: AbstractIntegrand, mesh: AbstractMesh, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of the integrand and of its modulus over the mesh."""
    arrays, form = jax.tree.flatten(integrand)
    block_sums, name = _compiled(form), "mesh of " + " x ".join(map(str, mesh.shape))
    sums, queue = [], deque()

    def collect() -> None:
        sums.append(np.asarray(queue.popleft()))
        tell(name, min(len(sums) * block, mesh.size), mesh.size)

    for phases, weight in mesh.blocks(block):
        queue.append(block_sums(arrays, phases, weight))
        if len(queue) > _QUEUE:  # keep the processor busy, but not the memory
            collect()
    while queue:
        collect()
    value, scale = np.sum(np.stack(sums), axis=0)
    return value, np.abs(scale)


@functools.lru_cache(maxsize=256)
def _compiled(form: Hashable) -> Callable[[list, np.ndarray, np.ndarray], Array]:
    """The sums over a block for all integrands of one form, from their arrays, phases and weights.

    One function per form, because `jax.jit` takes a list of arrays in microseconds but a tree of modules in a quarter
    of a millisecond, which is as long as a block of a small model takes.
    """
    return jax.jit(lambda arrays, phases, weight: _block_sums(jax.tree.unflatten(form, arrays), phases, weight))


def _block_sums(
    integrand: AbstractIntegrand, phases: Complex[Array, "dim point"], weight: Float[Array, "point"]
) -> Num[Array, "2 component"]:
    # The barriers keep XLA from computing what both steps share once more in each of its uses, and let the elementwise
    # work run on all cores, which a fused sum does not.
    prepared = jax.lax.optimization_barrier(jax.vmap(integrand.prepare, in_axes=1)(phases))
    values = jax.vmap(integrand.respond)(prepared)
    weighted = jax.lax.optimization_barrier(weight[:, None].astype(values.dtype) * values)
    return jnp.stack([jnp.sum(weighted, axis=0), jnp.sum(jnp.abs(weighted), axis=0).astype(weighted.dtype)])


def find_mirrors(integrand: AbstractIntegrand, dim: int, block: int = BLOCK) -> tuple[bool, ...]:
    """Axes along which the integrand is even, found by asking it at random points."""
    random, (arrays, form) = np.random.default_rng(0), jax.tree.flatten(integrand)
    phases, weight = np.exp(2j * np.pi * random.uniform(size=(dim, block))), random.normal(size=block) / block

    def sums(points: np.ndarray) -> np.ndarray:
        return np.asarray(_compiled(form)(arrays, points, weight))

    value, scale = sums(phases)
    flipped = [np.where(np.arange(dim)[:, None] == axis, np.conj(phases), phases) for axis in range(dim)]
    return tuple(bool(np.all(np.abs(sums(points)[0] - value) <= 1e-9 * np.abs(scale))) for points in flipped)
