"""Operations of crystals: their number and symbol from the International Tables, and what they do to atoms."""

import numpy as np
import pytest

from orbiphon.crystal import Crystal, Lattice, crystal_symmetry, point_operations
from orbiphon.crystal.rotation import rotation_matrix
from orbiphon.models import helix, honeycomb
from orbiphon.models.lattices import hypercubic

_FCC = 2.0 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
_HEXAGONAL = 2.9 * np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 1.6]])
_HCP = np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]) @ _HEXAGONAL


def crystal(vectors, positions, species) -> Crystal:
    return Crystal(Lattice(vectors), np.asarray(positions, dtype=float), tuple(species))


CASES = {  # crystal, space group, point group, operations
    "diamond": (crystal(_FCC, [[0, 0, 0], [1, 1, 1]], "CC"), "Fd-3m (227)", "m-3m", 48),
    "zinc blende": (crystal(_FCC, [[0, 0, 0], [1, 1, 1]], ["Zn", "S"]), "F-43m (216)", "-43m", 24),
    "close packed": (crystal(_HEXAGONAL, _HCP, ["Ti", "Ti"]), "P6_3/mmc (194)", "6/mmm", 24),
    "two cells in one": (crystal(np.diag([2, 2, 4]), [[0, 0, 0], [0, 0, 2]], "AA"), "Pm-3m (221)", "4/mmm", 32),
    "square sheet": (hypercubic(3.0, 2), None, "4/mmm", 16),
    "honeycomb of two kinds": (honeycomb(), None, "-6m2", 12),
    "right helix": (helix("right"), None, "32", 6),
    "left helix": (helix("left"), None, "32", 6),
    "chain": (hypercubic(3.0, 1), None, "6/mmm", 24),
    "two atoms across a chain": (crystal([[3, 0, 0]], [[0, 0, 0], [0, 1, 1]], "AA"), None, "mmm", 8),
    "a zigzag chain": (crystal([[3, 0, 0]], [[0, 0, 0], [1.5, 1, 0]], "AA"), None, "mmm", 8),
    "no symmetry": (
        crystal(np.eye(3) * 3 + 0.3 * np.tri(3, k=-1), [[0, 0, 0], [1, 0.3, 0.7], [0.2, 1.5, 1]], "ABC"),
        "P1 (1)",
        "1",
        1,
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_operations(name, angle):
    there, space_group, point_group, count = CASES[name]
    turn = rotation_matrix(angle, np.array([0.6, 0.0, 0.8]))
    vectors, positions = np.asarray(there.lattice.vectors) @ turn.T, np.asarray(there.positions) @ turn.T + 0.2
    found = crystal_symmetry(crystal(vectors, positions, there.species))
    assert (found.space_group, found.point_group(), len(found.operations)) == (space_group, point_group, count)
    first = found.operations[0]
    assert np.allclose(first.matrix, np.eye(3)) and np.array_equal(first.image, np.arange(len(positions)))
    for g in found.operations:
        assert np.allclose(g.matrix @ g.matrix.T, np.eye(3), atol=1e-12)
        assert np.allclose(vectors @ g.matrix.T, g.cells @ vectors, atol=1e-3)
        moved = positions @ g.matrix.T - (positions[g.image] + g.shift @ vectors)
        assert np.allclose(moved, moved[0], atol=1e-3)
        assert [there.species[i] for i in g.image] == list(there.species)


def test_kinds_take_the_place_of_species():
    assert len(crystal_symmetry(honeycomb(), kinds=("same", "same")).operations) == 24
    assert len(point_operations(honeycomb())) == 12
