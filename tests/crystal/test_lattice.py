import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.crystal import Crystal, Lattice, bonds_within, joined, k_path
from orbiphon.errors import InputError


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_reciprocal_vectors_are_dual_and_in_the_span(dim):
    vectors = np.random.default_rng(dim).normal(size=(dim, 3))
    lattice = Lattice(vectors)
    reciprocal = np.asarray(lattice.reciprocal)
    np.testing.assert_allclose(vectors @ reciprocal.T, 2 * np.pi * np.eye(dim), atol=1e-12)
    in_span = np.linalg.lstsq(vectors.T, reciprocal.T, rcond=None)[0]
    np.testing.assert_allclose(vectors.T @ in_span, reciprocal.T, atol=1e-12)
    assert lattice.dim == dim


def test_cell_volume_is_length_area_volume():
    vectors = np.random.default_rng(5).normal(size=(3, 3))
    assert np.isclose(Lattice(vectors[:1]).cell_volume, np.linalg.norm(vectors[0]))
    assert np.isclose(Lattice(vectors[:2]).cell_volume, np.linalg.norm(np.cross(vectors[0], vectors[1])))
    assert np.isclose(Lattice(vectors).cell_volume, abs(np.linalg.det(vectors)))


def test_k_from_reduced_for_lists_of_points():
    lattice = Lattice([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0]])
    kappa = np.array([[[0.5, 0.0], [0.25, 0.5]]])
    k = np.asarray(lattice.k_from_reduced(jnp.asarray(kappa)))
    np.testing.assert_allclose(k @ np.asarray(lattice.vectors).T, 2 * np.pi * kappa, atol=1e-14)


@pytest.mark.parametrize(
    ("vectors", "rule"),
    [
        ([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]], "linearly independent"),
        ([[0.0, 0.0, 0.0]], "linearly independent"),
        ([[1.0, 0.0, float("nan")]], "finite"),
    ],
)
def test_bad_vectors_are_refused(vectors, rule):
    with pytest.raises(InputError, match=f"`vectors` must.*{rule}"):
        Lattice(vectors)


@pytest.mark.parametrize("shape", [(4, 3), (2, 2), (3,)])
def test_wrong_shapes_of_vectors_are_refused(shape):
    with pytest.raises(InputError, match=r"`vectors` must have the shape \(dim xyz\)"):
        Lattice(np.random.default_rng(0).normal(size=shape))


def test_atoms_on_top_of_each_other_are_refused_also_across_cells():
    lattice = Lattice([[2.0, 0.0, 0.0], [0.5, 3.0, 0.0]])
    with pytest.raises(InputError, match=r"`positions` must hold separate atoms, but atoms 0 and 1"):
        Crystal(lattice, [[0.1, 0.0, 0.0], [0.1 + 5.0, 6.0, 0.0]], ("A", "B"))
    with pytest.raises(InputError, match="separate atoms"):
        Crystal(Lattice([[2.0, 0.0, 0.0]]), [[0.0, 0.5, 0.0], [0.0, 0.5, 0.0]], ("A", "A"))
    Crystal(Lattice([[2.0, 0.0, 0.0]]), [[0.0, 0.5, 0.0], [2.0, 0.0, 0.0]], ("A", "A"))  # apart across the chain


def test_species_and_positions_must_match():
    with pytest.raises(InputError, match="`species` must have one name per atom, but has 1 for 2"):
        Crystal(Lattice([[2.0, 0.0, 0.0]]), [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], ("A",))
    with pytest.raises(InputError, match=r"`positions` must have the shape \(site xyz\)"):
        Crystal(Lattice([[2.0, 0.0, 0.0]]), [[0.0, 0.0]], ("A",))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_bonds_are_all_pairs_within_the_cutoff(dim):
    # A skewed lattice and atoms far outside their cell: the search must not miss a cell.
    random = np.random.default_rng(dim)
    vectors = np.array([[2.0, 0.0, 0.0], [3.7, 1.0, 0.0], [0.3, 0.9, 2.0]])[:dim]
    positions = np.array([[0.0, 0.0, 0.0], [0.4, 0.8, 0.2]]) + np.array([[0], [3]]) * vectors[0]
    crystal = Crystal(Lattice(vectors), positions, ("A", "B"))
    cutoff = float(random.uniform(2.5, 3.5))
    bonds = bonds_within(crystal, cutoff)
    expected = set()
    for cell in itertools.product(range(-12, 13), repeat=dim):
        for end, start in itertools.product(range(2), repeat=2):
            length = np.linalg.norm(np.array(cell) @ vectors + positions[end] - positions[start])
            if 0 < length <= cutoff:
                expected.add((start, end, cell))
    found = set(zip(bonds.start, bonds.end, bonds.cell, strict=True))
    assert found == expected
    assert len(bonds) == len(expected)
    assert all((end, start, tuple(-n for n in cell)) in found for start, end, cell in found)


def test_bonds_keep_neighbours_at_exactly_the_cutoff_and_refuse_none():
    crystal = Crystal(Lattice([[0.1 * 3, 0.0, 0.0]]), [[0.0, 0.0, 0.0]], ("A",))
    assert len(bonds_within(crystal, 0.3)) == 2  # 0.1 * 3 > 0.3 in binary
    with pytest.raises(InputError, match="`neighbours` must reach at least one neighbour, but is 0.2 Å"):
        bonds_within(crystal, 0.2)


def test_bonds_of_a_traced_crystal_are_refused_with_the_way_out():
    def search(a):
        lattice = Lattice(a * jnp.eye(3)[:1])
        return len(bonds_within(Crystal(lattice, jnp.zeros((1, 3)), ("A",)), 1.0))

    with pytest.raises(InputError, match="traced by JAX. Call bonds_within on an example"):
        jax.jit(search)(1.0)


def test_k_path_goes_through_its_nodes_at_even_pace():
    lattice = Lattice([[2.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
    path = k_path(lattice, [("G", (0, 0)), ("X", (0.5, 0)), ("M", (0.5, 0.5))], points=10)
    assert path.labels == ("G", "X", "M") and path.nodes == (0, 10, 20)
    np.testing.assert_allclose(path.k[np.array(path.nodes)], [[0, 0, 0], [np.pi / 2, 0, 0], [np.pi / 2, np.pi / 4, 0]])
    np.testing.assert_allclose(path.distance[np.array(path.nodes)], [0, np.pi / 2, 3 * np.pi / 4])
    steps = np.linalg.norm(np.diff(path.k, axis=0), axis=1)
    np.testing.assert_allclose(steps, np.diff(path.distance), atol=1e-14)


def test_k_path_refuses_nodes_of_another_dimension():
    with pytest.raises(InputError, match=r"`nodes` must give 1 reduced coordinate\(s\) per node, but 'X'"):
        k_path(Lattice([[2.0, 0.0, 0.0]]), [("G", (0,)), ("X", (0.5, 0.5))])
    with pytest.raises(InputError, match="`nodes` must hold two nodes or more"):
        k_path(Lattice([[2.0, 0.0, 0.0]]), [("G", (0,))])


def test_joined_paths_have_no_gaps_and_share_their_nodes():
    lattice = Lattice(2.0 * np.eye(3)[:2])
    corners = [("Γ", (0.0, 0.0)), ("X", (0.5, 0.0)), ("M", (0.5, 0.5)), ("Y", (0.0, 0.5))]
    one, two, three = (k_path(lattice, [corners[a], corners[b]], 10) for a, b in ((0, 1), (1, 2), (3, 0)))
    path = joined([one, two, three])
    assert path.labels == ("Γ", "X", "M|Y", "Γ") and len(path.k) == 33
    step = np.diff(np.asarray(path.distance))
    assert np.isclose(path.distance[-1], 3 * np.pi / 2) and np.flatnonzero(step == 0.0).tolist() == [10, 21]
    ends = np.asarray(path.k)[list(path.nodes), :2] / np.pi * 2
    assert np.allclose(ends, [[0, 0], [1, 0], [1, 1], [0, 0]]) and np.allclose(
        np.diff(path.distance[np.array(path.nodes)]), np.pi / 2
    )
    with pytest.raises(InputError, match="`paths` must hold one"):
        joined([])
