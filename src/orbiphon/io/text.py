"""Text files of other codes, plain or gzipped, read once and line by line; trouble is told with file and line."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NoReturn, TypeVar

import numpy as np
from jaxtyping import Float

from orbiphon.errors import InputError

T = TypeVar("T")


class Lines:
    """The lines of a text file, in order; `number` is that of the last one given out, counted from 1."""

    def __init__(self, path: Path):
        self.path, self.number = path, 0
        self._lines = _decoded(path)

    def next(self, what: str) -> str:
        """The next line. Raises `InputError` at the end of the file, which lacks `what`."""
        for line in self:
            return line
        raise InputError(
            f"`{self.path}` must go on with {what}, but ends after line {self.number}. It is truncated: copy it again."
        )

    def __iter__(self) -> Iterator[str]:
        """The lines that are left."""
        for line in self._lines:
            self.number += 1
            yield line

    def number_of(self, what: str, convert: Callable[[str], T]) -> T:
        """A line that holds one number."""
        line = self.next(what)
        try:
            return convert(line)
        except ValueError:
            self.fail(what, line)

    def numbers(self, what: str, count: int) -> Float[np.ndarray, "count"]:
        """A line of `count` numbers."""
        line = self.next(what)
        found = _floats(line.split())
        if found is None or len(found) != count:
            self.fail(f"{what}, {count} numbers", line)
        return found

    def table(self, what: str, rows: int, columns: int) -> Float[np.ndarray, "rows columns"]:
        """The next `rows` lines of `columns` numbers each."""
        first, lines = self.number, list(islice(self._lines, rows))
        found = _floats("".join(lines).split())
        if len(lines) == rows and found is not None and len(found) == rows * columns:
            self.number += rows
            return found.reshape(rows, columns)
        for line in lines:  # the slow way, to find the line
            self.number += 1
            row = _floats(line.split())
            if row is None or len(row) != columns:
                self.fail(f"{what}, {columns} numbers", line)
        self.number = first + len(lines)
        self.next(what)
        raise AssertionError("unreachable")

    def end(self) -> None:
        """Raise `InputError` if anything but blank lines follows."""
        for line in self:
            if line.strip():
                self.fail("the end of the file", line)

    def fail(self, what: str, line: str) -> NoReturn:
        """Raise `InputError` for the last line."""
        raise InputError(
            f"`{self.path}`, line {self.number} must be {what}, but is {line.strip()[:80]!r}. "
            "The file is damaged or of another kind: write it again."
        )


def whole(text: str) -> int:
    """An integer in the spelling of Fortran; nothing else."""
    if not text.strip().lstrip("+-").isascii() or not text.strip().lstrip("+-").isdigit():
        raise ValueError(text)
    return int(text)


def beside(path: Path, suffix: str) -> Path | None:
    """The file of the same seedname with another ending, plain or `.gz`; None if there is none."""
    plain = path.with_name(seedname(path) + suffix)
    return next((file for file in (plain, plain.with_name(plain.name + ".gz")) if file.is_file()), None)


ENDINGS = ("_tb.dat", "_hr.dat", "_wsvec.dat", "_centres.xyz", ".win")


def hamiltonian_files(paths: Iterable[Path]) -> list[Path]:
    """Every file that tells of a Hamiltonian, in folders or beside files, in order."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    found = [file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]
    return [file for file in found if file.name.removesuffix(".gz").endswith((*ENDINGS, "info.json"))]


def seedname(path: Path) -> str:
    """The file's name without Wannier90's ending."""
    name = path.name.removesuffix(".gz")
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def _floats(words: list[str]) -> Float[np.ndarray, "number"] | None:
    """Finite numbers, or None."""
    try:
        found = np.array(words, dtype=float)
    except (ValueError, OverflowError):
        return None
    return found if np.all(np.isfinite(found)) and not any("_" in word for word in words) else None


def _decoded(path: Path) -> Iterator[str]:
    """The lines as text; every way in which a file can be unreadable ends in an `InputError`."""
    number = 0
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            for line in file:
                number += 1
                yield line.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"`{path}`, line {number} must be text in UTF-8, but is not. The file is damaged or of another kind."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"`{path}` must be a whole gzip file, but is damaged after line {number}: {error}. Copy it again."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"`{path}` must be readable, but is not: {reason}. Check its path.") from None
