"""Means over the Brillouin zone to a tolerance."""

import functools
from collections.abc import Callable, Hashable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Complex, Num

from orbiphon.zone.boxes import boxes_mean, first_points
from orbiphon.zone.converge import MeshMean, PointMesh, Tolerance, ZoneMean, converge
from orbiphon.zone.integrand import AbstractIntegrand
from orbiphon.zone.mesh import first_mesh
from orbiphon.zone.progress import tell
from orbiphon.zone.together import together

BLOCK = 2**15  # points in one call: enough work for all cores, little memory
_SHARE = 8  # the first mesh may take this part of the allowed points


def zone_mean(
    integrand: AbstractIntegrand,
    *,
    start: tuple[int, ...],
    rtol: float,
    atol: float = 0.0,
    max_points: int = 10**9,
    block: int = BLOCK,
    mirrors: tuple[bool, ...] | None = None,
    adaptive: tuple[int, ...] | None = None,
    columns: int = 0,
    points: bool = False,
) -> ZoneMean:
    """Mean of `integrand` over the Brillouin zone, each component to max(atol, rtol |mean|), or as `Tolerance` says of
    `columns`.

    `start` is the first mesh, points per reciprocal vector; it must resolve the narrowest structure. `max_points`
    bounds all evaluations together: beyond it the best mean is returned with its honest error and `converged` False;
    the error is infinite where not even `start` was affordable. Memory grows with `block`, not with the mesh.
    `mirrors` are the axes along which the integrand is even (default: `find_mirrors`). `adaptive`: points per axis with
    which an adaptive sum (zone/boxes.py) begins, no farther apart than ten times the narrowest half-width; the error
    is infinite where they are not affordable. `points`: the integrand may grow as 1/k^2 towards some, of any width.
    """
    mirrors = find_mirrors(integrand, len(start), block) if mirrors is None else mirrors
    tolerance = Tolerance(rtol, atol, max_points, columns)
    if adaptive is not None and first_points(adaptive, mirrors) <= max_points / _SHARE:
        return boxes_mean(integrand, adaptive, mirrors, tolerance, block, points)
    mesh = first_mesh(start, mirrors, max_points / _SHARE)
    found = converge(_equispaced(integrand, block), mesh, tolerance)
    resolved = adaptive is None and all(n >= least for n, least in zip(mesh.shape, start, strict=True))
    return found if resolved else found._replace(error=np.full(found.error.shape, np.inf), converged=False)


def refined_mean(
    integrand: AbstractIntegrand,
    mesh: PointMesh,
    *,
    rtol: float,
    atol: float = 0.0,
    max_points: int = 10**9,
    block: int = BLOCK,
) -> ZoneMean:
    """The same by equispaced meshes alone, from a given first one on, which must resolve the narrowest structure."""
    return converge(_equispaced(integrand, block), mesh, Tolerance(rtol, atol, max_points))


def at_phases(integrand: AbstractIntegrand, phases: Complex[Array, "k dim"]) -> Num[Array, "k component"]:
    """The integrand itself at given wave vectors, for maps of the zone."""
    return _values(integrand, phases)


@eqx.filter_jit
def _values(integrand: AbstractIntegrand, phases: Complex[Array, "k dim"]) -> Num[Array, "k component"]:
    return jax.vmap(lambda one: integrand.respond(integrand.prepare(one)))(phases)


def _equispaced(integrand: AbstractIntegrand, block: int) -> Callable[..., MeshMean]:
    return lambda mesh, _coarser, _left: _mesh_mean(integrand, mesh, block)


def _mesh_mean(integrand: AbstractIntegrand, mesh: PointMesh, block: int) -> MeshMean:
    arrays, form = jax.tree.flatten(integrand)
    block_sums, name = _compiled(form), "mesh of " + " x ".join(map(str, mesh.shape))
    total = np.zeros(())
    parts = together(lambda part: np.asarray(block_sums(arrays, *part)), mesh.blocks(block))
    for done, one in enumerate(parts, start=1):
        total = total + one
        tell(name, min(done * block, mesh.size), mesh.size)
    value, scale = integrand.finished(total)
    return MeshMean(value, np.abs(scale), np.zeros(value.shape), mesh.size)


@functools.lru_cache(maxsize=256)
def _compiled(form: Hashable) -> Callable[[list, np.ndarray, np.ndarray], Array]:
    """The sums over a block for all integrands of one form, from their arrays, phases and weights.

    One function per form, because `jax.jit` takes a list of arrays in microseconds but a tree of modules in a quarter
    of a millisecond, which is as long as a block of a small model takes.
    """
    return jax.jit(lambda arrays, *points: jax.tree.unflatten(form, arrays).block_sums(*points))


def find_mirrors(integrand: AbstractIntegrand, dim: int, block: int = BLOCK) -> tuple[bool, ...]:
    """Axes along which the integrand is even, found by asking it at random points."""
    random, (arrays, form) = np.random.default_rng(0), jax.tree.flatten(integrand)
    phases, weight = np.exp(2j * np.pi * random.uniform(size=(dim, block))), random.normal(size=block) / block

    def sums(points: np.ndarray) -> np.ndarray:
        return np.asarray(_compiled(form)(arrays, points, weight))

    value, scale = sums(phases)
    flipped = [np.where(np.arange(dim)[:, None] == axis, np.conj(phases), phases) for axis in range(dim)]
    return tuple(bool(np.all(np.abs(sums(points)[0] - value) <= 1e-9 * np.abs(scale))) for points in flipped)
