"""The magnetic moment of a phonon: how its frequency moves in a field.

Electrons dress a mode (q, e) of frequency omega by the self-energy

    Pi_ij = 1/(2 M omega) (1/N) sum_k sum_ab g^i_ab* g^j_ab Pi(e_a(k+q), e_b(k); omega),        g^i = g(k, q; e_i),

Pi(a, b; omega) that of `first_order`, and i, j two polarisations, say the circular ones of chirality +1 and -1. A field
that couples to O, H -> H - b O, moves the frequencies by the eigenvalues of b dPi/db, hermitian part, so

    p[O] = -d(Re Pi)/db

is the moment that the phonon shows to a field; with O = L + 2S it is the phonon magnetic moment in units of -mu_B. It
is not the moment m_q[O] that the phonon pumps: docs/theory.md 5.4,

    p[O] = m_q[O] - Re sum O_ab W_bc W*_ac D(a, b, c),

where D vanishes in a gap, or off resonance for broadening -> 0 if O has no elements within a band. This module uses
none of the formulas for m_q: it differentiates Pi numerically, at two steps, both signs on the same mesh.
"""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon._checks import check_positive
from orbiphon.drives import OnePhonon
from orbiphon.electrons import Observable, TightBinding
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.electrons.structure import Steps
from orbiphon.errors import InputError
from orbiphon.phonons import circular_polarisation, direction_vector
from orbiphon.response.first_order import conserving
from orbiphon.response.integrand import AbstractStateIntegrand, resolved_mean
from orbiphon.response.problem import Numerics, Problem, one_state
from orbiphon.response.wave_vertex import lattice_phases, wave_vertex
from orbiphon.units import k_B
from orbiphon.zone import at_phases

_STEP = 0.01  # of broadening + pi k_B T: by so much the field moves levels at most
_ELEMENTS = 2**17
_PROBES = 16
_FIRST_GUESS = 0.1  # relative tolerance of the slopes that tell the size of the matrix


class PhononMoment(NamedTuple):
    """A moment between degenerate modes: `value` and `error` (observable, mode, mode), hermitian, in the unit of O.

    Of an acoustic branch the modes are those of chirality +1 and -1, of a crystal the circular modes of a level. The
    diagonal is the moment of each, `total` (observable,) their sum, which depends on no choice of modes. `split`
    (observable,) is the difference of the eigenvalues: for the moment shown to a field, the splitting of the modes per
    unit of field.
    """

    value: Complex[np.ndarray, "observable mode mode"]
    error: Float[np.ndarray, "observable mode mode"]
    observables: tuple[str, ...]
    converged: bool

    @property
    def split(self) -> Float[np.ndarray, "observable"]:
        """Difference of the eigenvalues."""
        return np.ptp(np.linalg.eigvalsh(self.value), axis=-1)

    @property
    def total(self) -> Float[np.ndarray, "observable"]:
        """The sum over the modes."""
        return np.real(np.trace(self.value, axis1=1, axis2=2))


class FieldSlope(AbstractStateIntegrand):
    """-d(Pi + Pi^+)/2db, flattened from (step, i, j): differences over `step` and over half of it.

    `hopping` holds H at b = step, -step, step/2, -step/2; `quantum` is 1/(2 M omega).
    """

    electrons: TightBinding
    hopping: Complex[Array, "field cell orbital orbital"]
    step: Float[Array, ""]
    vertex: Complex[Array, "polarisation cell orbital orbital"]
    shift: Complex[Array, "dim"]
    quantum: Float[Array, ""]
    frequency: Float[Array, ""]
    broadening: Float[Array, ""]
    fermi_level: Float[Array, ""]
    temperature: Float[Array, ""]
    steps: Steps = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Array, Array, Array]:
        """Levels at k + q and at k (field, band), and g (field, polarisation, a, b)."""
        here, there = (BlochSum(self.electrons, self.steps, z) for z in (phases, phases * self.shift))
        (e_b, v_b), (e_a, v_a) = (jnp.linalg.eigh(self._sums(bloch, self.hopping)) for bloch in (here, there))
        vertex = self._sums(here, self.vertex)
        return e_a, e_b, jnp.conj(jnp.swapaxes(v_a, 1, 2))[:, None] @ vertex[None] @ v_b[:, None]

    def respond(self, prepared: tuple[Array, Array, Array]) -> Complex[Array, "component"]:
        """The two slopes."""
        above, below, g = prepared
        response = conserving(above, below, self.frequency, self.broadening, self.fermi_level, self.temperature)
        pi = jnp.einsum("fiab,fjab,fab->fij", jnp.conj(g), g, response)
        pi = 0.5 * (pi + jnp.conj(jnp.swapaxes(pi, 1, 2)))
        slopes = jnp.stack([pi[1] - pi[0], 2.0 * (pi[3] - pi[2])])
        return (self.quantum / (2.0 * self.step)).astype(complex) * slopes.ravel()

    def _sums(self, bloch: BlochSum, real_space: Complex[Array, "n cell orbital orbital"]) -> Array:
        orbitals = tuple(range(self.electrons.size))
        return jnp.stack([bloch.block(one, orbitals, orbitals) for one in real_space])


def phonon_magnetic_moment(problem: Problem, broadening: float, numerics: Numerics | None = None) -> PhononMoment:
    """p[O] = -d(Re Pi)/db of the circular modes at the q of a `OnePhonon`, for each observable of the problem.

    **Arguments:** a problem whose drive is `OnePhonon` (its chirality does not matter: both are computed) and whose
    state has one Fermi level (eV) and one temperature (K); `broadening` in eV, > 0.

    **Raises:** `InputError` for another drive, several states, or a broadening that is not positive.
    """
    check_positive("broadening", broadening)
    one_mode(problem)
    numerics = Numerics() if numerics is None else numerics
    width = broadening + np.pi * k_B * float(problem.state.temperature[0])
    block = _ELEMENTS // problem.electrons.size**2
    values, errors, converged = [], [], True
    for o in problem.observables:
        strength = float(np.linalg.norm(np.asarray(o.matrix), 2)) or 1.0
        integrand = field_slope(problem, o, broadening, _STEP * width / strength)
        tolerance = max(numerics.atol, numerics.rtol * _size(integrand))
        first = resolved_mean(integrand, dataclasses.replace(numerics, rtol=_FIRST_GUESS, atol=tolerance), block)
        largest = float(np.max(np.abs(first.value)))
        least = max(numerics.atol, numerics.rtol * largest)  # each element to rtol of the matrix
        mean = resolved_mean(integrand, dataclasses.replace(numerics, atol=least), block)
        wide, narrow = mean.value.reshape(2, 2, 2)
        wide_error, narrow_error = mean.error.reshape(2, 2, 2)
        values.append((4.0 * narrow - wide) / 3.0)
        errors.append(np.abs(narrow - wide) / 15.0 + (4.0 * narrow_error + wide_error) / 3.0)
        converged &= mean.converged
    return PhononMoment(np.stack(values), np.stack(errors), tuple(o.name for o in problem.observables), converged)


def one_mode(problem: Problem) -> tuple[OnePhonon, float]:
    """The drive and the Fermi level (eV), if there is one phonon and one state; `InputError` otherwise."""
    drive = problem.drive
    if not isinstance(drive, OnePhonon):
        raise InputError(f"Argument `drive` must be OnePhonon here, but is {type(drive).__name__}. Give one mode's q.")
    return drive, one_state(problem)


def _size(integrand: FieldSlope) -> float:
    """The largest slope at random wave vectors: an element that symmetry makes zero has no size of its own."""
    kappa = np.random.default_rng(3).uniform(size=(_PROBES, integrand.electrons.crystal.lattice.dim))
    return float(np.max(np.abs(np.asarray(at_phases(integrand, jnp.asarray(np.exp(-2j * np.pi * kappa)))))))


def field_slope(problem: Problem, o: Observable, broadening: float, step: float) -> FieldSlope:
    """The integrand for one observable, with differences over `step` (eV) of the field."""
    electrons, (drive, fermi_level) = problem.electrons, one_mode(problem)
    q = drive.q * direction_vector(drive.branch.direction)
    frequency = drive.branch.frequency(drive.q)
    polarisations = [circular_polarisation(drive.branch.direction, chirality) for chirality in (1, -1)]
    home = np.linalg.norm(np.asarray(electrons.cells), axis=1) == 0.0
    fields = step * np.array([1.0, -1.0, 0.5, -0.5])
    zeeman = fields[:, None, None, None] * home[:, None, None] * np.asarray(o.matrix)
    return FieldSlope(
        electrons,
        electrons.hopping[None] - jnp.asarray(zeeman),
        jnp.asarray(step),
        jnp.stack([wave_vertex(problem, q, e) for e in polarisations]),
        lattice_phases(electrons, q),
        1.0 / (2.0 * drive.branch.mass * frequency),
        frequency,
        jnp.asarray(broadening, dtype=jnp.float64),
        jnp.asarray(fermi_level),
        problem.state.temperature[0],
        lattice_steps(electrons),
    )
