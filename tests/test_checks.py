"""A message names the argument, the rule, the value found, and the fix."""

import numpy as np
import pytest

from orbiphon._checks import (
    check_choice,
    check_finite,
    check_hermitian,
    check_not_negative,
    check_positive,
    check_shape,
    nearest,
)
from orbiphon.errors import InputError, OrbiphonError


@pytest.mark.parametrize(
    ("check", "value", "rule"),
    [
        (check_positive, 0.0, "greater than zero"),
        (check_positive, [1.0, -2.0], "greater than zero"),
        (check_positive, np.nan, "finite"),
        (check_positive, 1 + 1j, "real"),
        (check_not_negative, -1e-300, "not be negative"),
        (check_not_negative, np.inf, "finite"),
        (check_finite, [0.0, np.nan], "finite"),
        (check_finite, "warm", "a number"),
        (check_finite, [[1.0], [1.0, 2.0]], "a number"),
        (check_finite, None, "a number"),
    ],
)
def test_numbers_that_break_a_rule(check, value, rule):
    with pytest.raises(InputError, match=rf"^Argument `mass` must .*{rule}.*, but is .*\. \w.*\.$"):
        check("mass", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (check_positive, 1e-300),
        (check_positive, [1, 2]),
        (check_not_negative, [0.0, 1.0]),
        (check_finite, 1j),
        (check_finite, []),
    ],
)
def test_numbers_that_keep_the_rules(check, value):
    check("mass", value)


def test_choice_offers_the_nearest_spelling():
    check_choice("q_domain", "disc", ("line", "disc", "sphere"))
    with pytest.raises(InputError, match="'spehre'.*Did you mean 'sphere'"):
        check_choice("q_domain", "spehre", ("line", "disc", "sphere"))
    with pytest.raises(InputError, match="'line', 'disc', 'sphere'.*'wavelet'. Choose one"):
        check_choice("q_domain", "wavelet", ("line", "disc", "sphere"))
    with pytest.raises(InputError, match="but is 3"):
        check_choice("q_domain", 3, ("line", "disc", "sphere"))


def test_nearest_ignores_case():
    assert nearest("lX", ("Lx", "Ly")) == "Lx"
    assert nearest("conductivity", ("Lx", "Ly")) is None


def test_shape():
    check_shape("positions", np.zeros((2, 3)), "site xyz", (None, 3))
    with pytest.raises(InputError, match=r"\(site xyz\) = \(any, 3\), but is of shape \(3, 2\)"):
        check_shape("positions", np.zeros((3, 2)), "site xyz", (None, 3))
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        check_shape("positions", np.zeros(3), "site xyz", (None, 3))


def test_hermitian():
    check_hermitian("matrix", np.array([[1.0, 2j], [-2j, 0.0]]))
    check_hermitian("matrix", np.zeros((4, 0, 0)))
    with pytest.raises(InputError, match=r"hermitian, but is off by 4 \(largest element 2\)"):
        check_hermitian("matrix", np.array([[1.0, 2j], [2j, 0.0]]))
    with pytest.raises(InputError, match="square"):
        check_hermitian("matrix", np.zeros((2, 3)))
    with pytest.raises(InputError, match="finite"):
        check_hermitian("matrix", np.full((2, 2), np.nan))


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError) and issubclass(InputError, OrbiphonError)
