"""Adaptive means of functions whose means are known."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy.special import ellipkm1

from functions import function
from orbiphon.zone import zone_mean
from orbiphon.zone.boxes import FRACTIONS, POINTS, WEIGHTS, Boxes, BoxMeans, box_means, first_boxes, summed, too_wide

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


@pytest.mark.parametrize(("of", "dim"), [(ridge, 2), (turned_ridge, 2), (ridge_in_a_bulk, 3)], ids=["x", "y", "bulk"])
@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_a_narrow_ridge(of, dim, rtol):
    narrow = NARROW if dim == 2 else 0.05
    integrand, start = function(of, narrow), (12,) * dim
    found = zone_mean(integrand, start=start, rtol=rtol, max_points=10**8, adaptive=(int(0.6 / narrow),) * dim)
    assert found.converged and found.rule == "adaptive"
    assert abs(found.value[0] - MEAN) <= found.error[0] <= rtol * MEAN
    if dim == 2:  # of an equispaced mesh that converges as exp(-n NARROW)
        assert found.points < (np.log(1 / rtol) / NARROW) ** dim / 10


@pytest.mark.parametrize("mirrors", [(True,), (False,)])
def test_a_single_row(mirrors):
    def peaks(k, p):
        return 1 / (p[0] ** 2 + 4 * jnp.sin(k[0] / 2) ** 2)

    found = zone_mean(
        function(peaks, 1e-3), start=(16,), rtol=1e-9, mirrors=mirrors, max_points=50_000, adaptive=(600,)
    )
    mean = 1 / (1e-3 * np.sqrt(1e-6 + 4))
    assert found.converged and found.rule == "adaptive"
    assert abs(found.value[0] - mean) <= found.error[0] <= 1e-9 * mean


def test_error_estimate_of_many_ridges():
    random, missed = np.random.default_rng(3), 0
    for _ in range(40):
        width, rtol = 10 ** random.uniform(-2.3, -1.0), 10 ** random.uniform(-4, -2)
        apart = int(2 * np.pi / (10 * width))
        found = zone_mean(
            function(ridge, width), start=(12, 12), rtol=rtol, adaptive=(apart, apart), mirrors=(False, False)
        )
        assert found.converged and found.error[0] <= rtol * found.value[0]
        missed += abs(found.value[0] - MEAN) > found.error[0]
    assert missed == 0


def test_error_of_a_sum():
    """|sum of gaps| per axis, and three times the root of the sum of squares: 0.5 (3 - 1), 0.5 (4 + 4) by hand."""
    gap = np.array([[[3.0, 4.0]], [[-1.0, 4.0]]])
    means = BoxMeans(np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]]), gap)
    value, scale, error, squares = summed(means, np.array([0.5, 0.5]))
    assert (value[0], scale[0]) == (1.5, 1.5)
    np.testing.assert_allclose(error, 1 + 4 + 3 * np.sqrt((9 + 1 + 16 + 16) / 4))
    np.testing.assert_allclose(squares[:, 0], 9 * gap[:, 0] ** 2 / 4)


def test_boxes_beside_narrow_ones_are_halved():
    # halves of the zone, the upper one cut in four: 1/2, 1/8, 1/8, 1/8, 1/8
    boxes = Boxes(np.array([[0], [4], [5], [6], [7]]) / 8, np.array([[4], [1], [1], [1], [1]]) / 8)
    assert too_wide(boxes, 4, (True,)).ravel().tolist() == [True, False, False, False, False]
    assert not too_wide(boxes, 0, (True,)).any()
    # the last quarter touches the first one around the zone, unless the zone ends there in a mirror
    boxes = Boxes(np.array([[0], [4], [6], [7]]) / 8, np.array([[4], [2], [1], [1]]) / 8)
    assert too_wide(boxes, 2, (False,)).ravel().tolist() == [True, False, False, False]
    assert not too_wide(boxes, 2, (True,)).any()
    # along each axis by itself; boxes that share a corner touch, others do not
    low, width = np.array([[0, 0], [2, 2], [3, 2], [2, 0]]) / 4, np.array([[2, 2], [1, 2], [1, 2], [2, 2]]) / 4
    assert not too_wide(Boxes(low, width), 4, (True, True)).any()
    width[1:3, 0] /= 4
    assert too_wide(Boxes(low, width), 4, (True, True)).tolist() == [
        [True, False],
        [False] * 2,
        [False] * 2,
        [True, False],
    ]


@pytest.mark.parametrize(("narrow", "rtol", "first"), [(0.0956, 1.1e-4, 6), (0.0329, 1.4e-3, 19), (0.0885, 4.4e-4, 7)])
def test_a_ridge_that_grazes_a_box_is_not_missed(narrow, rtol, first):
    """Begun with one or four boxes for the whole zone. Without the rule for neighbours the error is up to seven times
    the estimate."""

    def of(k, p):
        return ridge(k, p) * (1 + jnp.tanh(3 * jnp.cos(k[0] + 2 * k[1])))

    options = {"start": (256, 256), "mirrors": (False, False)}
    equispaced = zone_mean(function(of, narrow), rtol=1e-7, **options)
    found = zone_mean(function(of, narrow), rtol=rtol, adaptive=(first, first), **options)
    assert found.converged and abs(found.value[0] - equispaced.value[0]) <= found.error[0]


def test_what_cancels_does_not_refine_for_ever():
    # the mean is a thousandth of the modulus, and changes while it is refined
    def cancelling(k, p):
        return ridge(k, p) * (jnp.cos(k[0] - 0.7 * jnp.sin(k[1]) + jnp.pi / 2) + 1e-3)

    found = zone_mean(function(cancelling, NARROW), start=(12, 12), rtol=1e-4, adaptive=(300, 300), max_points=10**7)
    assert found.converged and found.points < 3e6
    assert abs(found.value[0] - 1e-3 * MEAN) <= found.error[0] <= 1e-7 * MEAN


def test_blocks_and_mirrors_do_not_matter():
    def even(k, p):
        return 1 / (1 + p[0] - jnp.cos(k[0])) * jnp.exp(jnp.cos(k[1]))

    expected = MEAN / np.sqrt((1 + 1e-5) ** 2 - 1)
    values = []
    for block, mirrors in itertools.product((15, 100, 4096), ((False, False), (True, True))):
        found = zone_mean(
            function(even, 1e-5), start=(12, 12), rtol=1e-6, adaptive=(300, 300), block=block, mirrors=mirrors
        )
        assert found.converged
        values.append((mirrors, found.value[0]))
    plain, folded = ([v for m, v in values if m[0] is mirrored] for mirrored in (False, True))
    np.testing.assert_allclose(plain, plain[0], rtol=1e-13)
    np.testing.assert_allclose(folded, folded[0], rtol=1e-13)
    np.testing.assert_allclose([plain[0], folded[0]], expected, rtol=1e-6)


def test_boxes_that_are_not_affordable_leave_an_honest_error():
    found = zone_mean(function(ridge, 1e-5), start=(12, 12), rtol=1e-8, adaptive=(300, 300), max_points=20_000)
    assert not found.converged and found.points <= 20_000 and np.isinf(found.error[0])
    found = zone_mean(function(ridge, 1e-2), start=(12, 12), rtol=1e-8, adaptive=(60, 60), max_points=100_000)
    assert not found.converged and found.points <= 100_000
    assert 1e-8 * MEAN < found.error[0] and abs(found.value[0] - MEAN) <= found.error[0]


def test_first_boxes_cover_the_zone():
    boxes = first_boxes((2, 3))
    np.testing.assert_allclose(boxes.volume, 1 / 6)
    assert sorted(map(tuple, boxes.low)) == [(x / 2, y / 3) for x in range(2) for y in range(3)]
    halves = boxes.halves(np.array([0, 1, 0, 1, 0, 1]))
    np.testing.assert_allclose(np.sum(halves.volume), 1)
    np.testing.assert_allclose(halves.width[[0, 1]], [[1 / 4, 1 / 3], [1 / 2, 1 / 6]])
    np.testing.assert_allclose(halves.low[6:] - halves.low[:6], halves.width[:6] * np.tile(np.eye(2), (3, 1)))


def test_gaps_are_those_of_gauss_along_each_axis():
    # x^14 in a box of half the zone: Gauss's rule of 7 points misses it, Kronrod's does not
    def of(k, p):
        x = jnp.mod(k, 2 * jnp.pi) / jnp.pi - 1.0
        return jnp.stack([x[0] ** 14, x[1] ** 14, x[0] ** 13 * x[1] ** 12])

    means = box_means(function(of), first_boxes((1, 1)), (False, False), POINTS**2)
    np.testing.assert_allclose(means.value[0], [1 / 15, 1 / 15, 0], atol=1e-14)
    nodes, weights = leggauss(7)
    missed = 1 / 15 - weights @ nodes**14 / 2
    np.testing.assert_allclose(means.gap[0], [[missed, 0], [0, missed], [0, 0]], atol=1e-14)
    assert missed > 1e-5


def test_points_where_bands_nearly_touch():
    """1/(|k|^2 + d^2) gives as much to each scale down to d, and may be a small part of the whole."""
    random, missed, plain = np.random.default_rng(0), 0, 0

    def of(k, p):
        distance = jnp.sin((k[0] - p[1]) / 2) ** 2 + jnp.sin((k[1] - p[2]) / 2) ** 2
        return p[3] / (distance + p[0] ** 2) + jnp.exp(4 * jnp.cos(k[0]))

    for _ in range(30):
        d, strength, rtol = (10 ** random.uniform(*powers) for powers in ((-9, -2), (-6, 0), (-5, -2)))
        a = 2 + 2 * d**2  # mean of 2/(a - cos - cos)
        mean = strength * 4 / (np.pi * a) * ellipkm1(2 * d**2 * (a + 2) / a**2) + np.i0(4.0)
        integrand = function(of, d, *random.uniform(0, 6.28, 2), strength)
        options = {"start": (60, 60), "rtol": rtol, "adaptive": (10, 10), "mirrors": (False, False)}
        found, other = (zone_mean(integrand, **options, points=points) for points in (True, False))
        missed += abs(found.value[0] - mean) > found.error[0]
        plain += abs(other.value[0] - mean) > other.error[0]
        assert found.converged or (d < 1e-5 and found.points < 10**6)
    assert missed == 0 and plain > 5


def test_complex_components():
    def of(k, p):
        peak = ridge(k, p)
        return jnp.stack([jax.lax.complex(peak, 2 * peak), jax.lax.complex(jnp.cos(k[1]), jnp.zeros(()))])

    found = zone_mean(function(of, NARROW), start=(12, 12), rtol=1e-5, adaptive=(300, 300))
    assert found.converged and np.iscomplexobj(found.value)
    assert np.all(np.abs(found.value - np.array([(1 + 2j) * MEAN, 0])) <= found.error)


def test_a_component_that_cancels_everywhere_is_done_at_once():
    def of(k, p):
        peak = ridge(k, p)
        return jnp.stack([peak, (0.1 + peak) - 0.1 - peak])

    for options in ({"adaptive": (300, 300), "start": (12, 12)}, {"start": (1000, 12)}):
        found = zone_mean(function(of, 0.02), rtol=1e-4, max_points=10**6, **options)
        assert found.converged and abs(found.value[0] - MEAN) <= found.error[0]
        assert abs(found.value[1]) <= 1e-12


def test_rounding_is_not_refined():
    def noise(k, p):
        return jnp.sin(1e9 * k[0]) * 1e-16

    found = zone_mean(function(noise, 0.0), start=(12, 12), rtol=1e-6, adaptive=(300, 300), max_points=10**6)
    assert not found.converged and found.points <= 10**6 and abs(found.value[0]) <= 1e-16
    line = zone_mean(function(noise, 0.0), start=(12,), rtol=1e-6, adaptive=(60,), max_points=10**6)
    assert not line.converged and line.points < 10**5  # the error does not fall any more
