"""`orbiphon reproduce metals --data DIR --out OUT`: the orbital accumulation of metals from first principles.

Each subfolder of DIR with an `unstrained/` in it is a metal; its other subfolders with a `.win` file are deformed
cells. The wave is transverse and circular along z, long and slow (hbar omega << broadening); moments are per cell, and
per spin where the Hamiltonian has none, over (q U)^2 hbar omega, in 1/eV.

The error of a value has three parts, added: that of the zone mean; the change of the value when dH is taken from the
next larger step; and, where there is no second step, ten times the squared even part of the pairs, a bound of the same
kind. The other chirality has minus the value at each k, by the symmetry of the formula: it is not computed again.
Cells of several atoms get `metals_sites.csv` too, and `metals_wave.csv` says what a typical acoustic wave makes.
"""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from orbiphon import io, units
from orbiphon._version import __version__
from orbiphon.coupling import FromPairs
from orbiphon.electrons import observable
from orbiphon.electrons.operators import of_site
from orbiphon.errors import InputError
from orbiphon.response import Numerics
from orbiphon.response.scan import Scan, scan
from orbiphon.study.claim import claim
from orbiphon.study.first_principles import STEP_SHARE, deformed_cells, fingerprint, step_error
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
MARK, TABLE, SITES, WAVES = "reproduction.json", "metals.csv", "metals_sites.csv", "metals_wave.csv"
WAVE_STRAIN, WAVE_FREQUENCY = 1e-4, 1e-3 * units.THz  # q U and frequency of a typical surface acoustic wave
PARTIAL = ".partial"
"""The folder of finished rows."""


def run(out: Path, data: Path, quiet: bool = False, overwrite: bool = False) -> bool:
    """Compute `metals.csv`; whether every tolerance was met. Raises `InputError` for data that cannot be used.

    What is finished is kept in the folder `out`, and not computed again from the same files.
    """
    folders = metals(data)
    found = {name: read_metal(folder) for name, folder in folders.items()}
    files = {name: fingerprint([folder / HOME, *deformed_cells(folder / HOME)]) for name, folder in folders.items()}
    names = (TABLE, SITES, WAVES, PARTIAL)
    claim(out, MARK, {"paper": "metals", "version": __version__, "metals": files}, names, overwrite)
    rows, accurate = [], True
    with progress_bars(len(found) * len(BROADENINGS), 0, quiet, what="metals and broadenings") as advance:
        for name, pairs in found.items():
            for broadening in BROADENINGS:
                kept = out / PARTIAL / f"{name}_{broadening}eV.json"
                fresh, converged = _once(kept, partial(metal_rows, name, pairs, broadening))
                rows += fresh
                accurate &= converged
                advance(1)
            write_csv(out / TABLE, [row for row in rows if "@" not in row["observable"]])
            write_csv(out / WAVES, waves(rows, found))
            if sites := [row for row in rows if "@" in row["observable"]]:
                write_csv(out / SITES, sites)
    return accurate


def _once(kept: Path, compute: Callable[[], tuple[list[dict[str, Any]], bool]]) -> tuple[list[dict[str, Any]], bool]:
    """What the file holds, or else what is computed, which is then kept in it: complete or not at all."""
    try:
        rows, converged = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        rows, converged = compute()
        kept.parent.mkdir(exist_ok=True)
        fresh = kept.with_suffix(".new")
        fresh.write_text(json.dumps([rows, bool(converged)]), encoding="utf-8")
        os.replace(fresh, kept)
    return rows, converged


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
    basis, sites = pairs.electrons.basis, pairs.electrons.crystal.sites
    observables = [observable(basis, name) for name in (("Lz", "Sz") if basis.spin else ("Lz",))]
    if sites > 1:
        observables += [of_site(basis, o, site) for o in observables for site in range(sites)]
    asked = [(0.0, t) for t in TEMPERATURES]
    asked += [(x, TEMPERATURE) for x in SHIFTS if x and broadening in SCANNED]
    assert pairs.fermi_level is not None  # read_metal
    states = [[pairs.fermi_level + shift, temperature] for shift, temperature in asked]

    def moments(couplings: list[FromPairs], share: int) -> Scan:
        most = ELEMENTS // (share * pairs.electrons.size)
        numerics = Numerics(rtol=RTOL, max_points=most)
        return scan(couplings, broadening, states, observables=observables, numerics=numerics)

    found = moments([pairs.coupling], 1)
    value = found.value[0]
    error = found.error[0] + step_error(pairs, value, lambda couplings: moments(couplings, STEP_SHARE).value)
    rows = [
        row
        for i, (shift, temperature) in enumerate(asked)
        for o, measured in enumerate(observables)
        for row in _rows(name, measured.name, (broadening, temperature, shift), float(value[i, o]), float(error[i, o]))
    ]
    return rows, found.converged


def waves(rows: list[dict[str, Any]], found: dict[str, io.Pairs]) -> list[dict[str, Any]]:
    """What a typical surface acoustic wave makes at the Fermi level and 300 K: -(L + 2 S) in mu_B, of both spins."""
    strength = WAVE_STRAIN**2 * 2.0 * np.pi * WAVE_FREQUENCY  # (q U)^2 hbar omega
    table = []
    for row in rows:
        state = row["observable"], row["chirality"], row["temperature_K"], row["fermi_shift_eV"]
        if state != ("Lz", 1, TEMPERATURE, 0.0):
            continue
        electrons = found[row["metal"]].electrons
        same = [other for other in rows if _but_observable(other) == _but_observable(row)]
        spin = next((other for other in same if other["observable"] == "Sz"), {"value": 0.0, "error": 0.0})
        spins = 1.0 if electrons.basis.spin else 2.0
        per_volume = 1e24 / abs(float(np.linalg.det(np.asarray(electrons.crystal.lattice.vectors))))  # cells in cm^3
        table.append(
            {
                "metal": row["metal"],
                "broadening_eV": row["broadening_eV"],
                "strain": WAVE_STRAIN,
                "frequency_GHz": WAVE_FREQUENCY / (1e-3 * units.THz),
                "L_per_cell_hbar": spins * strength * row["value"],
                "S_per_cell_hbar": spins * strength * spin["value"],
                "moment_muB_per_cm3": -spins * strength * (row["value"] + 2.0 * spin["value"]) * per_volume,
                "error_muB_per_cm3": spins * strength * (row["error"] + 2.0 * spin["error"]) * per_volume,
            }
        )
    return table


def _but_observable(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("metal", "chirality", "broadening_eV", "temperature_K", "fermi_shift_eV")
    return tuple(row[name] for name in names)


def _rows(
    name: str, measured: str, state: tuple[float, float, float], value: float, error: float
) -> Iterator[dict[str, Any]]:
    """One value as a row for each chirality."""
    broadening, temperature, shift = state
    for chirality in (1, -1):
        yield {
            "metal": name,
            "method": "adiabatic",
            "observable": measured,
            "wave": "transverse_z",
            "chirality": chirality,
            "broadening_eV": broadening,
            "temperature_K": temperature,
            "fermi_shift_eV": shift,
            "value": chirality * value,
            "error": error,
            "unit": "1/eV",
        }
