import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.coupling import TwoCentre
from orbiphon.electrons import bands
from orbiphon.errors import InputError
from orbiphon.models import (
    cubic_d,
    cubic_p,
    cubic_t2g,
    helix,
    helix_p,
    helix_springs,
    linear_chain,
    square_p,
    square_p_energies,
)

K = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3)))


def test_square_bands_are_equations_3_to_5():
    electrons = square_p(t_sigma=-1.9, t_pi=-2.0, lattice_constant=4.0, pz_shift=0.15)
    for k in K:
        h = electrons.hamiltonian(k)
        c_x, c_y = np.cos(4.0 * k[0]), np.cos(4.0 * k[1])
        expected = [-3.8 * c_x - 4.0 * c_y, -4.0 * c_x - 3.8 * c_y, -4.0 * (c_x + c_y) + 0.15]
        np.testing.assert_allclose(h, np.diag(expected), atol=1e-14)
        np.testing.assert_allclose(square_p_energies(k, -1.9, -2.0, 4.0, 0.15), expected, atol=1e-14)


def test_chain_bands():
    electrons = linear_chain({"ss_sigma": -0.7}, lattice_constant=2.0)
    np.testing.assert_allclose(bands(electrons, K)[:, 0], -1.4 * np.cos(2 * K[:, 0]))
    assert linear_chain({"pp_sigma": 1.0, "pp_pi": 0.5}, "p", spin=True).size == 6


def test_cubic_bands_with_and_without_spin_orbit():
    c = np.cos(5.0 * np.asarray(K[0]))
    expected = -4.0 * c.sum() + 0.2 * c
    np.testing.assert_allclose(bands(cubic_p(-1.9, -2.0), K[:1])[0], np.sort(expected), atol=1e-13)
    centre = bands(cubic_p(-1.9, -2.0, spin_orbit=0.3), jnp.zeros((1, 3)))[0]
    np.testing.assert_allclose(centre, -11.8 + np.array([-0.3] * 2 + [0.15] * 4), atol=1e-13)


def test_square_model_can_be_traced_in_every_parameter():
    def vertex(t_sigma, t_pi, d, shift, decay):
        electrons = square_p(t_sigma, t_pi, d, shift, decay)
        return TwoCentre(electrons).vertex(K[0], K[1], jnp.ones((1, 3), complex)) + electrons.hamiltonian(K[0])

    parameters = jnp.array([[-1.9, -2.0, 5.0, 0.1, 2.0], [-2.0, -2.0, 4.0, 0.0, 3.0]])
    found = jax.jit(jax.vmap(lambda p: vertex(*p)))(parameters)
    for one, p in zip(found, parameters, strict=True):
        np.testing.assert_allclose(one, vertex(*p.tolist()), atol=1e-13)


def test_sweeping_parameters_does_not_compile_again():
    compilations = 0

    @eqx.filter_jit
    def energy(electrons):
        nonlocal compilations
        compilations += 1
        return electrons.hamiltonian(K[0])

    for t_pi, shift in ((-2.0, 0.0), (-1.9, 0.0), (0.0, 0.3)):
        energy(square_p(t_sigma=-1.9, t_pi=t_pi, pz_shift=shift))
    assert compilations == 1


def test_equal_hoppings_couple_no_transverse_wave_along_x():
    electrons = square_p(t_sigma=-1.9, t_pi=-1.9)
    e = jnp.asarray(np.array([[0.0, 1.0, -1j]]) / np.sqrt(2))
    g = TwoCentre(electrons).vertex(K[0], jnp.array([0.1, 0.0, 0.0]), e)
    assert np.all(np.asarray(g) == 0)


def test_bad_lattice_constants_are_refused():
    with pytest.raises(InputError, match="`lattice_constant` must be greater than zero, but is -5"):
        square_p(-1.9, -2.0, lattice_constant=-5.0)


def test_cubic_d_bands_are_those_of_slater_and_koster():
    sigma, pi, delta, field = -0.9, 0.5, -0.1, 1.3
    for k in K:
        c_x, c_y, c_z = np.cos(4.0 * np.asarray(k))
        e_g = np.diag(
            [
                2 * sigma * c_z + (sigma + 3 * delta) * (c_x + c_y) / 2,
                2 * delta * c_z + (3 * sigma + delta) * (c_x + c_y) / 2,
            ]
        )
        e_g[0, 1] = e_g[1, 0] = -np.sqrt(3) / 2 * (sigma - delta) * (c_x - c_y)
        t_2g = [2 * pi * (a + b) + 2 * delta * c for a, b, c in ((c_x, c_y, c_z), (c_y, c_z, c_x), (c_z, c_x, c_y))]
        expected = np.sort([*(np.linalg.eigvalsh(e_g) + field), *t_2g])
        np.testing.assert_allclose(bands(cubic_d(sigma, pi, delta, field), k[None])[0], expected, atol=1e-13)
    assert cubic_d(sigma, pi, delta).sectors != cubic_d(sigma, pi, delta, spin_orbit=0.1).sectors
    # t_2g in a large field: an effective l = 1 with -lambda, j = 3/2 at -lambda/2 and j = 1/2 at +lambda
    levels = bands(cubic_d(0.0, 0.0, 0.0, 1e4, spin_orbit=0.2), jnp.zeros((1, 3)))[0][:6]
    np.testing.assert_allclose(levels, [-0.1] * 4 + [0.2] * 2, atol=1e-4)


@pytest.mark.parametrize("hand", ["right", "left"])
def test_helix_bands_are_those_of_the_screw(hand):
    radius, pitch, sigma, pi = 0.9, 5.0, 1.7, -0.6
    electrons, turn = helix_p(sigma, pi, hand, radius, pitch), 2 * np.pi / 3 * (1 if hand == "right" else -1)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    bond = radius * (rotation - np.eye(3))[:, 0] + np.array([0, 0, pitch / 3])
    hop = pi * np.eye(3) + (sigma - pi) * np.outer(bond, bond) / (bond @ bond)
    for k in (0.0, 0.3, -0.5):
        expected = []
        for m in range(3):
            along = rotation.T @ hop * np.exp(-1j * (k * pitch + 2 * np.pi * m) / 3)
            expected += list(np.linalg.eigvalsh(along + along.conj().T))
        found = bands(electrons, jnp.array([[0.0, 0.0, k]]))[0]
        np.testing.assert_allclose(found, np.sort(expected), atol=1e-12)


def test_both_helices_are_mirror_images():
    right, left = (helix(hand) for hand in ("right", "left"))
    np.testing.assert_allclose(left.positions, np.asarray(right.positions) * np.array([1.0, -1.0, 1.0]), atol=1e-15)
    modes = [helix_springs(one, 1.0, (1.0, 0.5), (0.2, 0.1)) for one in (right, left)]
    q = jnp.array([[0.0, 0.0, 0.4]])
    frequencies = [one.modes(q).frequency for one in modes]
    np.testing.assert_allclose(*frequencies, rtol=1e-12)
    assert np.all(np.asarray(frequencies[0]) > 0)
    with pytest.raises(InputError, match="`hand`"):
        helix("both")


def test_t2g_is_the_limit_of_the_d_shell():
    pi, delta = 0.5, -0.1
    c = np.cos(4.0 * np.asarray(K))
    expected = np.sort(np.stack([2 * pi * (c.sum(axis=1) - x) + 2 * delta * x for x in c.T], axis=1), axis=1)
    np.testing.assert_allclose(bands(cubic_t2g(pi, delta), K), expected, atol=1e-13)
    np.testing.assert_allclose(bands(cubic_d(-0.9, pi, delta, 1e3), K)[:, :3], expected, atol=1e-13)
    levels = bands(cubic_t2g(0.0, 0.0, spin_orbit=0.2), jnp.zeros((1, 3)))[0]
    np.testing.assert_allclose(levels, [-0.1] * 4 + [0.2] * 2, atol=1e-14)
    cut, whole = (
        TwoCentre(m).vertex(K[0], K[1], jnp.ones((1, 3), complex))
        for m in (cubic_t2g(pi, delta), cubic_d(-0.9, pi, delta))
    )
    t2g = np.array([1, 2, 4])
    np.testing.assert_allclose(cut, np.asarray(whole)[np.ix_(t2g, t2g)], atol=1e-14)
