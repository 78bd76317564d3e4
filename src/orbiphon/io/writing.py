"""Tight-binding models written as Wannier90 would: `seedname_tb.dat` and `seedname.win`.

For other codes, and for tests that know the answer: the model is put on a mesh of wave vectors, and from there on the
lattice vectors of the Wigner-Seitz cell of the supercell, with their degeneracies.
"""

import itertools
from pathlib import Path

import numpy as np

from orbiphon.electrons import TightBinding
from orbiphon.electrons.on_mesh import folded, unfolded
from orbiphon.errors import InputError
from orbiphon.io.projections import orbitals
from orbiphon.io.win import read_win

_VACUUM = 20.0  # angstrom: length of the lattice vectors that a chain or a layer lacks


def write_wannier(folder: str | Path, seedname: str, electrons: TightBinding, mesh: tuple[int, int, int]) -> Path:
    """Write `seedname_tb.dat` and `seedname.win` into a folder; the path of the first.

    `mesh`: wave vectors along each direction, more than twice the longest hopping; 1 where the crystal is not periodic.
    Of r(R) only the centres are known and written. Raises `InputError` if the mesh is too small.
    """
    vectors = _completed(np.asarray(electrons.crystal.lattice.vectors))
    cells = np.rint(np.asarray(electrons.cells) @ np.linalg.inv(vectors)).astype(int)
    if np.any(2 * np.max(np.abs(cells), axis=0) >= np.array(mesh)) or len(mesh) != 3:
        raise InputError(
            f"Argument `mesh` must be three numbers, more than twice the longest hopping "
            f"{np.max(np.abs(cells), axis=0).tolist()}, but is {mesh}. Give a larger mesh."
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    window = folder / f"{seedname}.win"
    window.write_text(_win(electrons, vectors, mesh), encoding="utf-8")
    change = orbitals(window, read_win(window)).change
    found, degeneracy = wigner_seitz(vectors, mesh)
    matrix = unfolded(folded(-cells, np.asarray(electrons.hopping), mesh), found)
    centres = np.asarray(electrons.orbital_positions)
    path = folder / f"{seedname}_tb.dat"
    path.write_text(
        _tb(vectors, found, degeneracy, change.T @ matrix @ change, abs(change.T) @ centres), encoding="utf-8"
    )
    return path


def wigner_seitz(vectors: np.ndarray, mesh: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The lattice vectors in the Wigner-Seitz cell of the supercell, (cell, 3), and how many share each place."""
    n = np.array(mesh)
    metric = vectors @ vectors.T
    around = np.array(list(itertools.product(range(-2, 3), repeat=3))) * n
    inside = np.array(list(itertools.product(*(range(-2 * m, 2 * m + 1) for m in mesh))))
    length = lambda cells: np.einsum("...i,ij,...j->...", cells, metric, cells)  # noqa: E731
    nearest = length(inside[:, None] - around[None])
    least = np.min(nearest, axis=1)
    kept = length(inside) < least + 1e-5
    return inside[kept], np.sum(nearest < least[:, None] + 1e-5, axis=1)[kept]


def _completed(vectors: np.ndarray) -> np.ndarray:
    """Three lattice vectors: the missing ones at right angles to all."""
    normal = np.linalg.svd(vectors)[2][len(vectors) :]
    return np.concatenate([vectors, _VACUUM * normal])


def _win(electrons: TightBinding, vectors: np.ndarray, mesh: tuple[int, int, int]) -> str:
    basis, crystal = electrons.basis, electrons.crystal
    reduced = np.asarray(crystal.positions) @ np.linalg.inv(vectors)
    place = [" ".join(f"{x:.15f}" for x in row) for row in reduced]
    names = ["".join(c for c in name if c.isalnum()) or "X" for name in crystal.species]
    lines = [
        f"num_wann = {basis.size}",
        f"spinors = .{str(basis.spin).lower()}.",
        "num_iter = 0",
        "begin projections",
        *(f"f={place[site].replace(' ', ',')}:{shell}" for site, shell in basis.shells),
        "end projections",
        "begin unit_cell_cart",
        "ang",
        *(" ".join(f"{x:.15f}" for x in row) for row in vectors),
        "end unit_cell_cart",
        "begin atoms_frac",
        *(f"{name} {row}" for name, row in zip(names, place, strict=True)),
        "end atoms_frac",
        f"mp_grid = {mesh[0]} {mesh[1]} {mesh[2]}",
    ]
    return "\n".join(lines) + "\n"


def _tb(vectors: np.ndarray, cells: np.ndarray, degeneracy: np.ndarray, matrix: np.ndarray, centres: np.ndarray) -> str:
    size = matrix.shape[1]
    lines = [
        "written by orbiphon",
        *(" ".join(f"{x:.16f}" for x in row) for row in vectors),
        str(size),
        str(len(cells)),
    ]
    lines += [" ".join(map(str, degeneracy[i : i + 15])) for i in range(0, len(cells), 15)]
    for cell, h in zip(cells.tolist(), matrix, strict=True):
        lines += ["", " ".join(map(str, cell))]
        lines += [f"{m + 1} {n + 1} {h[m, n].real:.15e} {h[m, n].imag:.15e}" for n in range(size) for m in range(size)]
    for cell in cells.tolist():
        lines += ["", " ".join(map(str, cell))]
        for n, m in itertools.product(range(size), repeat=2):
            place = centres[m] if m == n and not any(cell) else np.zeros(3)
            lines.append(f"{m + 1} {n + 1} " + " ".join(f"{x:.12e} 0.0" for x in place))
    return "\n".join(lines) + "\n"
