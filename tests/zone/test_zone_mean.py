"""Means over the zone, of functions whose means are known."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ellipk, iv

from functions import function
from orbiphon.zone import Mesh, at_phases, listening, zone_mean


def lorentzian(k, p):
    return 1 / (p[0] - jnp.cos(k[0]))


def exponential(k, p):
    return jnp.exp(p[0] * jnp.cos(k[0]))


def watson(k, p):
    return 1 / (p[0] - jnp.cos(k[0]) - jnp.cos(k[1]))


def skewed(k, p):
    return 1 / (p[0] - jnp.cos(k[0] + k[1]))


def poisson(k, p):
    return (1 - p[0] ** 2) / (1 - 2 * p[0] * jnp.cos(k[0] - 1.0) + p[0] ** 2)


def shifted_poisson(k, p):
    return (1 - p[0] ** 2) / (1 - 2 * p[0] * jnp.cos(k[0] - p[1]) + p[0] ** 2)


def resolving(distance):
    """Four points per distance of the nearest singularity from the real axis."""
    return int(np.ceil(4 / distance))


KNOWN = [  # integrand, mean, start
    *((function(lorentzian, a), 1 / np.sqrt(a**2 - 1), (resolving(np.arccosh(a)),)) for a in (3.0, 1.1, 1.01, 1.0001)),
    (function(exponential, 6.0), iv(0, 6.0), (8,)),
    *(
        (function(watson, a), 2 / (np.pi * a) * ellipk((2 / a) ** 2), (resolving(np.arccosh(a - 1)),) * 2)
        for a in (3.0, 2.1, 2.01)
    ),
    (function(skewed, 1.05), 1 / np.sqrt(1.05**2 - 1), (resolving(np.arccosh(1.05)),) * 2),
    *((function(poisson, r), 1.0, (resolving(-np.log(r)),)) for r in (0.5, 0.95)),
]


@pytest.mark.parametrize("rtol", [1e-2, 1e-4, 1e-8])
@pytest.mark.parametrize(("integrand", "mean", "start"), KNOWN)
def test_known_means_within_the_stated_error(integrand, mean, start, rtol):
    found = zone_mean(integrand, start=start, rtol=rtol, max_points=4_000_000, block=2**12)
    assert found.converged and found.error[0] <= rtol * abs(mean)
    assert abs(found.value[0] - mean) <= found.error[0]


def test_a_mesh_is_exact_on_trigonometric_polynomials():
    random = np.random.default_rng(0)
    shape, frequencies = (6, 8, 4), np.array([[0, 0, 0], [1, 2, 0], [-2, 3, 1], [5, -7, 3], [3, 0, -1], [0, 1, 0]])
    weights = random.normal(size=len(frequencies))

    def wave(k, p):
        return jnp.sum(p * jnp.cos(jnp.asarray(frequencies, dtype=float) @ k + 0.3))

    found = zone_mean(function(wave, *weights), start=shape, rtol=1e-12, max_points=10**5, block=512)
    np.testing.assert_allclose(found.value, weights[0] * np.cos(0.3), rtol=1e-13)
    for mesh in (Mesh(shape, (False,) * 3), Mesh(shape, (False, True, False))):
        phases, weight = map(np.concatenate, zip(*((p.T, w) for p, w in mesh.blocks(37)), strict=True))
        np.testing.assert_allclose(weight.sum(), 1)
        for n in ([1, 0, 0], [0, 0, 3], [5, 0, 1]):
            assert abs(np.sum(weight * np.prod(phases ** np.array(n), axis=1))) < 1e-14
        assert len(weight[weight > 0]) == mesh.size


def test_a_folded_mesh_visits_each_point_once():
    whole, half = Mesh((6, 4), (False, False)), Mesh((6, 4), (True, True))
    collect = lambda mesh: [(p, w) for ps, ws in mesh.blocks(5) for p, w in zip(ps.T, ws, strict=True) if w]  # noqa: E731
    angles = sorted(tuple(np.round(np.angle(p), 9)) for p, _ in collect(whole))
    assert len(set(angles)) == 24
    folded = []
    for p, w in collect(half):
        np.testing.assert_allclose(w, 1 / 6)
        folded += [tuple(np.round(np.angle([q0, q1]), 9)) for q0 in (p[0], p[0].conj()) for q1 in (p[1], p[1].conj())]
    assert sorted(folded) == angles


@pytest.mark.parametrize(
    ("of", "even"),
    [
        (lambda k, p: 1 / (1.5 - jnp.cos(k[0])) + jnp.cos(k[1]) + 3, True),
        (lambda k, p: 1 / (2.5 - jnp.cos(k[0]) - jnp.cos(k[1]) + 1e-3 * jnp.sin(k[0]) * jnp.sin(k[1])), False),
        (lambda k, p: 1 / (2.5 - jnp.cos(k[0] + k[1])), False),
    ],
)
def test_mirrors_are_used_only_where_true(of, even):
    integrand = function(of, 0.0)
    found = zone_mean(integrand, start=(32, 32), rtol=1e-10, max_points=10**6, block=1024)
    shape = [(32, 32)]
    while shape[-1] != found.shape:
        shape.append(tuple(2 * int(np.ceil(1.5 * n / 2)) for n in shape[-1]))
    assert found.points == sum(a * b for a, b in shape) // (4 if even else 1)
    kd = 2 * np.pi * (np.arange(256) + 0.25) / 256
    grid = np.stack(np.meshgrid(kd, kd, indexing="ij"), axis=-1).reshape(-1, 2)
    expected = np.mean(jax.vmap(lambda k: of(k, None))(jnp.asarray(grid)))
    np.testing.assert_allclose(found.value[0], expected, rtol=1e-10)


def test_error_estimate_of_many_singularities_anywhere():
    # 1 + 2 Re sum r^n e^{in(k - phase)}: alternating errors r^n cos(n phase), at random widths and tolerances
    random, missed = np.random.default_rng(2), 0
    for _ in range(300):
        distance, phase, rtol = 10 ** random.uniform(-2, -0.5), random.uniform(0, np.pi), 10 ** random.uniform(-7, -2)
        integrand = function(shifted_poisson, np.exp(-distance), phase)
        found = zone_mean(integrand, start=(resolving(distance),), rtol=rtol, block=2**10, mirrors=(False,))
        assert found.converged and found.error[0] <= rtol * found.value[0]
        missed += abs(found.value[0] - 1.0) > found.error[0]
    assert missed <= 3  # one in a hundred


@pytest.mark.parametrize("block", [1, 7, 100, 4096])
def test_result_does_not_depend_on_the_block(block):
    integrand = function(watson, 2.3)
    found = zone_mean(integrand, start=(12, 12), rtol=1e-3, max_points=3000, block=block)
    again = zone_mean(integrand, start=(12, 12), rtol=1e-3, max_points=3000, block=256)
    assert found.shape == again.shape
    if block > 1:  # one random point cannot tell a mirror from chance any worse, but visits are what they are
        assert found.points == again.points
    np.testing.assert_allclose(found.value, again.value, rtol=1e-13)


def test_missed_tolerance_is_flagged_with_an_honest_error():
    mean = 1 / np.sqrt(1.0001**2 - 1)
    found = zone_mean(function(lorentzian, 1.0001), start=(300,), rtol=1e-12, max_points=2500, block=256)
    assert not found.converged and found.points <= 2500
    assert abs(found.value[0] - mean) <= found.error[0] < np.inf


def test_a_first_mesh_that_is_not_affordable_has_no_error_estimate():
    found = zone_mean(function(lorentzian, 1.0001), start=(4000,), rtol=1e-2, max_points=600, block=256)
    assert not found.converged and np.isinf(found.error[0]) and found.points <= 600


def test_several_components_complex_and_zero():
    def of(k, p):
        wave = jax.lax.complex(jnp.cos(k[0]), jnp.sin(k[0]))
        return jnp.stack(
            [wave / (1.2 - wave.real).astype(complex), 2j + wave.imag.astype(complex), wave.imag.astype(complex)]
        )

    found = zone_mean(function(of, 0.0), start=(8,), rtol=1e-9, block=256, max_points=10**5)
    root = np.sqrt(1.2**2 - 1)
    expected = np.array([(1.2 - root) / root, 2j, 0])
    assert found.converged
    assert np.all(np.abs(found.value - expected) <= found.error)


def test_absolute_tolerance_alone():
    found = zone_mean(function(lorentzian, 1.01), start=(8,), rtol=0.0, atol=1e-3, block=256)
    assert found.converged and 0 < found.error[0] <= 1e-3
    assert abs(found.value[0] - 1 / np.sqrt(1.01**2 - 1)) <= found.error[0]


def test_the_integrand_itself():
    k = np.array([[0.3, -0.7], [1.0, 2.0]])
    found = at_phases(function(watson, 3.0), jnp.asarray(np.exp(-1j * k)))
    np.testing.assert_allclose(found[:, 0], 1 / (3 - np.cos(k).sum(axis=1)), rtol=1e-13)


def test_a_sum_tells_how_far_it_is():
    told = []
    with listening(lambda *word: told.append(word)):
        zone_mean(function(watson, 3.0), start=(30, 20), rtol=1e-6, block=64, mirrors=(False, False))
    zone_mean(function(watson, 3.0), start=(30, 20), rtol=1e-6, block=64)  # nobody listens
    meshes = list(dict.fromkeys(what for what, _, _ in told))
    assert meshes[:2] == ["mesh of 30 x 20", "mesh of 46 x 30"]
    for mesh in meshes:
        done = [finished for what, finished, _ in told if what == mesh]
        size = math.prod(int(n) for n in mesh.removeprefix("mesh of ").split(" x "))
        assert (
            done == sorted(done) and done[-1] == size and {total for what, _, total in told if what == mesh} == {size}
        )
