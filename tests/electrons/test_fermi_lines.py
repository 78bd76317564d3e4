"""Fermi surfaces in planes: closed forms, the border of the zone, and that points lie where they must."""

import jax.numpy as jnp
import numpy as np
import pytest

import orbiphon as oph
from orbiphon import models
from orbiphon.crystal import Lattice, bonds_within
from orbiphon.electrons import orbital_weights, tight_binding, zone_section
from orbiphon.errors import InputError
from orbiphon.models.lattices import hypercubic

A, T = 3.0, -0.8
FCC = 2.0 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
BCC = 2.0 * (np.ones((3, 3)) - 2.0 * np.eye(3))


def s_band(dim):
    crystal = hypercubic(A, dim)
    law = oph.SlaterKoster({"ss_sigma": T}, length=A)
    return tight_binding(crystal, oph.Basis(((0, "s"),)), law, bonds_within(crystal, 1.02 * A))


def area(corners):
    x, y = corners.T
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


@pytest.mark.parametrize(
    ("vectors", "normal", "corners", "expected"),
    [  # areas over (2 pi / a)^2, a the side of the cube, here 4 angstrom (2 for the simple cube)
        (2.0 * np.eye(3), (0, 0, 1), 4, 4.0),
        (2.0 * np.eye(3), (1, 1, 0), 4, 4.0 * np.sqrt(2)),
        (BCC, (0, 0, 1), 4, 2.0),  # a square with its corners at H
        (FCC, (0, 0, 1), 8, 3.5),  # X squares' edges and L hexagons' edges: 4 - 4 x (1/2)(1/2)(1/2)
        (FCC, (1, 1, 1), 6, None),
        (3.0 * np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0]]), (0, 0, 1), 6, None),
    ],
)
def test_sections_of_the_zone(vectors, normal, corners, expected):
    lattice = Lattice(vectors)
    section = zone_section(lattice, normal)
    assert len(section.corners) == corners
    assert np.allclose(section.axes @ section.axes.T, np.eye(2)) and np.allclose(section.axes @ section.normal, 0.0)
    if expected is not None:
        assert area(section.corners) == pytest.approx(expected * (2 * np.pi / 4.0) ** 2)
    if lattice.dim == 2:
        assert area(section.corners) == pytest.approx(4 * np.pi**2 / float(lattice.cell_volume))
    # each corner is as far from Gamma as from the next two other lattice points, and none is nearer
    around = np.stack(np.meshgrid(*[np.arange(-3, 4)] * lattice.dim, indexing="ij"), -1).reshape(-1, lattice.dim)
    g = around @ np.asarray(lattice.reciprocal)
    away = np.linalg.norm((section.corners @ section.axes)[:, None] - g[None], axis=2)
    own = np.linalg.norm(section.corners, axis=1)
    assert np.all(away >= own[:, None] - 1e-9) and np.all(np.sum(away < own[:, None] + 1e-9, axis=1) >= 2)


@pytest.mark.parametrize(("dim", "level"), [(2, 0.3), (2, -2.0), (3, -2.5), (3, -0.4)])
def test_an_s_band_has_the_fermi_line_of_its_cosines(dim, level):
    found = oph.fermi_lines(s_band(dim), level)
    x, y, z = A * found.k.T
    assert len(found.k) > 100 and np.allclose(z, 0.0)
    energy = 2 * T * (np.cos(x) + np.cos(y) + (dim == 3))
    assert np.max(np.abs(energy - level)) < 1e-9 and np.max(np.abs(found.off)) < 1e-9
    assert np.allclose(found.speed, 2 * abs(T) * A * np.hypot(np.sin(x), np.sin(y)))
    assert np.all(np.abs(found.k[:, :2]) <= np.pi / A * (1 + 1e-6)) and np.allclose(found.weight, 1.0)
    inside = level / (2 * T) - (dim == 3) > 0  # round Gamma closed, else up to the border
    lengths = np.linalg.norm(np.diff(found.k, axis=0), axis=1)[np.diff(found.line) == 0]
    assert np.max(lengths) < 3 * 2 * np.pi / A / 120
    phi = np.unwrap(np.arctan2(y[found.line == 0], x[found.line == 0]))
    assert (len(set(found.line.tolist())) == 1) == inside
    if inside:
        assert abs(phi[-1] - phi[0]) == pytest.approx(2 * np.pi, abs=1e-6)
    else:
        ends = np.flatnonzero(np.diff(np.append(found.line, -1)))
        assert np.allclose(np.max(np.abs(found.k[ends]), axis=1), np.pi / A, rtol=1e-2)


@pytest.mark.parametrize("normal", [(0, 0, 1), (1, 1, 0), (1, 2, 3)])
def test_points_lie_on_the_surface_and_have_its_weights(normal):
    electrons = models.cubic_p(-1.9, -0.5, spin_orbit=0.5)
    found = oph.fermi_lines(electrons, -1.0, normal, points=60)
    k = jnp.asarray(found.k)
    chosen = np.arange(len(found.k))
    assert len(found.k) > 100 and np.max(np.abs(found.k @ found.section.normal)) < 1e-12
    assert np.max(np.abs(np.asarray(oph.bands(electrons, k))[chosen, found.band] + 1.0)) < 1e-6
    assert np.allclose(found.weight.sum(axis=1), 1.0) and found.weight.shape[1] == 3
    # both states of a Kramers pair, each with both spins
    weight = np.asarray(orbital_weights(electrons, k)).reshape(len(k), 6, 3, 2).sum(axis=3)
    pair = found.band // 2 * 2
    assert np.allclose(found.weight, (weight[chosen, pair] + weight[chosen, pair + 1]) / 2, atol=1e-6)
    step = 1e-5
    slope = [
        (oph.bands(electrons, k + move) - oph.bands(electrons, k - move)) / (2 * step)
        for move in (step * jnp.eye(3)[i][None] for i in range(3))
    ]
    speed = np.linalg.norm(np.stack([np.asarray(s)[chosen, found.band] for s in slope]), axis=0)
    assert np.allclose(found.speed, speed, atol=1e-3)


def test_no_states_are_no_lines():
    found = oph.fermi_lines(s_band(2), 99.0)
    assert found.k.shape == (0, 3) and found.weight.shape == (0, 1) and len(found.section.corners) == 4


@pytest.mark.parametrize(
    ("dim", "normal", "message"),
    [
        (1, (0, 0, 1), "a chain"),
        (3, (0, 0, 0), "length zero"),
        (3, (0, 1), "normal"),
        (2, (1, 0, 1), "must stand on the layer"),
    ],
)
def test_wrong_planes_are_refused(dim, normal, message):
    with pytest.raises(InputError, match=message):
        oph.fermi_lines(s_band(dim), 0.0, normal)
