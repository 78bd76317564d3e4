"""The second order of all waves of a drive: sum over q and polarisations of excess times the moment per phonon m_q.

A few waves are added up one by one. Of many along a line (thermal phonons) m_q/q is interpolated as a function of the
cube root of q: at small q there are resonances too, and they are narrower. Between 9 equispaced points of a panel it is
their polynomial, and from every second one for the error; the panel with the largest error is cut in two, which keeps
its points. m_q falls by orders of magnitude from q = 0 on and changes sign, so that no fixed rule would do. Each m_q is
known to a part of what the whole sum is asked for.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.drives import ThermalInjection
from orbiphon.drives.modes import Modes
from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import lattice_steps
from orbiphon.errors import InputError
from orbiphon.phonons import direction_vector
from orbiphon.response.finite_wave import FiniteWave, Pump
from orbiphon.response.integrand import ELEMENTS, affordable_block, resolved_mean
from orbiphon.response.long_wave import acoustic, check_time_reversal
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.wave_vertex import lattice_phases, wave_vertex
from orbiphon.zone import ZoneMean, at_phases, find_mirrors
from orbiphon.zone.progress import tell
from orbiphon.zone.together import together

_FEW = 8  # waves that are added up one by one
_GENERIC_BROADENING, _GENERIC_TEMPERATURE = 0.1, 1000.0
_PANEL, _MOST_PANELS = 8, 64
_PROBES, _SAME = 32, 1e-12  # random wave vectors that tell whether polarisations are alike; relative rounding
_SURE = 3.0  # times the root of the sum of squares of errors that have nothing to do with each other
_EACH = 0.8  # of the tolerance for every m_q: where 50 of them make the sum, its error is a third of that
_LEAST_EACH = 0.05  # where few of them do, each must be better
_FIRST_GUESS = 0.1  # relative tolerance of the m_q that tell the size of the sum


class WaveSum(NamedTuple):
    """The waves of a drive, and the integrand of m_q, whose wave and state are still to be set.

    `mirrors()` are the axes along which it is even, and `alike()` (polarisation, computed) makes the moments of all
    polarisations from those that must be computed; both are looked for when first asked.
    """

    problem: Problem
    modes: Modes
    template: FiniteWave
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

        mean = interpolated_sum(per_phonon, along, excess, numerics)
        own = float(np.max(np.asarray(self.modes.excess_error[index])))
        return mean._replace(error=mean.error + own * np.abs(mean.value))

    def excess(self, mode: int, broadening: float, fermi_level: float, index: int) -> FiniteWave:
        """The integrand of one wave, polarisations added up with their excess."""
        integrand = self._at(float(self.modes.along[mode]), broadening, fermi_level, index)
        return eqx.tree_at(lambda tree: tree.quanta, integrand, self.modes.excess[index, :, mode] @ integrand.quanta)

    def _at(self, q: float, broadening: float, fermi_level: float, index: int) -> FiniteWave:
        temperature = float(self.problem.state.temperature[index])
        integrand = at_wave(self.problem, self.modes, self.template, q, broadening, fermi_level, temperature)
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
    order, polarisations = sector_order(electrons), modes.polarisation.shape[0]
    observables = jnp.stack([o.matrix for o in problem.observables])[:, order[:, None], order[None, :]]
    template = FiniteWave(
        electrons,
        jnp.zeros((1, polarisations, *electrons.hopping.shape), complex),
        observables,
        jnp.ones(electrons.crystal.lattice.dim, complex),
        jnp.eye(polarisations),
        jnp.zeros(1),
        jnp.zeros(()),
        jnp.zeros(()),
        jnp.zeros(()),
        lattice_steps(electrons),
        pump,
    )

    @functools.cache
    def generic() -> FiniteWave:
        """Any state and wave show what is common to all."""
        centre = float(jnp.mean(jnp.linalg.eigvalsh(electrons.hamiltonian(jnp.zeros(3)))))
        state = _GENERIC_BROADENING, centre, _GENERIC_TEMPERATURE
        anywhere = float(modes.along[modes.along.size // 3])  # not at the boundary of the zone, where q and -q meet
        return at_wave(problem, modes, template, anywhere, *state)

    @functools.cache
    def mirrors() -> tuple[bool, ...]:
        return find_mirrors(generic(), electrons.crystal.lattice.dim, affordable_block(electrons, ELEMENTS))

    return WaveSum(problem, modes, template, mirrors, functools.cache(lambda: _alike(generic())))


def _alike(integrand: FiniteWave) -> np.ndarray:
    """(polarisation, computed): one column with signs if all moments are the same at every k but for their signs.

    A mirror that contains q makes them so for the two chiralities.
    """
    dim, polarisations = integrand.half.shape[0], integrand.quanta.shape[0]
    phases = np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=(_PROBES, dim)))
    moments = np.asarray(at_phases(integrand, jnp.asarray(phases))).reshape(_PROBES, polarisations, -1)
    for signs in itertools.product((1.0, -1.0), repeat=polarisations - 1):
        column = np.array([1.0, *signs])[:, None]
        if np.allclose(moments, column * moments[:, :1], rtol=0.0, atol=_SAME * float(np.max(np.abs(moments)))):
            return column
    return np.eye(polarisations)


def at_wave(
    problem: Problem,
    modes: Modes,
    template: FiniteWave,
    q: float,
    broadening: float,
    fermi_level: float,
    temperature: float,
) -> FiniteWave:
    """The integrand of m_q, one row per polarisation; no new compilation."""
    electrons, branch = problem.electrons, acoustic(problem).branch
    wave_vector = q * direction_vector(branch.direction)
    frequency = branch.frequency(q)
    values = (
        _vertex(problem, wave_vector, modes.polarisation)[None],
        lattice_phases(electrons, 0.5 * wave_vector),
        jnp.eye(modes.polarisation.shape[0]) / (2.0 * branch.mass * frequency),
        frequency[None],
        *(jnp.asarray(x, dtype=jnp.float64) for x in (broadening, fermi_level, temperature)),
    )
    names = ("vertex", "half", "quanta", "frequency", "broadening", "fermi_level", "temperature")
    return eqx.tree_at(lambda tree: tuple(getattr(tree, name) for name in names), template, values)


def _vertex(
    problem: Problem, q: Float[Array, "xyz"], polarisation: Complex[Array, "polarisation xyz"]
) -> Complex[Array, "polarisation cell orbital orbital"]:
    order = sector_order(problem.electrons)
    vertices = jnp.stack([wave_vertex(problem, q, e) for e in polarisation])
    return vertices[:, :, order[:, None], order[None, :]]


def interpolated_sum(
    per_phonon: Callable[[float, float, float], ZoneMean],
    along: Float[np.ndarray, "q"],
    excess: Float[np.ndarray, "polarisation q"],
    numerics: Numerics,
) -> ZoneMean:
    """Sum of excess m_q; `per_phonon(q, rtol, atol)` gives m_q (polarisation observable), flattened.

    Instead of polarisations, any combinations of them, with the excess that belongs to each.
    """

    def tolerance(total: np.ndarray) -> float:
        wanted = np.maximum(numerics.atol, numerics.rtol * np.abs(total))
        return float(np.min(np.where(wanted > 1e-6 * np.max(wanted), wanted, np.max(wanted)), initial=np.inf))

    line, panels, each = _Line(per_phonon, along, excess), [_Panel(0.0, 1.0)], _EACH
    points = line.ask(panels, _FIRST_GUESS, 0.0)
    points += line.ask(panels, each * numerics.rtol, each * tolerance(line.estimate(panels[0])[0]))
    while True:
        parts = [line.estimate(panel) for panel in panels]
        total, gap, squares = (np.sum([part[i] for part in parts], axis=0) for i in range(3))
        wanted, noise = tolerance(total), _SURE * np.sqrt(squares)
        reached = bool(np.all(gap + noise <= wanted))
        if np.all(gap <= 0.5 * wanted):
            if reached or each < _LEAST_EACH:
                break
            each /= 2.0
            asked = panels
        elif len(panels) < _MOST_PANELS:
            worst = panels.pop(int(np.argmax([np.max(part[1]) for part in parts])))
            asked = worst.halves()
            panels += asked
        else:
            break
        points += line.ask(asked, each * numerics.rtol, each * wanted)
    rule = " and ".join(sorted({mean.rule for mean in line.known.values()}))
    return ZoneMean(total, gap + noise, next(iter(line.known.values())).shape, points, reached, rule)


class _Line:
    """The waves of a line, at places that go from 0 to 1 with the cube root of q, and the m_q `known` so far."""

    def __init__(
        self,
        per_phonon: Callable[[float, float, float], ZoneMean],
        along: Float[np.ndarray, "q"],
        excess: Float[np.ndarray, "polarisation q"],
    ) -> None:
        roots = np.cbrt(along)
        self.per_phonon, self.first, self.length = per_phonon, roots.min(), np.ptp(roots)
        self.places = (roots - self.first) / self.length
        self.weight = excess * along[None]  # of m_q/q
        self.scale = float(np.sum(np.abs(self.weight)))
        self.known: dict[float, ZoneMean] = {}

    def q_at(self, place: float) -> float:
        """Wave vector, 1/angstrom."""
        return float((self.first + self.length * place) ** 3)

    def estimate(self, panel: "_Panel") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sum over a panel, the error of its interpolation and the square of that of its m_q."""
        inside, known = panel.holds(self.places), [(self.known[x], self.q_at(x)) for x in panel.points]
        values = np.stack([mean.value / q for mean, q in known]).reshape(_PANEL + 1, len(self.weight), -1)
        errors = np.stack([mean.error / q for mean, q in known]).reshape(values.shape)
        fine, coarse = (self.weight[:, inside] @ panel.interpolation(self.places[inside], step) for step in (1, 2))
        total = np.einsum("pj,jpo->o", fine, values)
        return (
            total,
            np.abs(total - np.einsum("pj,jpo->o", coarse, values[::2])),
            np.einsum("pj,jpo->o", fine**2, errors**2),
        )

    def ask(self, panels: Sequence["_Panel"], rtol: float, tolerance: float) -> int:
        """The m_q at the points of panels, unless they are known well enough; returns the evaluations in the zone."""

        def atol(x: float) -> float:
            return self.q_at(x) * tolerance / self.scale

        def unknown(x: float) -> bool:
            mean = self.known.get(x)
            return mean is None or bool(np.any(mean.error > np.maximum(atol(x), rtol * np.abs(mean.value))))

        wanted = [x for x in dict.fromkeys(x for panel in panels for x in panel.points) if unknown(x)]
        found = together(lambda x: self.per_phonon(self.q_at(x), rtol, atol(x)), wanted)
        for done, (x, mean) in enumerate(zip(wanted, found, strict=True)):
            self.known[x] = mean
            tell(f"wave vectors, {len(wanted)} more", done + 1, len(wanted))
        return sum(self.known[x].points for x in wanted)


@dataclasses.dataclass(frozen=True)
class _Panel:
    """Part of the line, whose places go from 0 to 1 with the cube root of q."""

    low: float
    high: float

    @property
    def points(self) -> list[float]:
        """Equispaced, the ends included; free of rounding."""
        return [self.low + (self.high - self.low) * i / _PANEL for i in range(_PANEL + 1)]

    def halves(self) -> tuple["_Panel", "_Panel"]:
        """Both halves; their points are those of the whole and the ones between."""
        middle = self.points[_PANEL // 2]
        return _Panel(self.low, middle), _Panel(middle, self.high)

    def holds(self, places: np.ndarray) -> np.ndarray:
        """Which places are inside; of the ends, the upper one is, and the beginning of the line."""
        return ((places > self.low) | (places == 0.0) & (self.low == 0.0)) & (places <= self.high)

    def interpolation(self, places: np.ndarray, step: int) -> Float[np.ndarray, "place point"]:
        """Lagrange's polynomials of every `step`-th point."""
        nodes = np.asarray(self.points[::step])
        others = ~np.eye(nodes.size, dtype=bool)
        apart = [
            (places[:, None] - nodes[None, keep]) / (node - nodes[None, keep])
            for node, keep in zip(nodes, others, strict=True)
        ]
        return np.stack([np.prod(factors, axis=1) for factors in apart], axis=1)


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


def sector_order(electrons: TightBinding) -> np.ndarray:
    """The orbitals, sector after sector."""
    return np.array([orbital for sector in electrons.sectors for orbital in sector])
