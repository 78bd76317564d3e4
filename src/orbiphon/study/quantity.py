"""Quantities of a study file: "50 K", ["-2.5 eV", "-1.5 eV"], { start = "50 K", stop = "500 K", num = 10 }.

Each is checked for its dimension and its range and becomes numbers in the canonical unit of its kind. A list or a range
makes a dimension of the result.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from orbiphon import units
from orbiphon._checks import nearest

MOST_VALUES = 1_000_000
"""No list or range may be longer, whatever `sweep.max_points` says."""


@dataclass(frozen=True)
class Kind:
    """One physical dimension: its canonical unit (for pint), how a column's name shows it, and its internal size."""

    name: str
    unit: str
    suffix: str
    internal: float
    example: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("energy", "eV", "_eV", units.eV, '"0.01 eV"'),
        Kind("temperature", "K", "_K", units.K, '"300 K"'),
        Kind("length", "angstrom", "_angstrom", units.angstrom, '"5 angstrom"'),
        Kind("frequency", "THz", "_THz", units.THz, '"1 GHz"'),
        Kind("time", "ps", "_ps", units.ps, '"1.5 ps"'),
        Kind("chirp", "THz/ps", "_THz_per_ps", 2.0 * math.pi * units.THz / units.ps, '"0.2 THz/ps"'),
        Kind("angle", "deg", "_deg", math.pi / 180.0, '"90 deg"'),
        Kind("wave vector", "1/angstrom", "_per_angstrom", 1 / units.angstrom, '"0.1 1/angstrom"'),
        Kind("speed", "m/s", "_m_per_s", units.m / units.s, '"5000 m/s"'),
        Kind("mass", "kg", "_kg", units.kg, '"4e-26 kg"'),
        Kind("mass density", "kg/m^3", "_kg_per_m3", units.kg / units.m**3, '"5000 kg/m^3"'),
        Kind("power per width", "W/m", "_W_per_m", units.W / units.m, '"20 W/m"'),
        Kind("spring constant", "eV/angstrom^2", "_eV_per_angstrom2", 1.0, '"10 eV/angstrom^2"'),
        Kind("electric field", "MV/cm", "_MV_per_cm", 1e6 / units.cm, '"0.1 MV/cm"'),
        Kind("temperature gradient", "K/um", "_K_per_um", units.K / units.um, '"1 K/um"'),
        Kind("number", "", "", 1.0, "0.1"),
    )
}


@dataclass(frozen=True)
class Rule:
    """A range that a quantity must keep: `words` complete "must ..."."""

    words: str
    holds: Callable[[float], bool]


ANY = Rule("be finite", math.isfinite)
POSITIVE = Rule("be greater than zero", lambda x: x > 0)
NOT_NEGATIVE = Rule("not be negative", lambda x: x >= 0)
FRACTION = Rule("lie between 0 and 1", lambda x: 0 <= x <= 1)
BELOW_ONE = Rule("lie between -1 and 1, both excluded", lambda x: -1 < x < 1)
WHOLE = Rule("be a whole number from 0 on", lambda x: x >= 0 and x == int(x))
SIGN = Rule("be 1 or -1", lambda x: x in (1, -1))


@dataclass(frozen=True)
class Quantity:
    """Numbers in the canonical unit of their kind; `swept` if the file gave a list or a range."""

    kind: Kind
    values: tuple[float, ...]
    swept: bool

    def __str__(self) -> str:
        shown = [f"{value:.10g} {self.kind.unit}".strip() for value in self.values]
        if not self.swept:
            return shown[0]
        return ", ".join(shown) if len(shown) <= 4 else f"{len(shown)} values from {shown[0]} to {shown[-1]}"


class QuantityError(ValueError):
    """What is wrong with one quantity, without its key: "must ..., but is .... <fix>"."""


def read_quantity(kind: Kind, rule: Rule, given: Any) -> Quantity:
    """The quantity that a study file gives as a value, a list or a range. Raises `QuantityError`."""
    if isinstance(given, Quantity):
        return given
    if isinstance(given, dict):
        return Quantity(kind, _range(kind, rule, given), swept=True)
    if not isinstance(given, list):
        return Quantity(kind, (_value(kind, rule, given),), swept=False)
    if not given:
        raise QuantityError(f"must hold a value, but is an empty list. Write [{kind.example}], say.")
    if len(given) > MOST_VALUES:
        raise QuantityError(f"must hold at most {MOST_VALUES} values, but holds {len(given)}. Shorten the list.")
    values = tuple(_value(kind, rule, item) for item in given)
    _check_distinct(kind, values)
    return Quantity(kind, values, swept=True)


def _value(kind: Kind, rule: Rule, given: Any) -> float:
    """One number in the canonical unit."""
    if kind.name == "number":
        number = _plain_number(given)
    elif isinstance(given, str):
        number = _with_unit(kind, given)
    else:
        plain = isinstance(given, int | float) and not isinstance(given, bool)
        fix = f'"{given} {kind.unit}"' if plain and abs(given) < 1e20 else kind.example
        raise QuantityError(f"must be text with a unit of {kind.name}, but is {show(given)}. Write {fix}, say.")
    if not math.isfinite(number):
        raise QuantityError(f"must be finite, but is {show(given)}. Write {kind.example}, say.")
    if not rule.holds(number):
        raise QuantityError(f"must {rule.words}, but is {show(given)}. Change the value.")
    return number


def _plain_number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        fix = "Write it without quotes." if isinstance(given, str) and _NUMBER.fullmatch(given) else "Write 0.1, say."
        raise QuantityError(f"must be a plain number, but is {show(given)}. {fix}")
    try:
        return float(given)
    except OverflowError:
        return math.inf


_NUMBER = re.compile(r"\s*[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*")
_POWER = r"[^\W\d]\w*(?:(?:\^|\*\*)-?\d)?"
_UNITS = re.compile(rf"(?:1\s*/\s*)?{_POWER}(?:\s*[*/ ·]\s*{_POWER}){{0,5}}")


def _with_unit(kind: Kind, text: str) -> float:
    """The number in `text`, "300 K", in the canonical unit of `kind`."""
    number = _NUMBER.match(text)
    unit = text[number.end() :].strip() if number else ""
    if len(text) > 100 or not number or not unit:
        raise QuantityError(
            f"must be a number and a unit of {kind.name}, but is {show(text)}. Write {kind.example}, say."
        )
    if not _UNITS.fullmatch(unit):
        raise QuantityError(f"must have a unit of {kind.name}, but has {show(unit)}. Write {kind.example}, say.")
    return _convert(kind, float(number.group()), unit)


def _convert(kind: Kind, number: float, unit: str) -> float:
    import pint

    registry = _registry()
    try:
        measured = registry.Quantity(number, registry.Unit(unit))
        root = str(registry.get_base_units(measured.units)[1])
        converted = float(f"{measured.to(kind.unit).magnitude:.15g}")
    except pint.DimensionalityError:
        same = (k.name for k in KINDS.values() if k.unit and measured.check(registry.Unit(k.unit).dimensionality))
        other = next(same, "")
        is_what = f", {'an' if other[0] in 'aeiou' else 'a'} {other}" if other else ""
        found = show(f"{number:.10g} {unit}")
        raise QuantityError(
            f"must have a unit of {kind.name}, but is {found}{is_what}. Write {kind.example}, say."
        ) from None
    except Exception:  # pint raises many kinds of error for text that is no unit
        guess = nearest(unit, _COMMON_UNITS)
        fix = f'Did you mean "{guess}"?' if guess else f"Write {kind.example}, say."
        raise QuantityError(f"must have a unit of {kind.name}, but {show(unit)} is not a known unit. {fix}") from None
    if kind.name in ("frequency", "chirp") and "radian" in root:
        raise QuantityError(
            f'must be an ordinary frequency (cycles per second), but is given in {unit}. Divide by 2 pi and write "Hz".'
        )
    return converted


_COMMON_UNITS = (
    *("eV", "meV", "ueV", "J", "rydberg", "hartree", "K", "mK", "kelvin", "angstrom", "nm", "pm", "bohr", "m", "um"),
    *("Hz", "kHz", "MHz", "GHz", "THz", "m/s", "km/s", "kg", "g", "amu", "1/angstrom", "1/nm", "W/m", "mW/mm"),
    *("kg/m^3", "g/cm^3", "eV/angstrom^2", "N/m", "MV/cm", "kV/cm", "V/m", "K/um", "K/m"),
    *("s", "ps", "fs", "deg", "rad", "THz/ps"),
)


@lru_cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


def _range(kind: Kind, rule: Rule, given: dict) -> tuple[float, ...]:
    """The values of { start, stop, num, spacing }, both ends included."""
    known = ("start", "stop", "num", "spacing")
    for key in given:
        if key not in known:
            guess = nearest(key, known)
            fix = f"Did you mean `{guess}`?" if guess else "Remove it."
            raise QuantityError(f"must be a range of {', '.join(known)}, but has the key `{key}`. {fix}")
    for key in ("start", "stop", "num"):
        if key not in given:
            raise QuantityError(f"must be a range with start, stop and num, but `{key}` is missing. Add it.")
    start, stop = _value(kind, rule, given["start"]), _value(kind, rule, given["stop"])
    num, spacing = given["num"], given.get("spacing", "linear")
    if isinstance(num, bool) or not isinstance(num, int) or num < 2:
        raise QuantityError(
            f"must be a range of at least 2 points, but num is {show(num)}. Write a plain value for a single point."
        )
    if num > MOST_VALUES:
        raise QuantityError(f"must be a range of at most {MOST_VALUES} points, but num is {show(num)}. Lower num.")
    if start == stop:
        raise QuantityError(
            f"must be a range that is not empty, but start and stop are both {show(given['start'])}. Change one."
        )
    if spacing not in ("linear", "log"):
        raise QuantityError(f'must have the spacing "linear" or "log", but it is {show(spacing)}. Choose one of them.')
    if spacing == "log" and start * stop <= 0:
        raise QuantityError(
            f"must not reach zero when spaced by logarithms, but runs from {show(given['start'])} to "
            f'{show(given["stop"])}. Use spacing = "linear".'
        )
    if spacing == "linear":
        digits = 14 - math.ceil(math.log10(max(abs(start), abs(stop))))  # so that 0.1 is 0.1
        inner = [round(start + (stop - start) * i / (num - 1), digits) for i in range(1, num - 1)]
    else:
        inner = [float(f"{start * (stop / start) ** (i / (num - 1)):.14g}") for i in range(1, num - 1)]
    values = (start, *inner, stop)
    _check_distinct(kind, values)
    return values


def _check_distinct(kind: Kind, values: tuple[float, ...]) -> None:
    value, times = Counter(values).most_common(1)[0]
    if times > 1:
        shown = f"{value:.10g} {kind.unit}".strip()
        raise QuantityError(f"must not repeat a value, but holds {shown} {times} times. Keep one.")


def show(given: Any) -> str:
    """The value found, as the file would show it, shortened."""
    text = {True: "true", False: "false"}.get(given) if isinstance(given, bool) else None
    if text is None and isinstance(given, int) and abs(given) > 10**20:
        text = "a whole number of more than 20 digits"
    if text is None:
        text = f'"{given}"' if isinstance(given, str) else f"{given!r}"
    text = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return text if len(text) <= 60 else text[:57] + "..."
