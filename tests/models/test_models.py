import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.coupling import TwoCentre
from orbiphon.electrons import bands
from orbiphon.errors import InputError
from orbiphon.models import cubic_p, linear_chain, square_p, square_p_energies

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
