"""A crystal of your own: lattice, atoms, orbitals, a hopping law.

A honeycomb layer, s orbitals on one atom and p orbitals on the other. Nothing but this description is needed: the
program differentiates the hopping law to find how the electrons follow the lattice. Fifteen seconds.
"""

import numpy as np

import orbiphon as oph
from orbiphon import units

# === The crystal. Rows are primitive vectors, positions are Cartesian, both in angstrom.
bond = 2.5
a = np.sqrt(3) * bond
lattice = oph.Lattice(np.array([[a, 0, 0], [a / 2, np.sqrt(3) * a / 2, 0]]))
crystal = oph.Crystal(lattice, positions=np.array([[0, 0, 0], [0, bond, 0]]), species=("A", "B"))

# === The orbitals, and a Slater-Koster law V(r) = V(bond) (bond/r)^decay for the nearest neighbours.
basis = oph.Basis(((0, "s"), (1, "p")))
law = oph.SlaterKoster({"sp_sigma": 1.2}, length=bond)
onsite = [-1.0, 0.3, 0.3, 0.5]  # eV, in the order of basis.labels
layer = oph.tight_binding(crystal, basis, law, neighbours=1.1 * bond, onsite=onsite)
print("orbitals:", ", ".join(basis.labels))
print("sets that the Hamiltonian never mixes:", layer.sectors)

path = oph.k_path(lattice, [("Γ", (0, 0)), ("M", (0.5, 0.5)), ("K", (1 / 3, 2 / 3))], points=2)
print("bands at Γ / eV:", np.round(np.asarray(oph.bands(layer, path.k))[0], 3))

# === A circular wave along y, and its static moment along y. The broadening is large, which makes coarse meshes do.
sound = oph.AcousticBranch(speed=4000 * units.m / units.s, mass=60 * units.amu, direction="y")
wave = oph.CoherentWave(sound, strain=1e-4, frequency=2 * units.GHz, chirality=1)
state = oph.ElectronState(filling=0.8, temperature=300)
problem = oph.Problem(layer, wave, state, coupling="two_centre", observables=["Ly"], order=2)
answer = oph.solve(problem, oph.Adiabatic(broadening=0.1), oph.Numerics(rtol=1e-2))
print(answer)

# === Symmetry: the other circular wave gives the opposite moment.
mirrored = oph.CoherentWave(sound, strain=1e-4, frequency=2 * units.GHz, chirality=-1)
problem = oph.Problem(layer, mirrored, state, coupling="two_centre", observables=["Ly"], order=2)
other = oph.solve(problem, oph.Adiabatic(broadening=0.1), oph.Numerics(rtol=1e-2))
print(f"chirality -1: {other.value.item():.5e}")
assert np.isclose(other.value.item(), -answer.value.item(), rtol=1e-6)
