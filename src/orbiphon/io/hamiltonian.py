"""Wannier90's `_tb.dat`, `_hr.dat` and `_wsvec.dat`: a Hamiltonian in real space, as printed.

    H_mn(k) = sum_R exp(i k R) H_mn(R)/degeneracy(R),        H_mn(R) = <m, cell 0| H |n, cell R>,

the degeneracies being those of the Wigner-Seitz cell of the supercell that belongs to the mesh of wave vectors. With
`use_ws_distance` an element (m, n, R) is shared out among several R + T, listed in `_wsvec.dat`.
Source: Wannier90 user guide, "seedname_tb.dat", "seedname_hr.dat", "seedname_wsvec.dat".
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int

from orbiphon.errors import InputError
from orbiphon.io.text import Lines, whole

_LARGEST = 10_000  # Wannier functions, or lattice vectors times ten: more is a damaged header
_NOT_HERMITIAN = 3e-6  # eV: files are printed with 6 digits or more


class RealSpace(NamedTuple):
    """What the file holds: `vectors` (dim xyz) in angstrom or None, `cells` (cell dim), `degeneracy` (cell,),
    `matrix` (cell orbital orbital) in eV, and `centres` (orbital xyz) or None."""

    vectors: Float[np.ndarray, "3 xyz"] | None
    cells: Int[np.ndarray, "cell 3"]
    degeneracy: Int[np.ndarray, "cell"]
    matrix: Complex[np.ndarray, "cell orbital orbital"]
    centres: Float[np.ndarray, "orbital xyz"] | None


Shares = dict[tuple[int, int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""By cell R: T vectors (share, 3), and the m and n (share,) to which they belong."""


def read_tb(path: Path) -> RealSpace:
    """`seedname_tb.dat`. Raises `InputError` with the line of whatever is wrong."""
    lines = Lines(path)
    lines.next("a line of comment")
    vectors = np.array([lines.numbers("a lattice vector in angstrom", 3) for _ in range(3)])
    size, degeneracy = _header(lines)
    cells, matrix = [], []
    for _ in degeneracy:
        cells.append(_cell(lines))
        matrix.append(_scattered(lines, lines.table("an element of H(R)", size**2, 4), size)[0])
    home = next((index for index, cell in enumerate(cells) if not np.any(cell)), None)
    centres = None
    for index, cell in enumerate(cells):
        if not np.array_equal(_cell(lines), cell):
            lines.fail(f"the lattice vector {cell.tolist()} once more", "another one")
        rows = lines.table("an element of r(R)", size**2, 8)
        if index == home:
            centres = np.diagonal(np.real(_scattered(lines, rows, size)), axis1=1, axis2=2).T.copy()
    lines.end()
    return _checked(path, RealSpace(vectors, np.array(cells), degeneracy, np.array(matrix), centres))


def read_hr(path: Path) -> RealSpace:
    """`seedname_hr.dat`: no lattice, no centres. Raises `InputError` with the line of whatever is wrong."""
    lines = Lines(path)
    lines.next("a line of comment")
    size, degeneracy = _header(lines)
    cells, matrix = [], []
    for _ in degeneracy:
        rows = lines.table("R, m, n and an element of H(R)", size**2, 7)
        if np.any(rows[:, :3] != rows[0, :3]):
            wrong = int(np.argmax(np.any(rows[:, :3] != rows[0, :3], axis=1)))
            lines.number += wrong + 1 - len(rows)
            lines.fail(f"an element of R = {rows[0, :3].astype(int).tolist()}", str(rows[wrong, :3]))
        cells.append(_integers(lines, rows[0, :3]))
        matrix.append(_scattered(lines, rows[:, 3:], size)[0])
    lines.end()
    return _checked(path, RealSpace(None, np.array(cells), degeneracy, np.array(matrix), None))


def read_wsvec(path: Path) -> Shares:
    """`seedname_wsvec.dat`. Raises `InputError` with the line of whatever is wrong."""
    lines, shares = Lines(path), {}
    if "use_ws_distance=.false." in lines.next("a line of comment").replace(" ", "").lower():
        return {}
    for line in lines:
        words = line.split()
        if not words:
            continue
        if len(words) != 5 or not all(word.lstrip("-").isdigit() for word in words):
            lines.fail("R, m and n, five integers", line)
        *cell, m, n = map(int, words)
        count = lines.number_of("the number of vectors T", whole)
        if not 1 <= count <= 64 or min(m, n) < 1:
            lines.fail("the number of vectors T, from 1 to 64", str(count))
        parts = shares.setdefault(tuple(cell), ([], [], []))
        for row in lines.table("a vector T", count, 3):
            for part, value in zip(parts, (_integers(lines, row), m - 1, n - 1), strict=True):
                part.append(value)
    return {cell: (np.array(t), np.array(m), np.array(n)) for cell, (t, m, n) in shares.items()}


def _header(lines: Lines) -> tuple[int, Int[np.ndarray, "cell"]]:
    """The number of Wannier functions, and the degeneracies."""
    size = lines.number_of("the number of Wannier functions", whole)
    count = lines.number_of("the number of lattice vectors", whole)
    for name, number, most in (("Wannier functions", size, _LARGEST), ("lattice vectors", count, 10 * _LARGEST)):
        if not 1 <= number <= most:
            lines.fail(f"a number of {name} between 1 and {most}", str(number))
    degeneracy: list[int] = []
    while len(degeneracy) < count:
        line, left = lines.next("degeneracies of lattice vectors"), count - len(degeneracy)
        words = line.split()
        if not 1 <= len(words) <= left or not all(word.isdigit() for word in words):
            lines.fail(f"degeneracies, {left} more", line)
        degeneracy += map(int, words)
    if min(degeneracy) < 1:
        lines.fail("degeneracies from 1 on", str(min(degeneracy)))
    return size, np.array(degeneracy)


def _cell(lines: Lines) -> Int[np.ndarray, "3"]:
    """A blank line and a lattice vector."""
    if (line := lines.next("a blank line")).strip():
        lines.fail("a blank line", line)
    return _integers(lines, lines.numbers("a lattice vector R", 3))


def _integers(lines: Lines, numbers: Float[np.ndarray, "3"]) -> Int[np.ndarray, "3"]:
    if np.any(numbers != np.rint(numbers)) or np.any(np.abs(numbers) > _LARGEST):
        lines.fail("a lattice vector of three integers", str(numbers))
    return numbers.astype(int)


def _scattered(
    lines: Lines, rows: Float[np.ndarray, "element column"], size: int
) -> Complex[np.ndarray, "part orbital orbital"]:
    """Matrices from rows (m, n, Re, Im, ...); each element must be there once."""
    m, n = rows[:, 0] - 1, rows[:, 1] - 1
    flat = m * size + n
    inside = (m == np.rint(m)) & (n == np.rint(n)) & (m >= 0) & (n >= 0) & (m < size) & (n < size)
    if not np.all(inside) or len(np.unique(flat)) != size**2:
        wrong = int(np.argmin(inside)) if not np.all(inside) else _repeated(flat)
        lines.number += wrong + 1 - len(rows)
        lines.fail(f"another element (m, n) of the {size} x {size} matrix", f"{m[wrong] + 1:g} {n[wrong] + 1:g}")
    found = np.empty(((rows.shape[1] - 2) // 2, size * size), complex)
    found[:, flat.astype(int)] = (rows[:, 2::2] + 1j * rows[:, 3::2]).T
    return found.reshape(-1, size, size)


def _repeated(flat: np.ndarray) -> int:
    seen: set[float] = set()
    return next(i for i, x in enumerate(flat.tolist()) if x in seen or seen.add(x))


def _checked(path: Path, found: RealSpace) -> RealSpace:
    """What the format itself promises: every R once and with it -R, the same degeneracy, H(-R) = H(R)^+."""
    index = {tuple(cell): i for i, cell in enumerate(found.cells.tolist())}
    if len(index) != len(found.cells):
        raise InputError(
            f"`{path}` must hold each lattice vector once, but repeats one. It is damaged: write it again."
        )
    missing = next((cell for cell in index if tuple(-x for x in cell) not in index), None)
    if missing is not None or (0, 0, 0) not in index:
        raise InputError(
            f"`{path}` must hold -R with every lattice vector R, and R = 0, but lacks "
            f"{[-x for x in missing] if missing else [0, 0, 0]}. It is damaged: write it again."
        )
    opposite = np.array([index[tuple(-x for x in cell)] for cell in index])
    if np.any(found.degeneracy != found.degeneracy[opposite]):
        wrong = int(np.argmax(found.degeneracy != found.degeneracy[opposite]))
        raise InputError(
            f"`{path}` must give R and -R the same degeneracy, but R = {found.cells[wrong].tolist()} has "
            f"{found.degeneracy[wrong]} and {found.degeneracy[opposite[wrong]]}. Write the file again."
        )
    off = np.abs(found.matrix - found.matrix[opposite].conj().swapaxes(1, 2))
    if np.max(off) > _NOT_HERMITIAN:
        cell, m, n = (int(i) for i in np.unravel_index(np.argmax(off), off.shape))
        raise InputError(
            f"`{path}` must hold a hermitian H, H(-R) = H(R)^+, but element ({m + 1}, {n + 1}) of "
            f"R = {found.cells[cell].tolist()} is off by {off.max():.3g} eV. The file is damaged: write it again."
        )
    points = float(np.sum(1.0 / found.degeneracy))
    if abs(points - round(points)) > 1e-6:
        raise InputError(
            f"`{path}` must have degeneracies with a whole sum of 1/degeneracy, the number of mesh points, but the sum "
            f"is {points:.6g}. The line of degeneracies is damaged: write the file again."
        )
    return found._replace(matrix=(found.matrix + found.matrix[opposite].conj().swapaxes(1, 2)) / 2)
