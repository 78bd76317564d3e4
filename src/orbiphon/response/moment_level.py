"""The moment per phonon of the degenerate modes at one q as a matrix, by any second-order method.

A quantum of sum_i alpha_i e_i, e_i the modes of a level, pumps sum_ij alpha_i* m_ij alpha_j. The waves e_i, and for
each pair (e_i + e_j)/sqrt 2 and (e_i + i e_j)/sqrt 2, tell the matrix:

    m_ij = [m(e_i + e_j) - (m_ii + m_jj)/2] - i [m(e_i + i e_j) - (m_ii + m_jj)/2].

Its trace, the sum over the level, depends on no choice of modes.
"""

import itertools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.crystal import Crystal
from orbiphon.drives import AbstractModeDrive, OneMode, Waves
from orbiphon.errors import InputError
from orbiphon.response.method import AbstractMethod
from orbiphon.response.problem import Numerics, Problem, one_state
from orbiphon.response.self_energy import PhononMoment


class Superpositions(AbstractModeDrive):
    """One quantum each of superpositions of the modes of one level: `parts` (wave mode)."""

    one: OneMode
    parts: Complex[Array, "wave level"]

    def waves(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Waves:
        """One wave for each."""
        modes, level = self.one.level()
        count, which = self.parts.shape[0], np.array(level)
        return Waves(
            q=jnp.tile(modes.q, (count, 1)),
            frequency=jnp.full(count, modes.frequency[0, self.one.mode]),
            displacement=jnp.tensordot(self.parts, modes.displacement[0, which], axes=1),
            excess=jnp.ones((temperature.shape[0], count)),
        )


def level_moment(problem: Problem, drive: OneMode, method: AbstractMethod, numerics: Numerics) -> PhononMoment:
    """m_ij[O] between the modes that are degenerate with that of `drive`, in their circular basis.

    **Raises:** `InputError` for several states, or a method that knows no such waves.
    """
    fermi_level = one_state(problem)
    _, level = drive.level()
    size = len(level)
    pairs = list(itertools.combinations(range(size), 2))
    unit = np.eye(size, dtype=complex)
    parts = [*unit, *((unit[i] + phase * unit[j]) / np.sqrt(2.0) for i, j in pairs for phase in (1.0, 1j))]
    mixed = Superpositions(drive, jnp.asarray(np.array(parts)))
    prepared = method.prepare(eqx.tree_at(lambda p: p.drive, problem, mixed))
    if prepared.per_phonon is None:
        raise InputError(
            f"Method `{method.name}` must know waves on the modes of a crystal, but does not. Use Keldysh with a "
            "broadening > 0, Adiabatic, Berry or Perturbation."
        )
    found = prepared.per_phonon(fermi_level, 0, numerics)
    value, error = np.zeros((found.value.shape[1], size, size), complex), np.zeros((found.value.shape[1], size, size))
    for i in range(size):
        value[:, i, i], error[:, i, i] = found.value[i], found.error[i]
    for number, (i, j) in enumerate(pairs):
        first, second = (found.value[size + 2 * number + k] - (found.value[i] + found.value[j]) / 2 for k in (0, 1))
        value[:, i, j], value[:, j, i] = first - 1j * second, first + 1j * second
        error[:, i, j] = error[:, j, i] = np.sum(found.error[[i, j, size + 2 * number, size + 2 * number + 1]], axis=0)
    return PhononMoment(value, error, tuple(o.name for o in problem.observables), bool(np.all(found.converged)))
