"""The second order at any wave vector and frequency."""

import numpy as np
import pytest
from scipy.special import expit

import dense
from orbiphon import units
from orbiphon.drives import OnePhonon
from orbiphon.electrons import observable
from orbiphon.phonons import AcousticBranch, circular_polarisation
from orbiphon.response import ElectronState, Keldysh, Problem, zone_map
from systems import random_crystal

DIRECTION = (0.6, 0.5, -0.3)


def dense_moment(above, below, g, observable, omega, broadening, fermi_level, temperature):
    """sum_s Tr O M^s, with matrices in the orbital basis and a grid of energies.

    M^s = -(i/2 pi) int { -f [R W R^- W^+ R - A W A^- W^+ A] + [f - f^-] R W (R^- - A^-) W^+ A }
    """
    e, weight = dense.energies(step=0.006)
    e = e + fermi_level

    def occupation(energy):
        return expit((fermi_level - energy) / (units.k_B * temperature))[:, None, None]

    def density(here, there, w, shift):
        r, r_less = dense.green(here, e, broadening), dense.green(there, e - shift, broadening)
        a, a_less, w_adjoint = dense.adjoint(r), dense.adjoint(r_less), np.conj(w.T)
        sea = r @ w @ r_less @ w_adjoint @ r - a @ w @ a_less @ w_adjoint @ a
        edge = r @ w @ (r_less - a_less) @ w_adjoint @ a
        inner = -occupation(e) * sea + (occupation(e) - occupation(e - shift)) * edge
        return -1j / (2 * np.pi) * np.sum(weight[:, None, None] * inner, axis=0)

    total = density(above, below, g, omega) + density(below, above, np.conj(g.T), -omega)
    return np.trace(observable @ total).real


CRYSTALS = [(6, 1, 2, False), (3, 3, 1, False), (7, 2, 1, True)]


@pytest.mark.parametrize(("seed", "dim", "sites", "spin"), CRYSTALS)
def test_random_crystals_against_green_functions(seed, dim, sites, spin):
    electrons, q = random_crystal(seed, dim=dim, sites=sites, spin=spin), 0.7
    direction = np.array(DIRECTION) / np.linalg.norm(DIRECTION)
    names = ("Ly", "Lz", "Sx") if spin else ("Ly", "Lz")
    kappa = np.random.default_rng(seed).uniform(size=(2, dim))
    for omega, gamma, level, kelvin in ((0.25, 0.3, 0.2, 900.0), (2.0, 0.15, -0.6, 3000.0)):
        branch = AcousticBranch(speed=omega / q, mass=1.3, direction=DIRECTION)
        state = ElectronState(fermi_level=level, temperature=kelvin)
        asked = Problem(electrons, OnePhonon(branch, q=q, chirality=-1), state, observables=names)
        found = zone_map(asked, Keldysh(gamma), kappa)
        e = np.asarray(circular_polarisation(DIRECTION, -1))
        expected = []
        for k in kappa @ np.asarray(electrons.crystal.lattice.reciprocal):
            start, end = k - q * direction / 2, k + q * direction / 2
            g = dense.vertex(electrons, start, q * direction, e)
            ends = dense.bloch(electrons, end), dense.bloch(electrons, start)
            matrices = [np.asarray(observable(electrons.basis, name).matrix) for name in names]
            expected.append([dense_moment(*ends, g, o, omega, gamma, level, kelvin) for o in matrices])
        expected = np.array(expected) / (2 * 1.3 * omega)
        np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max(), rtol=1e-6)
        assert np.abs(expected).max() > 0
