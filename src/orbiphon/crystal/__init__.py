"""Geometry: lattices, the atoms in their cells, which atoms are bonded, and paths through the Brillouin zone."""

from orbiphon.crystal.bonds import (
    Bonds as Bonds,
    bonds_within as bonds_within,
    opposite_cells as opposite_cells,
)
from orbiphon.crystal.concrete import is_concrete as is_concrete
from orbiphon.crystal.kpath import KPath as KPath, joined as joined, k_path as k_path
from orbiphon.crystal.lattice import Crystal as Crystal, Lattice as Lattice
from orbiphon.crystal.rotation import axis_rotation as axis_rotation, rotation_matrix as rotation_matrix
from orbiphon.crystal.symmetry import (
    CrystalSymmetry as CrystalSymmetry,
    Operation as Operation,
    crystal_symmetry as crystal_symmetry,
    point_operations as point_operations,
)
from orbiphon.crystal.zone_points import zone_points as zone_points
