"""Methods at single wave vectors of the crystals of `cases`, and the limits that they must reach."""

import contextlib
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import dense
from cases import Case, agreement_cases
from orbiphon.drives import CoherentWave, OnePhonon
from orbiphon.phonons import AcousticBranch
from orbiphon.response import AbstractMethod, ElectronState, Motion, Problem, zone_map
from orbiphon.zone import at_phases

CASES, CLEAN = agreement_cases(), agreement_cases(intraband=False)
MASS, KELVIN, GAMMA, OMEGA = 1.3, 2000.0, 0.3, 0.25
HALVES = 2.0 ** -np.arange(7)


@functools.cache
def wave_vectors(name: str, clean: bool = False) -> np.ndarray:
    """Three on a line along b_1, b_1/3 apart, and their negatives; of 40 such lines that with the largest gaps."""
    electrons = (CLEAN if clean else CASES)[name].electrons
    random, dim = np.random.default_rng(3), electrons.crystal.lattice.dim
    lines = random.uniform(size=(40, 1, dim)) + np.arange(3)[:, None] / 3 * np.eye(dim)[0]
    line = max(lines, key=lambda line: least_gap(levels_at(electrons, line)))
    return np.concatenate([line, -line])


def levels_at(electrons, kappa: np.ndarray) -> np.ndarray:
    """Levels at reduced wave vectors, (k, band)."""
    reciprocal = np.asarray(electrons.crystal.lattice.reciprocal)
    return np.linalg.eigvalsh([dense.bloch(electrons, one @ reciprocal) for one in kappa])


def least_gap(levels: np.ndarray) -> float:
    """Between levels that are not degenerate."""
    steps = np.diff(levels, axis=1)
    return float(np.min(steps, where=steps > 1e-9, initial=np.inf))


def fermi_level(name: str) -> float:
    """In the middle of the levels."""
    return float(np.mean(levels_at(CASES[name].electrons, wave_vectors(name))))


def slow(name: str, energy: float) -> float:
    """A wave vector that moves no level by more than about this energy."""
    electrons = CASES[name].electrons
    dim = electrons.crystal.lattice.dim
    width = np.ptp(levels_at(electrons, np.random.default_rng(4).uniform(size=(20, dim))))
    return float(energy / (width * np.linalg.norm(electrons.crystal.lattice.vectors[0])))


def along(name: str) -> tuple[float, tuple[float, ...]]:
    """b_1/3: a wave that leads from one of the three wave vectors to the next, as length and direction."""
    third = np.asarray(CASES[name].electrons.crystal.lattice.reciprocal)[0] / 3
    return float(np.linalg.norm(third)), tuple(third)


def moved(name: str, part: float) -> np.ndarray:
    """The wave vectors, all moved by a part of b_1."""
    return wave_vectors(name) + part * np.eye(CASES[name].electrons.crystal.lattice.dim)[0]


def asked(
    case: Case,
    q: float,
    omega: float,
    order: int = 2,
    *,
    level: float,
    kelvin: float = KELVIN,
    direction=None,
    chirality: int = 1,
    amplitude: float | None = None,
    ellipticity: float = 1.0,
) -> Problem:
    """One phonon; or a wave, if there is an amplitude."""
    branch = AcousticBranch(speed=omega / q, mass=MASS, direction=case.direction if direction is None else direction)
    drive = OnePhonon(branch, q=q, chirality=chirality)
    if amplitude is not None:
        drive = CoherentWave(branch, amplitude=amplitude, q=q, chirality=chirality, ellipticity=ellipticity)
    state = ElectronState(fermi_level=level, temperature=kelvin)
    return Problem(case.electrons, drive, state, observables=case.observables, order=order)


def at(method: AbstractMethod, kappa: np.ndarray, problem: Problem) -> np.ndarray:
    """The contribution of each wave vector, (k, observable)."""
    if not isinstance(method, Motion):
        return zone_map(problem, method, kappa)
    return steady(method, kappa, problem)[problem.order % 2]


def steady(method: Motion, kappa: np.ndarray, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Both orders at once, the uniform moment (order 2) and that of the wave (order 1)."""
    motion = method.prepare(problem).integrand(float(problem.state.fermi_level[0]), 0).motion
    with optimised():
        both = np.asarray(at_phases(motion, phases(kappa))).reshape(len(kappa), 2, 2, -1)[:, :, -1]
    return both[:, 0].real, both[:, 1]


@contextlib.contextmanager
def optimised(most: bool = True):
    """Whether XLA optimises what it compiles: six crystals and eight methods are hardly ever called twice."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", not most)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="module", autouse=True)
def quick_compilation():
    """For the modules that import it."""
    with optimised(False):
        yield


def phases(kappa: np.ndarray):
    """exp(-i k a_j)."""
    return jnp.asarray(np.exp(-2j * np.pi * kappa))


def summed(method: AbstractMethod, kappa: np.ndarray, problem: Problem) -> np.ndarray:
    """The sum over wave vectors, (observable,): with k there is -k, between which much cancels."""
    return np.sum(at(method, kappa, problem), axis=0)


def limit(values, step: int = 1) -> np.ndarray:
    """Of a power series in s**step at s = 0, from its values at s, s/2, s/4, ..."""
    table = list(values)
    for power in itertools.count(step, step):
        if len(table) == 1:
            break
        table = [(2**power * fine - coarse) / (2**power - 1) for coarse, fine in itertools.pairwise(table)]
    return table[0]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the largest element."""
    return float(np.max(np.abs(one - other)) / np.max(np.abs(other)))


def power(values, end: np.ndarray) -> float:
    """Of s in which the values at s, s/2, s/4, ... approach their end: the limit of the slopes between them."""
    return float(limit([np.log2(distance(a, end) / distance(b, end)) for a, b in itertools.pairwise(values)]))
