"""The long-wave second order, shared by the methods that differ in their kernel only."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.electrons.filling import resolving_mesh
from orbiphon.errors import InputError
from orbiphon.phonons import direction_vector
from orbiphon.response.method import Prepared, with_extra_error
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.second_order import Kernel, SecondOrder, second_order
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean, zone_mean


def integrand(problem: Problem, kernel: Kernel, polarisation: Complex[Array, "polarisation xyz"]) -> SecondOrder:
    """The second-order integrand of a problem, one row per polarisation, with unit weights; state still to be set."""
    check_time_reversal(problem)
    direction = direction_vector(problem.drive.branch.direction)
    sites = problem.electrons.crystal.sites
    strain = [problem.coupling.strain(direction, jnp.tile(e[None, :], (sites, 1))) for e in polarisation]
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


def zone_integral(integrand: SecondOrder, numerics: Numerics, *, atol: float | None = None) -> ZoneMean:
    """Its zone mean, from a mesh that resolves broadening and temperature on."""
    if not np.any(np.asarray(integrand.quanta)) or not integrand.triples:
        zeros = np.zeros(integrand.quanta.shape[0] * integrand.observables.shape[0])
        return ZoneMean(zeros, zeros, (), 0, True)
    width = float(integrand.broadening) + np.pi * k_B * float(integrand.temperature)
    return zone_mean(
        integrand,
        start=resolving_mesh(integrand.electrons, width),
        rtol=numerics.rtol,
        atol=numerics.atol if atol is None else atol,
        max_points=numerics.max_points,
        block=numerics.block,
    )


def long_wave_moments(
    problem: Problem, kernel: Kernel, check: Callable[[SecondOrder], None] | None = None
) -> Callable[[float, float, int, Numerics], ZoneMean]:
    """Moments of a drive at (broadening, fermi_level, temperature index, numerics).

    They are sum_q excess m_q, with m_q = q^2/(2M) times the mean of the integrand, which `check` may refuse.
    """
    modes = problem.drive.modes(problem.electrons.crystal, problem.state.temperature)
    strength = jnp.sum(modes.excess * modes.along[None, None] ** 2, axis=-1) / (2.0 * problem.drive.branch.mass)
    template = integrand(problem, kernel, modes.polarisation)
    if check is not None:
        check(template)

    def moments(broadening: float, fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
        temperature = float(problem.state.temperature[index])
        mean = zone_integral(at_state(template, strength[index][None], broadening, fermi_level, temperature), numerics)
        return with_extra_error(mean, np.abs(mean.value) * float(jnp.max(modes.excess_error[index])))

    return moments


def prepare_long_wave(
    problem: Problem, kernel: Kernel, broadening: float, words: str, check: Callable[[SecondOrder], None] | None = None
) -> Prepared:
    """`long_wave_moments` at one broadening."""
    moments = long_wave_moments(problem, kernel, check)
    return Prepared(lambda level, index, numerics: moments(broadening, level, index, numerics), words)
