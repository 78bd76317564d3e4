"""The long-wave second order, shared by the methods that differ in their kernel only."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.drives import AbstractDrive
from orbiphon.electrons.filling import band_centre, resolving_mesh
from orbiphon.electrons.symmetry import electron_symmetries
from orbiphon.errors import InputError
from orbiphon.phonons import direction_vector
from orbiphon.response.integrand import lies_in_gap, resolved_mean
from orbiphon.response.method import Prepared, with_extra_error
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.second_order import Kernel, SecondOrder, second_order
from orbiphon.response.selection import little_group
from orbiphon.zone import BLOCK, Integers, ZoneMean, common_mesh, find_mirrors, leaves_alone


def integrand(
    problem: Problem,
    kernel: Kernel,
    polarisation: Complex[Array, "polarisation xyz"],
    observables: Complex[Array, "observable orbital orbital"] | None = None,
) -> SecondOrder:
    """The second-order integrand of a problem, one row per polarisation, with unit weights; state still to be set.

    Of the problem's observables, or of other matrices."""
    check_time_reversal(problem)
    direction = direction_vector(acoustic(problem).branch.direction)
    sites = problem.electrons.crystal.sites
    strain = [problem.coupling.strain(direction, jnp.tile(e[None, :], (sites, 1))) for e in polarisation]
    if observables is None:
        observables = jnp.stack([o.matrix for o in problem.observables])
    return second_order(problem.electrons, jnp.stack(strain), observables, kernel)


def check_time_reversal(problem: Problem) -> None:
    """Only observables odd under time reversal: for others K(0) and the second derivative of H come first."""
    for o in problem.observables:
        if problem.order == 2 and o.time_reversal != -1:
            raise InputError(
                f"Argument `observables` must be odd under time reversal at order 2, but {o.name} is even. "
                "Ask for it at order 1, or for an angular momentum."
            )


def acoustic(problem: Problem) -> AbstractDrive:
    """The drive, if it is one of acoustic waves along one direction; `InputError` otherwise."""
    if not isinstance(problem.drive, AbstractDrive):
        raise InputError(
            f"Argument `drive` must hold acoustic waves (AcousticBranch) here, but is {type(problem.drive).__name__}, "
            "on the modes of a crystal. Use Keldysh, Adiabatic, Berry or Perturbation."
        )
    return problem.drive


def at_state(
    template: SecondOrder,
    quanta: Float[Array, "out polarisation"],
    broadening: float,
    fermi_level: float,
    temperature: float,
) -> SecondOrder:
    """The integrand with its state set; no new compilation."""
    state = (quanta, *(jnp.asarray(x, dtype=jnp.float64) for x in (broadening, fermi_level, temperature)))
    return eqx.tree_at(lambda tree: (tree.quanta, tree.broadening, tree.fermi_level, tree.temperature), template, state)


def zone_integral(
    integrand: SecondOrder,
    numerics: Numerics,
    mirrors: tuple[bool, ...] | None = None,
    operations: tuple[Integers, ...] = (),
    resonant: bool = False,
) -> ZoneMean:
    """Its zone mean, from a mesh that resolves broadening and temperature on, or adaptive if levels are `resonant`."""
    if not np.any(np.asarray(integrand.quanta)) or not integrand.triples:
        zeros = np.zeros(integrand.quanta.shape[0] * integrand.observables.shape[0])
        return ZoneMean(zeros, zeros, (), 0, True)
    block = affordable_block(integrand, numerics.block)
    return resolved_mean(integrand, numerics, block, mirrors, resonant, operations)


def affordable_block(integrand: SecondOrder, most: int) -> int:
    """Wave vectors at a time: `most` for one triple of bands, fewer for many, so that memory stays bounded."""
    sizes = [len(sector) for sector in integrand.electrons.sectors]
    terms = integrand.observables.shape[0] * sum(sizes[a] * sizes[b] * sizes[c] for a, b, c in integrand.triples)
    return max(most // max(terms, 1), min(most, _LEAST_BLOCK))


_LEAST_BLOCK = 64
_GENERIC_BROADENING, _GENERIC_TEMPERATURE = 0.1, 1000.0
_WORTH = 1.4  # times fewer points than with mirrors: else the plainer mesh is taken


class Folding(NamedTuple):
    """How the zone of an integrand is reduced: `mirrors`, axes along which it is even; or, where the little group of
    the drive has more, its `operations`, with the `template` of the observables projected onto what it allows."""

    template: SecondOrder
    mirrors: tuple[bool, ...]
    operations: tuple[Integers, ...]


class LongWave(NamedTuple):
    """The second order of a drive's long waves: sum_q excess m_q, m_q = q^2/(2M) times the mean of the integrand.

    `folding()` is looked for when first asked. `resonant`: without broadening, a kernel has poles where levels meet.
    """

    problem: Problem
    template: SecondOrder
    strength: Float[Array, "temperature polarisation"]
    relative_error: Float[np.ndarray, "temperature"]
    folding: Callable[[], Folding]
    resonant: bool = False

    def integrand(
        self, broadening: float, fermi_level: float, index: int, template: SecondOrder | None = None
    ) -> SecondOrder:
        """At (broadening, fermi_level, temperature index)."""
        temperature = float(self.problem.state.temperature[index])
        template = self.template if template is None else template
        return at_state(template, self.strength[index][None], broadening, fermi_level, temperature)

    def moments(self, broadening: float, fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        """Its zone mean, to a tolerance, with the error of the sum over q."""
        folding = self.folding()
        resonant = self.resonant and not lies_in_gap(self.integrand(broadening, fermi_level, index))
        if resonant:
            folding = Folding(self.template, folding.mirrors, ())
        integrand = self.integrand(broadening, fermi_level, index, folding.template)
        mean = zone_integral(integrand, numerics, *folding[1:], resonant)
        return with_extra_error(mean, np.abs(mean.value) * float(self.relative_error[index]))


def long_wave(problem: Problem, kernel: Kernel, resonant: bool = False) -> LongWave:
    """The phonons of the problem's drive, and the integrand with a method's kernel."""
    drive = acoustic(problem)
    modes = drive.modes(problem.electrons.crystal, problem.state.temperature)
    strength = jnp.sum(modes.excess * modes.along[None, None] ** 2, axis=-1) / (2.0 * drive.branch.mass)
    template = integrand(problem, kernel, modes.polarisation)

    def projected(observables: Complex[Array, "observable orbital orbital"]) -> SecondOrder:
        return integrand(problem, kernel, modes.polarisation, observables)

    error = np.max(np.asarray(modes.excess_error), axis=-1)
    folding = functools.cache(lambda: _folding(problem, template, strength[0][None], projected))
    return LongWave(problem, template, strength, error, folding, resonant)


def _folding(
    problem: Problem,
    template: SecondOrder,
    quanta: Float[Array, "1 polarisation"],
    projected: Callable[[Complex[Array, "observable orbital orbital"]], SecondOrder],
) -> Folding:
    """Mirrors of electrons, vertex and observables, which any state shows; or a group that leaves fewer points.

    Operations are found by symmetry, and the integrand is asked whether it obeys them: with time reversal it may not at
    each wave vector by itself.
    """
    electrons = problem.electrons
    state = quanta, _GENERIC_BROADENING, band_centre(electrons), _GENERIC_TEMPERATURE
    generic = at_state(template, *state)
    mirrors = find_mirrors(generic, electrons.crystal.lattice.dim, affordable_block(generic, BLOCK))
    symmetries = electron_symmetries(electrons)
    for reactive in (True, False):
        group = little_group(problem, symmetries, long_wave=True, reactive=reactive)
        turned = {tuple(map(tuple, (g.operation.cells * (-1 if g.time_reversal else 1)).tolist())) for g in group.kept}
        operations = tuple(sorted(turned, reverse=True))
        start = resolving_mesh(electrons, _GENERIC_BROADENING)
        if len(operations) * math.prod(start) / math.prod(common_mesh(start, operations)) < _WORTH * 2 ** sum(mirrors):
            break
        allowed = projected(jnp.asarray(np.stack([group.project(o.matrix) for o in problem.observables])))
        if not allowed.triples or leaves_alone(at_state(allowed, *state), operations):
            return Folding(allowed, mirrors, operations)
    return Folding(template, mirrors, ())


def prepare_long_wave(waves: LongWave, broadening: float, words: str) -> Prepared:
    """Long waves at one broadening."""
    return Prepared(
        lambda level, index, numerics: waves.moments(broadening, level, index, numerics),
        words,
        lambda level, index: waves.integrand(broadening, level, index),
    )
