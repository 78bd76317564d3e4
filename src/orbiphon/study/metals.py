"""`orbiphon reproduce metals --data DIR --out OUT`: the orbital accumulation of metals from first principles.

Each subfolder of DIR with an `unstrained/` in it is a metal; its other subfolders with a `.win` file are deformed
cells. The wave is transverse and circular along z, long and slow (hbar omega << broadening); moments are per cell, and
per spin where the Hamiltonian has none, over (q U)^2 hbar omega, in 1/eV.

The error of a value has three parts, added: that of the zone mean; the change of the value when dH is taken from the
next larger step; and, where there is no second step, ten times the squared even part of the pairs, a bound of the same
kind. The other chirality has minus the value at each k, by the symmetry of the formula: it is not computed again.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from orbiphon import io
from orbiphon._version import __version__
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.response import Numerics
from orbiphon.response.scan import scan
from orbiphon.study.claim import claim
from orbiphon.study.table import write_csv

BROADENINGS = (0.05, 0.1, 0.2)
TEMPERATURE = 300.0
SHIFTS = tuple(round(0.25 * i, 2) for i in range(-8, 9))
SCAN_RTOL, SCAN_POINTS = 2e-2, 150_000
RTOL, POINTS = 1e-2, 600_000  # at the Fermi level; points for nine orbitals, in inverse proportion to their square
HOME = "unstrained"
MARK, TABLE = "reproduction.json", "metals.csv"
_WITHOUT_STEP = 10.0


def run(out: Path, data: Path, quiet: bool = False, overwrite: bool = False) -> bool:
    """Compute `metals.csv`; whether every tolerance was met. Raises `InputError` for data that cannot be used."""
    found = metals(data)
    claim(out, MARK, {"paper": "metals", "version": __version__, "metals": list(found)}, (TABLE,), overwrite)
    rows, accurate = [], True
    for name, folder in found.items():
        for row, converged in metal_rows(name, folder, quiet):
            rows.append(row)
            accurate &= converged
        write_csv(out / TABLE, rows)
    if not accurate:
        warnings.warn(
            "Some moments missed their tolerance: their `error` says by how much.", ToleranceWarning, stacklevel=2
        )
    return accurate


def metals(data: Path) -> dict[str, Path]:
    """The metals of a folder, by name; the folder itself if it is one. Raises `InputError` if there is none."""
    if not data.is_dir():
        raise InputError(f"The folder `{data}` of option `data` must be there, but is not. Check the path.")
    if (data / HOME).is_dir():
        return {data.resolve().name: data}
    found = {folder.name: folder for folder in sorted(data.iterdir()) if (folder / HOME).is_dir()}
    if not found:
        raise InputError(
            f"The folder `{data}` must have subfolders with `{HOME}/` in them, one per metal, but has none. Give the "
            "folder above them."
        )
    return found


def read_metal(folder: Path) -> io.Pairs:
    """The undeformed cell of a metal, and its coupling to strain. Raises `InputError`."""
    deformed = [
        sub for sub in sorted(folder.iterdir()) if sub.is_dir() and sub.name != HOME and any(sub.glob("*.win*"))
    ]
    if not deformed:
        raise InputError(f"The metal `{folder}` must have folders of deformed cells, but has none. Add a pair.")
    pairs = io.read_pairs(folder / HOME, deformed)
    if pairs.fermi_level is None:
        raise InputError(
            f"`{folder / HOME}` must have an info.json with fermi_eV, the Fermi level in eV, but has none. Add it."
        )
    return pairs


def metal_rows(name: str, folder: Path, quiet: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """The rows of one metal, each with whether it met its tolerance."""
    from rich.console import Console

    console = Console(stderr=True, quiet=quiet)
    console.print(f"{name}: reading {folder}", highlight=False)
    pairs = read_metal(folder)
    share = (9 / pairs.home.electrons.size) ** 2
    here = Numerics(rtol=RTOL, max_points=int(share * POINTS))
    around = Numerics(rtol=SCAN_RTOL, max_points=int(min(share, 1.0) * SCAN_POINTS))
    for broadening in BROADENINGS:
        for shifts, numerics in (((0.0,), here), (tuple(x for x in SHIFTS if x), around)):
            console.print(f"{name}: broadening {broadening} eV, {len(shifts)} Fermi levels", highlight=False)
            yield from _rows(name, pairs, broadening, shifts, numerics)


def _rows(
    name: str, pairs: io.Pairs, broadening: float, shifts: tuple[float, ...], numerics: Numerics
) -> Iterator[tuple[dict[str, Any], bool]]:
    spin = pairs.home.electrons.basis.spin
    observables = ("Lz", "Sz") if spin else ("Lz",)
    couplings = [pairs.coupling] if pairs.coarse is None else [pairs.coupling, pairs.coarse]
    assert pairs.fermi_level is not None  # read_metal
    states = [[broadening, pairs.fermi_level + shift, TEMPERATURE] for shift in shifts]
    found = scan(couplings, states, observables=observables, numerics=numerics)
    if pairs.coarse is None:
        step = _WITHOUT_STEP * pairs.even**2 * np.abs(found.value[0])
    else:
        step = np.abs(found.value[1] - found.value[0])
    error = found.error[0] + step
    for (i, shift), (o, observable) in ((a, b) for a in enumerate(shifts) for b in enumerate(observables)):
        for chirality in (1, -1):
            yield (
                {
                    "metal": name,
                    "method": "adiabatic",
                    "observable": observable,
                    "wave": "transverse_z",
                    "chirality": chirality,
                    "broadening_eV": broadening,
                    "temperature_K": TEMPERATURE,
                    "fermi_shift_eV": shift,
                    "value": chirality * float(found.value[0, i, o]),
                    "error": float(error[i, o]),
                    "unit": "1/eV",
                },
                found.converged,
            )
