"""Long waves in crystals of many bands or hoppings, as from first principles: all states of a problem at once.

The same sum as `long_wave` with the conserving kernel. One eigensystem at each k serves all Fermi levels and
temperatures (`many_bands`), and the crystal's symmetry folds the zone.
"""

import functools

import jax.numpy as jnp
import numpy as np

from orbiphon.electrons import TightBinding
from orbiphon.phonons import direction_vector
from orbiphon.response.long_wave import acoustic, check_time_reversal
from orbiphon.response.method import Prepared
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.scan import folded_mean, many_bands
from orbiphon.zone import ZoneMean

_ORBITALS, _CELLS = 6, 64


def has_many(electrons: TightBinding) -> bool:
    """Whether three-dimensional electrons have more coupled orbitals, or lattice vectors, than models have."""
    most = max(len(sector) for sector in electrons.sectors)
    return electrons.crystal.lattice.dim == 3 and (most > _ORBITALS or len(electrons.cells) > _CELLS)


def prepare_many(problem: Problem, broadening: float, words: str) -> Prepared:
    """The conserving method for `broadening` > 0, order 2. All states are computed when the first is asked for."""
    check_time_reversal(problem)
    electrons = problem.electrons
    drive = acoustic(problem)
    modes = drive.modes(electrons.crystal, problem.state.temperature)
    strength = np.asarray(jnp.sum(modes.excess * modes.along[None, None] ** 2, axis=-1)) / (
        2.0 * float(drive.branch.mass)
    )
    relative = np.max(np.asarray(modes.excess_error), axis=-1)
    direction = direction_vector(drive.branch.direction)
    strain = jnp.stack(
        [
            problem.coupling.strain(direction, jnp.tile(e[None], (electrons.crystal.sites, 1)))
            for e in modes.polarisation
        ]
    )
    observables = jnp.stack([o.matrix for o in problem.observables])
    temperatures = np.asarray(problem.state.temperature)

    @functools.lru_cache(maxsize=1)
    def all_states(levels: tuple[tuple[float, int], ...], numerics: Numerics) -> ZoneMean:
        states = np.array([[level, temperatures[index]] for level, index in levels])
        return folded_mean(many_bands(electrons, strain, observables, broadening, states), numerics)

    def moments(level: float, index: int, numerics: Numerics) -> ZoneMean:
        levels = ((level, index),)
        if problem.state.fermi_level is not None:
            levels = tuple((float(x), i) for x in problem.state.fermi_level for i in range(len(temperatures)))
        mean = all_states(levels, numerics)
        shape = (len(levels), len(strain), len(observables))
        here = levels.index((level, index))
        value, error = (x.reshape(shape)[here] for x in (mean.value, mean.error))
        met = mean.converged or bool(np.all(error <= np.maximum(numerics.atol, numerics.rtol * np.abs(value))))
        value, error = (
            strength[index] @ value,
            np.abs(strength[index]) @ error + relative[index] * np.abs(strength[index] @ value),
        )
        return ZoneMean(value, error, mean.shape, mean.points, met)

    return Prepared(moments, words)
