"""Valley phonons of a monolayer: what one phonon of each mode pumps into the d electrons of MoS2. Half a minute."""

import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import orbiphon as oph
from orbiphon import units
from orbiphon.plot import draw_spectrum

# === Three d orbitals on the metal (Liu et al., 2013); springs between M and both X, and between alike atoms.
layer = oph.models.dichalcogenide_d()
crystal = oph.models.dichalcogenide()
phonons = oph.models.honeycomb_springs(crystal, (95.95 * units.amu, 64.13 * units.amu), (9.0, 1.5), (2.0, 0.3))

# === At K and K' the modes are not degenerate. C_3 about the metal gives each a pseudo-angular momentum.
K = np.array([4 * np.pi / (3 * 3.19), 0.0, 0.0])
for name, corner in (("K", K), ("K'", -K)):
    ell = oph.pseudo_angular_momentum(phonons, corner, 3)
    turning = oph.phonon_angular_momentum(ell.modes)[0, :, 2]
    print(f"{name:2}  l_ph:", *(f"{l:+d}" for l in ell.values), "  l_z / hbar:", *(f"{l:+.2f}" for l in turning))

# === The Fermi level in the gap. Opposite valleys pump opposite moments; what only moves X or leaves the plane, none.
path = oph.k_path(
    crystal.lattice, [("Γ", (0, 0)), ("K", (2 / 3, 1 / 3)), ("M", (1 / 2, 1 / 2)), ("K'", (1 / 3, 2 / 3))], 8
)
state = oph.ElectronState(fermi_level=0.8, temperature=300)
spectrum = oph.moment_spectrum(layer, phonons, state, oph.Berry(), path, observables=["Lz"], axis="z")
at_k, at_k_prime = (spectrum.value[path.nodes[node]] for node in (1, 3))
print("m[Lz] / hbar of the modes at K: ", *(f"{m:+.2e}" for m in at_k[:, 0]))
print("m[Lz] / hbar of the modes at K':", *(f"{m:+.2e}" for m in at_k_prime[:, 0]))
assert np.allclose(at_k, -at_k_prime, rtol=1e-6, atol=1e-6 * np.max(np.abs(at_k)))
out = Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp()) / "valley_phonons.png"
print("picture:", draw_spectrum(spectrum, out).name)
