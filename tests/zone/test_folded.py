"""Meshes folded by symmetry: the same means from fewer points."""

import jax.numpy as jnp
import numpy as np

from orbiphon.zone import (
    AbstractIntegrand,
    FoldedMesh,
    Mesh,
    common_mesh,
    folded,
    folded_mesh,
    leaves_alone,
    refined_mean,
    star_mean,
    zone_mean,
)

C4 = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
GROUP = [np.linalg.matrix_power(C4, n) for n in range(4)]


class Waves(AbstractIntegrand):
    """cos a cos b + cos c + weight cos a: with weight it has lost its fourfold axis."""

    weight: float

    def prepare(self, phases):
        return jnp.real(phases)

    def respond(self, prepared):
        a, b, c = prepared
        return jnp.stack([1.0 / (2.0 - a * b - 0.3 * c - self.weight * a), a * b])


def test_stars_hold_every_point_once():
    mesh = FoldedMesh((6, 6, 4), tuple(tuple(map(tuple, g.tolist())) for g in GROUP))
    points, counts = mesh.stars()
    assert counts.sum() == 6 * 6 * 4 and len(points) < 6 * 6 * 4 / 2
    assert abs(sum(weight.sum() for _, weight in mesh.blocks(7)) - 1.0) < 1e-14


def test_the_mean_does_not_depend_on_folding():
    integrand = Waves(0.0)
    mesh = folded_mesh(integrand, (8, 8, 8), GROUP)
    assert len(mesh.operations) == 8  # with k -> -k
    plain = FoldedMesh((8, 8, 8), (tuple(map(tuple, np.eye(3, dtype=int).tolist())),))
    a, b = (refined_mean(integrand, mesh, rtol=1e-6) for mesh in (mesh, plain))
    assert a.converged and a.points < b.points / 4 and np.allclose(a.value, b.value, rtol=1e-9)


def test_operations_that_change_the_integrand_are_left_out():
    assert len(folded_mesh(Waves(0.2), (8, 8, 8), GROUP).operations) == 4  # 1, C2 and these with k -> -k


def test_operations_that_form_no_group_are_not_used():
    mesh = folded_mesh(Waves(0.0), (8, 8, 8), GROUP[:2])  # as where others just miss the tolerance
    assert len(mesh.operations) == 2  # 1 and k -> -k
    assert abs(sum(weight.sum() for _, weight in mesh.blocks(64)) - 1.0) < 1e-14


def test_axes_that_symmetry_mixes_get_as_many_points():
    assert folded_mesh(Waves(0.0), (8, 6, 10), GROUP).shape == (8, 8, 10)
    assert folded_mesh(Waves(0.0), (8, 1, 10), GROUP).shape == (8, 1, 10)  # not periodic there


SIX = np.array([[1, 1], [-1, 0]])
HEXAGONAL = tuple(tuple(map(tuple, np.linalg.matrix_power(SIX, n).tolist())) for n in range(6))
SQUARE = tuple(tuple(map(tuple, g[:2, :2].tolist())) for g in GROUP)


class Hexagon(AbstractIntegrand):
    """A function with the sixfold axis of a triangular lattice, a . b = -1/2, or without it."""

    weight: float

    def prepare(self, phases):
        a, b = phases
        return jnp.stack([jnp.real(a), jnp.real(b), jnp.real(a * b)])

    def respond(self, prepared):
        return jnp.stack([1.0 / (2.0 - jnp.sum(prepared) * 0.4 - self.weight * prepared[0]), 1.0 + jnp.sum(prepared)])


def test_half_steps_give_the_points_of_an_unfolded_mesh():
    mesh = FoldedMesh((6, 6), SQUARE, half=True)
    images = set()
    for phases, weight in mesh.blocks(5):
        for point in phases[:, weight > 0].T:
            turns = np.angle(point) / (2.0 * np.pi) @ np.array(SQUARE).transpose(0, 2, 1)
            images |= {tuple(np.rint((turn % 1.0) * 12).astype(int) % 12) for turn in turns.reshape(-1, 2)}
    plain = next(phases for phases, _ in Mesh((6, 6), (False, False)).blocks(36))
    there = {tuple(np.rint((np.angle(point) / (2 * np.pi) % 1.0) * 12).astype(int) % 12) for point in plain.T}
    assert images == there and len(there) == 36


def test_a_mean_over_stars_is_that_over_the_zone():
    accuracy = {"rtol": 1e-7, "atol": 0.0, "max_points": 10**6, "block": 64}
    plain = zone_mean(Hexagon(0.0), start=(8, 8), **accuracy)
    stars = star_mean(Hexagon(0.0), HEXAGONAL, start=(8, 6), **accuracy)
    assert stars.converged and "6 operations" in stars.rule and stars.shape[0] == stars.shape[1]
    assert np.allclose(stars.value, plain.value, rtol=1e-6) and stars.points < plain.points / 2
    assert leaves_alone(Hexagon(0.0), HEXAGONAL)
    assert not leaves_alone(Hexagon(0.1), HEXAGONAL)
    tight = star_mean(Hexagon(0.0), HEXAGONAL, start=(64, 64), **{**accuracy, "max_points": 100})
    assert not tight.converged and np.all(np.isinf(tight.error))


def test_stars_do_not_depend_on_how_many_points_are_sorted_at_a_time(monkeypatch):
    mesh = FoldedMesh((6, 6), HEXAGONAL)
    points, counts = mesh.stars()
    folded._stars.cache_clear()
    monkeypatch.setattr(folded, "_PART", 5)
    again, counts_again = mesh.stars()
    folded._stars.cache_clear()
    assert np.array_equal(points, again) and np.array_equal(counts, counts_again) and counts.sum() == 36


def test_a_mesh_that_operations_map_onto_itself():
    tilted = (((1, 0), (0, 1)), ((1, 0), (1, -1)))  # a_2 -> a_1 - a_2
    assert common_mesh((28, 52), tilted) == (52, 52) and common_mesh((52, 28), tilted) == (52, 52)
    assert common_mesh((28, 52), (((-1, 0), (0, 1)),)) == (28, 52)
