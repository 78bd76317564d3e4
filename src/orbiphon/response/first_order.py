"""First order in the displacement: the moment that oscillates with a coherent wave.

For u = Re{U e exp(i q r - i omega t)} the local moment is O(r, t) = Re{X exp(i q r - i omega t)} with

    X = (1/N) sum_k sum_ab O_ba g_ab(k, q; U e) Pi(e_a(k+q), e_b(k); omega),

`a` a state at k + q and `b` one at k. A method is one choice of Pi. With the same broadening in every Green's function,

    Pi(a, b; omega) = (i/2 pi) int de { f(e - omega) R_a(e) R_b(e - omega) - f(e) A_a(e) A_b(e - omega)
                                        + [f(e) - f(e - omega)] R_a(e) A_b(e - omega) },

which for broadening -> 0 is [f(e_b) - f(e_a)]/(omega + e_b - e_a + i0): (S84). For long waves, g = q gamma(k), both
states are at k and Pi is expanded to first order in omega; the constant term is the response of the quadrupoles (S89),
the linear one that of the angular momentum (18).
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.drives import AbstractDrive, AbstractModeDrive, CoherentMode, CoherentWave, DrivenMode
from orbiphon.electrons import TightBinding
from orbiphon.electrons.bloch import BlochSum, lattice_steps, rotated
from orbiphon.electrons.structure import Steps
from orbiphon.errors import InputError
from orbiphon.fermi import fermi
from orbiphon.phonons import direction_vector
from orbiphon.response.integrand import AbstractStateIntegrand, affordable_block, resolved_mean
from orbiphon.response.kernels import POWERS
from orbiphon.response.limit import at_zero_broadening
from orbiphon.response.method import Prepared
from orbiphon.response.pairs import doubled, jets, over, pair
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.wave_vertex import lattice_phases, orbital_phases, site_vertex
from orbiphon.response.weighing import weighing
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean

Susceptibility = Callable[[Array, Array, Array, Array, Array, Array], Array]
"""Pi (... a b) in 1/eV from e_a (... a), e_b (... b), all bands, frequency, broadening, fermi_level and temperature."""


def conserving(
    e_a: Float[Array, "... band"],
    e_b: Float[Array, "... band"],
    frequency: Float[Array, ""],
    broadening: Float[Array, ""],
    fermi_level: Float[Array, ""],
    temperature: Float[Array, ""],
) -> Complex[Array, "... band band"]:
    """Pi at any frequency. With H of docs/theory.md 5.2 and {H}_a = H(a) - H(a - w), {H}_b = H(b + w) - H(b),

    Pi = (i/2 pi) (H[a - w, b] - H[a, b + w]* + ({H}_b* - {H}_a)/(e_b + w - e_a + 2 i Gamma)).
    """
    unit = 2.0 * np.pi * k_B * temperature
    w, width = frequency / unit, broadening / unit
    x_a, x_b = (e_a - fermi_level) / unit, (e_b - fermi_level) / unit
    below_a, a, b, above_b = jets((x_a - w, x_a, x_b, x_b + w), width)
    sea = pair(below_a.column, b.row) - jnp.conj(pair(a.column, above_b.row))
    rise_a, rise_b = (w.astype(complex) * pair(*both) for both in ((below_a, a), (b, above_b)))
    jump = jnp.conj(rise_b)[..., None, :] - rise_a[..., :, None]
    detuning = (x_a[..., :, None] - x_b[..., None, :]) - w
    return 0.5j / np.pi * (sea - jump * over(detuning, width)) / unit.astype(complex)


def conserving_low_frequency(
    e_a: Float[Array, "... band"],
    e_b: Float[Array, "... band"],
    frequency: Float[Array, ""],
    broadening: Float[Array, ""],
    fermi_level: Float[Array, ""],
    temperature: Float[Array, ""],
) -> Complex[Array, "... band band"]:
    """Pi to first order in the frequency:

    Pi = -Im H[a, b]/pi - (i w/2 pi) (H[a, a, b] + H[a, b, b]* - (H'(b)* - H'(a))/(e_b - e_a + 2 i Gamma)).
    """
    unit = 2.0 * np.pi * k_B * temperature
    x_a, x_b, width = (e_a - fermi_level) / unit, (e_b - fermi_level) / unit, broadening / unit
    a, b = jets((x_a, x_b), width)
    a, b = a.column, b.row
    first = pair(a, b)
    sea = doubled(a, b, first) + jnp.conj(doubled(b, a, first))
    jump = jnp.conj(b.slope) - a.slope
    moving = -0.5j / np.pi * (sea + jump * over(a.x - b.x, width))
    static = -first.imag / np.pi
    return (static / unit).astype(complex) + (frequency / unit**2).astype(complex) * moving


def _published(powers: Callable[[Array, Array], tuple[Array, Array]]) -> Susceptibility:
    def susceptibility(
        e_a: Array, e_b: Array, frequency: Array, broadening: Array, fermi_level: Array, temperature: Array
    ) -> Array:
        """(f_b - f_a) [1/E - omega/E^2] with E = e_b - e_a, broadened one by one: (18) and (S89)."""
        e_a, e_b = e_a[..., :, None], e_b[..., None, :]
        inverse, square = powers(e_b - e_a, broadening)
        occupation = fermi(e_b, fermi_level, temperature) - fermi(e_a, fermi_level, temperature)
        return (occupation * (inverse - frequency * square)).astype(complex)

    return susceptibility


PUBLISHED = {name: _published(powers) for name, powers in POWERS.items()}


class FirstOrder(AbstractStateIntegrand):
    """The integrand of X for each observable. `vertex` is g in real space; `shift` (dim,) are the phases of q, None for
    a long wave: then `a` and `b` are states at the same k."""

    electrons: TightBinding
    vertex: Complex[Array, "cell orbital orbital"]
    observables: Complex[Array, "observable orbital orbital"]
    shift: Complex[Array, "dim"] | None
    frequency: Float[Array, ""]
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    susceptibility: Susceptibility = eqx.field(static=True)
    steps: Steps = eqx.field(static=True)
    pairs: tuple[tuple[int, int], ...] = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[list[Array], list[Array], list[list[Array]]]:
        """Levels at k + q and at k; weights O_ba g_ab (observable, a, b) of each pair of sectors."""
        here = BlochSum(self.electrons, self.steps, phases)
        e_b, v_b = here.states()
        if self.shift is None:
            e_a, v_a = e_b, v_b
        else:
            e_a, v_a = BlochSum(self.electrons, self.steps, phases * self.shift).states()
        return e_a, e_b, [self._weight(here, v_a, v_b, pair) for pair in self.pairs]

    def respond(self, prepared: tuple[list[Array], list[Array], list[list[Array]]]) -> Complex[Array, "observable"]:
        """sum_ab O_ba g_ab Pi_ab."""
        above, below, weights = prepared
        total = jnp.zeros(self.observables.shape[0], complex)
        state = (self.frequency, self.broadening, self.fermi_level, self.temperature)
        response = self.susceptibility(jnp.concatenate(above), jnp.concatenate(below), *state)
        ends = np.cumsum([0, *(len(sector) for sector in self.electrons.sectors)])
        for (a, b), weight in zip(self.pairs, weights, strict=True):
            part = response[ends[a] : ends[a + 1], ends[b] : ends[b + 1]]
            total = total + jnp.stack([jnp.sum(w * part) for w in weight])
        return total

    def _weight(self, here: BlochSum, v_a: list[Array], v_b: list[Array], pair: tuple[int, int]) -> list[Array]:
        a, b = pair
        rows, columns = (self.electrons.sectors[sector] for sector in pair)
        vertex = rotated(here.block(self.vertex, rows, columns), v_a[a], v_b[b])
        index = (np.asarray(rows)[:, None], np.asarray(columns)[None, :])
        # O is hermitian: O_ba is the conjugate of the block (a, b)
        return [jnp.conj(rotated(o[index], v_a[a], v_b[b])) * vertex for o in self.observables]


def amplitude(problem: Problem, susceptibility: Susceptibility, *, long_wave: bool) -> FirstOrder:
    """The integrand of a coherent wave, its state still to be set by `at_state`."""
    electrons = problem.electrons
    observables = jnp.stack([o.matrix for o in problem.observables])
    if long_wave:
        drive = coherent(problem.drive)
        everywhere = jnp.tile(drive.displacement[None, :], (electrons.crystal.sites, 1))
        strain = problem.coupling.strain(direction_vector(drive.branch.direction), everywhere)
        vertex, shift, frequency = drive.q.astype(complex) * strain, None, drive.frequency
    else:
        wave = coherent_wave(problem)
        vertex, frequency = site_vertex(problem, wave.q, wave.displacement), wave.frequency
        observables = orbital_phases(electrons, wave.q)[None, :, None] * observables
        shift = lattice_phases(electrons, wave.q)
    zero, count = jnp.zeros(()), len(electrons.sectors)
    every = tuple((a, b) for a in range(count) for b in range(count))
    form = FirstOrder(
        electrons=electrons,
        vertex=vertex,
        observables=observables,
        shift=shift,
        frequency=frequency,
        broadening=zero,
        fermi_level=zero,
        temperature=zero,
        susceptibility=susceptibility,
        steps=lattice_steps(electrons),
        pairs=every,
    )
    used = weighing(lambda phases: _weight_sizes(form, phases), electrons.crystal.lattice.dim)
    return dataclasses.replace(form, pairs=tuple(itertools.compress(every, used)))


def at_state(form: FirstOrder, broadening: float, fermi_level: float, temperature: float) -> FirstOrder:
    """The integrand with its state set; no new compilation."""
    state = tuple(jnp.asarray(x, dtype=jnp.float64) for x in (broadening, fermi_level, temperature))
    return eqx.tree_at(lambda tree: (tree.broadening, tree.fermi_level, tree.temperature), form, state)


def prepare_first_order(
    problem: Problem, susceptibility: Susceptibility, broadening: float, words: str, *, long_wave: bool
) -> Prepared:
    """The amplitude X of a coherent wave; at zero broadening its limit."""
    form, electrons = amplitude(problem, susceptibility, long_wave=long_wave), problem.electrons

    def integrand(broadening: float, fermi_level: float, index: int) -> FirstOrder:
        return at_state(form, broadening, fermi_level, float(problem.state.temperature[index]))

    def moments(broadening: float, fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        block = affordable_block(electrons, numerics.block)
        return resolved_mean(integrand(broadening, fermi_level, index), numerics, block)

    if broadening == 0.0:
        return at_zero_broadening(problem, moments, words)
    return Prepared(
        lambda level, index, numerics: moments(broadening, level, index, numerics),
        words,
        lambda level, index: integrand(broadening, level, index),
    )


def coherent(drive: AbstractDrive | AbstractModeDrive) -> CoherentWave:
    """The drive, if it is a coherent acoustic wave; `InputError` otherwise."""
    if not isinstance(drive, CoherentWave):
        raise InputError(
            f"Argument `drive` must be a CoherentWave here, but is a {type(drive).__name__}: phonons without a phase "
            "have no first order and no amplitude. Use another method at order=2."
        )
    return drive


class PlaneWave(NamedTuple):
    """Re{U_s exp(i q (R + tau_s) - i omega t)}: `q` (xyz), `frequency` and `displacement` U (site xyz)."""

    q: Float[Array, "xyz"]
    frequency: Float[Array, ""]
    displacement: Complex[Array, "site xyz"]


def coherent_wave(problem: Problem) -> PlaneWave:
    """The one coherent wave of the problem's drive; `InputError` for phonons without a phase."""
    return plane_wave_of(problem, problem.drive)


def plane_wave_of(problem: Problem, drive: AbstractDrive | AbstractModeDrive) -> PlaneWave:
    """The one coherent wave of a drive, acoustic or of any mode; `InputError` for phonons without a phase."""
    crystal = problem.electrons.crystal
    if isinstance(drive, CoherentMode | DrivenMode):
        waves = drive.waves(crystal, problem.state.temperature[:1])
        return PlaneWave(waves.q[0], waves.frequency[0], drive.displacement)
    wave = coherent(drive)
    everywhere = jnp.tile(wave.displacement[None, :], (crystal.sites, 1))
    return PlaneWave(wave.q * direction_vector(wave.branch.direction), wave.frequency, everywhere)


@eqx.filter_jit
def _weight_sizes(form: FirstOrder, phases: Complex[Array, "k dim"]) -> Float[Array, "k pair"]:
    def at(phases: Complex[Array, "dim"]) -> Array:
        return jnp.stack([jnp.linalg.norm(jnp.stack(weight)) for weight in form.prepare(phases)[2]])

    return jax.vmap(at)(phases)
