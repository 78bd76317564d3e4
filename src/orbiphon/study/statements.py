"""Statements of a paper beside what is computed: `statements.csv`, and `curves.csv` for their picture."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from orbiphon._version import __version__
from orbiphon.study.claim import claim
from orbiphon.study.table import write_csv

MARK = "reproduction.json"
CURVES = "curves.csv"


class Statement(NamedTuple):
    """What a source says, the number that decides it, its absolute error and unit, and whether it holds."""

    statement: str
    source: str
    computed: float
    error: float
    unit: str
    holds: bool


class Curve(NamedTuple):
    """One curve of the picture: its panel, its name, and what runs along both axes, with units in brackets."""

    panel: str
    curve: str
    x_label: str
    x: tuple[float, ...]
    y_label: str
    y: tuple[float, ...]


def write_statements(
    out: Path, paper: str, compute: Callable[[], Iterable[Statement | Curve]], overwrite: bool
) -> bool:
    """Claim the folder, compute, and write the tables; True. Raises `InputError` for a folder that is not its own."""
    claim(out, MARK, {"paper": paper, "version": __version__}, ("statements.csv", CURVES, "statements.png"), overwrite)
    found = list(compute())
    rows = [one._asdict() | {"holds": "yes" if one.holds else "no"} for one in found if isinstance(one, Statement)]
    points = [
        one._asdict() | {"x": float(x), "y": float(y)}
        for one in found
        if isinstance(one, Curve)
        for x, y in zip(one.x, one.y, strict=True)
    ]
    write_csv(out / "statements.csv", rows)
    if points:
        write_csv(out / CURVES, points)
    return True
