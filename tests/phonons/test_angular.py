"""Angular momenta of phonons, circular bases, pseudo-angular momenta."""

import numpy as np
import pytest

from lattices import BOND, helix, helix_springs, honeycomb, honeycomb_springs
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.errors import InputError
from orbiphon.phonons import (
    PhononModes,
    Spring,
    check_circular,
    circular_modes,
    circular_polarisation,
    circular_polarisation_by_site,
    phonon_angular_momentum,
    pseudo_angular_momentum,
    spring_model,
)


def reduced(crystal, *kappa):
    return np.asarray(kappa) @ np.asarray(crystal.lattice.reciprocal)


def mechanical(modes, q: int, mode: int) -> np.ndarray:
    """sum_s M_s u x du/dt over a period, for the amplitude of one quantum per cell, at R + tau = 0."""
    omega = float(modes.frequency[q, mode])
    amplitude = 2.0 * np.asarray(modes.displacement[q, mode])
    phases = np.exp(-2j * np.pi * np.arange(12) / 12)[:, None, None]
    u, v = np.real(amplitude * phases), np.real(-1j * omega * amplitude * phases)
    return np.sum(np.asarray(modes.masses)[:, None] * np.mean(np.cross(u, v), axis=0), axis=0)


@pytest.mark.parametrize("kappa", [(0.2, 0.05), (1 / 3, 2 / 3), (-0.1, 0.4)])
def test_angular_momentum_is_that_of_the_moving_atoms(kappa):
    crystal = honeycomb()
    modes = honeycomb_springs(crystal).modes(reduced(crystal, *kappa))
    found = np.asarray(phonon_angular_momentum(modes))[0]
    expected = [mechanical(modes, 0, mode) for mode in range(6)]
    np.testing.assert_allclose(found, expected, atol=1e-10)
    by_site = np.asarray(circular_polarisation_by_site(modes, "z"))[0]
    np.testing.assert_allclose(by_site.sum(axis=1), found[:, 2], atol=1e-12)
    plus, minus = np.array([1, 1j, 0]) / np.sqrt(2), np.array([1, -1j, 0]) / np.sqrt(2)
    e = np.asarray(modes.polarisation)[0]
    np.testing.assert_allclose(by_site, np.abs(e @ plus.conj()) ** 2 - np.abs(e @ minus.conj()) ** 2, atol=1e-12)


def test_one_quantum_of_each_mode_has_the_energy_of_the_quantum():
    crystal = honeycomb()
    modes = honeycomb_springs(crystal).modes(reduced(crystal, 0.2, 0.05))
    # kinetic and potential energy of Re{U exp(-i omega t)} together: M omega^2 |U|^2/2
    masses, amplitude = np.asarray(modes.masses), 2.0 * np.asarray(modes.displacement[0])
    omega = np.asarray(modes.frequency[0])
    energy = np.einsum("s,msa->m", masses, np.abs(amplitude) ** 2) * omega**2 / 2.0
    np.testing.assert_allclose(energy, omega, rtol=1e-12)


def test_angular_momenta_of_opposite_wave_vectors_cancel():
    crystal = honeycomb()
    phonons, q = honeycomb_springs(crystal), reduced(crystal, 0.27, 0.11)
    there, back = (np.asarray(phonon_angular_momentum(phonons.modes(x))) for x in (q, -q))
    assert np.max(np.abs(there)) > 0.01
    np.testing.assert_allclose(there, -back, atol=1e-10)


def test_inversion_leaves_none():
    crystal = honeycomb(("A", "A"))
    phonons = honeycomb_springs(crystal, masses=(12.0, 12.0))
    modes = phonons.modes(np.array([reduced(crystal, 0.27, 0.11), reduced(crystal, 0.2, 0.45)]))
    assert np.min(np.diff(modes.frequency, axis=1)) > 1e-5
    np.testing.assert_allclose(phonon_angular_momentum(modes), 0.0, atol=1e-9)


def test_hands_of_a_helix_have_opposite_angular_momenta():
    q = np.array([0.0, 0.0, 0.3])
    right, left = (helix_springs(helix(hand)).modes(q) for hand in (1, -1))
    np.testing.assert_allclose(right.frequency, left.frequency, rtol=1e-10)
    there, mirrored = (np.asarray(phonon_angular_momentum(modes))[0, :, 2] for modes in (right, left))
    assert np.max(np.abs(there)) > 0.5
    np.testing.assert_allclose(there, -mirrored, atol=1e-8)


def test_circular_basis_of_a_pair_along_q_starts_with_chirality_plus():
    d = 3.0
    cubic = Crystal(Lattice(d * np.eye(3)), np.zeros((1, 3)), ("X",))
    phonons = spring_model(cubic, [20 * units.amu], [Spring(d, 4.0, 1.0)])
    for axis, name in zip(np.eye(3), "xyz", strict=True):
        modes = circular_modes(phonons.modes(0.4 * axis))
        for index, chirality in enumerate((1, -1)):
            found, expected = np.asarray(modes.polarisation[0, index, 0]), circular_polarisation(name, chirality)
            np.testing.assert_allclose(np.abs(np.vdot(found, expected)), 1.0, atol=1e-12)
        np.testing.assert_allclose(phonon_angular_momentum(modes)[0, :2] @ axis, [-1, 1], atol=1e-12)
    np.testing.assert_allclose(
        np.asarray(circular_modes(phonons.modes(np.array([0.4, 0, 0]))).polarisation[0, 0, 0]),
        circular_polarisation("x", 1),
        atol=1e-12,
    )
    oblique = phonons.modes(np.zeros(3))
    turned = circular_modes(oblique, (1.0, 1.0, 1.0))
    n = np.ones(3) / np.sqrt(3)
    np.testing.assert_allclose(np.asarray(phonon_angular_momentum(turned))[0] @ n, [-1, 0, 1], atol=1e-12)


def test_circular_basis_depends_on_no_choice_of_modes():
    crystal = honeycomb()
    modes = honeycomb_springs(crystal).modes(np.zeros(3))
    random = np.random.default_rng(1).normal(size=(2, 2)) + 1j * np.random.default_rng(2).normal(size=(2, 2))
    mixing = np.eye(6, dtype=complex)
    mixing[4:, 4:] = np.linalg.qr(random)[0]
    mixed = PhononModes(
        modes.q, modes.frequency, np.einsum("mn,qnsa->qmsa", mixing, np.asarray(modes.polarisation)), modes.masses
    )
    one, other = (np.asarray(circular_modes(m, "z").polarisation)[0, 3:] for m in (modes, mixed))
    np.testing.assert_allclose(one, other, atol=1e-10)


@pytest.mark.parametrize(("centre", "shift"), [((0.0, 0.0, 0.0), 0), ((0.0, BOND, 0.0), 1), ((0.0, -BOND, 0.0), 2)])
def test_pseudo_angular_momentum_at_the_corner(centre, shift):
    """One atom moves on a circle about itself: l_ph follows from the phases of its three neighbours' sums.

    At K a displacement of sublattice A alone, e_+ or e_- or e_z, turned about an A atom, gets the phase of the vector
    only: l = +1, -1, 0. About another point c, e^{iG(tau - c)} is added: a third of a turn more or less.
    """
    crystal = honeycomb()
    corner = reduced(crystal, 1 / 3, 2 / 3)
    found = pseudo_angular_momentum(honeycomb_springs(crystal), corner, 3, centre=centre)
    e = np.asarray(found.modes.polarisation)[0]
    g = np.array([[-0.5, -np.sqrt(0.75), 0], [np.sqrt(0.75), -0.5, 0], [0, 0, 1.0]]) @ corner - corner
    vectors = {1: np.array([1, 1j, 0]) / np.sqrt(2), -1: np.array([1, -1j, 0]) / np.sqrt(2), 0: np.array([0, 0, 1.0])}
    tau = np.asarray(crystal.positions)
    for mode, ell in enumerate(found.values):
        for site in range(2):
            turn = g @ (tau[site] - np.array(centre)) / (2 * np.pi) * 3  # in thirds
            allowed = [m for m in vectors if (m - round(turn) - ell) % 3 == 0]
            inside = sum(abs(np.vdot(vectors[m], e[mode, site])) ** 2 for m in allowed)
            np.testing.assert_allclose(inside, np.sum(np.abs(e[mode, site]) ** 2), atol=1e-10)
    assert sorted(found.values.tolist()) == [-1, -1, 0, 0, 1, 1]


def test_pseudo_angular_momenta_of_opposite_corners_are_opposite():
    crystal = honeycomb()
    phonons, corner = honeycomb_springs(crystal), reduced(crystal, 1 / 3, 2 / 3)
    there, back = (pseudo_angular_momentum(phonons, q, 3).values for q in (corner, -corner))
    np.testing.assert_array_equal(there, -back)


def test_pseudo_angular_momentum_on_a_screw_axis():
    """Along a threefold screw axis u_s = M^{-1/2} R^s e_0 e^{-2 pi i l s/3}, s the atoms one after the other."""
    for hand in (1, -1):
        crystal = helix(hand)
        phonons, q = helix_springs(crystal), np.array([0.0, 0.0, 0.37])
        pitch = float(crystal.lattice.vectors[0, 2])
        found = pseudo_angular_momentum(phonons, q, 3, screw=pitch / 3 * hand)
        e = np.asarray(found.modes.polarisation)[0]
        c, s = np.cos(2 * np.pi / 3), np.sin(2 * np.pi / 3)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        for mode, ell in enumerate(found.values):
            image = turn @ e[mode, 0] * np.exp(2j * np.pi * ell / 3)
            landed = 1 if hand == 1 else 2
            np.testing.assert_allclose(e[mode, landed], image, atol=1e-8)
        assert sorted(found.values.tolist()) == [-1, -1, -1, 0, 0, 0, 1, 1, 1]


def test_bases_and_rotations_that_do_not_exist_are_refused():
    crystal = honeycomb()
    phonons = honeycomb_springs(crystal)
    modes = phonons.modes(reduced(crystal, 0.2, 0.05))
    with pytest.raises(InputError, match="`mode` must name one of degenerate modes.*mode 2 .* is alone"):
        check_circular(modes, 2)
    with pytest.raises(InputError, match="`mode` must be a whole number from 0 to 5"):
        check_circular(modes, 6)
    with pytest.raises(InputError, match=r"that can turn about the axis, but the level of mode 4 \(modes \[4, 5\]\)"):
        check_circular(phonons.modes(np.zeros(3)), 4, "x")
    check_circular(phonons.modes(np.zeros(3)), 4, "z")
    with pytest.raises(InputError, match="4 with a shift of 0 Å along the axis does not map the crystal"):
        pseudo_angular_momentum(phonons, np.zeros(3), 4)
    with pytest.raises(InputError, match="does not map the crystal onto itself"):
        pseudo_angular_momentum(phonons, np.zeros(3), 3, centre=(0.3, 0.0, 0.0))
    with pytest.raises(InputError, match="`q` must be left alone by the rotation"):
        pseudo_angular_momentum(phonons, reduced(crystal, 0.2, 0.05), 3)
    with pytest.raises(InputError, match="unit vectors"):
        PhononModes(modes.q, modes.frequency, 2 * modes.polarisation, modes.masses)
