import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import units
from orbiphon.coupling import TwoCentre
from orbiphon.coupling.deformed import rotation_derivative
from orbiphon.electrons import Basis, bands, eigensystem, observable
from orbiphon.errors import InputError
from orbiphon.models import dichalcogenide, dichalcogenide_d, honeycomb_springs
from orbiphon.models.dichalcogenide import CarriedHopping
from orbiphon.phonons import phonon_angular_momentum, pseudo_angular_momentum

A = 3.19
ORDER = [0, 2, 1]  # d_z², d_xy, d_x²−y² among those of `d_even`
CORNER = np.array([4 * np.pi / 3 / A, 0.0, 0.0])


def closed_form(k, e1, e2, t0, t1, t2, t11, t12, t22):
    """Phys. Rev. B 88, 085433 (2013), (6)-(12), orbitals d_z², d_xy, d_x²−y²."""
    a, b = k[0] * A / 2, np.sqrt(3) * k[1] * A / 2
    sa, ca, sb, cb, s2, c2 = np.sin(a), np.cos(a), np.sin(b), np.cos(b), np.sin(2 * a), np.cos(2 * a)
    h0 = 2 * t0 * (c2 + 2 * ca * cb) + e1
    h1 = -2 * np.sqrt(3) * t2 * sa * sb + 2j * t1 * (s2 + sa * cb)
    h2 = 2 * t2 * (c2 - ca * cb) + 2j * np.sqrt(3) * t1 * ca * sb
    h11 = 2 * t11 * c2 + (t11 + 3 * t22) * ca * cb + e2
    h22 = 2 * t22 * c2 + (3 * t11 + t22) * ca * cb + e2
    h12 = np.sqrt(3) * (t22 - t11) * sa * sb + 4j * t12 * sa * (ca - cb)
    return np.array([[h0, h1, h2], [np.conj(h1), h11, h12], [np.conj(h2), np.conj(h12), h22]])


def test_hamiltonian_is_the_published_one():
    random = np.random.default_rng(0)
    parameters = random.normal(size=8)
    model = dichalcogenide_d(*parameters)
    for k in random.normal(size=(5, 3)):
        h = np.asarray(model.hamiltonian(jnp.asarray(k)))[np.ix_(ORDER, ORDER)]
        np.testing.assert_allclose(h, closed_form(k, *parameters), atol=1e-12)


def test_molybdenum_disulphide():
    """The gap of 1.66 eV is direct, at K; there the valence band has L_z = 2, and 2λ = 0.146 eV splits it."""
    model, spinful = dichalcogenide_d(), dichalcogenide_d(spin_orbit=0.073)
    for sign in (1, -1):
        corner = jnp.asarray(sign * CORNER)[None]
        energy, vectors = eigensystem(model, corner)
        levels = 1.046 + 3 * 0.184, 2.104 - 1.5 * (0.218 + 0.057)
        expected = [levels[1] - 3 * np.sqrt(3) * 0.338, levels[0], levels[1] + 3 * np.sqrt(3) * 0.338]
        np.testing.assert_allclose(energy[0], expected, atol=1e-12)
        assert energy[0, 1] - energy[0, 0] == pytest.approx(1.66, abs=0.005)
        momentum = np.asarray(observable(model.basis, "Lz").matrix)
        found = np.einsum("ib,ij,jb->b", np.conj(vectors[0]), momentum, vectors[0]).real
        np.testing.assert_allclose(found, sign * np.array([2.0, 0.0, -2.0]), atol=1e-10)
        split = np.asarray(bands(spinful, corner))[0]
        shifts = [-0.073, 0.073, 0.0, 0.0, -0.073, 0.073]  # λ L_z S_z
        np.testing.assert_allclose(split, np.repeat(expected, 2) + np.array(shifts), atol=1e-12)
    mesh = np.stack(np.meshgrid(*[np.arange(24) / 24] * 2, indexing="ij"), -1).reshape(-1, 2)
    zone = model.crystal.lattice.k_from_reduced(jnp.asarray(mesh))
    assert np.asarray(bands(model, zone))[:, 1].min() == pytest.approx(expected[1], abs=1e-12)
    top, at_centre = np.asarray(bands(spinful, zone))[:, 1], 1.046 - 6 * 0.184
    assert top.max() == pytest.approx(split[1], abs=1e-12)
    # without spin–orbit coupling these parameters put the valence band at Γ 7 meV above that at K
    assert top[0] == pytest.approx(at_centre, abs=1e-12) and 0.006 < at_centre - expected[0] < 0.008


def test_hopping_turns_with_the_layer_and_its_derivative_is_that_of_the_law():
    model = dichalcogenide_d()
    bonds, angle = np.asarray(model.bond_vectors()), np.array([0.0, 0.0, 1.0])
    turned = np.sum(np.asarray(model.hopping_gradient) * np.cross(angle, bonds), axis=-1)
    np.testing.assert_allclose(turned, rotation_derivative(model, angle.astype(complex)), atol=1e-13)
    law, bond = CarriedHopping(jnp.eye(3), jnp.asarray(A), jnp.asarray(5.0)), np.array([A, 0.0, 0.0])
    step = 1e-4 * bond / A
    slope = (law.block(jnp.asarray(bond + step), 2, 2) - law.block(jnp.asarray(bond - step), 2, 2)) / 2e-4
    np.testing.assert_allclose(slope, -5.0 / A * np.diag([1.0, 0, 0, 1, 1]), atol=1e-6)
    with pytest.raises(InputError, match="must hold d orbitals for this law"):
        law.block(jnp.asarray(bond), 1, 1)
    k, q = jnp.asarray(CORNER), jnp.array([0.1, 0.2, 0.0])
    flexural = TwoCentre(model).vertex(k, q, jnp.zeros((2, 3), complex).at[:, 2].set(1.0))
    assert np.all(np.asarray(flexural) == 0)


def test_valley_phonons_are_chiral():
    """At ±K the modes are not degenerate, and turn in opposite senses."""
    crystal = dichalcogenide()
    phonons = honeycomb_springs(crystal, (95.95 * units.amu, 64.13 * units.amu), (9.0, 1.5), (2.0, 0.3))
    modes = phonons.modes(np.array([CORNER, -CORNER]))
    assert np.min(np.diff(np.asarray(modes.frequency), axis=1)) > 1e-4
    momentum = np.asarray(phonon_angular_momentum(modes))[:, :, 2]
    np.testing.assert_allclose(momentum[0], -momentum[1], atol=1e-10)
    assert np.sum(np.abs(momentum[0]) > 0.1) == 4
    here, there = (pseudo_angular_momentum(phonons, k, 3).values for k in (CORNER, -CORNER))
    assert np.all((here + there) % 3 == 0) and sorted(here.tolist()) == [-1, -1, 0, 0, 1, 1]
    assert Basis(((0, "d_even"),)).labels == ("0:d3z2-r2", "0:dx2-y2", "0:dxy")
