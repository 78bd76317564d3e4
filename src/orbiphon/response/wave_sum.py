"""The second order of all waves of a drive: sum over q and polarisations of excess times the moment per phonon m_q.

A few waves are added up one by one, many along a line (thermal phonons) as in `line_sum`.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from orbiphon.drives import ThermalInjection
from orbiphon.drives.modes import Modes
from orbiphon.electrons.bloch import lattice_steps
from orbiphon.electrons.filling import band_centre
from orbiphon.errors import InputError
from orbiphon.phonons import direction_vector
from orbiphon.response.finite_wave import FiniteWave, Pump
from orbiphon.response.integrand import affordable_block, resolved_mean
from orbiphon.response.line_sum import line_sum
from orbiphon.response.long_wave import acoustic, check_time_reversal
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.wave_vertex import in_sector_order
from orbiphon.zone import ZoneMean, at_phases

_FEW = 8  # waves that are added up one by one
_GENERIC_BROADENING, _GENERIC_TEMPERATURE = 0.1, 1000.0
_PROBES, _SAME = 32, 1e-10  # random wave vectors that tell what is alike; relative rounding


class WaveSum(NamedTuple):
    """The waves of a drive, and the integrand of m_q, whose wave and state are still to be set.

    `mirrors()` are the axes along which it is even, and `alike()` (polarisation, computed) makes the moments of all
    polarisations from those that must be computed; both are looked for when first asked.
    """

    problem: Problem
    modes: Modes
    pump: Pump
    mirrors: Callable[[], tuple[bool, ...]]
    alike: Callable[[], np.ndarray]

    @property
    def single(self) -> bool:
        """Whether there is one wave only."""
        return self.modes.along.size == 1

    def moments(self, broadening: float, fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        """Moments per cell at (broadening, fermi_level, temperature index)."""
        if self.modes.along.size <= _FEW:
            return _added(
                [
                    self._mean(self.excess(mode, broadening, fermi_level, index), numerics)
                    for mode in range(self.modes.along.size)
                ]
            )

        along, rows = np.asarray(self.modes.along), _separated(self.modes.polarisation.shape[0])
        excess = np.linalg.solve(rows.T, np.asarray(self.modes.excess[index]))

        def per_phonon(q: float, rtol: float, atol: float) -> ZoneMean:
            integrand = self._at(q, broadening, fermi_level, index)
            integrand = eqx.tree_at(lambda tree: tree.quanta, integrand, jnp.asarray(rows) @ integrand.quanta)
            return self._mean(integrand, dataclasses.replace(numerics, rtol=rtol, atol=atol))

        mean = line_sum(per_phonon, along, excess, numerics)
        own = float(np.max(np.asarray(self.modes.excess_error[index])))
        return mean._replace(error=mean.error + own * np.abs(mean.value))

    def excess(self, mode: int, broadening: float, fermi_level: float, index: int) -> FiniteWave:
        """The integrand of one wave, polarisations added up with their excess."""
        integrand = self._at(float(self.modes.along[mode]), broadening, fermi_level, index)
        return eqx.tree_at(lambda tree: tree.quanta, integrand, self.modes.excess[index, :, mode] @ integrand.quanta)

    def _at(self, q: float, broadening: float, fermi_level: float, index: int) -> FiniteWave:
        temperature = float(self.problem.state.temperature[index])
        integrand = at_wave(self.problem, self.modes, self.pump, q, broadening, fermi_level, temperature)
        alike = self.alike()
        fewer = integrand.vertex[:, : alike.shape[1]], integrand.quanta @ jnp.asarray(alike)
        return eqx.tree_at(lambda tree: (tree.vertex, tree.quanta), integrand, fewer)

    def _mean(self, integrand: FiniteWave, numerics: Numerics) -> ZoneMean:
        block = affordable_block(integrand.electrons, numerics.block)
        return resolved_mean(integrand, numerics, block, self.mirrors(), resonant=True)


def wave_sum(problem: Problem, pump: Pump) -> WaveSum:
    """The phonons of the problem's drive; raises `InputError` for observables or waves that are not computed."""
    check_time_reversal(problem)
    _check_along(problem)
    electrons = problem.electrons
    modes = acoustic(problem).modes(electrons.crystal, problem.state.temperature)

    @functools.cache
    def generic() -> FiniteWave:
        """Any state and wave show what is common to all."""
        state = _GENERIC_BROADENING, band_centre(electrons), _GENERIC_TEMPERATURE
        anywhere = float(modes.along[modes.along.size // 3])  # not at the boundary of the zone, where q and -q meet
        return at_wave(problem, modes, pump, anywhere, *state)

    @functools.cache
    def mirrors() -> tuple[bool, ...]:
        return _even_axes(generic())

    return WaveSum(problem, modes, pump, mirrors, functools.cache(lambda: _alike(generic())))


def _alike(integrand: FiniteWave) -> np.ndarray:
    """(polarisation, computed): one column with signs if all moments are the same at every k but for their signs.

    A mirror that contains q makes them so for the two chiralities.
    """
    polarisations = integrand.quanta.shape[0]
    moments = _moments(integrand, _random_phases(integrand)).reshape(_PROBES, polarisations, -1)
    for signs in itertools.product((1.0, -1.0), repeat=polarisations - 1):
        column = np.array([1.0, *signs])[:, None]
        if _same(moments, column * moments[:, :1]):
            return column
    return np.eye(polarisations)


def _even_axes(integrand: FiniteWave) -> tuple[bool, ...]:
    """Axes along which all moments are even."""
    phases = _random_phases(integrand)
    moments, axes = _moments(integrand, phases), np.arange(phases.shape[1])
    return tuple(_same(moments, _moments(integrand, np.where(axes == axis, np.conj(phases), phases))) for axis in axes)


def _random_phases(integrand: FiniteWave) -> np.ndarray:
    return np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=(_PROBES, integrand.half.shape[0])))


def _moments(integrand: FiniteWave, phases: np.ndarray) -> np.ndarray:
    return np.asarray(at_phases(integrand, jnp.asarray(phases)))


def _same(moments: np.ndarray, others: np.ndarray) -> bool:
    return np.allclose(moments, others, rtol=0.0, atol=_SAME * float(np.max(np.abs(moments))))


def at_wave(
    problem: Problem, modes: Modes, pump: Pump, q: float, broadening: float, fermi_level: float, temperature: float
) -> FiniteWave:
    """The integrand of m_q, one row per polarisation; no new compilation."""
    electrons, branch, count = problem.electrons, acoustic(problem).branch, modes.polarisation.shape[0]
    along, polarisation = np.asarray(direction_vector(branch.direction)), np.asarray(modes.polarisation)
    everywhere = np.repeat(polarisation[:, None], electrons.crystal.sites, axis=1)
    vertices, observables, half = in_sector_order(problem, jnp.asarray(q * along), jnp.asarray(everywhere))
    frequency = float(branch.frequency(q))
    quanta = np.eye(count) / (2.0 * float(branch.mass) * frequency)
    width, level, kelvin = (jnp.asarray(x, dtype=jnp.float64) for x in (broadening, fermi_level, temperature))
    return FiniteWave(
        electrons,
        vertices[None],
        observables,
        half,
        jnp.asarray(quanta),
        jnp.asarray([frequency]),
        width,
        level,
        kelvin,
        lattice_steps(electrons),
        pump,
    )


def _separated(polarisations: int) -> Float[np.ndarray, "row polarisation"]:
    """What of m_q changes sign with the chirality, and what does not.

    A thermal drive has nearly as many phonons of both; the errors of their moments cancel as the moments do.
    """
    return np.array([[0.5, -0.5], [0.5, 0.5]]) if polarisations == 2 else np.eye(polarisations)


def _added(means: list[ZoneMean]) -> ZoneMean:
    value, error = (np.sum([getattr(mean, name) for mean in means], axis=0) for name in ("value", "error"))
    points, converged = sum(mean.points for mean in means), all(mean.converged for mean in means)
    rule = " and ".join(sorted({mean.rule for mean in means}))
    return ZoneMean(value, error, means[-1].shape, points, converged, rule)


def _check_along(problem: Problem) -> None:
    if isinstance(problem.drive, ThermalInjection) and problem.drive.q_domain != "line":
        raise InputError(
            f"Argument `drive` must hold waves along its direction only here, but `q_domain` is "
            f"'{problem.drive.q_domain}', whose oblique waves are defined in the long-wave approximation only. "
            "Set q_domain='line'."
        )
