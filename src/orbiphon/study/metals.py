"""`orbiphon reproduce metals --data DIR --out OUT`: the orbital accumulation of metals from first principles.

Each subfolder of DIR with an `unstrained/` in it is a metal; its other subfolders with a `.win` file are deformed
cells. The wave is transverse and circular along z, long and slow (hbar omega << broadening); moments are per cell, and
per spin where the Hamiltonian has none, over (q U)^2 hbar omega, in 1/eV.

The error of a value has three parts, added: that of the zone mean; the change of the value when dH is taken from the
next larger step; and, where there is no second step, ten times the squared even part of the pairs, a bound of the same
kind. The other chirality has minus the value at each k, by the symmetry of the formula: it is not computed again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from orbiphon import io
from orbiphon._version import __version__
from orbiphon.coupling import Deformation
from orbiphon.errors import InputError
from orbiphon.response import Numerics
from orbiphon.response.scan import Scan, scan
from orbiphon.study.claim import claim
from orbiphon.study.first_principles import deformed_cells
from orbiphon.study.progress import progress_bars
from orbiphon.study.table import write_csv

TEMPERATURE = 300.0
SHIFTS = tuple(round(0.25 * i, 2) for i in range(-8, 9))
SCANNED = (0.05, 0.1, 0.2)  # broadenings at which all Fermi levels are asked for
BROADENINGS = (0.02, *SCANNED, 0.5, 1.0)
TEMPERATURES = (200.0, TEMPERATURE, 500.0)  # at the Fermi level
RTOL = 1e-2
ELEMENTS = 3_600_000  # wave vectors times orbitals, at most, for one broadening: half a minute to a minute on two cores
HOME = "unstrained"
MARK, TABLE = "reproduction.json", "metals.csv"
_WITHOUT_STEP = 10.0
_STEP_SHARE = 10  # of ELEMENTS: the change with the step needs no fine mesh


def run(out: Path, data: Path, quiet: bool = False, overwrite: bool = False) -> bool:
    """Compute `metals.csv`; whether every tolerance was met. Raises `InputError` for data that cannot be used."""
    found = {name: read_metal(folder) for name, folder in metals(data).items()}
    claim(out, MARK, {"paper": "metals", "version": __version__, "metals": list(found)}, (TABLE,), overwrite)
    rows, accurate = [], True
    with progress_bars(len(found) * len(BROADENINGS), 0, quiet, what="metals and broadenings") as advance:
        for name, pairs in found.items():
            for broadening in BROADENINGS:
                fresh, converged = metal_rows(name, pairs, broadening)
                rows += fresh
                accurate &= converged
                advance(1)
            write_csv(out / TABLE, rows)
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
    deformed = deformed_cells(folder / HOME)
    if not deformed:
        raise InputError(f"The metal `{folder}` must have folders of deformed cells, but has none. Add a pair.")
    pairs = io.read_pairs(folder / HOME, deformed)
    if pairs.fermi_level is None:
        raise InputError(
            f"`{folder / HOME}` must have an info.json with fermi_eV, the Fermi level in eV, but has none. Add it."
        )
    return pairs


def metal_rows(name: str, pairs: io.Pairs, broadening: float) -> tuple[list[dict[str, Any]], bool]:
    """The rows of one metal at one broadening, and whether they met the tolerance."""
    observables = ("Lz", "Sz") if pairs.home.electrons.basis.spin else ("Lz",)
    asked = [(0.0, t) for t in TEMPERATURES]
    asked += [(x, TEMPERATURE) for x in SHIFTS if x and broadening in SCANNED]
    assert pairs.fermi_level is not None  # read_metal
    states = [[pairs.fermi_level + shift, temperature] for shift, temperature in asked]

    def moments(couplings: list[Deformation], share: int) -> Scan:
        most = ELEMENTS // (share * pairs.home.electrons.size)
        numerics = Numerics(rtol=RTOL, max_points=most)
        return scan(couplings, broadening, states, observables=observables, numerics=numerics)

    found = moments([pairs.coupling], 1)
    if pairs.coarse is None:
        step = _WITHOUT_STEP * pairs.even**2 * np.abs(found.value[0])
    else:
        step = np.abs(np.diff(moments([pairs.coupling, pairs.coarse], _STEP_SHARE).value, axis=0)[0])
    value, error = found.value[0], found.error[0] + step
    rows = [
        row
        for i, (shift, temperature) in enumerate(asked)
        for o, observable in enumerate(observables)
        for row in _rows(name, observable, (broadening, temperature, shift), float(value[i, o]), float(error[i, o]))
    ]
    return rows, found.converged


def _rows(
    name: str, observable: str, state: tuple[float, float, float], value: float, error: float
) -> Iterator[dict[str, Any]]:
    """One value as a row for each chirality."""
    broadening, temperature, shift = state
    for chirality in (1, -1):
        yield {
            "metal": name,
            "method": "adiabatic",
            "observable": observable,
            "wave": "transverse_z",
            "chirality": chirality,
            "broadening_eV": broadening,
            "temperature_K": temperature,
            "fermi_shift_eV": shift,
            "value": chirality * value,
            "error": error,
            "unit": "1/eV",
        }
