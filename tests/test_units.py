"""Every factor by a second route: the exact SI values of e, h and k_B, or a well-known number of physics."""

import math

import pytest

from orbiphon import units

E = 1.602176634e-19  # C, exact since 2019
H = 6.62607015e-34  # J s, exact
K_B = 1.380649e-23  # J/K, exact


def test_base_units_are_one():
    assert units.eV == units.angstrom == units.hbar == units.K == units.tesla == units.T == 1.0


def test_time_length_energy_from_the_exact_constants():
    assert units.s == pytest.approx(2 * math.pi * E / H, rel=1e-12)
    assert units.m == 1e10
    assert units.J == pytest.approx(1 / E, rel=1e-12)
    assert units.k_B == pytest.approx(K_B / E, rel=1e-12)


def test_quantum_of_one_terahertz():
    # h · 1 THz = 4.135667696 meV: an ordinary frequency needs its 2π to become an energy
    assert 2 * math.pi * units.THz == pytest.approx(4.135667696e-3, rel=1e-9)
    assert units.GHz == pytest.approx(1e-3 * units.THz)


def test_mass_by_kinetic_energy():
    # ½ m v² in joules, turned into eV, against the same in internal units
    mass, speed = 4e-26, 5000.0
    internal = 0.5 * (mass * units.kg) * (speed * units.m / units.s) ** 2
    assert internal == pytest.approx(0.5 * mass * speed**2 / E, rel=1e-12)


def test_electron_mass_by_the_hydrogen_atom():
    # Rydberg energy = ħ² / (2 m a0²) = 13.605693 eV with a0 = 0.529177211 Å
    assert 1 / (2 * units.electron_mass * 0.529177210903**2) == pytest.approx(13.605693123, rel=1e-8)


def test_atomic_mass_unit_by_the_electron():
    assert units.amu / units.electron_mass == pytest.approx(1822.888486, rel=1e-8)


def test_bohr_magneton_by_its_definition():
    # μ_B = e ħ / 2 m_e = (ħ²/2m_e) · e/ħ; e/ħ · 1 T · 1 Å² = 1e-20 e/ħ (dimensionless)
    flux = 1e-20 * E / (H / (2 * math.pi))
    assert units.bohr_magneton == pytest.approx(flux / (2 * units.electron_mass), rel=1e-9)


def test_power():
    assert units.W * units.s == pytest.approx(units.J)


@pytest.mark.parametrize(
    ("small", "large", "factor"),
    [
        ("pm", "angstrom", 1e-2),
        ("nm", "angstrom", 10),
        ("um", "m", 1e-6),
        ("mm", "cm", 0.1),
        ("fs", "ps", 1e-3),
        ("ns", "us", 1e-3),
        ("ms", "s", 1e-3),
        ("kHz", "MHz", 1e-3),
        ("meV", "eV", 1e-3),
        ("ueV", "meV", 1e-3),
    ],
)
def test_prefixes(small, large, factor):
    assert getattr(units, small) == pytest.approx(factor * getattr(units, large), rel=1e-12)
