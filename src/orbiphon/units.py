"""Units as plain floats in the internal system eV, Å, ħ/eV (so ħ = 1), in the manner of `ase.units`.

Multiply by a unit to enter the internal system, divide by it to leave:

>>> from orbiphon import units
>>> speed = 5000 * units.m / units.s
>>> round(speed / (units.m / units.s))
5000

Times are measured in ħ/eV, hence masses in eV (ħ/eV)² / Å². Kelvin and tesla are units of their own (1.0); `k_B` and
`bohr_magneton` turn them into energies. Hertz is 1/s, an *ordinary* frequency f: the energy of a quantum is
ħω = 2π f / s, so `2 * pi * units.THz` is 4.136 meV.

Source of the numbers: the CODATA set shipped with SciPy (`scipy.constants`).
"""

from scipy import constants as _si

# The four base units: eV and Å by choice, the second from ħ = 1, kelvin and tesla on their own.
eV = 1.0
angstrom = 1.0
hbar = 1.0
K = 1.0
tesla = 1.0
T = tesla

# time: ħ = 1 means 1 s = (1 s · 1 eV / ħ) internal units
s = _si.e / _si.hbar
ms, us, ns, ps, fs = (s * factor for factor in (1e-3, 1e-6, 1e-9, 1e-12, 1e-15))
Hz = 1.0 / s
kHz, MHz, GHz, THz = (Hz * factor for factor in (1e3, 1e6, 1e9, 1e12))

# length
m = 1e10
cm, mm, um, nm, pm = (m * factor for factor in (1e-2, 1e-3, 1e-6, 1e-9, 1e-12))

# energy and power
meV, ueV = 1e-3 * eV, 1e-6 * eV
J = eV / _si.e
W = J / s

# pressure, stiffness
Pa = J / m**3
GPa = 1e9 * Pa

# mass: 1 kg = 1 J s² / m²
kg = J * s**2 / m**2
amu = _si.atomic_mass * kg
electron_mass = _si.m_e * kg

# constants that connect energy with temperature, distance of charges and magnetic field
k_B = _si.k / _si.e * eV / K
coulomb_constant = _si.e / (4.0 * _si.pi * _si.epsilon_0) * eV * m  # e²/4πε₀
bohr_magneton = _si.physical_constants["Bohr magneton in eV/T"][0] * eV / tesla
nuclear_magneton = _si.physical_constants["nuclear magneton in eV/T"][0] * eV / tesla
