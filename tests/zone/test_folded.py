"""Meshes folded by symmetry: the same means from fewer points."""

import jax.numpy as jnp
import numpy as np

from orbiphon.zone import AbstractIntegrand, FoldedMesh, folded_mesh, refined_mean

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
    folded = folded_mesh(integrand, (8, 8, 8), GROUP)
    assert len(folded.operations) == 8  # with k -> -k
    plain = FoldedMesh((8, 8, 8), (tuple(map(tuple, np.eye(3, dtype=int).tolist())),))
    a, b = (refined_mean(integrand, mesh, rtol=1e-6) for mesh in (folded, plain))
    assert a.converged and a.points < b.points / 4 and np.allclose(a.value, b.value, rtol=1e-9)


def test_operations_that_change_the_integrand_are_left_out():
    assert len(folded_mesh(Waves(0.2), (8, 8, 8), GROUP).operations) == 4  # 1, C2 and these with k -> -k


def test_axes_that_symmetry_mixes_get_as_many_points():
    assert folded_mesh(Waves(0.0), (8, 6, 10), GROUP).shape == (8, 8, 10)
    assert folded_mesh(Waves(0.0), (8, 1, 10), GROUP).shape == (8, 1, 10)  # not periodic there
