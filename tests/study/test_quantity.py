"""Quantities of a study file: units, ranges, and what is refused in which words."""

import math

import pytest

from orbiphon import units
from orbiphon.study import quantity as qty
from orbiphon.study.quantity import KINDS, QuantityError, read_quantity


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("temperature", "300 K", 300.0),
        ("temperature", "20 degC", 293.15),
        ("energy", "-1.9 eV", -1.9),
        ("energy", "+10meV", 0.01),
        ("energy", "1e-3 keV", 1.0),
        ("length", "5 Å", 5.0),
        ("length", "1 pm", 0.01),
        ("frequency", "1 GHz", 0.001),
        ("frequency", "1 1/ps", 1.0),
        ("wave vector", "0.1 1/angstrom", 0.1),
        ("wave vector", "1 nm^-1", 0.1),
        ("speed", "5 km / s", 5000.0),
        ("mass", "4e-26 kg", 4e-26),
        ("mass density", "5 g/cm^3", 5000.0),
        ("power per width", "20 mW/mm", 20.0),
        ("number", 0.1, 0.1),
        ("number", 1, 1.0),
    ],
)
def test_one_value_in_the_canonical_unit(kind, text, expected):
    found = read_quantity(KINDS[kind], qty.ANY, text)
    assert found.values == (expected,) and not found.swept


@pytest.mark.parametrize(
    ("kind", "by_hand"),
    [
        ("energy", 1.0),
        ("length", 1.0),
        ("temperature", 1.0),
        ("frequency", 6.582119569e-16 * 1e12),  # ħ in eV s
        ("speed", 6.582119569e-16 * 1e10),  # m/s in Å eV/ħ
        ("mass", 1 / 1.602176634e-19 / 6.582119569e-16**2 / 1e20),  # J s²/m² in eV (ħ/eV)²/Å²
        ("power per width", 6.582119569e-16 / 1.602176634e-19 / 1e10),
        ("wave vector", 1.0),
    ],
)
def test_internal_size_of_canonical_units(kind, by_hand):
    assert KINDS[kind].internal == pytest.approx(by_hand, rel=1e-9)


def test_mass_times_speed_squared_is_an_energy():
    energy = KINDS["mass"].internal * KINDS["speed"].internal ** 2
    assert energy == pytest.approx(units.J, rel=1e-12)


def test_range_includes_its_ends_and_keeps_round_numbers():
    found = read_quantity(KINDS["temperature"], qty.POSITIVE, {"start": "50 K", "stop": "500 K", "num": 10})
    assert found.swept and found.values == tuple(50.0 * i for i in range(1, 11))
    found = read_quantity(KINDS["energy"], qty.ANY, {"start": "-300 meV", "stop": "0.3 eV", "num": 7})
    assert found.values == (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)


def test_logarithmic_range():
    given = {"start": "1 meV", "stop": "-1 eV", "num": 4, "spacing": "log"}
    with pytest.raises(QuantityError, match="must not reach zero"):
        read_quantity(KINDS["energy"], qty.ANY, given)
    found = read_quantity(KINDS["energy"], qty.ANY, given | {"stop": "1 eV"})
    assert found.values == (0.001, 0.01, 0.1, 1.0)


@pytest.mark.parametrize(
    ("kind", "rule", "given", "message"),
    [
        (
            "temperature",
            qty.POSITIVE,
            "300 eV",
            'a unit of temperature, but is "300 eV", an energy. Write "300 K", say.',
        ),
        ("temperature", qty.POSITIVE, "-3 K", 'must be greater than zero, but is "-3 K"'),
        ("temperature", qty.POSITIVE, 300, 'must be text with a unit of temperature, but is 300. Write "300 K", say.'),
        ("temperature", qty.POSITIVE, "300", "must be a number and a unit of temperature"),
        ("temperature", qty.POSITIVE, "K", "must be a number and a unit of temperature"),
        ("temperature", qty.POSITIVE, "300 K or so", "is not a known unit|has"),
        ("energy", qty.NOT_NEGATIVE, "-0.01 eV", "must not be negative"),
        ("energy", qty.ANY, "1 ev", 'Did you mean "eV"'),
        ("energy", qty.ANY, "nan eV", "must be a number and a unit"),
        ("energy", qty.ANY, "1e999 eV", "must be finite"),
        ("energy", qty.ANY, math.nan, "must be text with a unit"),
        ("energy", qty.ANY, True, "is true"),
        ("energy", qty.ANY, 10**400, "more than 20 digits"),
        ("energy", qty.ANY, "1 eV**9**9**9", "has"),
        ("energy", qty.ANY, "1 " + "e" * 10_000, "must be a number and a unit"),
        ("energy", qty.ANY, "\x1b[31m1 eV", r"x1b\[31m"),
        ("energy", qty.ANY, [], "is an empty list"),
        ("energy", qty.ANY, ["1 eV", "1000 meV"], "holds 1 eV 2 times"),
        ("energy", qty.ANY, [["1 eV"]], "must be text with a unit"),
        ("energy", qty.ANY, {"start": "0 eV", "stop": "1 eV"}, "`num` is missing"),
        ("energy", qty.ANY, {"start": "0 eV", "stop": "1 eV", "nmu": 3}, "Did you mean `num`"),
        ("energy", qty.ANY, {"start": "0 eV", "stop": "1 eV", "num": 0}, "at least 2 points, but num is 0"),
        ("energy", qty.ANY, {"start": "0 eV", "stop": "1 eV", "num": 2.0}, "at least 2 points, but num is 2.0"),
        ("energy", qty.ANY, {"start": "0 eV", "stop": "1 eV", "num": 10**9}, "at most 1000000 points"),
        ("energy", qty.ANY, {"start": "1 eV", "stop": "1 eV", "num": 3}, "a range that is not empty"),
        ("energy", qty.ANY, {"start": "0 eV", "stop": "1 eV", "num": 3, "spacing": "cubic"}, '"linear" or "log"'),
        ("frequency", qty.POSITIVE, "6.28 rad/s", "ordinary frequency"),
        ("frequency", qty.POSITIVE, "60 rpm", "ordinary frequency"),
        ("frequency", qty.POSITIVE, "4 meV", "an energy"),
        ("mass", qty.POSITIVE, "0 kg", "must be greater than zero"),
        ("number", qty.FRACTION, "0.1", "Write it without quotes"),
        ("number", qty.FRACTION, 1.1, "between 0 and 1"),
        ("number", qty.ANY, 10**400, "must be finite"),
        ("number", qty.SIGN, 0.5, "must be 1 or -1"),
    ],
)
def test_what_is_refused_and_how(kind, rule, given, message):
    with pytest.raises(QuantityError, match=message):
        read_quantity(KINDS[kind], rule, given)
