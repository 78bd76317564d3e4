"""The moment per phonon of the two modes at one q, which are degenerate, as a matrix.

Whatever is of second order in the displacement is a hermitian form in it. A quantum of alpha_+ e_+ + alpha_- e_-, where
e_+ and e_- are the circular polarisations of chirality +1 and -1, pumps

    m = sum_ij alpha_i* m_ij alpha_j,        sum_i |alpha_i|^2 = 1.

Two circular and two linear waves, e_1 = (e_+ + e_-)/sqrt 2 and (e_+ + i e_-)/sqrt 2, linear at -45 degrees, tell the
matrix, by any method:

    m_+- = [m(e_1) - (m_++ + m_--)/2] - i [m(-45 degrees) - (m_++ + m_--)/2] = m_-+*.

Between other polarisations, e'_j = sum_i e_i A_ij, it is A^+ m A; its trace does not change. If the modes are not
degenerate, or hold no phase between each other, only the diagonal counts.
"""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.crystal import Crystal
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.drives import AbstractDrive, OneMode
from orbiphon.drives.modes import Modes
from orbiphon.errors import InputError
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response.answer import Answer
from orbiphon.response.method import AbstractMethod
from orbiphon.response.moment_level import level_moment
from orbiphon.response.problem import Numerics, Problem
from orbiphon.response.self_energy import PhononMoment, one_mode
from orbiphon.response.solve import solve

_NOUGHT = 1e-6  # of the largest moment: an observable below has no size of its own


class PolarisedPhonon(AbstractDrive):
    """One quantum per cell of any unit `polarisation` at `q` along the branch's direction."""

    branch: AcousticBranch
    q: Float[Array, ""]
    polarisation: Complex[Array, "xyz"]

    def modes(self, crystal: Crystal, temperature: Float[Array, "temperature"]) -> Modes:
        """That mode, with one quantum at every temperature."""
        return Modes(
            along=self.q[None],
            frequency=self.branch.frequency(self.q)[None],
            polarisation=self.polarisation[None],
            excess=jnp.ones((temperature.shape[0], 1, 1)),
            excess_error=jnp.zeros((temperature.shape[0], 1)),
        )


def moment_per_phonon(problem: Problem, method: AbstractMethod, numerics: Numerics | None = None) -> PhononMoment:
    """m_q[O] between the degenerate modes at the q of a `OnePhonon` or `OneMode`, for each observable of the problem.

    The modes are the chiralities (+1, -1) of an acoustic branch, or the circular modes of a crystal's level.

    The diagonal is what `solve` gives for either chirality; a wave alpha_+ e_+ + alpha_- e_- (elliptical, linear) pumps
    alpha^+ m alpha per quantum. Each element is known to `rtol` of the largest one.

    **Arguments:** a problem of order 2 whose drive is one mode (its chirality does not matter: all are computed) and
    whose state has one Fermi level (eV) and one temperature (K); a second-order method.

    **Raises:** `InputError` for another drive, order or method, or several states.
    """
    if problem.order != 2:
        raise InputError(f"Argument `problem` must be of order 2 here, but is of {problem.order}. Set order=2.")
    numerics = Numerics() if numerics is None else numerics
    if isinstance(problem.drive, OneMode):
        return level_moment(problem, problem.drive, method, numerics)
    drive, _ = one_mode(problem)

    def quantum(polarisation: Complex[Array, "xyz"], numerics: Numerics) -> Answer:
        polarised = PolarisedPhonon(drive.branch, drive.q, polarisation)
        return solve(eqx.tree_at(lambda p: p.drive, problem, polarised), method, numerics)

    waves = four_waves(drive.branch.direction)
    circular = [quantum(e, numerics) for e in waves[:2]]
    sizes = np.max([np.abs(answer.value[0, 0]) for answer in circular], axis=0)
    least = numerics.rtol * float(np.min(sizes[sizes >= _NOUGHT * np.max(sizes)]))
    loose = dataclasses.replace(numerics, atol=max(numerics.atol, least))
    linear = [quantum(e, loose) for e in waves[2:]]

    values, errors = (
        np.stack([getattr(answer, part)[0, 0] for answer in (*circular, *linear)]) for part in ("value", "error")
    )
    blur = errors[2] + errors[3] + (errors[0] + errors[1]) / np.sqrt(2.0)
    return PhononMoment(
        hermitian_form(*values),
        _matrices(errors[0], blur, blur, errors[1]),
        tuple(o.name for o in problem.observables),
        all(bool(answer.converged.all()) for answer in (*circular, *linear)),
    )


def four_waves(direction: str | ArrayLike) -> list[Complex[Array, "xyz"]]:
    """The polarisations e_+, e_-, e_1 and -45 degrees."""
    plus, minus = (circular_polarisation(direction, chirality) for chirality in (1, -1))
    return [plus, minus, *((plus + phase * minus) / 2.0**0.5 for phase in (1.0 + 0.0j, 1.0j))]


def hermitian_form(
    plus: Float[np.ndarray, "..."],
    minus: Float[np.ndarray, "..."],
    first: Float[np.ndarray, "..."],
    oblique: Float[np.ndarray, "..."],
) -> Complex[np.ndarray, "... 2 2"]:
    """The matrix from the moments of `four_waves`."""
    mean = 0.5 * (plus + minus)
    across = (first - mean) - 1j * (oblique - mean)
    return _matrices(plus.astype(complex), across, np.conj(across), minus.astype(complex))


def _matrices(*elements: np.ndarray) -> np.ndarray:
    """(..., 2, 2) from the four elements, row by row."""
    return np.stack(elements, axis=-1).reshape(*elements[0].shape, 2, 2)
