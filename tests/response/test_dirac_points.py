"""Sums without any broadening near Dirac points: their errors, against sums in polar coordinates about the points."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import units
from orbiphon.drives import OneMode
from orbiphon.models import honeycomb, honeycomb_pxy, honeycomb_springs
from orbiphon.phonons import circular_modes, phonon_angular_momentum
from orbiphon.response import Berry, ElectronState, Numerics, Problem
from orbiphon.zone import at_phases

MASS = 192.0 * units.amu
RTOL = 1e-3
NUMERICS = Numerics(rtol=RTOL, max_points=4 * 10**6)


def optical_phonon():
    phonons = honeycomb_springs(honeycomb(2.0), (MASS, MASS), (20.0, 3.0), (5.0, 0.5))
    modes = circular_modes(phonons.modes(np.zeros(3)))
    momentum = np.asarray(phonon_angular_momentum(modes))[0, :, 2]
    return OneMode(phonons, q=np.zeros(3), mode=int(np.argmax(np.asarray(modes.frequency[0]) * momentum)))


PHONON = optical_phonon()


def asked(gap, kelvin):
    electrons = honeycomb_pxy(1.5, -0.5, stagger=gap, bond=2.0, decay=4.0)
    state = ElectronState(fermi_level=0.0, temperature=kelvin)
    return Problem(electrons, PHONON, state, observables=("Lz",))


def gauss(edges, count):
    x, weight = np.polynomial.legendre.leggauss(count)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * weight).ravel()


def polar_points():
    """Points and weights of a third of the zone, whose turns by 120 degrees are the rest: each half of the zone is a
    triangle about K or K', of which this is the third between two corners.

    A point is K + r (edge - K), with the area r dr dt; r in panels that shrink towards K, and of a 500th of the way as
    far as the Fermi circles are."""
    edges = np.concatenate(
        [[0.0], np.geomspace(1e-8, 2e-3, 18), np.linspace(2e-3, 0.12, 60)[1:], np.geomspace(0.12, 1, 12)[1:]]
    )
    (r, w_r), (t, w_t) = gauss(edges, 8), gauss(np.linspace(0, 1, 2), 16)
    points, weights = [], []
    for third in ((0.0, 1.0), (1.0, 0.0)):
        corners = np.array([(0.0, 0.0), (1.0, 1.0), third])
        node = corners.mean(axis=0)
        a, b = corners[0] - node, corners[1] - node
        along = (1 - t)[:, None] * a + t[:, None] * b
        points.append((node + r[:, None, None] * along).reshape(-1, 2))
        weights.append(3 * ((w_r * r)[:, None] * w_t).ravel() * abs(a[0] * b[1] - a[1] * b[0]))
    return np.exp(-2j * np.pi * np.concatenate(points)), np.concatenate(weights)


PHASES, WEIGHTS = polar_points()


def true(prepared, level):
    values = np.asarray(at_phases(prepared.integrand(level, 0), jnp.asarray(PHASES)))
    return float(WEIGHTS @ values[:, 0])


def test_the_points_cover_the_zone_once():
    np.testing.assert_allclose(WEIGHTS.sum(), 1, rtol=1e-12)
    z1, z2 = PHASES.T  # functions with the threefold axis
    for f in (z1 + z2.conj() + z1.conj() * z2, z1 * z2 + z1 * z2.conj() ** 2 + z1.conj() ** 2 * z2):
        assert abs(WEIGHTS @ f) < 1e-10


@pytest.mark.parametrize(("gap", "kelvin"), [(1e-4, 50.0), (4e-3, 50.0), (0.05, 150.0)])
def test_errors_near_a_small_gap_are_honest_and_the_gap_is_resolved(gap, kelvin):
    prepared = Berry().prepare(asked(gap, kelvin))
    for level in (0.0, 0.03, 0.05):
        found, exact = prepared.moments(level, 0, NUMERICS), true(prepared, level)
        assert abs(found.value.item() - exact) <= found.error.item() <= RTOL * abs(exact) * 1.01, level
        assert found.converged and found.points < 5e5 and found.rule == "adaptive"


def test_where_bands_touch_the_logarithm_is_in_the_error():
    """With f' at the node the mean diverges like a logarithm: what a gap of 1 ueV cuts off is told."""
    level = 0.05  # 12 k_B T: it is 0.3 % only
    touching, gapped = (Berry().prepare(asked(gap, 50.0)) for gap in (0.0, 1e-6))
    exact, found = true(gapped, level), gapped.moments(level, 0, NUMERICS)
    assert abs(found.value.item() - exact) <= found.error.item()
    found = touching.moments(level, 0, NUMERICS)
    assert not found.converged and abs(found.value.item() - exact) <= found.error.item()
