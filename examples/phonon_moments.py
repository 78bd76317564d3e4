"""The moment-per-phonon spectrum of a crystal of your own: lattice, orbitals, springs. Half a minute."""

import sys
from pathlib import Path

import numpy as np

import orbiphon as oph
from orbiphon import units
from orbiphon.plot import draw_spectrum

# === The crystal: primitive vectors as rows, positions, in angstrom. Here a honeycomb layer with two kinds of atoms.
bond = 2.0
side = np.sqrt(3) * bond
lattice = oph.Lattice([[side, 0, 0], [side / 2, 1.5 * bond, 0]])
crystal = oph.Crystal(lattice, positions=[[0, 0, 0], [0, bond, 0]], species=("A", "B"))

# === Its electrons: p shells, hopping to nearest neighbours, a gap.
law = oph.SlaterKoster({"pp_sigma": 1.5, "pp_pi": -0.5}, length=bond)
onsite = [0.8, 0.8, 0.8, -0.8, -0.8, -0.8]  # eV
layer = oph.tight_binding(crystal, oph.Basis(((0, "p"), (1, "p"))), law, neighbours=1.1 * bond, onsite=onsite)

# === Its phonons: springs (length, central and transverse constant in eV/angstrom^2) to first and second neighbours.
springs = [oph.Spring(bond, 20.0, 5.0), oph.Spring(side, 3.0, 0.5)]
phonons = oph.spring_model(crystal, masses=np.array([11, 14]) * units.amu, springs=springs)

# === What one phonon of each mode pumps, along a path.
path = oph.k_path(lattice, [("Γ", (0, 0)), ("K", (1 / 3, 2 / 3)), ("M", (0.5, 0.5)), ("K'", (2 / 3, 1 / 3))], points=6)
state = oph.ElectronState(fermi_level=0.0, temperature=300)
spectrum = oph.moment_spectrum(layer, phonons, state, oph.Keldysh(0.01), path, observables=["Lz"])
out = Path(sys.argv[1] if len(sys.argv) > 1 else "spectrum.png")
print("largest moment per phonon:", f"{np.max(np.abs(spectrum.value)):.3e} hbar =", end=" ")
print(f"{np.nanmax(np.abs(spectrum.nuclear_magnetons)):.3f} nuclear magnetons; picture:", draw_spectrum(spectrum, out))
