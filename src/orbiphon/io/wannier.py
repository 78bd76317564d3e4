"""A Wannier Hamiltonian from files, as electrons of this package.

Here H_ij(R) leads from orbital j in cell 0 to orbital i in cell R; Wannier90's H_mn(R) leads from cell R to cell 0. So
the lattice vectors change sign. Orbitals are put into whole shells (`projections`), and the result is verified: real
without spin, even under time reversal with it, and covariant under the operations of the crystal.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Complex, Float, Int

from orbiphon._checks import check_choice
from orbiphon.crystal import point_operations
from orbiphon.electrons import Basis, TightBinding, from_hoppings
from orbiphon.electrons.on_mesh import OnMesh, folded, keeps_mesh, operation_matrix, transformed, unfolded
from orbiphon.electrons.rotations import time_reversed
from orbiphon.errors import InputError
from orbiphon.io.hamiltonian import RealSpace, Shares, read_hr, read_tb, read_wsvec
from orbiphon.io.nearest import nearest_cells
from orbiphon.io.projections import Orbitals, orbitals
from orbiphon.io.text import Lines, beside
from orbiphon.io.win import Node, Win, read_win

SPIN_ORDERS = ("fastest", "blocks")
WITHOUT_WSVEC = ("plain", "nearest")
_NO_WSVEC = {"plain": "the plain sum H(R)/degeneracy", "nearest": "elements go to the nearest atoms"}
_SAME_LENGTH = 1e-4  # angstrom
_MOST_ASTRAY = 0.1  # of |H - its mean level|: beyond it an operation or time reversal is no symmetry of H


@dataclass(frozen=True)
class Wannier:
    """What was read: `electrons`, the `mesh` on which they were computed, and `notes`, what was understood of the
    files.

    `cells` (cell 3), `weight` (cell orbital orbital) and `change` (orbital, Wannier function) say how any operator on
    the mesh becomes one on the lattice vectors of `electrons`: see `interpolated`. `path_of_bands`: where bands were
    asked for, segments between (label, reduced coordinates). `offsets`: the mean centre of each atom's functions, from
    the atom, in angstrom; None where no centres are known.
    """

    electrons: TightBinding
    mesh: tuple[int, int, int]
    notes: tuple[str, ...]
    path: Path
    cells: Int[np.ndarray, "cell 3"]
    weight: Float[np.ndarray, "cell _ _"]
    change: Float[np.ndarray, "orbital orbital"]
    path_of_bands: tuple[tuple[Node, Node], ...] = ()
    offsets: Float[np.ndarray, "site xyz"] | None = None

    def on_mesh(self) -> OnMesh:
        """H on the lattice vectors modulo the mesh."""
        return folded(self.cells, np.asarray(self.electrons.hopping), self.mesh)

    def interpolated(self, on_mesh: OnMesh) -> Complex[np.ndarray, "cell orbital orbital"]:
        """An operator on the mesh, in the basis of `electrons`, as one on `electrons.cells`: equal at mesh points."""
        raw = self.change.T @ unfolded(on_mesh, self.cells) @ self.change
        return self.change @ (self.weight * raw) @ self.change.T


def read_wannier(
    path: str | Path, *, spin_order: str = "fastest", verify: bool = True, without_wsvec: str = "plain"
) -> Wannier:
    """Electrons from Wannier90's files.

    **Arguments:** `path`: `seedname_tb.dat`, `seedname_hr.dat`, `seedname.win`, or a folder with one seedname; `.gz` of
    each is read too. The `.win` must lie beside it; `_wsvec.dat` and `_centres.xyz` are used where they are there, and
    `_tb.dat` is preferred to `_hr.dat`. `spin_order`: "fastest" (Wannier90 3, with Quantum ESPRESSO) or "blocks" (first
    all functions up, then all down, as from VASP 5). `verify`: refuse orbitals that do not behave as their projections
    say; without it `notes` tell by how much they fail, and only what needs no orbital character, such as bands, is
    right. `without_wsvec`: where there is no `_wsvec.dat`, "plain" takes the sum H(R)/degeneracy, and "nearest" the
    smallest distances between atoms (`io.nearest`), which differs between mesh points and for several atoms only.

    **Raises:** `InputError` that names the file, the line where there is one, and the remedy.
    """
    check_choice("spin_order", spin_order, SPIN_ORDERS)
    check_choice("without_wsvec", without_wsvec, WITHOUT_WSVEC)
    file = _main_file(Path(path))
    window = beside(file, ".win")
    if window is None:
        raise InputError(
            f"`{file}` must have its `.win` file beside it, but has not. The order of the orbitals is written nowhere "
            "else: copy it there."
        )
    win = read_win(window)
    is_tb = file.name.removesuffix(".gz").endswith("_tb.dat")
    found = read_tb(file) if is_tb else read_hr(file)
    basis = orbitals(window, win)
    _check_same(file, window, found, win)
    found = _with_centres(found, beside(file, "_centres.xyz"))
    notes = [f"{file.name}: {len(found.cells)} lattice vectors, mesh {' x '.join(map(str, win.mesh))}"]
    notes += [f"orbitals: {', '.join(basis.basis.labels)}"]
    offsets, words = _check_centres(window, found, win, basis)
    notes += words
    if basis.basis.spin and spin_order == "blocks":
        n = basis.basis.spatial_size
        from_blocks = np.arange(2 * n).reshape(2, n).T.ravel()
        matrix = found.matrix[:, from_blocks][:, :, from_blocks]
        found = found._replace(matrix=matrix)
    shares_file = beside(file, "_wsvec.dat")
    nearest = without_wsvec == "nearest" and win.crystal.sites > 1  # for one atom it is the plain sum
    if shares_file is None:
        notes.append(f"no _wsvec.dat: {_NO_WSVEC['nearest' if nearest else 'plain']}")
    if shares_file is None and nearest:
        cells, weight, matrix = _nearest(found, win, basis)
    else:
        shares = {} if shares_file is None else read_wsvec(shares_file)
        cells, weight, matrix = _weighted(found, shares, shares_file)
    matrix = basis.change @ matrix @ basis.change.T
    electrons = from_hoppings(win.crystal, basis.basis, cells @ np.asarray(win.crystal.lattice.vectors), matrix)
    model = Wannier(electrons, win.mesh, tuple(notes), file, cells, weight, basis.change, win.path, offsets)
    return replace(model, notes=(*notes, *_verified(model, np.inf if not verify else _MOST_ASTRAY)))


def _main_file(path: Path) -> Path:
    """The file with the Hamiltonian."""
    if path.is_dir():
        windows = sorted(file for file in path.iterdir() if file.name.removesuffix(".gz").endswith(".win"))
        if len(windows) != 1:
            raise InputError(
                f"The folder `{path}` must hold one `.win` file, but holds {len(windows)}. Name the `_tb.dat` itself."
            )
        path = windows[0]
    if not path.is_file():
        raise InputError(f"`{path}` must be a file of Wannier90, but is not there. Check the path.")
    name = path.name.removesuffix(".gz")
    if name.endswith(("_tb.dat", "_hr.dat")):
        return path
    found = (beside(path, "_tb.dat") or beside(path, "_hr.dat")) if name.endswith(".win") else None
    if found is None:
        raise InputError(
            f"`{path}` must be `seedname_tb.dat` or `seedname_hr.dat`, or have one beside it, but is or has none. Run "
            "Wannier90 with write_tb = .true."
        )
    return found


def _check_same(file: Path, window: Path, found: RealSpace, win: Win) -> None:
    """Whether Hamiltonian and input belong together."""
    if found.matrix.shape[1] != win.size:
        raise InputError(
            f"`{file}` must hold num_wann = {win.size} functions as `{window.name}` says, but holds "
            f"{found.matrix.shape[1]}. The files are of two calculations, or damaged."
        )
    vectors = np.asarray(win.crystal.lattice.vectors)
    if found.vectors is not None and np.max(np.abs(found.vectors - vectors)) > _SAME_LENGTH:
        raise InputError(
            f"`{file}` must have the lattice of `{window.name}`, but they differ by "
            f"{np.max(np.abs(found.vectors - vectors)):.3g} angstrom. The files are of two calculations, or damaged."
        )
    points = round(float(np.sum(1.0 / found.degeneracy)))
    if points != np.prod(win.mesh):
        raise InputError(
            f"`{file}` must have degeneracies for mp_grid = {win.mesh}, {np.prod(win.mesh)} points, but theirs are "
            f"{points}. The files are of two calculations, or damaged."
        )
    per_point = np.zeros(win.mesh)
    np.add.at(per_point, tuple((found.cells % np.array(win.mesh)).T), 1.0 / found.degeneracy)
    if np.max(np.abs(per_point - 1.0)) > 1e-9:
        raise InputError(
            f"`{file}` must have lattice vectors that cover the mesh mp_grid = {win.mesh} once, but they do not. A "
            "degeneracy or a lattice vector is damaged, or the files are of two calculations."
        )


def _with_centres(found: RealSpace, path: Path | None) -> RealSpace:
    if found.centres is not None or path is None:
        return found
    lines = Lines(path)
    count = lines.number_of("a number of centres", int)
    lines.next("a line of comment")
    size, centres = found.matrix.shape[1], []
    for _ in range(size):
        line = lines.next("a centre")
        words = line.split()
        try:
            centres.append([float(word) for word in words[1:4]])
        except ValueError:
            centres.append([])
        if count < size or words[0] != "X" or len(centres[-1]) != 3 or not np.all(np.isfinite(centres[-1])):
            lines.fail(f"one of {size} centres, X and three numbers in angstrom", line)
    return found._replace(centres=np.array(centres))


def _check_centres(
    window: Path, found: RealSpace, win: Win, basis: Orbitals
) -> tuple[Float[np.ndarray, "site xyz"] | None, list[str]]:
    """Whether each Wannier function lies nearest to the atom that its projection names; the offsets, and a note."""
    if found.centres is None:
        return None, ["no centres known: the atoms of the functions are those of the projections, unchecked"]
    vectors, positions = np.asarray(win.crystal.lattice.vectors), np.asarray(win.crystal.positions)
    site_of = np.array(basis.basis.site_of)[np.argmax(np.abs(basis.change), axis=0)]
    apart = (found.centres[:, None] - positions[None]) @ np.linalg.inv(vectors)
    apart = (apart - np.rint(apart)) @ vectors
    distance = np.linalg.norm(apart, axis=-1)
    own = distance[np.arange(len(site_of)), site_of]
    if win.crystal.sites > 1 and np.any(own > np.min(distance, axis=1) + 0.1):
        wrong = int(np.argmax(own - np.min(distance, axis=1)))
        raise InputError(
            f"`{window}` must name the projections in the order of the functions, but function {wrong + 1} lies "
            f"{own[wrong]:.2f} angstrom from atom {site_of[wrong]} and nearer to atom {np.argmin(distance[wrong])}. "
            "Use the `.win` file of the run that made the Hamiltonian."
        )
    offsets = np.zeros((win.crystal.sites, 3))
    np.add.at(offsets, site_of, apart[np.arange(len(site_of)), site_of])
    offsets /= np.maximum(np.bincount(site_of, minlength=win.crystal.sites), 1)[:, None]
    return offsets, [f"centres: at most {np.max(own):.2f} angstrom from their atoms"]


def _weighted(
    found: RealSpace, shares: Shares, path: Path | None
) -> tuple[np.ndarray, np.ndarray, Complex[np.ndarray, "cell orbital orbital"]]:
    """Lattice vectors, weights and weighted matrices, leading from cell 0 to cell R."""
    if not shares:
        weight = 1.0 / found.degeneracy[:, None, None]
        return -found.cells, weight, weight * found.matrix
    size = found.matrix.shape[1]
    weights: dict[tuple[int, ...], np.ndarray] = {}
    home = {tuple(cell): index for index, cell in enumerate(found.cells.tolist())}
    if set(shares) != set(home):
        raise InputError(f"`{path}` must list the lattice vectors of the Hamiltonian, but lists others. Copy it again.")
    matrix: dict[tuple[int, ...], np.ndarray] = {}
    for cell, index in home.items():
        shift, m, n = shares[cell]
        if np.max(m) >= size or np.max(n) >= size:
            raise InputError(f"`{path}` must name functions up to {size}, but names others. Copy it again.")
        count = np.zeros((size, size))
        np.add.at(count, (m, n), 1.0)
        if np.any(count == 0):
            raise InputError(
                f"`{path}` must share out every element of R = {list(cell)}, but lacks some. Copy it again."
            )
        for step, i, j in zip(shift.tolist(), m, n, strict=True):
            there = tuple(a + b for a, b in zip(cell, step, strict=True))
            share = 1.0 / (count[i, j] * found.degeneracy[index])
            weights.setdefault(there, np.zeros((size, size)))[i, j] += share
            matrix.setdefault(there, np.zeros((size, size), complex))[i, j] += share * found.matrix[index, i, j]
    cells = np.array(list(weights))
    return -cells, np.array(list(weights.values())), np.array(list(matrix.values()))


def _nearest(
    found: RealSpace, win: Win, basis: Orbitals
) -> tuple[np.ndarray, np.ndarray, Complex[np.ndarray, "cell orbital orbital"]]:
    """The same as `_weighted`, by the smallest distances between atoms."""
    positions = np.asarray(win.crystal.positions)
    cells, parts = nearest_cells(np.asarray(win.crystal.lattice.vectors), win.mesh, positions)
    site_of = np.array(basis.basis.site_of)[np.argmax(np.abs(basis.change), axis=0)]
    weight = parts[:, site_of[:, None], site_of[None, :]]
    on_mesh = folded(-found.cells, found.matrix / found.degeneracy[:, None, None], win.mesh)
    return cells, weight, weight * unfolded(on_mesh, cells)


def _verified(model: Wannier, most: float) -> list[str]:
    """Notes on time reversal and the crystal's operations. Raises `InputError` where the orbitals cannot be right."""
    basis, h = model.electrons.basis, model.on_mesh()
    home = h[0, 0, 0]
    without = h.copy()
    without[0, 0, 0] -= np.trace(home) / len(home) * np.eye(len(home))
    size = float(np.linalg.norm(without)) or 1.0
    astray = float(np.linalg.norm(time_reversed(basis, h) - h)) / size
    if astray > most and not basis.spin:
        raise InputError(
            f"`{model.path}` must hold a real H(R) without spin, but {astray:.0%} of it is imaginary. Its orbitals are "
            "not real harmonics: use num_iter = 0 and projections, or state `spinors = .true.` in the `.win` file."
        )
    if astray > most and _blocks_fit(basis, h, size):
        raise InputError(
            f"`{model.path}` breaks time reversal by {astray:.0%} with each orbital's two spins side by side, but not "
            "with all spins up first. Pass spin_order='blocks'."
        )
    notes = [f"time reversal: broken by {astray:.1e} of H" + (" (magnetic?)" if astray > _MOST_ASTRAY else "")]
    worst, kept = 0.0, 0
    for operation in point_operations(model.electrons.crystal):
        unitary = operation_matrix(basis, operation)
        if unitary is None or not keeps_mesh(operation, model.mesh):
            continue
        kept += 1
        worst = max(worst, float(np.linalg.norm(transformed(basis, operation, unitary, h) - h)) / size)
    if worst > most:
        raise InputError(
            f"`{model.path}` must have the symmetry of its crystal when its orbitals are as the projections say, but "
            f"breaks it by {worst:.0%}. Their order or axes are others, or the functions were localised away from "
            "their projections: use num_iter = 0, and the `.win` file of the same run. For a magnet pass verify=False."
        )
    return [*notes, f"symmetry: {kept} operations, broken by {worst:.1e} of H at most"]


def _blocks_fit(basis: Basis, h: OnMesh, size: float) -> bool:
    n = basis.spatial_size
    from_blocks = np.arange(2 * n).reshape(2, n).T.ravel()
    other = h[..., from_blocks, :][..., from_blocks]
    return float(np.linalg.norm(time_reversed(basis, other) - other)) / size < 1e-2
