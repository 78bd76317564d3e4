"""Means with one adaptive axis, of functions whose means are known."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss

from functions import function
from orbiphon.zone import Mesh, zone_mean
from orbiphon.zone.rows import FRACTIONS, WEIGHTS, rows_along

NARROW = 0.002


def ridge(k, p):
    """Narrow across a curve in the zone, smooth along it, weighed by a function of the place on the curve.

    Integrated over k_1 it is exp(cos k_2), whatever the curve.
    """
    r, place = jnp.exp(-p[0]), k[0] - 0.7 * jnp.sin(k[1])
    return (1 - r**2) / (1 - 2 * r * jnp.cos(place) + r**2) * jnp.exp(jnp.cos(k[1]))


def turned_ridge(k, p):
    return ridge(k[::-1], p)


def ridge_in_a_bulk(k, p):
    return ridge(k[1:], p) * (1 + 0.3 * jnp.cos(k[0]))


MEAN = np.i0(1.0)


def test_both_rules_are_exact_for_polynomials():
    x = 2 * FRACTIONS - 1
    for rule, degree in ((0, 22), (1, 13)):
        for power in range(degree + 1):
            np.testing.assert_allclose(WEIGHTS[rule] @ x**power, (power % 2 == 0) / (power + 1), atol=1e-15)
        assert abs(WEIGHTS[rule] @ x ** (degree + 2 - degree % 2) - 1 / (degree + 3 - degree % 2)) > 1e-12
    nodes, weights = leggauss(7)
    np.testing.assert_allclose(x[WEIGHTS[1] > 0], nodes, atol=1e-15)
    np.testing.assert_allclose(WEIGHTS[1][WEIGHTS[1] > 0], weights / 2, atol=1e-15)


@pytest.mark.parametrize(
    ("of", "dim", "axis"), [(ridge, 2, 0), (turned_ridge, 2, 1), (ridge_in_a_bulk, 3, 1)], ids=["x", "y", "bulk"]
)
@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_a_narrow_ridge(of, dim, axis, rtol):
    integrand, start = function(of, NARROW), (12,) * dim
    found = zone_mean(integrand, start=start, rtol=rtol, max_points=10**7, adaptive=(axis, 300))
    assert found.converged and found.rule == f"adaptive along axis {axis + 1}"
    assert abs(found.value[0] - MEAN) <= found.error[0] <= rtol * MEAN
    equispaced = (4 / NARROW) * 24 ** (dim - 1)  # the last of several meshes
    assert found.points < 2 * equispaced


@pytest.mark.parametrize("mirrors", [(True,), (False,)])
def test_a_single_row(mirrors):
    def peaks(k, p):
        return 1 / (p[0] ** 2 + 4 * jnp.sin(k[0] / 2) ** 2)

    found = zone_mean(
        function(peaks, 1e-3), start=(16,), rtol=1e-9, mirrors=mirrors, max_points=50_000, adaptive=(0, 600)
    )
    mean = 1 / (1e-3 * np.sqrt(1e-6 + 4))
    assert found.converged and found.rule == "adaptive along axis 1"
    assert abs(found.value[0] - mean) <= found.error[0] <= 1e-9 * mean


def test_error_estimate_of_many_ridges():
    random, missed = np.random.default_rng(3), 0
    for _ in range(40):
        width, rtol = 10 ** random.uniform(-3.5, -1.5), 10 ** random.uniform(-5, -2)
        apart = int(2 * np.pi / (10 * width))
        found = zone_mean(
            function(ridge, width), start=(12, 12), rtol=rtol, adaptive=(0, apart), mirrors=(False, False)
        )
        assert found.converged and found.error[0] <= rtol * found.value[0]
        missed += abs(found.value[0] - MEAN) > found.error[0]
    assert missed == 0


def test_what_cancels_does_not_refine_for_ever():
    # the mean is a thousandth of the modulus, and changes while the rows are refined
    def cancelling(k, p):
        return ridge(k, p) * (jnp.cos(k[0] - 0.7 * jnp.sin(k[1]) + jnp.pi / 2) + 1e-3)

    found = zone_mean(function(cancelling, NARROW), start=(12, 12), rtol=1e-4, adaptive=(0, 300), max_points=10**6)
    assert found.converged and found.points < 3e5
    assert abs(found.value[0] - 1e-3 * MEAN) <= found.error[0] <= 1e-7 * MEAN


def test_blocks_and_mirrors_do_not_matter():
    def even(k, p):
        return 1 / (1 + p[0] - jnp.cos(k[0])) * jnp.exp(jnp.cos(k[1]))

    expected = MEAN / np.sqrt((1 + 1e-5) ** 2 - 1)
    values = []
    for block, mirrors in itertools.product((15, 100, 4096), ((False, False), (True, True))):
        found = zone_mean(
            function(even, 1e-5), start=(12, 12), rtol=1e-6, adaptive=(0, 300), block=block, mirrors=mirrors
        )
        assert found.converged
        values.append((mirrors, found.value[0]))
    plain, folded = ([v for m, v in values if m[0] is mirrored] for mirrored in (False, True))
    np.testing.assert_allclose(plain, plain[0], rtol=1e-13)
    np.testing.assert_allclose(folded, folded[0], rtol=1e-13)
    np.testing.assert_allclose([plain[0], folded[0]], expected, rtol=1e-6)


def test_rows_that_are_not_affordable_leave_an_honest_error():
    found = zone_mean(function(ridge, 1e-5), start=(12, 12), rtol=1e-8, adaptive=(0, 300), max_points=20_000)
    assert not found.converged and found.points <= 20_000
    assert 1e-8 * MEAN < found.error[0] and abs(found.value[0] - MEAN) <= found.error[0]


def test_rows_cover_the_zone():
    rows = rows_along(Mesh((4, 30, 6), (False, True, True)), 1, 45)
    assert rows.shape == (4, 60, 6) and rows.size == 4 * 3 * 30
    phases = rows.phases()
    assert phases.shape == (2, 12)
    np.testing.assert_allclose(np.prod(phases**4, axis=0), phases[1] ** 4 * np.exp(-1j * np.pi * 4 / 4))
    assert len(set(map(tuple, np.round(phases.T, 9)))) == 12


def test_complex_components():
    def of(k, p):
        peak = ridge(k, p)
        return jnp.stack([jax.lax.complex(peak, 2 * peak), jax.lax.complex(jnp.cos(k[1]), jnp.zeros(()))])

    found = zone_mean(function(of, NARROW), start=(12, 12), rtol=1e-5, adaptive=(0, 300))
    assert found.converged and np.iscomplexobj(found.value)
    assert np.all(np.abs(found.value - np.array([(1 + 2j) * MEAN, 0])) <= found.error)


def test_a_component_that_cancels_everywhere_is_done_at_once():
    def of(k, p):
        peak = ridge(k, p)
        return jnp.stack([peak, (0.1 + peak) - 0.1 - peak])

    for options in ({"adaptive": (0, 300), "start": (12, 12)}, {"start": (1000, 12)}):
        found = zone_mean(function(of, 0.02), rtol=1e-4, max_points=10**6, **options)
        assert found.converged and abs(found.value[0] - MEAN) <= found.error[0]
        assert abs(found.value[1]) <= 1e-12


def test_rounding_is_not_refined():
    def noise(k, p):
        return jnp.sin(1e9 * k[0]) * 1e-16

    found = zone_mean(function(noise, 0.0), start=(12, 12), rtol=1e-6, adaptive=(0, 300), max_points=10**6)
    assert not found.converged and found.points <= 10**6 and abs(found.value[0]) <= 1e-16
