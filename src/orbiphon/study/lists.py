"""Fields of a study file that are lists of plain numbers and make no dimension of the result."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from pydantic import BeforeValidator

from orbiphon.study.quantity import QuantityError, show


def a_mesh() -> BeforeValidator:
    """Whole numbers, one for each periodic direction."""

    def whole(n: Any) -> int:
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 10**4:
            raise ValueError
        return n

    return _listed(whole, 1, 3, "whole numbers > 0, one for each periodic direction", "[12, 12]")


def a_direction() -> BeforeValidator:
    """ "x", "y", "z" or three numbers."""

    def read(given: Any) -> Any:
        if isinstance(given, str) and given in ("x", "y", "z"):
            return given
        found = _read(_real, 3, 3, '"x", "y", "z" or three numbers', "[1, 1, 0]", given)
        if not any(found):
            raise QuantityError("must not be the zero vector, but is. Give where it points.")
        return found

    return BeforeValidator(read)


def fractions() -> BeforeValidator:
    """Numbers, or text such as "1/3"."""

    def part(x: Any) -> float:
        return float(Fraction(x)) if isinstance(x, str) and len(x) < 40 else _real(x)

    return _listed(part, 1, 3, "numbers or fractions, one for each reciprocal vector", '["1/3", "2/3"]')


def complex_numbers() -> BeforeValidator:
    """Numbers, or pairs [real, imaginary]."""

    def part(x: Any) -> tuple[float, float]:
        real, imaginary = x if isinstance(x, list | tuple) else (x, 0)
        return _real(real), _real(imaginary)

    return _listed(part, 1, 100, "numbers or pairs [real, imaginary]", "[1, [0, 1]]")


def numbers_or_tensors() -> BeforeValidator:
    """One number for each atom, or one tensor."""

    def part(x: Any) -> Any:
        if not isinstance(x, list | tuple):
            return _real(x)
        rows = tuple(tuple(map(_real, row)) for row in x)
        if [len(row) for row in rows] != [3, 3, 3]:
            raise ValueError
        return rows

    return _listed(part, 1, 10**4, "numbers or tensors of 3 x 3 numbers, one for each atom", "[1.2, -1.2]")


def _real(x: Any) -> float:
    if isinstance(x, bool) or not isinstance(x, int | float) or not math.isfinite(x):
        raise ValueError
    return float(x)


def _listed(part: Callable[[Any], Any], least: int, most: int, words: str, example: str) -> BeforeValidator:
    return BeforeValidator(lambda given: _read(part, least, most, words, example, given))


def _read(part: Callable[[Any], Any], least: int, most: int, words: str, example: str, given: Any) -> tuple[Any, ...]:
    try:
        if not isinstance(given, list | tuple) or not least <= len(given) <= most:
            raise ValueError
        return tuple(part(x) for x in given)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise QuantityError(f"must be {words}, but is {show(given)}. Write {example}, say.") from None
