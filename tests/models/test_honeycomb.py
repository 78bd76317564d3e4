import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import units
from orbiphon.electrons import bands
from orbiphon.errors import InputError
from orbiphon.models import honeycomb, honeycomb_p, honeycomb_pxy, honeycomb_sp, honeycomb_springs

K = np.random.default_rng(0).normal(size=(7, 3)) * np.array([1.0, 1.0, 0.0])


@pytest.mark.parametrize("orientation", ["zigzag", "armchair"])
def test_bands_are_the_closed_forms(orientation):
    bond, t_sigma, t_pi, stagger = 1.7, 1.3, -0.4, 0.6
    angles = {"zigzag": np.array([90, 210, 330]), "armchair": np.array([0, 120, 240])}[orientation] * np.pi / 180
    bonds = bond * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    f = np.abs(np.sum(np.exp(-1j * K @ bonds.T), axis=1))
    flat = np.asarray(bands(honeycomb_p(t_sigma, 0.0, bond=bond, orientation=orientation), jnp.asarray(K)))
    planar = np.stack([1.5 * t_sigma + 0 * f, t_sigma * f / 2], axis=1)
    expected = np.sort(np.concatenate([planar, -planar, np.zeros((7, 2))], axis=1), axis=1)
    np.testing.assert_allclose(flat, expected, atol=1e-12)
    model = honeycomb_p(t_sigma, t_pi, stagger=stagger, bond=bond, orientation=orientation)
    found = np.asarray(bands(model, jnp.asarray(K)))
    for sign in (1, -1):
        level = sign * np.sqrt((stagger / 2) ** 2 + (t_pi * f) ** 2)
        np.testing.assert_allclose(np.min(np.abs(found - level[:, None]), axis=1), 0.0, atol=1e-12)


def test_orientations_are_the_same_crystal():
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    one, other = (honeycomb_p(1.3, -0.4, stagger=0.5, orientation=o) for o in ("zigzag", "armchair"))
    np.testing.assert_allclose(bands(one, jnp.asarray(K)), bands(other, jnp.asarray(K @ turn.T)), atol=1e-12)
    with pytest.raises(InputError, match="`orientation` must be one of 'zigzag', 'armchair'"):
        honeycomb(orientation="chair")


def test_optical_mode_at_the_centre():
    masses = np.array([10.0, 14.0]) * units.amu
    phonons = honeycomb_springs(honeycomb(), tuple(masses), (20.0, 3.0), (5.0, 0.5))
    found = np.asarray(phonons.modes(np.zeros(3)).frequency)[0, 3:]
    inverse = np.sum(1 / masses)
    expected = np.sqrt([3 * 5.0 * inverse, 1.5 * 25.0 * inverse, 1.5 * 25.0 * inverse])
    np.testing.assert_allclose(found, np.sort(expected), rtol=1e-10)


def test_levels_with_s_orbitals_and_without_p_z():
    ss, sp, sigma, pi, level, bond = -1.0, 0.8, 1.5, -0.4, 2.0, 1.7
    corner = np.array([4 * np.pi / (3 * np.sqrt(3) * bond), 0.0, 0.0])
    found = np.asarray(bands(honeycomb_sp(ss, sp, sigma, pi, level, bond=bond), jnp.asarray([0 * corner, corner])))
    planar, mixed = 1.5 * (sigma + pi), np.sqrt(level**2 / 4 + 4.5 * sp**2)
    centre = [3 * ss, -3 * ss, *(level + s * x for s in (1, -1) for x in (planar, planar, 3 * pi))]
    np.testing.assert_allclose(found[0], np.sort(centre), atol=1e-12)
    ends = [level + 1.5 * (sigma - pi), level - 1.5 * (sigma - pi)]
    expected = [level / 2 - mixed] * 2 + [level / 2 + mixed] * 2 + [level] * 2 + ends
    np.testing.assert_allclose(found[1], np.sort(expected), atol=1e-12)
    # without the s orbitals in between, p alone; and p_x, p_y are the rest of p_z
    p = np.asarray(bands(honeycomb_p(sigma, pi, bond=bond), jnp.asarray(K)))
    a = np.array([90, 210, 330]) * np.pi / 180
    f = np.abs(np.sum(np.exp(-1j * K @ (bond * np.stack([np.cos(a), np.sin(a), 0 * a], axis=1)).T), axis=1))
    planar = np.asarray(bands(honeycomb_pxy(sigma, pi, bond=bond), jnp.asarray(K)))
    np.testing.assert_allclose(p, np.sort(np.column_stack([planar, pi * f, -pi * f]), axis=1), atol=1e-12)
    uncoupled = np.asarray(bands(honeycomb_sp(ss, 0.0, sigma, pi, level, bond=bond), jnp.asarray(K)))
    np.testing.assert_allclose(uncoupled, np.sort(np.column_stack([p + level, ss * f, -ss * f]), axis=1), atol=1e-12)
