"""Statements of a paper beside what is computed: `statements.csv`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from orbiphon._version import __version__
from orbiphon.study.claim import claim
from orbiphon.study.table import write_csv

MARK = "reproduction.json"


class Statement(NamedTuple):
    """What a source says, the number that decides it, its absolute error and unit, and whether it holds."""

    statement: str
    source: str
    computed: float
    error: float
    unit: str
    holds: bool


def write_statements(
    out: Path, paper: str, statements: Callable[[], Iterable[Statement]], overwrite: bool, names: tuple[str, ...] = ()
) -> bool:
    """Claim the folder, compute, and write the table; True. Raises `InputError` for a folder that is not its own."""
    claim(out, MARK, {"paper": paper, "version": __version__}, ("statements.csv", *names), overwrite)
    rows = [one._asdict() | {"holds": "yes" if one.holds else "no"} for one in statements()]
    write_csv(out / "statements.csv", rows)
    return True
