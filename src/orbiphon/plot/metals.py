"""The orbital accumulation of metals against the Fermi level and against the broadening."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.errors import InputError
from orbiphon.plot.style import COLOURS, MINUS, figure, save

_PEAKED = 8.0  # times the median: beyond it the scale is logarithmic above the median
_TICKS = tuple(n * 10.0**power for power in range(-4, 4) for n in (1, 3))
_COLUMNS = ("metal", "observable", "chirality", "broadening_eV", "temperature_K", "fermi_shift_eV", "value", "error")
_TEMPERATURE = 300.0
_STYLES = {"Lz": "-", "Sz": "--"}

Row = dict[str, Any]


def draw_metals(table: Path) -> list[Path]:
    """Two pictures beside the table, a panel for each metal: metals.png against the Fermi level, a colour for each
    broadening, and metals_broadening.png at the Fermi level, a colour for each temperature. Bars are the errors; spin
    is dashed. Raises `InputError` for a table that cannot be read."""
    rows = _rows(table)
    at_fermi = [row for row in rows if row["fermi_shift_eV"] == 0.0]
    away = {row["broadening_eV"] for row in rows if row["fermi_shift_eV"] != 0.0}
    scanned = [row for row in rows if row["broadening_eV"] in away and row["temperature_K"] == _TEMPERATURE]
    drawn = []
    if scanned:
        label = r"Fermi level $-\ \varepsilon_\mathrm{F}$ (eV)"
        drawn.append(_draw(scanned, ("fermi_shift_eV", label), ("broadening_eV", r"$\Gamma$ = {:g} eV"), table.stem))
    drawn.append(
        _draw(
            at_fermi,
            ("broadening_eV", r"broadening $\Gamma$ (eV)"),
            ("temperature_K", "{:g} K"),
            f"{table.stem}_broadening",
        )
    )
    return [save(drawing, table.with_name(f"{name}.png")) for drawing, name in drawn]


def _draw(rows: list[Row], along: tuple[str, str], colour_by: tuple[str, str], name: str) -> tuple[Any, str]:
    """One curve for each observable and value of `colour_by`, (column, label), against `along`, (column, label)."""
    metals = list(dict.fromkeys(row["metal"] for row in rows))
    drawing, axes = figure(len(metals), width=2.6 if len(metals) > 1 else 4.2, height=3.0)
    for axis, metal in zip(axes, metals, strict=True):
        own = [row for row in rows if row["metal"] == metal]
        for colour, value in zip(COLOURS, sorted({row[colour_by[0]] for row in own}), strict=False):
            for observable, style in _STYLES.items():
                curve = sorted(
                    (row[along[0]], row["value"], row["error"])
                    for row in own
                    if row[colour_by[0]] == value and row["observable"] == observable
                )
                if curve:
                    x, y, error = zip(*curve, strict=True)
                    label = colour_by[1].format(value) if observable == "Lz" else None
                    marker = "o" if observable == "Lz" else None
                    axis.errorbar(x, y, error, color=colour, linestyle=style, marker=marker, label=label)
        axis.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
        if along[0] == "broadening_eV":
            axis.set_xscale("log")
        else:
            axis.axvline(0.0, color="0.7", linewidth=0.6, zorder=0)
            _stretch(axis, [row["value"] for row in own])
        axis.set_title(metal)
        axis.set_xlabel(along[1])
    axes[0].set_ylabel(
        r"$\langle L_z\rangle,\ \langle S_z\rangle$ (dashed) per cell" "\n" r"over $(qU)^2\hbar\omega$ (1/eV)"
    )
    drawing.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    return drawing, name


def _stretch(axis: Any, values: list[float]) -> None:
    """Linear up to the median of |value| and logarithmic beyond, where a few peaks would hide the rest."""
    size = np.abs([value for value in values if value])
    if not size.size or np.max(size) < _PEAKED * (median := float(np.median(size))):
        return
    bounds = [f(f(values), 0.0) for f in (min, max)]
    ticks = [t for t in _TICKS if t >= 0.5 * median]
    shown = [0.0, *(t for t in ticks if t < bounds[1]), *(-t for t in ticks if -t > bounds[0])]
    axis.set_yscale("asinh", linear_width=median)
    axis.set_yticks(shown, [f"{t:g}".replace("-", MINUS) for t in shown])
    axis.set_yticks([], minor=True)
    axis.set_ylim(*(1.3 * bound - 0.2 * sign * median for bound, sign in zip(bounds, (1, -1), strict=True)))


def _rows(table: Path) -> list[Row]:
    """The rows of one chirality, with numbers for what is a number."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            text = list(csv.DictReader(file))
        rows = [{k: row[k] if k in ("metal", "observable") else float(row[k]) for k in _COLUMNS} for row in text]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"The table `{table}` must have the columns {', '.join(_COLUMNS)} with numbers, but has not ({error}). "
            "Compute it again."
        ) from None
    if not rows:
        raise InputError(f"The table `{table}` must have rows, but has none. Compute it again.")
    return [row for row in rows if row["chirality"] == 1.0]
