"""From the projections of a `.win` file to the orbitals of a basis.

Wannier90 lists the functions of a projection line atom by atom, and on an atom by l rising from -5 to 3 and by mr, in
whatever order the line names them; with spinors each function twice, first up. Its functions are

    l >= 0, mr: real harmonics   s;  pz, px, py;  dz2, dxz, dyz, dx2-y2, dxy,   positive along the axes that name them,
    l < 0: the hybrids sp, sp2, sp3, sp3d, sp3d2 of its Table 3.2,

about local axes z and x where given. As columns over the full shells of the atom they make a matrix that must be
unitary: then it turns H into the basis of whole shells, on which L is known.
Source: Wannier90 user guide, chapter "Projections", Tables 3.1 and 3.2.
"""

import re
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float

from orbiphon.crystal import Crystal
from orbiphon.electrons import Basis
from orbiphon.electrons.rotations import shell_rotation
from orbiphon.errors import InputError
from orbiphon.io.win import Win

_S2, _S3, _S6, _S12 = (np.sqrt(n) for n in (2.0, 3.0, 6.0, 12.0))
_ORDER = ("s", "px", "py", "pz", "d3z2-r2", "dzx", "dyz", "dx2-y2", "dxy")  # of the shells of a `Basis`
_HARMONICS = {
    0: ("s",),
    1: ("pz", "px", "py"),
    2: ("d3z2-r2", "dzx", "dyz", "dx2-y2", "dxy"),
}
_HYBRIDS: dict[int, tuple[dict[str, float], ...]] = {
    -1: ({"s": 1 / _S2, "px": 1 / _S2}, {"s": 1 / _S2, "px": -1 / _S2}),
    -2: (
        {"s": 1 / _S3, "px": -1 / _S6, "py": 1 / _S2},
        {"s": 1 / _S3, "px": -1 / _S6, "py": -1 / _S2},
        {"s": 1 / _S3, "px": 2 / _S6},
    ),
    -3: tuple({"s": 0.5, "px": a / 2, "py": b / 2, "pz": a * b / 2} for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))),
    -4: (
        {"s": 1 / _S3, "px": -1 / _S6, "py": 1 / _S2},
        {"s": 1 / _S3, "px": -1 / _S6, "py": -1 / _S2},
        {"s": 1 / _S3, "px": 2 / _S6},
        {"pz": 1 / _S2, "d3z2-r2": 1 / _S2},
        {"pz": -1 / _S2, "d3z2-r2": 1 / _S2},
    ),
    -5: (
        *({"s": 1 / _S6, "px": x / _S2, "d3z2-r2": -1 / _S12, "dx2-y2": 0.5} for x in (-1, 1)),
        *({"s": 1 / _S6, "py": y / _S2, "d3z2-r2": -1 / _S12, "dx2-y2": -0.5} for y in (-1, 1)),
        *({"s": 1 / _S6, "pz": z / _S2, "d3z2-r2": 1 / _S3} for z in (-1, 1)),
    ),
}
_SETS = {"s": 0, "p": 1, "d": 2, "sp": -1, "sp2": -2, "sp3": -3, "sp3d": -4, "sp3d2": -5}
_NAMES = {
    **{"s": (0, 1), "pz": (1, 1), "px": (1, 2), "py": (1, 3)},
    **{"dz2": (2, 1), "dxz": (2, 2), "dyz": (2, 3), "dx2-y2": (2, 4), "dxy": (2, 5)},
    **{f"{name}-{i + 1}": (l, i + 1) for name, l in _SETS.items() if l < 0 for i in range(len(_HYBRIDS[l]))},
}
_NEAR = 1e-2  # angstrom between a projection's centre and its atom


class Orbitals(NamedTuple):
    """`basis` of whole shells, and `change` (orbital, Wannier function), unitary: <orbital|Wannier function>."""

    basis: Basis
    change: Float[np.ndarray, "orbital orbital"]


def orbitals(path: Path, win: Win) -> Orbitals:
    """The basis and the order of the Wannier functions. Raises `InputError` for what does not make whole shells."""
    functions = [function for number, line in win.projections for function in _line(path, number, line, win)]
    spins = 2 if win.spinors else 1
    if len(functions) * spins != win.size:
        raise InputError(
            f"`{path}` must have as many projections as num_wann = {win.size}, but has {len(functions) * spins}"
            f"{' with spin' if win.spinors else ''}. Name a projection for every Wannier function."
        )
    columns = np.zeros((win.crystal.sites, len(_ORDER), len(functions)))
    for index, (site, function) in enumerate(functions):
        columns[site, :, index] = function
    shells, rows = [], []
    for site in range(win.crystal.sites):
        for shell, where in (("s", slice(0, 1)), ("p", slice(1, 4)), ("d", slice(4, 9))):
            if np.any(columns[site, where]):
                shells.append((site, shell))
                rows.append(columns[site, where])
    change = np.concatenate(rows)
    square = change.shape[0] == change.shape[1]
    if not square or np.max(np.abs(change @ change.T - np.eye(len(change)))) > 1e-6:
        raise InputError(
            f"`{path}` must have projections that make up whole shells, each once on its atom, but {len(functions)} "
            f"functions touch {', '.join(f'{shell} of atom {site}' for site, shell in shells)}, {len(change)} "
            "orbitals. L needs all 2l + 1 orbitals of a shell: add the missing ones, such as pz to sp2."
        )
    return Orbitals(Basis(tuple(shells), spin=win.spinors), np.kron(change, np.eye(spins)))


def _line(path: Path, number: int, text: str, win: Win) -> list[tuple[int, np.ndarray]]:
    """The functions of one projection line: site, and components (9,) in `_ORDER`."""

    def fail(what: str) -> NoReturn:
        raise InputError(
            f"`{path}`, line {number} must be a projection site:orbitals[:z=..:x=..], {what}, but is {text[:80]!r}. "
            "Mend that line."
        )

    compact = re.sub(r"\s+", "", text)
    if "(" in compact or "[" in compact:
        fail("without a choice of spins")
    fields = compact.split(":")
    if len(fields) < 2:
        fail("with a colon (random projections name no orbital)")
    sites = _sites(fields[0], win.crystal, win.scale)
    if not sites:
        fail(f"at an atom of {', '.join(dict.fromkeys(win.crystal.species))}")
    states = _states(fields[1].lower())
    if states is None:
        fail("with orbitals such as s, px, sp3 or l=2,mr=1,4 (no f)")
    axes = {"z": np.array([0.0, 0.0, 1.0]), "x": np.array([1.0, 0.0, 0.0])}
    for field in fields[2:]:
        key, _, value = field.partition("=")
        if key.lower() in axes:
            vector = _vector(value)
            if vector is None or not np.any(vector):
                fail(f"with three numbers after {key}=")
            axes[key.lower()] = vector / np.linalg.norm(vector)
        elif key.lower() not in ("zona", "r", "l", "mr") or not value:
            fail("with nothing but z, x, r and zona after the orbitals")
    if abs(axes["z"] @ axes["x"]) > 1e-4:
        fail("with x at right angles to z")
    turn = np.column_stack([axes["x"], np.cross(axes["z"], axes["x"]), axes["z"]])
    shells = np.zeros((9, 9))
    for l, where in ((0, slice(0, 1)), (1, slice(1, 4)), (2, slice(4, 9))):
        shells[where, where] = shell_rotation(l, turn)
    return [(site, shells @ _function(l, mr)) for site in sites for l, mr in states]


def _sites(text: str, crystal: Crystal, scale: float) -> list[int]:
    """The atoms that a projection names, by species, or by fractional or Cartesian coordinates."""
    kind, _, numbers = text.partition("=")
    if kind.lower() not in ("f", "c"):
        return [site for site, name in enumerate(crystal.species) if name.lower() == text.lower()]
    vector = _vector(numbers)
    if vector is None:
        return []
    vectors = np.asarray(crystal.lattice.vectors)
    place = vector @ vectors if kind.lower() == "f" else vector * scale
    apart = (np.asarray(crystal.positions) - place) @ np.linalg.inv(vectors)
    distance = np.linalg.norm((apart - np.rint(apart)) @ vectors, axis=1)
    return [int(np.argmin(distance))] if np.min(distance) < _NEAR else []


def _states(text: str) -> list[tuple[int, int]] | None:
    """(l, mr) of every function, in Wannier90's order; None if the text is no list of orbitals."""
    found: set[tuple[int, int]] = set()
    for part in text.split(";"):
        if match := re.fullmatch(r"l=(-?\d)(?:,mr=([\d,]+))?", part):
            l = int(match[1])
            chosen = None if match[2] is None else [int(word) for word in match[2].split(",") if word]
        else:
            if part not in _SETS:
                names = part.split(",")
                if not all(name in _NAMES for name in names):
                    return None
                found |= {_NAMES[name] for name in names}
                continue
            l, chosen = _SETS[part], None
        most = _count(l)
        if not most or (chosen is not None and not (chosen and all(1 <= mr <= most for mr in chosen))):
            return None
        found |= {(l, mr) for mr in (chosen or range(1, most + 1))}
    return sorted(found)


def _count(l: int) -> int:
    return len(_HARMONICS.get(l, ()) or _HYBRIDS.get(l, ()))


def _function(l: int, mr: int) -> Float[np.ndarray, "9"]:
    parts = {_HARMONICS[l][mr - 1]: 1.0} if l >= 0 else _HYBRIDS[l][mr - 1]
    return np.array([parts.get(name, 0.0) for name in _ORDER])


def _vector(text: str) -> Float[np.ndarray, "3"] | None:
    try:
        vector = np.array([float(word) for word in text.split(",")])
    except ValueError:
        return None
    return vector if vector.shape == (3,) and np.all(np.isfinite(vector)) else None
