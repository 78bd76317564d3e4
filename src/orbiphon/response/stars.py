"""Waves on a mesh of q that are images of each other: one of each star is computed (docs/theory.md 5.7).

An operation g that electrons and vertex obey takes the wave (q, u) to (Rq, gu), and what it pumps to

    m[Rq, gu][g O_a g^-1] = m[q, u][O_a],        g O_a g^-1 = sum_b N_ab O_b,

so that m[q, u][O_a] = sum_b N_ab m[Rq, gu][O_b]: for the components of L an axial vector, m_Rq = det(R) R m_q. Used are
operations for which there is such an N: those that take the observables to one another. Of the phonons nothing is
supposed: where the waves at q are taken to waves at Rq, up to phases, they are images, and else computed themselves.
So modes of a degenerate level, which are a choice, are images where the choice is. Time reversal, q -> -q, counts for
methods without absorption (`reactive`), for which it holds exactly.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from orbiphon.crystal import CrystalSymmetry
from orbiphon.drives import Waves
from orbiphon.electrons.symmetry import ElectronSymmetry, form_group
from orbiphon.response.method import PerPhonon
from orbiphon.response.problem import Problem
from orbiphon.response.selection import common_symmetries, is_local
from orbiphon.response.star_means import StarOperations

Group = tuple[int, ...]
"""The numbers of the waves at one q."""
_EXACT = 1e-9  # of the spread of H, the vertex, an observable
_SAME = 1e-7  # of a displacement or frequency, of a reciprocal vector
_NOUGHT = 1e-12  # an element of N


class Stars(NamedTuple):
    """`computed`: of the groups of waves, one q each, those that are, and the operations of the `little` group of each
    q. Every wave is taken to the wave `source` among the computed ones by the operation of that number, which turns the
    observables by N, `turns`; 0 is the identity."""

    computed: tuple[Group, ...]
    little: tuple[StarOperations, ...]
    source: Int[np.ndarray, "wave"]
    operation: Int[np.ndarray, "wave"]
    turns: Float[np.ndarray, "operation observable observable"]

    def every_wave(self, found: PerPhonon) -> PerPhonon:
        """What all waves pump, from what the computed ones do."""
        turn, value, error = self.turns[self.operation], found.value[self.source], found.error[self.source]
        spread = np.abs(turn) * np.where(turn == 0.0, 0.0, error[:, None, :])
        value = np.sum(turn * value[:, None, :], axis=-1)
        return PerPhonon(value, np.sum(spread, axis=-1), found.converged[self.source], found.points)


def stars(problem: Problem, waves: Waves, groups: tuple[Group, ...], *, reactive: bool) -> Stars:
    """Of the waves of a drive, by the operations that electrons and vertex obey to rounding, with time reversal where
    the method is `reactive`. Only waves on a mesh of q are taken to other wave vectors."""
    found = _operations(problem, reactive)
    if len(set(map(len, groups))) > 1:
        found = found.some([0])
    count = sum(map(len, groups))
    source, operation = np.arange(count), np.zeros(count, int)
    if waves.mesh is not None and len(found.operations) > 1:
        source, operation = _images_among(problem, waves, np.array(groups), found.operations)
    computed = tuple(group for group in groups if source[group[0]] == group[0])
    little = tuple(_little(problem, waves, list(group), found) for group in computed)
    return Stars(computed, little, source, operation, found.turns)


class _Operations(NamedTuple):
    """Operations of the `lattice`, the identity first; what R does to k in units of the reciprocal vectors, `cells`; N,
    `turns`."""

    lattice: CrystalSymmetry
    operations: list[ElectronSymmetry]
    cells: Int[np.ndarray, "operation dim dim"]
    turns: Float[np.ndarray, "operation observable observable"]

    def some(self, kept: list[int]) -> "_Operations":
        """Those operations."""
        return _Operations(
            self.lattice, [self.operations[number] for number in kept], self.cells[kept], self.turns[kept]
        )


def _images_among(
    problem: Problem, waves: Waves, rows: Int[np.ndarray, "q mode"], operations: list[ElectronSymmetry]
) -> tuple[Int[np.ndarray, "wave"], Int[np.ndarray, "wave"]]:
    """Of each wave that at the first q of the star of which it is an image, itself if there is none, and the number of
    the operation that takes it there."""
    q, u, frequency = (np.asarray(x)[rows] for x in (waves.q, waves.displacement, waves.frequency))
    own, mesh = np.arange(len(rows)), np.array(waves.mesh)
    images = np.stack([_images(problem, g, q[:, 0], mesh) for g in operations])
    source, operation, left = np.arange(rows.size), np.zeros(rows.size, int), np.ones(len(rows), bool)
    while np.any(left):  # those that are no images of the first of their star may be images of each other
        first = np.min(np.where((images >= 0) & left[images], images, own), axis=0)
        left &= first < own
        for number, (g, image) in enumerate(zip(operations, images, strict=True)):
            here = np.flatnonzero(left & (image == first))
            there = first[here]
            moved = _moved(problem, g, q[here, 0], u[here], q[there, 0])
            wave, same = _recognised(moved, frequency[here], u[there], frequency[there])
            here, there, wave = here[same], there[same], wave[same]
            source[rows[here]], operation[rows[here]] = np.take_along_axis(rows[there], wave, axis=1), number
            left[here] = False
    return source, operation


def _little(problem: Problem, waves: Waves, group: list[int], found: _Operations) -> StarOperations:
    """The operations without time reversal that take the waves of one q to each other."""
    vectors = np.asarray(problem.electrons.crystal.lattice.vectors)
    q, u, frequency = (np.asarray(x)[group][None] for x in (waves.q, waves.displacement, waves.frequency))
    turned = np.concatenate([g.turned(q[:, 0]) for g in found.operations])
    reciprocal = (turned - q[:, 0]) @ vectors.T / (2.0 * np.pi)
    spatial = np.array([not g.time_reversal for g in found.operations])
    leave_q = np.flatnonzero(spatial & (np.max(np.abs(reciprocal - np.rint(reciprocal)), axis=1) < _SAME))
    images = {0: np.arange(len(group))}
    for number in leave_q[1:].tolist():
        wave, same = _recognised(
            _moved(problem, found.operations[number], q[:, 0], u, q[:, 0]), frequency, u, frequency
        )
        if same[0]:
            images[number] = wave[0]
    kept = list(images)
    if len(kept) < len(leave_q) and not form_group(found.some(kept).operations, found.lattice):
        kept = kept[:1]
    half = np.rint(reciprocal[kept]) / 2.0 * (waves.mesh is None)
    return StarOperations(found.cells[kept], half, np.stack([images[number] for number in kept]), found.turns[kept])


def _operations(problem: Problem, reactive: bool) -> _Operations:
    """Those that take the observables to one another, if they form a group."""
    basis, matrices = problem.electrons.basis, np.stack([np.asarray(o.matrix) for o in problem.observables])
    electrons = common_symmetries(problem, _EXACT, reactive=reactive)
    identity, *others = electrons.kept
    kept, turns = [identity], [np.eye(len(matrices))]
    known, size = _as_real(matrices), np.max(np.abs(matrices), axis=(1, 2))
    for g in others if all(is_local(problem.electrons, matrix) for matrix in matrices) else []:
        image = _as_real(g.image(basis, matrices))
        turn = np.linalg.lstsq(known.T, image.T, rcond=None)[0].T
        if np.all(np.max(np.abs(image - turn @ known), axis=1) <= _EXACT * size):
            kept.append(g)
            turns.append(np.where(np.abs(turn) < _NOUGHT, 0.0, turn))
    cells = [np.rint(np.linalg.inv(g.operation.cells)).astype(int) for g in kept]
    found = _Operations(electrons.lattice, kept, np.stack(cells), np.stack(turns))
    return found if form_group(kept, electrons.lattice) else found.some([0])


def _as_real(matrices: Complex[np.ndarray, "observable orbital orbital"]) -> Float[np.ndarray, "observable element"]:
    flat = matrices.reshape(len(matrices), -1)
    return np.concatenate([np.real(flat), np.imag(flat)], axis=1)


def _images(
    problem: Problem, g: ElectronSymmetry, q: Float[np.ndarray, "q xyz"], mesh: Int[np.ndarray, "dim"]
) -> Int[np.ndarray, "q"]:
    """The number of the q that each one goes to, up to a reciprocal vector; -1 where none is there."""
    vectors = np.asarray(problem.electrons.crystal.lattice.vectors)
    number = np.full(tuple(mesh), -1)
    number[tuple((np.rint(q @ vectors.T / (2.0 * np.pi) * mesh).astype(int) % mesh).T)] = np.arange(len(q))
    turns = g.turned(q) @ vectors.T / (2.0 * np.pi) * mesh
    place = np.rint(turns).astype(int)
    on_mesh = np.max(np.abs(turns - place), axis=1) < _SAME * np.max(mesh)
    return np.where(on_mesh, number[tuple((place % mesh).T)], -1)


def _moved(
    problem: Problem,
    g: ElectronSymmetry,
    q: Float[np.ndarray, "q xyz"],
    u: Complex[np.ndarray, "q wave site xyz"],
    there: Float[np.ndarray, "q xyz"],
) -> Complex[np.ndarray, "q wave site xyz"]:
    """gu, as displacements at q' = Rq - G."""
    moved = np.empty_like(u)
    moved[:, :, g.operation.image] = (u.conj() if g.time_reversal else u) @ g.operation.matrix.T
    phases = np.exp(1j * (g.turned(q) - there) @ np.asarray(problem.electrons.crystal.positions).T)
    return phases[:, None, :, None] * moved


def _recognised(
    moved: Complex[np.ndarray, "q wave site xyz"],
    moved_frequency: Float[np.ndarray, "q wave"],
    u: Complex[np.ndarray, "q wave site xyz"],
    frequency: Float[np.ndarray, "q wave"],
) -> tuple[Int[np.ndarray, "q wave"], Bool[np.ndarray, "q"]]:
    """Which of the waves u each moved one is, up to a phase, and whether all are one."""
    moved, u = (x.reshape(*x.shape[:2], x.shape[2] * x.shape[3]) for x in (moved, u))
    norm = np.linalg.norm(u, axis=-1)
    norm = np.where(norm > 0.0, norm, 1.0)
    overlap = moved @ (u / norm[:, :, None]).conj().swapaxes(1, 2)
    wave = np.argmax(np.abs(overlap), axis=-1)
    alike = np.take_along_axis(u, wave[:, :, None], axis=1)
    chi = np.take_along_axis(overlap, wave[:, :, None], axis=2) / np.take_along_axis(norm, wave, axis=1)[:, :, None]
    phase = chi / np.where(np.abs(chi) > 0.0, np.abs(chi), 1.0)
    off = np.max(np.abs(moved - phase * alike), axis=-1) <= _SAME * np.max(np.abs(alike), axis=-1)
    there = np.take_along_axis(frequency, wave, axis=1)
    return wave, np.all(off & (np.abs(moved_frequency - there) <= _SAME * there), axis=1)
