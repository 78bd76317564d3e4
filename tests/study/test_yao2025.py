"""Circular phonons of honeycomb p orbitals."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.models import honeycomb_pxy
from orbiphon.response import Berry
from orbiphon.study import yao2025


def test_moment_per_cycle_is_a_berry_curvature(monkeypatch):
    """Sums over bands against overlaps around a loop of displacements."""
    monkeypatch.setattr(yao2025, "MESH", 24)
    electrons, phonons = yao2025.crystal()
    drive = yao2025.optical(phonons, 1)
    modes, _ = drive.level()
    value, error = yao2025.moment(electrons, drive, Berry())
    cycle = 2 * np.pi / float(modes.frequency[0, drive.mode])
    assert yao2025.moment_per_cycle(electrons, drive) == pytest.approx(cycle * value, rel=1e-4)
    assert error < 1e-4 * abs(value)


def test_valley_phonons_obey_the_selection_rule():
    electrons, phonons = yao2025.crystal()
    for corner in (yao2025.CORNER, -yao2025.CORNER):
        assert yao2025.forbidden_share(electrons, phonons, corner) < 1e-12
        for k in (corner, 2 * corner):
            centre = np.asarray(electrons.crystal.positions).mean(axis=0) + yao2025._to_hexagon(electrons)
            h = np.asarray(electrons.hamiltonian(jnp.asarray(k)))
            projectors = yao2025._projectors(electrons, k, centre)
            np.testing.assert_allclose(sum(projectors), np.eye(6), atol=1e-12)
            for l, p in enumerate(projectors):
                np.testing.assert_allclose(p @ p, p, atol=1e-12)
                np.testing.assert_allclose(p @ h, h @ p, atol=1e-12)
                assert np.trace(p).real == pytest.approx(2.0), l


def test_a_coupling_without_the_threefold_axis_breaks_the_rule(monkeypatch):
    """So that the test of the rule can fail."""
    electrons, phonons = yao2025.crystal()
    real = yao2025.TwoCentre.vertex
    monkeypatch.setattr(yao2025.TwoCentre, "vertex", lambda self, k, q, e: real(self, k, q, e.at[:, 0].multiply(2.0)))
    assert yao2025.forbidden_share(electrons, phonons, yao2025.CORNER) > 0.1


def test_dirac_states_carry_momentum():
    """At K of p_x, p_y alone the two states at zero have L_z = +1 and -1, one on each atom."""
    model = honeycomb_pxy(1.5, -0.5, bond=yao2025.BOND)
    for corner in (yao2025.CORNER, -yao2025.CORNER):
        _, states = np.linalg.eigh(np.asarray(model.hamiltonian(jnp.asarray(corner))))
        zero = states[:, 1:3] @ states[:, 1:3].conj().T
        on_a, on_b = zero[:2, :2], zero[2:, 2:]
        lz = np.array([[0, -1j], [1j, 0]])
        assert np.trace(on_a @ lz).real == pytest.approx(-np.trace(on_b @ lz).real)
        assert abs(np.trace(on_a @ lz).real) == pytest.approx(1.0)
        np.testing.assert_allclose(zero[:2, 2:], 0.0, atol=1e-12)
