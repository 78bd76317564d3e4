"""Bravais lattices with one atom and bonds to the nearest neighbours, for any lattice constant (traced or not)."""

from functools import lru_cache

import jax
import numpy as np

from orbiphon._checks import check_positive
from orbiphon.crystal import Bonds, Crystal, Lattice, bonds_within, is_concrete
from orbiphon.crystal.concrete import ArrayLike, as_real


def hypercubic(lattice_constant: ArrayLike, dim: int) -> Crystal:
    """One atom per cell on a chain along x, a square lattice in xy, or a cubic lattice (dim = 1, 2, 3)."""
    if is_concrete(lattice_constant):
        check_positive("lattice_constant", lattice_constant)
    vectors = as_real(np.eye(3)[:dim]) * as_real(lattice_constant)
    return Crystal(Lattice(vectors), positions=np.zeros((1, 3)), species=("X",))


@lru_cache
def hypercubic_bonds(dim: int) -> Bonds:
    """The nearest-neighbour bonds of `hypercubic`, whatever its lattice constant."""
    with jax.ensure_compile_time_eval():
        return bonds_within(hypercubic(1.0, dim), 1.1)
