"""The moment that a phonon shows to a field, against the moment that it pumps."""

import numpy as np
import pytest
from scipy.special import expit

import dense
from orbiphon.drives import CoherentWave, OnePhonon
from orbiphon.electrons import observable
from orbiphon.errors import InputError
from orbiphon.models import linear_chain, square_p
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response import ElectronState, Keldysh, Numerics, Problem, phonon_magnetic_moment, solve
from orbiphon.units import k_B
from systems import random_crystal

Q, OMEGA, LEVEL, KELVIN, MASS = 0.4, 0.25, 0.2, 900.0, 1.0
TILTED = (0.6, 0.5, -0.3)


def problem(electrons, chirality=1, names=("Lx", "Lz"), omega=OMEGA, level=LEVEL, kelvin=KELVIN, direction=TILTED):
    drive = OnePhonon(AcousticBranch(speed=omega / Q, mass=MASS, direction=direction), q=Q, chirality=chirality)
    return Problem(electrons, drive, ElectronState(fermi_level=level, temperature=kelvin), observables=names)


def absorbed(electrons, matrix, chirality, gamma, points=48):
    """1/(2 M omega) Re sum_s O_ab W_bc W*_ac D as traces on grids of energies and wave vectors.

    D = -(i/2 pi) int de [f(e) - f(e - omega)] R_b (R_c - A_c)(e - omega) (A_a - R_a).
    """
    n = np.array(TILTED) / np.linalg.norm(TILTED)
    e, weight = dense.energies()
    polarisation = np.asarray(circular_polarisation(TILTED, chirality))
    reciprocal, total = np.asarray(electrons.crystal.lattice.reciprocal)[0], 0.0
    for kappa in (np.arange(points) + 0.3) / points:
        k = kappa * reciprocal
        g = dense.vertex(electrons, k, Q * n, polarisation)
        below, above = dense.bloch(electrons, k), dense.bloch(electrons, k + Q * n)
        for own, other, w, omega in ((above, below, g, OMEGA), (below, above, g.conj().T, -OMEGA)):
            r, moved = dense.green(own, e + LEVEL, gamma), dense.green(other, e + LEVEL - omega, gamma)
            change = expit(-e / (k_B * KELVIN)) - expit((omega - e) / (k_B * KELVIN))
            product = matrix @ r @ w @ (moved - dense.adjoint(moved)) @ w.conj().T @ (dense.adjoint(r) - r)
            total += np.real(-1j / (2 * np.pi) * np.sum(weight * change * np.trace(product, axis1=1, axis2=2)))
    return total / points / (2 * MASS * OMEGA)


def test_moment_that_is_pumped_less_what_is_absorbed():
    # p = m - Re sum O W W* D at any broadening: three roads that share no formula
    electrons, gamma = random_crystal(6, dim=1, sites=2), 0.3
    shown = phonon_magnetic_moment(problem(electrons), gamma, Numerics(rtol=1e-6, block=256))
    for i, chirality in enumerate((1, -1)):
        pumped = solve(problem(electrons, chirality), Keldysh(gamma), Numerics(rtol=1e-6, block=256)).value[0, 0]
        for o, name in enumerate(("Lx", "Lz")):
            lost = absorbed(electrons, np.asarray(observable(electrons.basis, name).matrix), chirality, gamma)
            assert abs(lost) > 1e-2 * abs(pumped[o])
            assert abs(shown.value[o, i, i] - (pumped[o] - lost)) < 1e-6 * np.abs(shown.value[o]).max()


def insulator():
    """p orbitals on a chain along x, p_x far below p_y, p_z: the Fermi level lies in the gap."""
    chain = linear_chain({"pp_sigma": 0.3, "pp_pi": -0.2}, "p")
    home = np.linalg.norm(np.asarray(chain.cells), axis=1) == 0
    onsite = home[:, None, None] * np.diag([-3.0, 1.0, 1.4])
    return type(chain)(**{**vars(chain), "hopping": chain.hopping + onsite.astype(complex)})


def test_in_a_gap_the_phonon_shows_what_it_pumps():
    asked = problem(insulator(), names=("Lx",), omega=0.05, level=-1.0, kelvin=300.0, direction="x")
    shown = phonon_magnetic_moment(asked, 0.01, Numerics(rtol=1e-6, block=256))
    pumped = solve(asked, Keldysh(0.01), Numerics(rtol=1e-6, block=256)).value.item()
    assert shown.converged and pumped != 0
    np.testing.assert_allclose(shown.value[0, 0, 0], pumped, rtol=1e-5)
    # the other chirality shows the opposite, and the field splits the pair by the difference
    np.testing.assert_allclose(shown.value[0, 1, 1], -pumped, rtol=1e-5)
    np.testing.assert_allclose(shown.split[0], 2 * abs(pumped), rtol=1e-5)


def test_bad_problems_are_refused():
    electrons = square_p(-1.9, -2.0)
    branch = AcousticBranch(speed=1.0, mass=1.0)
    state = ElectronState(fermi_level=0.0, temperature=300.0)
    wave = CoherentWave(branch, amplitude=0.1, q=0.1)
    with pytest.raises(InputError, match="`drive` must be OnePhonon here, but is CoherentWave"):
        phonon_magnetic_moment(Problem(electrons, wave, state), 0.1)
    many = ElectronState(fermi_level=[0.0, 0.1], temperature=300.0)
    with pytest.raises(InputError, match="`state` must hold one state here, but holds 2"):
        phonon_magnetic_moment(Problem(electrons, OnePhonon(branch, q=0.1), many), 0.1)
    with pytest.raises(InputError, match="`broadening` must be greater than zero"):
        phonon_magnetic_moment(Problem(electrons, OnePhonon(branch, q=0.1), state), 0.0)
