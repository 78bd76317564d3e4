"""Moments per phonon of many modes, from nested meshes of k.

Meshes shifted by half a step (a quarter, in a chain) make up one of twice as many points along each direction. What
their means differ by is the error of each, and an upper bound for that of all together. Where it is too large, the mesh
made up is the first of the shifted meshes at the next stage: no point is lost. Wave vectors q that have converged are
left behind. Of each mesh only what the little group of q leaves is computed (`star_means`).

If every q is a point of a mesh with N_j points along each reciprocal vector, meshes of k with n_j = r N_j points hold
k + q with every k, and one eigensystem per k serves all q. Otherwise the states are those at k - q/2 and k + q/2.
"""

import functools
import itertools
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from orbiphon.electrons.filling import resolving_mesh
from orbiphon.response.finite_wave import FiniteWave
from orbiphon.response.integrand import ELEMENTS, GAP, widths
from orbiphon.response.method import PerPhonon
from orbiphon.response.problem import Numerics
from orbiphon.response.scan import resolving
from orbiphon.response.star_means import Part, StarOperations, folded_part
from orbiphon.response.stars import Group
from orbiphon.zone import common_mesh
from orbiphon.zone.converge import ROUNDING, Tolerance, remaining_error
from orbiphon.zone.progress import tell
from orbiphon.zone.together import together

_MOST_BYTES = 2**30  # of states kept in memory


class SharedStates(NamedTuple):
    """Phases (k dim), levels (k band) and eigenvectors (k orbital band) on a mesh of k, row after row."""

    shape: tuple[int, ...]
    phases: np.ndarray
    levels: np.ndarray
    vectors: np.ndarray


class _Means(NamedTuple):
    """Means (component,) of an integrand and of its modulus, and the evaluated points."""

    mean: np.ndarray
    scale: np.ndarray
    points: int


def mesh_per_phonon(
    integrand: Callable[[Group], FiniteWave],
    groups: Sequence[Group],
    little: Sequence[StarOperations],
    mesh: tuple[int, ...] | None,
    steps: Int[np.ndarray, "group dim"] | None,
    numerics: Numerics,
) -> PerPhonon:
    """m of every wave, each to `rtol` of the largest one at its q. What misses that within `max_points` is flagged.

    `integrand` makes that of the waves of one q, waves in no group are left out, and `little` are the operations of its
    little group. `mesh` is that of q, if there is one, and `steps` the integers of each q on it.
    """
    template = integrand(groups[0])
    observables = template.observables.shape[0]
    base, ratio = _first_mesh(template, mesh, numerics)
    if mesh is None:
        base = common_mesh(base, [tuple(map(tuple, cells.tolist())) for one in little for cells in one.cells])
    shifts = _shifts(len(base))
    pending = {group: _History(observables) for group in groups}
    step_of = dict(zip(groups, groups if steps is None else steps, strict=True))
    little_of = dict(zip(groups, little, strict=True))
    finished: dict[Group, _History] = {}
    points = 0
    while pending and _affordable(template, ratio, base, mesh, numerics):
        shape = tuple(ratio * n for n in base)
        for number, shift in enumerate(shifts):
            if number == 0 and next(iter(pending.values())).means:
                continue  # all of the last stage
            states = None if mesh is None else shared_states(template, shape, shift)

            def mean(group: Group, states=states, shape=shape, shift=shift, number=number) -> _Means:
                part = folded_part(little_of[group], shape, shifts, number)
                if part.source != number:
                    return _Means(part.there.mean(pending[group].means[part.source]), pending[group].scale, 0)
                if states is None:
                    return _mean_of_own(integrand(group), part, shape, shift, numerics.block)
                step = np.array(states.shape) // np.array(mesh) * np.asarray(step_of[group])
                return _mean_of_shared(integrand(group), part, states, step, numerics.block)

            for done, (history, found) in enumerate(zip(pending.values(), together(mean, pending), strict=True)):
                history.add(found.mean, found.scale)
                points += found.points
                tell(_words(shape, number, len(shifts)), done + 1, len(pending))
        for group, history in list(pending.items()):
            finished[group] = history
            if history.finish(numerics):
                del pending[group]
        ratio *= round(len(shifts) ** (1 / len(base)))
    return _collected(finished, groups, points, observables)


def _collected(finished: dict[Group, "_History"], groups: Sequence[Group], points: int, observables: int) -> PerPhonon:
    count = 1 + max(map(max, groups))
    value, error, converged = (
        np.zeros((count, observables)),
        np.full((count, observables), np.inf),
        np.zeros(count, bool),
    )
    for group, history in finished.items():
        rows = list(group)
        value[rows], error[rows], converged[rows] = history.value, history.error, history.reached
    return PerPhonon(value, error, converged, points)


def _words(shape: tuple[int, ...], number: int, shifts: int) -> str:
    return f"phonons, on mesh {number + 1} of {shifts} with {' x '.join(map(str, shape))} points"


def _shifts(dim: int) -> list[tuple[float, ...]]:
    """In steps of the mesh: the shifted meshes that make up the next one."""
    parts = np.arange(4) / 4 if dim == 1 else np.arange(2) / 2
    return list(itertools.product(parts.tolist(), repeat=dim))


class _History:
    """The means of one q on shifted meshes (component,), of the integrand's modulus, and what is known of all."""

    def __init__(self, observables: int) -> None:
        self.observables, self.reached = observables, False
        self.means: list[np.ndarray] = []
        self.scale: np.ndarray = np.zeros(())
        self.before: np.ndarray | None = None
        self.error: np.ndarray = np.full((), np.inf)

    def add(self, mean: np.ndarray, scale: np.ndarray) -> None:
        """One more shifted mesh."""
        self.means.append(mean)
        self.scale = scale

    def finish(self, numerics: Numerics) -> bool:
        """Make one mesh of the shifted ones; whether it meets the tolerance."""
        mean = np.mean(self.means, axis=0)
        apart = np.max(np.abs(np.array(self.means) - mean), axis=0)
        error = remaining_error(apart, self.before) + ROUNDING * self.scale
        self.means, self.before, self.error = [mean], apart, error.reshape(-1, self.observables)
        wanted = Tolerance(numerics.rtol, numerics.atol, columns=self.observables).of(mean, self.scale)
        self.reached = bool(np.all(error <= wanted))
        return self.reached

    @property
    def value(self) -> np.ndarray:
        """The mean (wave observable)."""
        return self.means[0].reshape(-1, self.observables)


def shifted_phases(shape: tuple[int, ...], shift: tuple[float, ...]) -> Complex[np.ndarray, "k dim"]:
    """exp(-i k a_j) on the mesh k_j = (i_j + shift_j)/shape_j."""
    axes = [(np.arange(n) + part) / n for n, part in zip(shape, shift, strict=True)]
    return np.exp(-2j * np.pi * np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape)))


def shared_states(integrand: FiniteWave, shape: tuple[int, ...], shift: tuple[float, ...]) -> SharedStates:
    """All states on a mesh."""
    phases, size = shifted_phases(shape, shift), integrand.electrons.size
    block = min(len(phases), max(2**18 // size**2, 1))
    levels, vectors = np.empty((len(phases), size)), np.empty((len(phases), size, size), complex)
    for begin in range(0, len(phases), block):
        part = phases[begin : begin + block]
        padded = np.concatenate([part, np.ones((block - len(part), len(shape)))])
        e, v = _states(integrand, jnp.asarray(padded))
        levels[begin : begin + block], vectors[begin : begin + block] = e[: len(part)], v[: len(part)]
    return SharedStates(shape, phases, levels, vectors)


@eqx.filter_jit
def _states(integrand: FiniteWave, phases: Complex[Array, "k dim"]) -> tuple[Array, Array]:
    return jax.vmap(integrand.states)(phases)


def _mean_of_shared(
    integrand: FiniteWave, part: Part, states: SharedStates, step: Int[np.ndarray, "dim"], most: int
) -> _Means:
    """With q = step on the mesh of k."""
    there = np.roll(np.arange(len(states.levels)).reshape(states.shape), tuple(-step), tuple(range(len(step)))).ravel()
    blocks = []
    for here, weight in _blocks(integrand, part, most):
        both = np.stack([there[here], here], axis=-1)  # (k, side)
        blocks.append((states.phases[here], states.levels[both], states.vectors[both], weight))
    return _summed(integrand, part, blocks)


def _mean_of_own(
    integrand: FiniteWave, part: Part, shape: tuple[int, ...], shift: tuple[float, ...], most: int
) -> _Means:
    """The same with the states at k - q/2 and k + q/2."""
    phases = shifted_phases(shape, shift)
    return _summed(integrand, part, ((phases[here], weight) for here, weight in _blocks(integrand, part, most)))


def _blocks(integrand: FiniteWave, part: Part, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices of wave vectors and their weights (k,), padded with weight zero: one compiled program for all meshes."""
    size = max(min(ELEMENTS // (integrand.vertex.shape[0] * integrand.electrons.size**2), most), 8)
    for begin in range(0, len(part.points), size):
        used = slice(begin, begin + size)
        weight = np.zeros(size)
        weight[: len(part.points[used])] = part.weight[used]
        yield np.resize(part.points[used], size), weight


def _summed(integrand: FiniteWave, part: Part, blocks: Iterator[tuple] | list[tuple]) -> _Means:
    arrays, form = jax.tree.flatten(integrand)
    total, scale = np.sum([np.asarray(_compiled(form)(arrays, *block)) for block in blocks], axis=0)
    return _Means(part.here.mean(total), part.here.mean(scale, modulus=True), len(part.points))


@functools.lru_cache(maxsize=64)
def _compiled(form: Hashable) -> Callable[..., Array]:
    """Sums over a block for all integrands of one form, from phases and weights, with levels and vectors if they are
    known."""

    def sums(arrays: list, *parts: Array) -> Float[Array, "2 component"]:
        integrand, (*known, weight) = jax.tree.unflatten(form, arrays), parts
        prepare = integrand.between if len(known) > 1 else integrand.prepare
        values = jax.vmap(integrand.respond)(jax.lax.optimization_barrier(jax.vmap(prepare)(*known)))
        return jnp.stack([weight @ values, weight @ jnp.abs(values)])

    return jax.jit(sums)


def _first_mesh(integrand: FiniteWave, mesh: tuple[int, ...] | None, numerics: Numerics) -> tuple[tuple[int, ...], int]:
    """A mesh, and a multiple of it, that begins to resolve the bands, but no more than can be afforded."""
    start = resolving_levels(integrand)
    if mesh is None:
        dim = len(start)
        scale = min(1.0, (numerics.max_points / 2 ** (dim + 1) / math.prod(start)) ** (1 / dim))
        return tuple(max(int(scale * n), 1) for n in start), 1
    ratio = max(math.ceil(n / m) for n, m in zip(start, mesh, strict=True))
    while ratio > 1 and not _affordable(integrand, ratio, mesh, mesh, numerics):
        ratio -= 1
    return mesh, ratio


def resolving_levels(integrand: FiniteWave) -> tuple[int, ...]:
    """A mesh that begins to resolve the bands: their distance from the Fermi level in a gap, else broadening and
    temperature."""
    electrons, (width, gap) = integrand.electrons, widths(integrand)
    return tuple(resolving(electrons, gap)) if gap > GAP * width else resolving_mesh(electrons, width)


def _affordable(
    integrand: FiniteWave, ratio: int, base: tuple[int, ...], mesh: tuple[int, ...] | None, numerics: Numerics
) -> bool:
    """Whether the shifted meshes of this stage are within `max_points`, and their states within the memory."""
    points, size = math.prod(ratio * n for n in base), integrand.electrons.size
    fits = mesh is None or points * (16 * size**2 + 8 * size) <= _MOST_BYTES
    return fits and points * len(_shifts(len(base))) <= numerics.max_points
