"""Checks of arguments. Each raises `InputError` with the argument's name, the rule, the value found, and the fix.

They judge whatever a caller hands in, hence `Any`, and look at concrete values: call them where arguments enter, never
inside a traced function.
"""

import difflib
from collections.abc import Collection
from typing import Any

import numpy as np

from orbiphon.errors import InputError


def nearest(word: str, known: Collection[str]) -> str | None:
    """The spelling in `known` that is closest to `word`, or None if none is close."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(str(word).lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Raise unless `value` is one of `choices`; the message offers the nearest spelling."""
    if isinstance(value, str) and value in choices:
        return
    guess = nearest(value, choices) if isinstance(value, str) else None
    fix = f"Did you mean {guess!r}?" if guess else "Choose one of these."
    raise InputError(f"Argument `{name}` must be one of {', '.join(map(repr, choices))}, but is {value!r}. {fix}")


def check_finite(name: str, value: Any) -> None:
    """Raise unless every number in `value` is finite."""
    array = _numbers(name, value)
    if not np.all(np.isfinite(array)):
        raise InputError(f"Argument `{name}` must be finite, but is {_show(array)}. Remove NaN and infinities.")


def check_positive(name: str, value: Any) -> None:
    """Raise unless every number in `value` is finite and above zero."""
    check_finite(name, value)
    array = _real(name, value)
    if not np.all(array > 0):
        raise InputError(f"Argument `{name}` must be greater than zero, but is {_show(array)}. Give a positive number.")


def check_not_negative(name: str, value: Any) -> None:
    """Raise unless every number in `value` is finite and at least zero."""
    check_finite(name, value)
    array = _real(name, value)
    if not np.all(array >= 0):
        raise InputError(
            f"Argument `{name}` must not be negative, but is {_show(array)}. Give zero or a positive number."
        )


def check_shape(name: str, array: Any, shape_text: str, shape: tuple[int | None, ...]) -> None:
    """Raise unless `array` has the sizes in `shape` (None: any size). `shape_text` names the axes, e.g. "site xyz"."""
    found = np.shape(array)
    fits = len(found) == len(shape) and all(want in (None, got) for want, got in zip(shape, found, strict=True))
    if not fits:
        wanted = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
        raise InputError(
            f"Argument `{name}` must have the shape ({shape_text}) = {wanted}, but is of shape {tuple(found)}. "
            f"Check the number and the order of its axes."
        )


def check_hermitian(name: str, matrix: Any, rtol: float = 1e-10) -> None:
    """Raise unless `matrix`, (..., n, n), equals its conjugate transpose up to `rtol` of its largest element."""
    array = _numbers(name, matrix)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise InputError(
            f"Argument `{name}` must be a square matrix, but is of shape {array.shape}. Check the order of its axes."
        )
    check_finite(name, array)
    largest = float(np.max(np.abs(array), initial=0.0))
    deviation = float(np.max(np.abs(array - np.conj(np.swapaxes(array, -1, -2))), initial=0.0))
    if deviation > rtol * largest:
        raise InputError(
            f"Argument `{name}` must be hermitian, but is off by {deviation:.3g} (largest element {largest:.3g}). "
            f"Symmetrise it as (M + M†)/2 if the difference is rounding."
        )


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "iufc":
        raise InputError(f"Argument `{name}` must be a number or an array of numbers, but is {value!r}. Give numbers.")
    return array


def _real(name: str, value: Any) -> np.ndarray:
    array = _numbers(name, value)
    if array.dtype.kind == "c":
        raise InputError(f"Argument `{name}` must be real, but is {_show(array)}. Give its real part.")
    return array


def _show(array: np.ndarray) -> str:
    return np.array2string(array, threshold=8, edgeitems=3, separator=", ")
