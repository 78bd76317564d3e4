"""The long-ranged forces of a polar crystal, against the electrostatic energy of its ions."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.errors import InputError
from orbiphon.phonons import DipoleForces, ForceConstants, Spring, spring_model

VECTORS = np.array([[4.1, 0.2, -0.3], [0.5, 4.6, 0.4], [-0.2, 0.7, 5.1]])
PLACES = np.array([[0.0, 0.0, 0.0], [1.7, 2.6, 2.4], [3.0, 0.9, 1.1]])
CHARGES = np.array([1.2, -0.7, -0.5])
DIELECTRIC = np.array([[2.2, 0.1, 0.2], [0.1, 2.9, -0.1], [0.2, -0.1, 2.5]])
WIDTH = 0.9


def energy(vectors, places, charges):
    """(2 pi/V)(e^2/4 pi eps_0) sum over G != 0 of |sum_s Z_s exp(-iG.r_s)|^2 exp(-G.eps.G/4 width^2)/(G.eps.G)."""
    reciprocal = 2 * np.pi * np.linalg.inv(vectors).T
    waves = np.array(list(itertools.product(range(-12, 13), repeat=3))) @ reciprocal
    square = np.einsum("Ga,ab,Gb->G", waves, DIELECTRIC, waves)
    keep = (square > 1e-9) & (square < 26 * 4 * WIDTH**2)
    waves, square = waves[keep], square[keep]
    strength = 2 * np.pi * units.coulomb_constant / np.linalg.det(vectors) * np.exp(-square / 4 / WIDTH**2) / square

    def of(moved):
        angle = jnp.asarray(waves) @ (jnp.asarray(places) + moved).T
        real, imaginary = (
            jnp.sum(jnp.asarray(charges)[None] * part, axis=1) for part in (jnp.cos(angle), jnp.sin(angle))
        )
        return jnp.sum(jnp.asarray(strength) * (real**2 + imaginary**2))

    return of


def dipoles(charges=CHARGES, places=PLACES, vectors=VECTORS):
    crystal = Crystal(Lattice(vectors), places, tuple("ABC"[: len(places)]))
    tensors = charges[:, None, None] * np.eye(3)
    return crystal, DipoleForces(crystal, tensors, DIELECTRIC, width=WIDTH)


@pytest.mark.parametrize("reduced", [(0, 0, 0), (0.5, 0, 0)])
def test_forces_are_second_derivatives_of_the_energy_of_smeared_ions(reduced):
    """At q = 0 of one cell; at half a reciprocal vector of two cells whose atoms move against each other."""
    crystal, forces = dipoles()
    q = np.asarray(reduced) @ np.asarray(crystal.lattice.reciprocal)
    twice = np.vstack([2 * VECTORS[:1], VECTORS[1:]])
    places = np.concatenate([PLACES, PLACES + VECTORS[0]])
    hessian = jax.hessian(energy(twice, places, np.tile(CHARGES, 2)))(jnp.zeros((6, 3)))
    first, second = np.asarray(hessian).reshape(2, 9, 2, 9)[0].transpose(1, 0, 2)
    expected = first + np.cos(2 * np.pi * reduced[0]) * second
    phase = np.repeat(np.exp(1j * PLACES @ q), 3)
    found = phase[:, None] * np.asarray(forces.matrix(crystal, jnp.asarray(q))) * phase.conj()[None]
    # the sum ends where its terms are 1e-10 for q = 0, and less symmetrically, hence earlier, at the zone boundary
    np.testing.assert_allclose(found, expected, atol=(1e-6 if any(reduced) else 1e-8) * np.max(np.abs(expected)))


def test_a_crystal_of_springs_and_charges_splits_its_optical_modes():
    """Cubic: omega_LO^2 - omega_TO^2 = 4 pi e^2 Z^2/(4 pi eps_0 eps V mu), whatever the springs and the width."""
    side, masses, charge = 4.0, np.array([133.0, 35.5]) * units.amu, 1.3
    crystal = Crystal(Lattice(side * np.eye(3)), side * np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Cs", "Cl"))
    springs = spring_model(crystal, masses, [Spring(side * np.sqrt(3) / 2, 3.0, 0.4), Spring(side, 0.7, 0.1)])
    tensors = charge * np.stack([np.eye(3), -np.eye(3)])
    for width in (0.5, 0.8):
        forces = DipoleForces(crystal, tensors, 2.6 * np.eye(3), width=width)
        polar = ForceConstants(crystal, masses, springs.cells, springs.matrices, forces)
        transverse, longitudinal = (np.asarray(polar.modes(np.zeros(3), n).frequency)[0] for n in (None, "z"))
        gap = 4 * np.pi * units.coulomb_constant * charge**2 / (2.6 * side**3) * np.sum(1 / masses)
        np.testing.assert_allclose(longitudinal[5] ** 2 - transverse[5] ** 2, gap, rtol=1e-10)
        np.testing.assert_allclose(longitudinal[3:5], transverse[3:5], rtol=1e-9)


def test_a_layer_has_other_forces():
    crystal = Crystal(Lattice(VECTORS[:2]), PLACES, tuple("ABC"))
    with pytest.raises(InputError, match=r"must repeat in three directions for dipole forces, but does in 2"):
        DipoleForces(crystal, CHARGES[:, None, None] * np.eye(3), DIELECTRIC, width=WIDTH)
