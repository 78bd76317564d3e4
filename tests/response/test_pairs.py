"""Pi from tables of levels against the integrals of f and f' over Green's functions in `orbiphon.fermi`, whose closed
forms are other ones (tests/test_fermi.py has them against 50 digits)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.fermi import sea_integral, surface_integral
from orbiphon.response.first_order import conserving, conserving_low_frequency
from orbiphon.units import k_B

LEVEL = 0.3
APART = np.array([0.0, 1e-12, 1e-7, 1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.039, 0.041, 0.1, 0.5, 2.0, 30.0])


def levels(seed: int, unit: float) -> tuple[jax.Array, jax.Array]:
    """Levels a and b (pair,) at all distances, some degenerate, some far from the Fermi level."""
    random = np.random.default_rng(seed)
    centre = LEVEL + unit * random.normal(size=(12, 1)) * 10.0 ** random.uniform(-2, 2, (12, 1))
    return jnp.asarray((centre + 0 * APART).ravel()), jnp.asarray((centre + unit * APART).ravel())


def of_pairs(method, e_a, e_b, *state):
    """Elementwise, from the pairs (a, b) alone and from within the table of all levels."""
    single = jax.vmap(lambda a, b: method(a[None], b[None], *state)[0, 0])(e_a, e_b)
    np.testing.assert_allclose(np.diagonal(method(e_a, e_b, *state)), single, rtol=1e-11, atol=1e-14)
    return np.asarray(single)


@pytest.mark.parametrize(("gamma", "kelvin"), [(0.01, 300.0), (0.3, 900.0), (1e-4, 300.0), (0.2, 30.0)])
def test_first_order_from_tables_is_that_from_integrals(gamma, kelvin):
    unit = 2 * np.pi * k_B * kelvin
    e_a, e_b = levels(int(kelvin), unit)
    gamma, level, temperature = (jnp.asarray(x) for x in (gamma, LEVEL, kelvin))
    state = (gamma, level, temperature)
    for w in (jnp.asarray(0.3 * unit), jnp.asarray(2e-3)):
        s = lambda a, b: np.asarray(sea_integral([a, b], *state))  # noqa: E731
        jump = np.conj(s(e_b, e_b + w)) - s(e_a - w, e_a)
        sea = s(e_a - w, e_b) - np.conj(s(e_a, e_b + w))
        expected = 0.5j / np.pi * (sea + float(w) * jump / (np.asarray(e_b + w - e_a) + 2j * float(gamma)))
        found = of_pairs(conserving, e_a, e_b, w, *state)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 / unit)

    s3 = lambda *e: np.asarray(sea_integral(list(e), *state))  # noqa: E731
    static = -np.imag(s3(e_a, e_b)) / np.pi
    surface = np.asarray(surface_integral([e_a], e_b, *state))
    moving = 0.5j / np.pi * (surface - s3(e_a, e_a, e_b) - np.conj(s3(e_a, e_b, e_b)))
    w = jnp.asarray(0.1 * unit)
    found = of_pairs(conserving_low_frequency, e_a, e_b, w, *state)
    np.testing.assert_allclose(found, static + float(w) * moving, rtol=1e-9, atol=1e-12 / unit)
