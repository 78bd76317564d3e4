"""The curves that belong to a table of statements."""

import csv
from itertools import groupby
from pathlib import Path
from typing import Any

from orbiphon.errors import InputError
from orbiphon.plot.style import COLOURS, MINUS, figure, save

_NEEDED = {"panel", "curve", "x_label", "x", "y_label", "y"}
_MARKERS = "osv^Dx"


def draw_statements(folder: Path) -> list[Path]:
    """statements.png from curves.csv, a panel for each of its panels; nothing if there are no curves.

    **Raises:** `InputError` for a table that lacks columns or numbers.
    """
    table = folder / "curves.csv"
    if not table.is_file():
        return []
    panels = _read(table)
    drawing, axes = figure(len(panels), width=4.8)
    for axis, (title, rows) in zip(axes, panels.items(), strict=True):
        power = _power(max(abs(y) for _, _, y in rows))
        for number, (name, points) in enumerate(groupby(rows, key=lambda row: row[0]["curve"])):
            x, y = zip(*((x, y / 10.0**power) for _, x, y in points), strict=True)
            style = {"marker": _MARKERS[number % len(_MARKERS)], "color": COLOURS[number % len(COLOURS)]}
            axis.plot(x, y, label=name, markerfacecolor="none" if number % 2 else None, **style)
        axis.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
        axis.set_title(title)
        axis.set_xlabel(rows[0][0]["x_label"].replace("angstrom", "Å"))
        axis.set_ylabel(_scaled(rows[0][0]["y_label"], power))
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return [save(drawing, folder / "statements.png")]


def _read(table: Path) -> dict[str, list[tuple[dict[str, str], float, float]]]:
    """(row, x, y) of each panel, in the order of the file."""
    try:
        with table.open(encoding="utf-8") as file:
            rows = [(row, float(row["x"]), float(row["y"])) for row in csv.DictReader(file) if _NEEDED <= set(row)]
    except (ValueError, TypeError, OSError, KeyError):
        rows = []
    if not rows:
        raise InputError(f"The results `{table}` must be readable, but are not. Compute them again.")
    panels: dict[str, list[Any]] = {}
    for row in rows:
        panels.setdefault(row[0]["panel"], []).append(row)
    return panels


def _power(largest: float) -> int:
    """Of ten, by which the numbers of an axis are divided: 0 for those that are easily written."""
    from math import floor, log10

    power = floor(log10(largest)) if largest > 0.0 else 0
    return 0 if -2 <= power <= 3 else power


def _scaled(label: str, power: int) -> str:
    words = label.replace("hbar", "ħ").replace("angstrom", "Å")
    if power == 0:
        return words
    head, bracket, unit = words.partition(" (")
    written = f"$10^{{{power}}}$".replace("-", MINUS)
    return f"{head} ({written} {unit}" if bracket else f"{words} ({written})"
