"""The second order of waves on the modes of a crystal: each has its own q, omega and displacement of the atoms.

    <O> per cell = sum_w excess_w m_w[O],        m_w[O] = (1/N) sum_k sum_s Tr O M^s,        W from g(k, q_w; u_w),

u_w the displacement of one quantum (`drives.waves`), M^s as in `finite_wave`. Modes at one q share the states and the
vertex' phases. Waves on a mesh of q share the states of all q (`mesh_waves`), and those that are images of each other
are computed once (`stars`).
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from orbiphon.drives import AbstractModeDrive, Waves
from orbiphon.electrons.bloch import lattice_steps
from orbiphon.errors import InputError
from orbiphon.response.adaptive_waves import adaptive_per_phonon
from orbiphon.response.finite_wave import FiniteWave, Pump
from orbiphon.response.integrand import lies_in_gap
from orbiphon.response.long_wave import check_time_reversal
from orbiphon.response.mesh_waves import mesh_per_phonon
from orbiphon.response.method import PerPhonon, Prepared
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.stars import Stars, stars
from orbiphon.response.wave_vertex import in_sector_order
from orbiphon.zone import ZoneMean


class LatticeWaves(NamedTuple):
    """The waves of a drive at the temperatures of the problem, and how a method pumps.

    `stars()`, those that are images of each other, are looked for when first asked.
    """

    problem: Problem
    waves: Waves
    pump: Pump
    groups: tuple[tuple[int, ...], ...]
    """The waves of each wave vector."""
    stars: Callable[[], Stars]

    def integrand(self, group: tuple[int, ...], broadening: float, fermi_level: float, index: int) -> FiniteWave:
        """m of the waves of one q, one row each."""
        electrons, which = self.problem.electrons, list(group)
        q, displacement, frequency = map(np.asarray, (self.waves.q, self.waves.displacement, self.waves.frequency))
        vertices, observables, half = in_sector_order(
            self.problem, jnp.asarray(q[which[0]]), jnp.asarray(displacement[which])
        )
        state = broadening, fermi_level, float(self.problem.state.temperature[index])
        width, level, temperature = (jnp.asarray(x, dtype=jnp.float64) for x in state)
        quanta, steps = jnp.asarray(np.eye(len(group))), lattice_steps(electrons)
        moving = np.where(frequency == 0.0, 1.0, frequency)  # a translation moves by nothing per quantum: m = 0
        return FiniteWave(
            electrons,
            vertices[:, None],
            observables,
            half,
            quanta,
            jnp.asarray(moving[which]),
            width,
            level,
            temperature,
            steps,
            self.pump,
        )

    def per_phonon(self, broadening: float, fermi_level: float, index: int, numerics: Numerics) -> PerPhonon:
        """m of every wave."""
        stars, mesh = self.stars(), self.waves.mesh

        def integrand(group: tuple[int, ...]) -> FiniteWave:
            return self.integrand(group, broadening, fermi_level, index)

        if self._adaptive(broadening, fermi_level, index):
            return stars.every_wave(adaptive_per_phonon(integrand, stars.computed, numerics))
        firsts = [group[0] for group in stars.computed]
        found = mesh_per_phonon(
            integrand,
            stars.computed,
            stars.little,
            mesh,
            None if mesh is None else mesh_indices(self.problem, self.waves)[firsts],
            numerics,
        )
        return stars.every_wave(found)

    def moments(self, broadening: float, fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        """Moments per cell: the waves weighed by their excess."""
        found = self.per_phonon(broadening, fermi_level, index, numerics)
        excess = np.asarray(self.waves.excess[index])
        value = excess @ found.value
        error = np.abs(excess) @ found.error
        error = error + np.abs(value - self._coarser(excess, found.value))
        rule = "adaptive" if self._adaptive(broadening, fermi_level, index) else "equispaced"
        return ZoneMean(value, error, (), found.points, bool(np.all(found.converged)), rule)

    def _adaptive(self, broadening: float, fermi_level: float, index: int) -> bool:
        """Whether each q has a sum of its own: nothing smooths it, and there are no states to share."""
        if broadening > 0.0 or self.waves.mesh is not None:
            return False
        return not lies_in_gap(self.integrand(self.groups[0], broadening, fermi_level, index))

    def _coarser(self, excess: np.ndarray, value: np.ndarray) -> np.ndarray:
        """The sum over every second point of the mesh of q along each direction, if there is one of even numbers."""
        mesh = self.waves.mesh
        if mesh is None or any(n % 2 for n in mesh):
            return excess @ value
        even = np.all(mesh_indices(self.problem, self.waves) % 2 == 0, axis=1)
        return 2 ** len(mesh) * (excess * even) @ value


def mesh_indices(problem: Problem, waves: Waves) -> Int[np.ndarray, "wave dim"]:
    """The integers m of q = (m_1/N_1) b_1 + ... on the mesh."""
    turns = np.asarray(waves.q) @ np.asarray(problem.electrons.crystal.lattice.vectors).T / (2.0 * np.pi)
    return np.rint(turns * np.array(waves.mesh)).astype(int)


def lattice_waves(problem: Problem, pump: Pump, *, reactive: bool) -> LatticeWaves:
    """The waves of the problem's drive, which must be one on the modes of a crystal; `reactive` as the method. Raises
    `InputError` for observables that are not computed, or phonons of another crystal."""
    check_time_reversal(problem)
    drive = problem.drive
    assert isinstance(drive, AbstractModeDrive)
    waves = drive.waves(problem.electrons.crystal, problem.state.temperature)
    _check_same_crystal(problem, waves)
    found: dict[bytes, list[int]] = {}
    for wave, q in enumerate(np.round(np.asarray(waves.q), 12) + 0.0):
        found.setdefault(q.tobytes(), []).append(wave)
    groups = tuple(map(tuple, found.values()))
    of_images = functools.cache(lambda: stars(problem, waves, groups, reactive=reactive))
    return LatticeWaves(problem, waves, pump, groups, of_images)


def _check_same_crystal(problem: Problem, waves: Waves) -> None:
    sites, moved = problem.electrons.crystal.sites, waves.displacement.shape[1]
    if sites != moved:
        raise InputError(
            f"Argument `drive` must hold phonons of the electrons' crystal, but they move {moved} atoms per cell, and "
            f"the electrons' crystal has {sites}. Make both from one Crystal."
        )


def prepare_lattice(problem: Problem, pump: Pump, broadening: float, words: str, *, reactive: bool) -> Prepared:
    """The waves of the problem's drive at one broadening."""
    waves = lattice_waves(problem, pump, reactive=reactive)
    single = len(waves.groups) == 1 and len(waves.groups[0]) == 1

    def weighed(level: float, index: int) -> FiniteWave:
        integrand = waves.integrand(waves.groups[0], broadening, level, index)
        return eqx.tree_at(lambda tree: tree.quanta, integrand, waves.waves.excess[index][None])

    return Prepared(
        lambda level, index, numerics: waves.moments(broadening, level, index, numerics),
        words,
        weighed if single else None,
        lambda level, index, numerics: waves.per_phonon(broadening, level, index, numerics),
    )
