"""Operators on the lattice vectors of a finite mesh of wave vectors.

A Hamiltonian that was computed on N_1 x N_2 x N_3 wave vectors is known on the lattice vectors modulo N_j a_j, and no
better: X(r) = sum over all R = r mod N of X(R) has the same X(k) at every point of the mesh. In this form, an array
(n_1 n_2 n_3 orbital orbital), Hamiltonians of different files can be subtracted, and symmetries hold exactly.
"""

import numpy as np
from jaxtyping import Complex, Int

from orbiphon.crystal import Operation
from orbiphon.electrons.orbitals import Basis
from orbiphon.electrons.rotations import basis_rotation
from orbiphon.errors import InputError

OnMesh = Complex[np.ndarray, "n_1 n_2 n_3 orbital orbital"]


def folded(
    cells: Int[np.ndarray, "cell dim"], matrix: Complex[np.ndarray, "cell orbital orbital"], mesh: tuple[int, int, int]
) -> OnMesh:
    """sum_R X(R) over all R = r mod N."""
    total = np.zeros((*mesh, *matrix.shape[1:]), complex)
    np.add.at(total, tuple((cells % np.array(mesh)).T), matrix)
    return total


def unfolded(on_mesh: OnMesh, cells: Int[np.ndarray, "cell dim"]) -> Complex[np.ndarray, "cell orbital orbital"]:
    """X(R mod N) at given lattice vectors, to be weighted so that equal r add up to X(r)."""
    return on_mesh[tuple((cells % np.array(on_mesh.shape[:3])).T)]


def operation_matrix(basis: Basis, operation: Operation) -> Complex[np.ndarray, "orbital orbital"] | None:
    """The unitary matrix of an operation on the orbitals; None if it takes an atom to one with other
    shells, or a part of a shell out of itself."""
    slices = dict(zip(basis.shells, basis.spatial_slices(), strict=True))
    permutation = np.zeros((basis.spatial_size,) * 2)
    for (site, shell), here in slices.items():
        there = slices.get((int(operation.image[site]), shell))
        if there is None:
            return None
        permutation[there, here] = np.eye(here.stop - here.start)
    try:
        rotation = basis_rotation(basis, operation.matrix)
    except InputError:
        return None
    return np.kron(permutation, np.eye(basis.spins)) @ rotation


def transformed(basis: Basis, operation: Operation, unitary: np.ndarray, on_mesh: OnMesh) -> OnMesh:
    """The operator of the transformed crystal: element (g i, g j) at g R + shift_i - shift_j is that of (i, j) at R."""
    mesh = np.array(on_mesh.shape[:3])
    r = np.stack(np.meshgrid(*(np.arange(n) for n in mesh), indexing="ij"), axis=-1).reshape(-1, 3)
    turned = (unitary @ on_mesh @ unitary.conj().T).reshape(len(r), *on_mesh.shape[3:])
    relative = operation.shift[:, None] - operation.shift[None]  # (site, site, dim)
    result = np.empty_like(turned)
    if not np.any(relative):
        result[_landing(r @ operation.cells, mesh)] = turned
        return result.reshape(on_mesh.shape)
    site_of = np.array(basis.site_of)
    for i, j in np.ndindex(len(operation.image), len(operation.image)):
        rows = np.flatnonzero(site_of == operation.image[i])[:, None]
        columns = np.flatnonzero(site_of == operation.image[j])
        there = _landing(r @ operation.cells + relative[i, j], mesh)
        result[there[:, None, None], rows[None], columns[None, None]] = turned[:, rows, columns]
    return result.reshape(on_mesh.shape)


def _landing(cells: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """The flat index on the mesh of each lattice vector."""
    return np.asarray(np.ravel_multi_index(tuple((cells % mesh).T), tuple(mesh)))


def keeps_mesh(operation: Operation, mesh: tuple[int, int, int]) -> bool:
    """Whether the operation maps the lattice of N_j a_j onto itself."""
    n = np.array(mesh)
    return bool(np.all((n[:, None] * operation.cells) % n[None, :] == 0))
