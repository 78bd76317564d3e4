"""Near a Dirac point."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.response import Berry
from orbiphon.study import nodes
from orbiphon.study.statements import Curve, Statement


def test_strength_is_that_of_theory():
    """Between two energies the smooth part nearly cancels; the rest is C (1/E_1 - 1/E_2)."""
    levels = 0.2, 0.4
    value, _ = nodes.optical(levels, Berry(), 150.0)
    expected = nodes.dirac_strength() * (1 / levels[0] - 1 / levels[1])
    assert value[0] - value[1] == pytest.approx(expected, rel=0.12)
    assert nodes.dirac_strength() < 0 < nodes.optical_phonon()[1] < levels[0] / 2


def test_fit_finds_power_and_strength():
    e = np.array(nodes.LEVELS)
    warm = _warm(e, nodes.TEMPERATURE)
    moments = -3e-6 / e * warm + 2e-5 - 1e-5 * e
    found, error = nodes._fit(e, moments, 1e-5 * np.abs(moments))
    np.testing.assert_allclose(found, [-1.0, -3e-6, 2e-5, -1e-5], rtol=0.03)
    assert np.all(error > 0)


def _warm(e, temperature):
    """E times the mean of 1/E over -f', integrated."""
    x = np.linspace(-25, 25, 20001)
    weight = 1 / (4 * np.cosh(x / 2) ** 2)
    energy = e[:, None] + 8.617333262e-5 * temperature * x[None]
    return e * np.sum(weight / np.where(np.abs(energy) > 1e-3, energy, np.inf), axis=1) * (x[1] - x[0])


def test_weyl_points_are_where_their_energy_says():
    from orbiphon.electrons import bands
    from orbiphon.models import weyl_p

    k = 2 * np.arctan(0.2 / 0.65) / 5.0
    levels = np.asarray(bands(weyl_p(*nodes.WEYL), jnp.array([[k, 0.0, 0.0]])))[0]
    assert np.sum(np.abs(levels - nodes.weyl_energy()) < 1e-12) == 2


def test_statements_follow_from_moments(monkeypatch):
    """Made-up moments: the law of theory, but none of it where the broadening is larger than the frequency."""
    expected, frequency = nodes.dirac_strength(), nodes.optical_phonon()[1]

    def made_up(levels, method, temperature=nodes.TEMPERATURE):
        e, width = np.array(levels), method.broadening
        left = 0.0 if method.name == "adiabatic" else frequency**2 / (frequency**2 + 4 * width**2)
        value = left * expected / e * _warm(e, temperature) + 2e-5
        return value, 1e-5 * np.abs(value)

    monkeypatch.setattr(nodes, "optical", made_up)
    rows = list(nodes.statements(lambda *problem, rtol: (np.array([1e-11]), np.array([1e-16]))))
    power, strength, share, slow, weyl = (row for row in rows if isinstance(row, Statement))
    assert power.computed == pytest.approx(-1, abs=0.01) and power.holds
    assert strength.computed == pytest.approx(1, abs=0.03) and strength.holds
    assert share.computed == pytest.approx(0.5, abs=0.03) and share.holds
    assert slow.computed == pytest.approx(0, abs=1e-9) and not slow.holds
    assert weyl.computed == pytest.approx(1) and not weyl.holds
    assert len([row for row in rows if isinstance(row, Curve)]) == 3
