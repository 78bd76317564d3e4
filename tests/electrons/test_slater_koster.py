import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from orbiphon.electrons import SlaterKoster, orbital_momentum
from orbiphon.electrons.slater_koster import INTEGRALS, bond_pattern
from orbiphon.errors import InputError
from slater_koster_1954 import table_block

SHELL_PAIRS = list(itertools.product(range(3), repeat=2))
DIRECTIONS = [*np.eye(3), *-np.eye(3), *np.random.default_rng(0).normal(size=(8, 3))]


def full_law(seed=1):
    random = np.random.default_rng(seed)
    return SlaterKoster(
        {name: float(random.normal()) for name in INTEGRALS},
        length=2.0,
        decay={name: float(random.uniform(1, 4)) for name in INTEGRALS},
    )


def values(law, l_end, l_start, distance):
    """V_m at a distance, in the order σ, π, δ."""
    low, high = sorted((l_end, l_start))
    names = [f"{'spd'[low]}{'spd'[high]}_{kind}" for kind in ("sigma", "pi", "delta")[: low + 1]]
    at = [law.names.index(name) for name in names]
    return np.asarray(law.strengths)[at] * (2.0 / distance) ** np.asarray(law.decays)[at]


@pytest.mark.parametrize(("l_end", "l_start"), SHELL_PAIRS)
def test_blocks_are_those_of_the_table_of_1954(l_end, l_start):
    law = full_law()
    for bond in DIRECTIONS:
        expected = table_block(bond, l_end, l_start, values(law, l_end, l_start, np.linalg.norm(bond)))
        np.testing.assert_allclose(law.block(jnp.asarray(bond), l_end, l_start), expected, atol=1e-13)


def test_sign_and_sigma_pi_form():
    law = SlaterKoster({"pp_sigma": 3.0, "pp_pi": -1.0, "sp_sigma": 2.0}, length=1.0)
    n = np.array([0.36, 0.48, 0.8])
    np.testing.assert_allclose(
        law.block(jnp.asarray(n), 1, 0)[:, 0], 2.0 * n, atol=1e-15
    )  # p at the end, s at the start
    np.testing.assert_allclose(law.block(jnp.asarray(n), 0, 1)[0], -2.0 * n, atol=1e-15)
    np.testing.assert_allclose(law.block(jnp.asarray(n), 1, 1), 4.0 * np.outer(n, n) - np.eye(3), atol=1e-14)


@pytest.mark.parametrize(("l_end", "l_start"), SHELL_PAIRS)
def test_rotation_covariance(l_end, l_start):
    # t(Rr) = D t(r) Dᵀ with R = exp(θ×) and D = exp(−iθ·L)
    law, random = full_law(), np.random.default_rng(3)
    for _ in range(3):
        theta, bond = random.normal(size=3), random.normal(size=3)
        turn = [expm(-1j * np.tensordot(theta, orbital_momentum(l), 1)).real for l in (1, l_end, l_start)]
        turned = law.block(jnp.asarray(turn[0] @ bond), l_end, l_start)
        expected = turn[1] @ np.asarray(law.block(jnp.asarray(bond), l_end, l_start)) @ turn[2].T
        np.testing.assert_allclose(turned, expected, atol=1e-12)


@pytest.mark.parametrize(("l_end", "l_start"), SHELL_PAIRS)
def test_reversed_bond_is_the_transpose(l_end, l_start):
    law, bond = full_law(), jnp.array([0.3, -1.2, 0.7])
    np.testing.assert_allclose(law.block(-bond, l_end, l_start), law.block(bond, l_start, l_end).T, atol=1e-14)


@pytest.mark.parametrize(("l_end", "l_start"), SHELL_PAIRS)
def test_derivative_is_finite_everywhere_and_that_of_finite_differences(l_end, l_start):
    law, step = full_law(), 1e-3
    for bond in DIRECTIONS:
        slope = np.asarray(jax.jacfwd(lambda r: law.block(r, l_end, l_start))(jnp.asarray(bond)))
        expected = np.zeros_like(slope)
        for axis in range(3):
            for shift, weight in ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12)):
                moved = jnp.asarray(bond + shift * step * np.eye(3)[axis])
                expected[..., axis] += weight / step * np.asarray(law.block(moved, l_end, l_start))
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(slope / scale, expected / scale, atol=1e-8)


@pytest.mark.parametrize(("l_end", "l_start"), SHELL_PAIRS)
def test_pattern_is_where_generic_integrals_give_something(l_end, l_start):
    law = full_law()
    for direction in [*DIRECTIONS, np.array([1.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0])]:
        n = direction / np.linalg.norm(direction)
        hopping, gradient = bond_pattern(tuple(n.tolist()), l_end, l_start)
        block = law.block(jnp.asarray(n), l_end, l_start)
        slope = jax.jacfwd(lambda r: law.block(r, l_end, l_start))(jnp.asarray(n))
        np.testing.assert_array_equal(hopping, np.abs(block) > 1e-9)
        np.testing.assert_array_equal(gradient, np.abs(slope) > 1e-9)


def test_default_decay_is_harrisons():
    law = SlaterKoster({"pp_sigma": 1.0, "pp_pi": 1.0, "pd_sigma": 1.0, "dd_sigma": 1.0, "dd_pi": 1.0}, length=1.0)
    assert dict(zip(law.names, law.decays.tolist(), strict=True)) == {
        "pp_sigma": 2.0,
        "pp_pi": 2.0,
        "pd_sigma": 3.5,
        "dd_sigma": 5.0,
        "dd_pi": 5.0,
    }


def test_bad_laws_are_refused():
    with pytest.raises(InputError, match=r"`integrals` must be one of .* but is 'pp_sigm'. Did you mean 'pp_sigma'"):
        SlaterKoster({"pp_sigm": 1.0}, length=1.0)
    with pytest.raises(InputError, match="`length` must be greater than zero"):
        SlaterKoster({"ss_sigma": 1.0}, length=0.0)
    with pytest.raises(InputError, match=r"integrals\['ss_sigma'\]` must be finite"):
        SlaterKoster({"ss_sigma": float("nan")}, length=1.0)
    with pytest.raises(InputError, match="between p and d shells, but lacks pd_pi. Set to 0.0"):
        SlaterKoster({"pd_sigma": 1.0}, length=1.0).block(jnp.ones(3), 2, 1)
