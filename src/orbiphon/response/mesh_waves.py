"""Moments per phonon for all q of a mesh, from shared states.

If every q is a point of a mesh with N_j points along each reciprocal vector, a mesh of k with n_j = r N_j points, shifted
or not, holds k + q with every k: one eigensystem per k serves all q. Meshes shifted by half a step (a quarter, in a chain)
make up one of twice as many points; what their means differ by is the error of each, and an upper bound for that of all
together. Where it is too large, the mesh made up is the first of the shifted meshes at the next stage: no point is lost.
Wave vectors that have converged are left behind.
"""

import functools
import itertools
import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from orbiphon.electrons.filling import resolving_mesh
from orbiphon.response.finite_wave import FiniteWave
from orbiphon.response.method import PerPhonon
from orbiphon.response.problem import Numerics
from orbiphon.response.scan import resolving
from orbiphon.units import k_B
from orbiphon.zone.mean import remaining_error
from orbiphon.zone.progress import tell

_ROUNDING = 1e-13  # of the mean of |integrand|
_ELEMENTS = 2**15  # of matrices at a time: they stay in the caches
_BLOCKS = 16  # of so many wave vectors in one call
_MOST_BYTES = 2**30  # of states kept in memory
_NOUGHT = 1e-3  # of rtol times the mean of |integrand|: accurate enough where symmetry makes all moments zero
_SMALLEST = 1e-3  # of the largest observable: smaller ones need be known to this part of it only
_GAP = 2.0  # times broadening + pi k_B T: a Fermi level this far from all bands lies in a gap


class SharedStates(NamedTuple):
    """Phases (k dim), levels (k band) and eigenvectors (k orbital band) on a mesh of k, row after row."""

    shape: tuple[int, ...]
    phases: np.ndarray
    levels: np.ndarray
    vectors: np.ndarray


def mesh_per_phonon(
    integrand: Callable[[tuple[int, ...]], FiniteWave],
    groups: Sequence[tuple[int, ...]],
    steps: Int[np.ndarray, "group dim"],
    mesh: tuple[int, ...],
    numerics: Numerics,
    observables: int,
) -> PerPhonon:
    """m of every wave. `integrand` makes that of the waves of one q, `steps` are its integers m on the `mesh` of q.

    Each moment is known to `rtol` of the largest one at its q. Raises nothing: what does not converge within `max_points`
    is flagged.
    """
    count = sum(map(len, groups))
    value, error = np.zeros((2, count, observables))
    converged, points = np.zeros(count, bool), 0
    pending = {group: _History() for group in groups}
    step_of = dict(zip(groups, steps, strict=True))
    template = integrand(groups[0])
    ratio = _first_ratio(template, mesh, numerics)
    shifts = _shifts(len(mesh))
    finer = max(len(shifts), 2) if len(mesh) == 1 else 2
    while pending:
        shape, spent = tuple(ratio * n for n in mesh), 0
        for number, shift in enumerate(shifts):
            if number == 0 and next(iter(pending.values())).values:
                continue  # the mesh of the last stage
            states = shared_states(template, shape, shift)
            spent += len(states.levels)
            for done, (group, history) in enumerate(pending.items()):
                history.add(*_mean(integrand(group), states, ratio * step_of[group], numerics.block))
                tell(_words(shape, number, len(shifts)), done + 1, len(pending))
        points += spent * len(pending)
        for group, history in list(pending.items()):
            rows, reached = list(group), history.finish(numerics, observables)
            value[rows], error[rows], converged[rows] = history.result(observables), history.error, reached
            if reached:
                del pending[group]
        ratio *= finer
        if not _affordable(template, ratio, mesh, points // len(groups), numerics):
            break
    return PerPhonon(value, error, converged, points)


def _words(shape: tuple[int, ...], number: int, shifts: int) -> str:
    return f"mesh {' x '.join(map(str, shape))}, {number + 1} of {shifts}: wave vectors of phonons"


def _shifts(dim: int) -> list[tuple[float, ...]]:
    """In steps of the mesh: the shifted meshes that make up the next one."""
    parts = np.arange(4) / 4 if dim == 1 else np.arange(2) / 2
    return list(itertools.product(parts.tolist(), repeat=dim))


class _History:
    """The means of one q on shifted meshes (component,), that of the integrand's modulus, and the error of all."""

    def __init__(self) -> None:
        self.values: list[np.ndarray] = []
        self.scale: np.ndarray = np.zeros(())
        self.before: np.ndarray | None = None
        self.error: np.ndarray = np.full((), np.inf)

    def add(self, value: np.ndarray, scale: np.ndarray) -> None:
        """One more shifted mesh."""
        self.values.append(value)
        self.scale = scale

    def finish(self, numerics: Numerics, observables: int) -> bool:
        """Make one mesh of the shifted ones; whether it meets the tolerance."""
        value = np.mean(self.values, axis=0)
        apart = np.max(np.abs(np.array(self.values) - value), axis=0)
        error = remaining_error(apart, self.before) if self.before is not None else apart
        self.error = (error + _ROUNDING * self.scale).reshape(-1, observables)
        self.values, self.before = [value], apart
        size = np.max(np.abs(value.reshape(-1, observables)), axis=0)
        size = np.maximum(size, _SMALLEST * np.max(size))
        nought = _NOUGHT * numerics.rtol * np.max(self.scale)
        return bool(np.all(self.error <= np.maximum(np.maximum(numerics.atol, numerics.rtol * size), nought)))

    def result(self, observables: int) -> np.ndarray:
        """The mean (wave observable)."""
        return self.values[0].reshape(-1, observables)


def shared_states(integrand: FiniteWave, shape: tuple[int, ...], shift: tuple[float, ...]) -> SharedStates:
    """All states on the mesh k_j = (i_j + shift_j)/shape_j."""
    axes = [(np.arange(n) + part) / n for n, part in zip(shape, shift, strict=True)]
    kappa = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    phases, size = np.exp(-2j * np.pi * kappa), integrand.electrons.size
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


def _mean(
    integrand: FiniteWave, states: SharedStates, step: Int[np.ndarray, "dim"], most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the integrand and of its modulus, with q = step on the mesh of k."""
    arrays, form = jax.tree.flatten(integrand)
    sums, total = _compiled(form), len(states.levels)
    waves = integrand.vertex.shape[0]
    most = max(min(_ELEMENTS // (waves * integrand.electrons.size**2), most), 8)
    calls = math.ceil(total / (most * _BLOCKS))
    blocks = math.ceil(total / (most * calls))
    block = math.ceil(total / (blocks * calls))
    here = np.arange(total)
    there = np.roll(here.reshape(states.shape), tuple(-step), tuple(range(len(step)))).ravel()
    result = np.zeros((2, integrand.quanta.shape[0] * integrand.observables.shape[0]))
    for begin in range(0, total, block * blocks):
        used = here[begin : begin + block * blocks]
        index = np.resize(used, (blocks, block))
        weight = np.where(np.arange(blocks * block) < len(used), 1.0 / total, 0.0).reshape(index.shape)
        both = np.stack([there[index], index], axis=-1)  # (blocks, k, side)
        result += np.asarray(sums(arrays, states.phases[index], states.levels[both], states.vectors[both], weight))
    return result[0], result[1]


@functools.lru_cache(maxsize=64)
def _compiled(form: Hashable) -> Callable[..., Array]:
    """Sums over blocks for all integrands of one form."""

    def sums(arrays: list, phases: Array, levels: Array, vectors: Array, weight: Array) -> Array:
        integrand = jax.tree.unflatten(form, arrays)

        def block(part: tuple[Array, Array, Array, Array]) -> Float[Array, "2 component"]:
            prepared = jax.vmap(integrand.between)(*part[:3])
            values = jax.vmap(integrand.respond)(jax.lax.optimization_barrier(prepared))
            return jnp.stack([part[3] @ values, part[3] @ jnp.abs(values)])

        return jnp.sum(jax.lax.map(block, (phases, levels, vectors, weight)), axis=0)

    return jax.jit(sums)


def _first_ratio(integrand: FiniteWave, mesh: tuple[int, ...], numerics: Numerics) -> int:
    """The coarsest mesh of k that begins to resolve the bands: their distance from the Fermi level in a gap, else
    broadening and temperature."""
    states = shared_states(integrand, mesh, (0.0,) * len(mesh))
    width = float(integrand.broadening) + np.pi * k_B * float(integrand.temperature)
    gap = float(np.min(np.abs(states.levels - float(integrand.fermi_level))))
    if gap > _GAP * width:
        start: Sequence[int] = resolving(integrand.electrons, gap)
    else:
        start = resolving_mesh(integrand.electrons, width)
    ratio = max(math.ceil(n / m) for n, m in zip(start, mesh, strict=True))
    while ratio > 1 and not _affordable(integrand, ratio, mesh, 0, numerics):
        ratio -= 1
    return ratio


def _affordable(integrand: FiniteWave, ratio: int, mesh: tuple[int, ...], spent: int, numerics: Numerics) -> bool:
    points, size = math.prod(ratio * n for n in mesh), integrand.electrons.size
    return spent + points <= numerics.max_points and points * (16 * size**2 + 8 * size) <= _MOST_BYTES
