"""A coherent wave of any amplitude."""

import dataclasses
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from orbiphon._checks import check_positive
from orbiphon.electrons.bloch import lattice_steps
from orbiphon.response.first_order import coherent_wave
from orbiphon.response.harmonics import Harmonics
from orbiphon.response.integrand import mean_difference, resolved_mean
from orbiphon.response.long_wave import check_time_reversal
from orbiphon.response.method import AbstractMethod, Prepared, with_extra_error
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.wave_vertex import lattice_phases, orbital_phases, site_vertex
from orbiphon.zone import ZoneMean

_ELEMENTS = 2**18  # of matrices at a time
_PROBES = 16


class Floquet(AbstractMethod):
    """No perturbation theory: the static moment (order 2) and the wave's own harmonic (order 1) at any amplitude.

    The coupling is linear in the displacement; the answer is not. Every Green's function has the same `broadening` (eV,
    > 0). At most `harmonics` phonons are gained or lost (>= 1); what one more would change is part of the error.
    Source: docs/theory.md 5.5.
    """

    broadening: float
    harmonics: int = eqx.field(static=True, default=2)
    name: ClassVar[str] = "floquet"
    orders: ClassVar[tuple[int, ...]] = (1, 2)

    def __check_init__(self):
        check_positive("broadening", self.broadening)
        check_positive("harmonics", self.harmonics)

    def prepare(self, problem: Problem) -> Prepared:
        """The chain of states k + n q."""
        form = _form(problem, self.harmonics)

        def integrand(fermi_level: float, index: int) -> Harmonics:
            state = (self.broadening, fermi_level, float(problem.state.temperature[index]))
            where = lambda tree: (tree.broadening, tree.fermi_level, tree.temperature)  # noqa: E731
            return eqx.tree_at(where, form, tuple(jnp.asarray(x, dtype=jnp.float64) for x in state))

        def moments(fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
            one = integrand(fermi_level, index)
            mean = _mean(one, numerics)
            return with_extra_error(mean, _truncation(one))

        words = f"coherent wave of any amplitude, up to {self.harmonics} phonons, conserving broadening"
        return Prepared(moments, words, integrand)


def _form(problem: Problem, harmonics: int) -> Harmonics:
    electrons, wave = problem.electrons, coherent_wave(problem)
    check_time_reversal(problem)
    observables = jnp.stack([o.matrix for o in problem.observables])
    zero = jnp.zeros(())
    return Harmonics(
        electrons,
        0.5 * site_vertex(problem, wave.q, wave.displacement),
        observables if problem.order == 2 else jnp.conj(orbital_phases(electrons, wave.q))[None, None, :] * observables,
        lattice_phases(electrons, wave.q),
        wave.frequency,
        zero,
        zero,
        zero,
        lattice_steps(electrons),
        harmonics,
        problem.order,
    )


def _mean(integrand: Harmonics, numerics: Numerics) -> ZoneMean:
    size = (2 * integrand.harmonics + 1) * integrand.electrons.size
    return resolved_mean(integrand, numerics, _ELEMENTS // size**2)


def _truncation(integrand: Harmonics) -> np.ndarray:
    """What one more phonon changes at a wave vector, on average over random ones."""
    more = dataclasses.replace(integrand, harmonics=integrand.harmonics + 1)
    return mean_difference(integrand, more, integrand.electrons.crystal.lattice.dim, _PROBES)
