"""The moment per phonon between the two modes at one q."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.drives import CoherentWave, OnePhonon
from orbiphon.errors import InputError
from orbiphon.models import square_p
from orbiphon.phonons import AcousticBranch
from orbiphon.response import (
    Adiabatic,
    ElectronState,
    Keldysh,
    Numerics,
    Problem,
    moment_per_phonon,
    phonon_magnetic_moment,
    solve,
)
from orbiphon.response.moment_matrix import PolarisedPhonon, four_waves, hermitian_form
from systems import random_crystal

Q, OMEGA, LEVEL, KELVIN, MASS, GAMMA = 0.4, 0.25, 0.2, 900.0, 1.3, 0.3
TILTED = (0.6, 0.5, -0.3)
NUMERICS = Numerics(rtol=1e-6, block=256)
BRANCH = AcousticBranch(speed=OMEGA / Q, mass=MASS, direction=TILTED)


@pytest.fixture(scope="module")
def electrons():
    return random_crystal(6, dim=1, sites=2)


def problem(electrons, drive=None, level=LEVEL, order=2):
    state = ElectronState(fermi_level=level, temperature=KELVIN)
    drive = OnePhonon(BRANCH, q=Q) if drive is None else drive
    return Problem(electrons, drive, state, observables=("Lx", "Lz"), order=order)


@pytest.fixture(scope="module")
def matrix(electrons):
    found = moment_per_phonon(problem(electrons), Keldysh(GAMMA), NUMERICS)
    assert found.converged and found.observables == ("Lx", "Lz")
    return found


def test_diagonal_is_the_moment_of_either_chirality(electrons, matrix):
    for i, chirality in enumerate((1, -1)):
        one = solve(problem(electrons, OnePhonon(BRANCH, q=Q, chirality=chirality)), Keldysh(GAMMA), NUMERICS)
        np.testing.assert_allclose(matrix.value[:, i, i].real, one.value[0, 0], rtol=1e-12)
    assert np.all(matrix.value == np.conj(matrix.value.swapaxes(1, 2)))
    assert np.abs(matrix.value[:, 0, 1]).min() > 1e-3 * np.abs(matrix.value).max()


@pytest.mark.parametrize(("ellipticity", "chirality"), [(0.0, 1), (0.3, 1), (0.6, -1)])
def test_elliptical_waves_are_superpositions(electrons, matrix, ellipticity, chirality):
    # e1 - i lambda eta e2 = [(1 + lambda eta) e_+ + (1 - lambda eta) e_-]/sqrt 2, and n = M omega U^2 (1 + eta^2)/2
    wave = CoherentWave(BRANCH, amplitude=0.1, q=Q, chirality=chirality, ellipticity=ellipticity)
    alpha = (1 + np.array([1, -1]) * chirality * ellipticity) / np.sqrt(2 * (1 + ellipticity**2))
    quanta = MASS * OMEGA * 0.1**2 * (1 + ellipticity**2) / 2
    expected = quanta * np.einsum("i,oij,j->o", alpha, matrix.value, alpha).real
    found = solve(problem(electrons, wave), Keldysh(GAMMA), NUMERICS).value[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_turning_the_polarisations_turns_the_matrix(electrons, matrix):
    # by phi about q: e_+- -> exp(-+ i phi) e_+-, and the trace stays; any other unitary A: A^+ m A
    random = np.random.default_rng(4)
    unitary = np.linalg.qr(random.normal(size=(2, 2)) + 1j * random.normal(size=(2, 2)))[0]
    plus, minus = (np.asarray(e) for e in four_waves(TILTED)[:2])
    one, other = unitary.T @ np.stack([plus, minus])
    polarisations = (one, other, (one + other) / np.sqrt(2), (one + 1j * other) / np.sqrt(2))
    moments = []
    for e in polarisations:
        drive = PolarisedPhonon(BRANCH, OnePhonon(BRANCH, q=Q).q, jnp.asarray(e))
        asked = eqx.tree_at(lambda p: p.drive, problem(electrons), drive)
        moments.append(solve(asked, Keldysh(GAMMA), NUMERICS).value[0, 0])
    turned = hermitian_form(*moments)
    scale = np.abs(matrix.value).max()
    expected = unitary.conj().T @ matrix.value @ unitary
    np.testing.assert_allclose(turned, expected, atol=1e-5 * scale)
    np.testing.assert_allclose(
        np.trace(turned, axis1=1, axis2=2), np.trace(matrix.value, axis1=1, axis2=2), atol=1e-5 * scale
    )


def test_in_a_gap_it_is_what_a_field_shows(electrons):
    home = np.linalg.norm(np.asarray(electrons.cells), axis=1) == 0
    apart = home[:, None, None] * np.diag(np.linspace(0, 30, electrons.size)).astype(complex)
    insulator = type(electrons)(**{**vars(electrons), "hopping": electrons.hopping + apart})
    asked, gaps = problem(insulator, level=5.0), []
    for gamma in (0.02, 0.01):  # absorption is left to the tails of the levels
        shown = phonon_magnetic_moment(asked, gamma, NUMERICS).value
        pumped = moment_per_phonon(asked, Keldysh(gamma), NUMERICS).value
        gaps.append(np.abs(shown - pumped).max() / np.abs(shown).max())
    assert np.abs(shown[:, 0, 1]).max() > 1e-3 * np.abs(shown).max()
    assert gaps[1] < 1e-5


def test_long_waves_have_no_linear_moment(electrons):
    # m_q ~ q^2 is odd under q -> -q for linear waves, by time reversal
    found = moment_per_phonon(problem(electrons), Adiabatic(GAMMA), Numerics(rtol=1e-4, block=256)).value
    size = np.abs(found).max()
    np.testing.assert_allclose(found[:, 0, 0], -found[:, 1, 1], atol=1e-6 * size)
    assert np.abs(found[:, 0, 1]).max() <= 1e-6 * size


def test_bad_problems_are_refused(electrons):
    with pytest.raises(InputError, match="`drive` must be OnePhonon here, but is CoherentWave"):
        moment_per_phonon(problem(electrons, CoherentWave(BRANCH, amplitude=0.1, q=Q)), Keldysh(GAMMA))
    with pytest.raises(InputError, match="`problem` must be of order 2 here, but is of 1"):
        moment_per_phonon(problem(electrons, order=1), Keldysh(GAMMA))
    many = ElectronState(fermi_level=[0.0, 0.1], temperature=300.0)
    with pytest.raises(InputError, match="`state` must hold one state here, but holds 2"):
        moment_per_phonon(Problem(square_p(-1.9, -2.0), OnePhonon(BRANCH, q=Q), many), Keldysh(GAMMA))
