"""What a drive may create, by symmetry alone (docs/theory.md 5.7).

Let G be the operations that electrons, coupling and drive obey. As every g of G takes the problem to itself,
<O> = <g O g^-1>, hence

    <O> = <P(O)>,        P(O) = (1/|G|) sum_g chi(g) g O g^-1,

chi = 1 at second order, and at first order the phase that the wave gets. Where P(O) = 0 nothing can be created. This
asks of O nothing but its matrix. Spatial operations always count; those with time reversal where the method has no
absorption (`reactive`), at second order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from orbiphon._types import OrbitalMatrix
from orbiphon.drives import AbstractDrive, Pulse
from orbiphon.electrons import OBSERVABLES, Observable, TightBinding, observable
from orbiphon.electrons.symmetry import OBEYED, ElectronSymmetries, ElectronSymmetry, bloch, electron_symmetries
from orbiphon.response.little_group import FiniteWaves, LongWaves, finite_waves, long_waves
from orbiphon.response.method import AbstractMethod
from orbiphon.response.problem import Problem

_NOUGHT = 1e-6  # of the largest element of an observable


class SelectionRules(NamedTuple):
    """`forbidden`: for each observable of the problem, whether it is zero by symmetry; `may_be_created`: the names of
    all components of L, S (and, at first order, Q) that are not; `direction`, that of L and S in words (second order).

    `electrons`: the operations that H obeys; `kept`: those that coupling and drive obey too; at first order with the
    `characters` chi of the wave, and phases exp(-i G tau) (orbital,) that local observables get, `twists`; else 1."""

    observables: tuple[str, ...]
    forbidden: tuple[bool, ...]
    may_be_created: tuple[str, ...]
    direction: str
    electrons: ElectronSymmetries
    kept: tuple[ElectronSymmetry, ...]
    characters: tuple[complex, ...]
    twists: tuple[Complex[np.ndarray, "orbital"], ...]

    def __str__(self) -> str:
        lattice, kept = self.electrons.lattice, [g for g in self.kept if not g.time_reversal]
        group = f"space group {lattice.space_group}, " if lattice.space_group else ""
        spatial = [g for g in self.electrons.kept if not g.time_reversal]
        obeyed = f"obey {len(spatial)} of {len(lattice.operations)} operations"
        if self.electrons.broken is not None and len(spatial) < len(lattice.operations):
            obeyed += f" and break the others by {self.electrons.broken:.0e} of their spread at least"
        reversed_ = len(self.kept) - len(kept)
        with_time = f", and {reversed_} with time reversal" if reversed_ else ""
        zero = [name for name, nought in zip(self.observables, self.forbidden, strict=True) if nought]
        created = ", ".join(self.may_be_created) or "nothing"
        return "\n".join(
            [
                f"atoms:          {group}point group {lattice.point_group()}",
                f"electrons:      {obeyed}: point group {self.electrons.point_group}",
                f"drive keeps:    {len(kept)} of them, point group "
                f"{lattice.point_group([g.operation for g in kept])}{with_time}",
                f"may be created: {created}{self.direction and f' ({self.direction})'}",
                f"zero by symmetry: {', '.join(zero) or 'none of the observables'}",
            ]
        )


def selection_rules(problem: Problem, method: AbstractMethod) -> SelectionRules:
    """Which observables of a problem are zero by symmetry, and what else its drive may create, by this method.

    Nothing is integrated: operations are found by spglib, and asked of the Hamiltonian, the vertex and the waves.

    A `Pulse` has the symmetry of its wave. **Raises:** `InputError` for a drive without a phase at first order.
    """
    if isinstance(problem.drive, Pulse):
        problem = eqx.tree_at(lambda tree: tree.drive, problem, problem.drive.wave)
    electrons = electron_symmetries(problem.electrons)
    group = little_group(problem, electrons, long_wave=method.long_wave, reactive=method.reactive)

    def allowed(one: Observable) -> bool:
        return bool(np.max(np.abs(group.project(one.matrix))) > _NOUGHT * np.max(np.abs(one.matrix)))

    names = [name for name in OBSERVABLES if name[0] in "LSQ"[: 3 if problem.order == 1 else 2]]
    names = [name for name in names if problem.electrons.basis.spin or name[0] != "S"]
    candidates = [observable(problem.electrons.basis, name) for name in names]
    return SelectionRules(
        observables=tuple(o.name for o in problem.observables),
        forbidden=tuple(not allowed(o) for o in problem.observables),
        may_be_created=tuple(o.name for o in candidates if allowed(o)),
        direction=_direction(group.kept) if problem.order == 2 else "",
        electrons=electrons,
        kept=group.kept,
        characters=group.characters,
        twists=group.twists,
    )


class LittleGroup(NamedTuple):
    """The operations that a problem obeys, as in `SelectionRules`; `electrons`, those of the problem."""

    electrons: TightBinding
    kept: tuple[ElectronSymmetry, ...]
    characters: tuple[complex, ...]
    twists: tuple[Complex[np.ndarray, "orbital"], ...]

    def project(self, matrix: OrbitalMatrix | np.ndarray) -> Complex[np.ndarray, "orbital orbital"]:
        """P(O); O itself if it has elements between sites."""
        matrix, basis = np.asarray(matrix), self.electrons.basis
        if not is_local(self.electrons, matrix):
            return matrix
        parts = zip(self.kept, self.characters, self.twists, strict=True)
        return np.mean([chi * twist[:, None] * g.image(basis, matrix) for g, chi, twist in parts], axis=0)


def little_group(problem: Problem, electrons: ElectronSymmetries, *, long_wave: bool, reactive: bool) -> LittleGroup:
    """What of the electrons' operations vertex and drive obey, for methods of that kind."""
    long = long_wave and isinstance(problem.drive, AbstractDrive)
    waves = long_waves(problem) if long else finite_waves(problem)
    vertex, kept, characters, twists = _Vertex(problem, waves if isinstance(waves, LongWaves) else None), [], [], []
    for g in electrons.kept:
        if g.time_reversal and not (reactive and problem.order == 2):
            continue
        chi = waves.character(g) if problem.order == 1 else (1.0 + 0.0j if waves.keeps(g) else None)
        if chi is not None and vertex.obeys(g):
            kept.append(g)
            characters.append(chi)
            twists.append(_twist(problem, g, waves))
    return LittleGroup(problem.electrons, tuple(kept), tuple(characters), tuple(twists))


def common_symmetries(problem: Problem, within: float, *, reactive: bool) -> ElectronSymmetries:
    """The operations that electrons and vertex obey, each to `within` of its size, whatever the waves: the identity
    first, those with time reversal if the method is `reactive`."""
    vertex, electrons = _Vertex(problem, None), electron_symmetries(problem.electrons, within)
    every = (g for g in electrons.kept if reactive or not g.time_reversal)
    return electrons._replace(kept=tuple(g for g in every if vertex.obeys(g, within)))


class _Vertex:
    """Whether g g(k, q; u) g^-1 = g(Rk, Rq; Ru): for long waves asked of their own strains, else of a random wave."""

    def __init__(self, problem: Problem, waves: LongWaves | None) -> None:
        self.problem, self.long = problem, waves is not None
        random, sites = np.random.default_rng(5), problem.electrons.crystal.sites
        size = float(np.max(np.abs(np.asarray(problem.electrons.crystal.lattice.vectors))))
        self.k = random.normal(size=3) / size
        if waves is not None:
            self.q, self.waves = waves.direction, np.stack([np.tile(e, (sites, 1)) for e in waves.polarisation])
        else:
            self.q, wave = problem.coupling.random_wave(random)
            self.waves = np.asarray(wave)[None]
        self.here = self._at(self.k, self.q, self.waves)

    def obeys(self, g: ElectronSymmetry, within: float = OBEYED) -> bool:
        """Asked at one k."""
        moved = np.empty_like(self.waves)
        moved[:, g.operation.image] = (self.waves.conj() if g.time_reversal else self.waves) @ g.operation.matrix.T
        there = self._at(g.turned(self.k), g.turned(self.q), moved)
        off = np.max(np.abs(g.image(self.problem.electrons.basis, self.here) - there))
        return bool(off <= within * np.max(np.abs(self.here)))

    def _at(self, k: np.ndarray, q: np.ndarray, waves: np.ndarray) -> Complex[np.ndarray, "wave orbital orbital"]:
        coupling = self.problem.coupling
        vertex = coupling.strain if self.long else coupling.bonds
        every = [vertex(jnp.asarray(q), jnp.asarray(u.astype(complex))) for u in waves]
        return np.stack([bloch(self.problem.electrons, np.asarray(one), k[None])[0] for one in every])


def _twist(problem: Problem, g: ElectronSymmetry, waves: LongWaves | FiniteWaves) -> Complex[np.ndarray, "orbital"]:
    """exp(-i G tau): what a local observable at q gets where Rq = q + G; only the first order sees it."""
    electrons = problem.electrons
    if isinstance(waves, LongWaves) or problem.order == 2:
        return np.ones(electrons.size, complex)
    atoms = np.asarray(electrons.crystal.positions)[np.array(electrons.basis.site_of)]
    return np.exp(-1j * atoms @ waves.reciprocal(g))


def is_local(electrons: TightBinding, matrix: Complex[np.ndarray, "orbital orbital"]) -> bool:
    """Whether an observable has no elements between sites, of which one could go to another cell."""
    site_of = np.array(electrons.basis.site_of)
    return not np.any(matrix[site_of[:, None] != site_of[None]])


def _direction(kept: Sequence[ElectronSymmetry]) -> str:
    """The directions that remain for a vector that is even under inversion and odd under time reversal."""
    signed = [np.linalg.det(g.operation.matrix) * (-1 if g.time_reversal else 1) * g.operation.matrix for g in kept]
    values, vectors = np.linalg.eigh(np.mean(signed, axis=0) / 2.0 + np.mean(signed, axis=0).T / 2.0)
    free = vectors[:, values > 0.5]
    if free.shape[1] == 1:
        return f"along {_axis(free[:, 0])}"
    if free.shape[1] == 2:
        return f"across {_axis(np.cross(free[:, 0], free[:, 1]))}"
    return ""


def _axis(vector: np.ndarray) -> str:
    """Small whole numbers if they fit, else components."""
    vector = vector * np.sign(vector[np.argmax(np.abs(vector) > 1e-6)])
    for most in range(1, 5):
        scaled = vector / np.max(np.abs(vector)) * most
        if np.max(np.abs(scaled - np.rint(scaled))) < 1e-4:
            return "[" + " ".join(str(round(float(x))) for x in scaled) + "]"
    return "(" + ", ".join(f"{x:.3f}" for x in vector) + ")"
