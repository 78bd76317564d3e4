"""Wannier90's input `seedname.win`: the crystal, the mesh, and the projections, the one place that names the orbitals.

Source: Wannier90 user guide, "Parameters" and "seedname.win file".
"""

from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float

from orbiphon import units
from orbiphon._checks import nearest
from orbiphon.crystal import Crystal, Lattice
from orbiphon.errors import InputError
from orbiphon.io.text import Lines

_BOHR = 0.529177210903 * units.angstrom
_UNITS = {"ang": 1.0, "angstrom": 1.0, "bohr": _BOHR}


Node = tuple[str, tuple[float, ...]]
"""A point of a path by its label and reduced coordinates."""


class Win(NamedTuple):
    """What matters here of the file: `crystal`; `mesh` points; `projections`, lines as written, with their numbers;
    `spinors`; `path`, the segments of kpoint_path, if there are any."""

    crystal: Crystal
    mesh: tuple[int, int, int]
    projections: tuple[tuple[int, str], ...]
    scale: float
    """angstrom per unit of length in `projections`"""
    spinors: bool
    size: int
    path: tuple[tuple[Node, Node], ...]


class _Block(NamedTuple):
    """A block's lines with their numbers, and its unit of length in angstrom."""

    lines: list[tuple[int, str]]
    scale: float


def read_win(path: Path) -> Win:
    """Read `seedname.win`. Raises `InputError` for what is missing or damaged, with the line where there is one."""
    keys, blocks = _parsed(path)
    lattice = Lattice(_rows(path, blocks, "unit_cell_cart", 3))
    crystal = Crystal(lattice, *_atoms(path, blocks, np.asarray(lattice.vectors)))
    if "projections" not in blocks or not blocks["projections"].lines:
        raise InputError(
            f"`{path}` must have a block of projections, but has none. The order of the orbitals is written nowhere "
            "else, and is not guessed: use the file with which the Wannier functions were made."
        )
    number, mesh = _key(path, keys, "mp_grid")
    points = [int(word) for word in mesh.split() if word.isdigit()]
    if len(points) != 3 or len(mesh.split()) != 3 or not all(1 <= n <= 1000 for n in points):
        _fail(path, number, "mp_grid, three numbers of mesh points", mesh)
    n_1, n_2, n_3 = points
    number, size = _key(path, keys, "num_wann")
    if not size.isdigit() or int(size) < 1:
        _fail(path, number, "num_wann, a number of Wannier functions", size)
    number, spinors = keys.get("spinors", (0, "false"))
    flag = spinors.strip(".").lower()
    if flag not in ("true", "t", "false", "f"):
        _fail(path, number, "spinors, .true. or .false.", spinors)
    block = blocks["projections"]
    spinor, segments = flag in ("true", "t"), _segments(path, blocks)
    return Win(crystal, (n_1, n_2, n_3), tuple(block.lines), block.scale, spinor, int(size), segments)


def _parsed(path: Path) -> tuple[dict[str, tuple[int, str]], dict[str, _Block]]:
    """Keywords and blocks, in lower case, without comments."""
    keys: dict[str, tuple[int, str]] = {}
    blocks: dict[str, _Block] = {}
    inside, block = None, _Block([], 1.0)
    lines = Lines(path)
    for line in lines:
        text = line.split("!")[0].split("#")[0].strip()
        words = text.replace("=", " ", 1).replace(":", " ", 1).split() if inside is None else text.split()
        if not words:
            continue
        first = words[0].lower()
        if first in ("begin", "end") and len(words) == 2:
            name = words[1].lower()
            if (first == "begin") != (inside is None) or (first == "end" and name != inside) or name in blocks:
                _fail(path, lines.number, f"`end {inside}`" if inside else "the beginning of a new block", text)
            if first == "end":
                blocks[name] = block
            inside, block = (name, _Block([], 1.0)) if first == "begin" else (None, block)
        elif inside is not None:
            if not block.lines and first in _UNITS and len(words) == 1:
                block = block._replace(scale=_UNITS[first])
            else:
                block.lines.append((lines.number, text))
        else:
            if first in keys:
                _fail(path, lines.number, f"another keyword than `{first}`, which line {keys[first][0]} has", text)
            keys[first] = (lines.number, " ".join(words[1:]))
    if inside is not None:
        raise InputError(f"`{path}` must close the block `{inside}`, but ends in it. It is truncated: copy it again.")
    return keys, blocks


def _key(path: Path, keys: dict[str, tuple[int, str]], name: str) -> tuple[int, str]:
    if name in keys:
        return keys[name]
    guess = nearest(name, keys)
    fix = f"Did you mean it by `{guess}` in line {keys[guess][0]}?" if guess else "Add it."
    raise InputError(f"`{path}` must give `{name}`, but does not. {fix}")


def _rows(path: Path, blocks: dict[str, _Block], name: str, count: int | None) -> Float[np.ndarray, "row 3"]:
    """The numbers of a block of vectors, in angstrom if it has a unit; a leading label is left out."""
    if name not in blocks:
        raise InputError(f"`{path}` must have a block `{name}`, but has none. Use the file of the Wannier90 run.")
    rows = []
    for number, text in blocks[name].lines:
        words = text.split()[-3:]
        try:
            rows.append([float(word.lower().replace("d", "e")) for word in words])
        except ValueError:
            rows.append([])
        if len(rows[-1]) != 3 or not np.all(np.isfinite(rows[-1])) or np.max(np.abs(rows[-1])) > 1e4:
            _fail(path, number, f"a row of `{name}` with three numbers", text)
    if not rows or (count is not None and len(rows) != count):
        raise InputError(f"`{path}` must have {count or 'some'} rows in `{name}`, but has {len(rows)}. Mend the block.")
    return np.array(rows) * blocks[name].scale


def _segments(path: Path, blocks: dict[str, _Block]) -> tuple[tuple[Node, Node], ...]:
    """The lines of kpoint_path: where a segment of the path begins and ends."""
    found = []
    for number, text in blocks["kpoint_path"].lines if "kpoint_path" in blocks else ():
        words = text.split()
        try:
            a, b = (tuple(float(word) for word in words[i : i + 3]) for i in (1, 5))
        except ValueError:
            a, b = (), ()
        if len(words) != 8 or len(a) != 3 or len(b) != 3 or not np.all(np.isfinite([a, b])):
            _fail(path, number, "a segment of kpoint_path, twice a label and three numbers", text)
        labels = ["Γ" if word.lower() in ("g", "gamma") else word for word in (words[0], words[4])]
        found.append(((labels[0], a), (labels[1], b)))
    return tuple(found)


def _atoms(path: Path, blocks: dict[str, _Block], vectors: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions (site xyz) and species."""
    found = [name for name in ("atoms_frac", "atoms_cart") if name in blocks]
    if len(found) != 1:
        raise InputError(f"`{path}` must have one block of atoms_frac and atoms_cart, but has {len(found)}. Keep one.")
    rows = _rows(path, blocks, found[0], None)
    for number, text in blocks[found[0]].lines:
        if len(text.split()) != 4:
            _fail(path, number, "an atom's name and three numbers", text)
    species = tuple(text.split()[0] for _, text in blocks[found[0]].lines)
    return (rows @ vectors if found[0] == "atoms_frac" else rows), species


def _fail(path: Path, number: int, what: str, text: str) -> NoReturn:
    raise InputError(f"`{path}`, line {number} must be {what}, but is {text.strip()[:80]!r}. Mend that line.")
