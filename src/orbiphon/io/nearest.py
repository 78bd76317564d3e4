"""Which lattice vectors carry an element of H between two atoms, where no `_wsvec.dat` tells.

On the mesh H_ij(R) is known for R modulo N_j a_j only. Among R + N T the vectors with the smallest |R + tau_i - tau_j|
carry it, in equal parts: Wannier90's `use_ws_distance`, with atoms in place of centres. For one atom these are the
vectors of the Wigner-Seitz cell. For several, the plain sum breaks symmetries between mesh points; this one does not.
"""

import itertools

import numpy as np
from jaxtyping import Float, Int

_EQUAL = 1e-3  # angstrom: lengths that differ by less are the same; positions are given with six digits or so
_REACH = 2


def nearest_cells(
    vectors: Float[np.ndarray, "3 xyz"], mesh: tuple[int, int, int], positions: Float[np.ndarray, "site xyz"]
) -> tuple[Int[np.ndarray, "cell 3"], Float[np.ndarray, "cell site site"]]:
    """Lattice vectors from the cell of atom j to that of atom i, and the part of H_ij that each carries."""
    n = np.array(mesh)
    residues = np.stack(np.meshgrid(*(np.arange(size) for size in mesh), indexing="ij"), axis=-1).reshape(-1, 3)
    shifts = np.array(list(itertools.product(range(-_REACH, _REACH), repeat=3))) * n  # residues run from 0 to N - 1
    cells = (residues[:, None] + shifts[None]).reshape(-1, 3)
    parts = np.zeros((len(cells), len(positions), len(positions)))
    for i, j in np.ndindex(parts.shape[1:]):
        length = np.linalg.norm(cells @ vectors + positions[i] - positions[j], axis=1).reshape(len(residues), -1)
        least = length < np.min(length, axis=1, keepdims=True) + _EQUAL
        parts[:, i, j] = (least / np.sum(least, axis=1, keepdims=True)).ravel()
    used = np.any(parts > 0.0, axis=(1, 2))
    return cells[used], parts[used]
