import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.coupling.deformed import rotation_derivative
from orbiphon.electrons import bands, eigensystem
from orbiphon.models import honeycomb_pxy, weyl_p

SIGMA, PI, TAU, D = 1.0, -0.3, 0.4, 4.0


def chern(model, centre, band, radius):
    """Berry flux through a sphere over 2 pi, from overlaps around plaquettes: Fukui, Hatsugai and Suzuki (2005)."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, 17), np.linspace(0, 2 * np.pi, 33), indexing="ij")
    n = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    _, vectors = eigensystem(model, jnp.asarray((centre + radius * n).reshape(-1, 3)))
    u = np.array(vectors)[:, :, band].reshape(*theta.shape, -1)
    u[:, -1] = u[:, 0]  # the same points, whatever phases came out
    u[0], u[-1] = u[0, 0], u[-1, 0]
    link = lambda a, b: np.sum(np.conj(a) * b, axis=-1)  # noqa: E731
    loop = link(u[:-1, :-1], u[1:, :-1]) * link(u[1:, :-1], u[1:, 1:])
    loop = loop * link(u[1:, 1:], u[:-1, 1:]) * link(u[:-1, 1:], u[:-1, :-1])
    return -np.sum(np.angle(loop)) / (2 * np.pi)


def weyl_point(tau):
    """k_0, the helicity m of the state that p_x meets there, and both slopes."""
    angle = 2 * np.arctan(abs(tau / (SIGMA - PI)))
    m = 1 if -tau / (SIGMA - PI) > 0 else -1
    slopes = -2 * SIGMA * D * np.sin(angle), -2 * PI * D * np.sin(angle) + 2 * m * tau * D * np.cos(angle)
    return angle / D, m, *slopes


@pytest.mark.parametrize("tau", [TAU, -TAU])
def test_bands_on_the_axes_and_the_threefold_point(tau):
    model = weyl_p(SIGMA, PI, tau, D)
    for k in (0.2, -0.9):
        x, y = 2 * SIGMA * np.cos(k * D) + 4 * PI, 2 * SIGMA + 2 * PI + 2 * PI * np.cos(k * D)
        expected = np.sort([x, y + 2 * tau * np.sin(k * D), y - 2 * tau * np.sin(k * D)])
        for axis in np.eye(3):
            np.testing.assert_allclose(bands(model, jnp.asarray(k * axis)[None])[0], expected, atol=1e-12)
    near = np.random.default_rng(0).normal(size=3)
    near *= 1e-4 / np.linalg.norm(near)
    levels = np.asarray(bands(model, jnp.asarray(near)[None]))[0] - (2 * SIGMA + 4 * PI)
    np.testing.assert_allclose(levels, 2 * abs(tau) * D * 1e-4 * np.array([-1, 0, 1]), atol=1e-6)
    # k.L with a positive factor: the highest band has L = +1 along k and the flux -2
    found = [chern(model, np.zeros(3), band, 0.02) for band in range(3)]
    np.testing.assert_allclose(found, np.sign(tau) * np.array([2, 0, -2]), atol=1e-9)


@pytest.mark.parametrize("tau", [TAU, -TAU])
def test_weyl_points(tau):
    """Place, energy, cone and charge, at all six."""
    model, (k_0, m, slope_x, slope_m) = weyl_p(SIGMA, PI, tau, D), weyl_point(tau)
    energy = 2 * SIGMA * np.cos(k_0 * D) + 4 * PI
    step = 1e-4
    for axis, across in zip(np.eye(3), np.roll(np.eye(3), 1, axis=0), strict=True):
        for sign in (1, -1):
            node = sign * k_0 * axis
            here = np.asarray(bands(model, jnp.asarray(node)[None]))[0]
            pair = np.argsort(np.abs(here - energy))[:2]
            np.testing.assert_allclose(here[pair], energy, atol=1e-12)
            along, aside = (np.asarray(bands(model, jnp.asarray(node + step * n)[None]))[0] for n in (axis, across))
            np.testing.assert_allclose(
                np.sort(along[pair] - energy) / step, np.sort(sign * np.array([slope_x, slope_m])), rtol=2e-3
            )
            np.testing.assert_allclose(np.ptp(aside[pair]) / step, 2 * np.sqrt(2) * TAU * D, rtol=2e-3)
            charge = m * np.sign(slope_m - slope_x)  # of m k_y sigma_x + k_z sigma_y + (slope_m - slope_x) k_x sigma_z
            assert chern(model, node, min(pair), 0.01) == pytest.approx(charge, abs=1e-9)
    # somewhere else there is no charge
    assert chern(model, np.array([0.3, 0.2, 0.1]), 0, 0.02) == pytest.approx(0.0, abs=1e-9)


def test_chiral_hopping_turns_with_the_crystal():
    model = weyl_p(SIGMA, PI, TAU, D)
    bonds = np.asarray(model.bond_vectors())
    for angle in np.eye(3):
        turned = np.sum(np.asarray(model.hopping_gradient) * np.cross(angle, bonds), axis=-1)
        np.testing.assert_allclose(turned, rotation_derivative(model, angle.astype(complex)), atol=1e-13)
    assert np.all(np.isreal(model.hopping))  # time reversal
    with_spin = bands(weyl_p(SIGMA, PI, TAU, D, spin_orbit=0.2), jnp.zeros((1, 3)))[0]
    np.testing.assert_allclose(with_spin, 2 * SIGMA + 4 * PI + np.array([-0.2] * 2 + [0.1] * 4), atol=1e-12)


def test_dirac_points_of_the_honeycomb():
    """Velocity (3/4)|t_sigma - t_pi| bond in every direction, a Berry phase of pi, a gap with a stagger."""
    bond, sigma, pi = 1.7, 1.3, -0.4
    corner = np.array([4 * np.pi / (3 * np.sqrt(3) * bond), 0.0, 0.0])
    model = honeycomb_pxy(sigma, pi, bond=bond)
    for angle in (0.0, 0.7, 2.0):
        k = corner + 1e-5 * np.array([np.cos(angle), np.sin(angle), 0.0])
        levels = np.asarray(bands(model, jnp.asarray(k)[None]))[0]
        np.testing.assert_allclose(levels[1:3] / 1e-5, 0.75 * (sigma - pi) * bond * np.array([-1, 1]), rtol=1e-3)
        np.testing.assert_allclose(levels[[0, 3]], 1.5 * (sigma - pi) * np.array([-1, 1]), rtol=1e-8)
    turn = np.linspace(0, 2 * np.pi, 41)[:-1]
    circle = corner + 0.01 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    u = np.asarray(eigensystem(model, jnp.asarray(circle))[1])[:, :, 1]
    phase = np.angle(np.prod(np.sum(np.conj(u) * np.roll(u, -1, axis=0), axis=1)))
    assert abs(phase) == pytest.approx(np.pi, abs=1e-3)
    gapped = np.asarray(bands(honeycomb_pxy(sigma, pi, 0.5, bond), jnp.asarray(corner)[None]))[0]
    np.testing.assert_allclose(gapped[1:3], [-0.25, 0.25], atol=1e-12)
