"""The paper's model: published against conserving, and where the difference comes from.

p orbitals on a square lattice, thermal chiral phonons along x (arXiv:2511.11272, Figs. 3(a) and 4). Fifteen seconds.
"""

import orbiphon as oph
from orbiphon import units

# === What the script of the README asks.
metal = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0, lattice_constant=5.0)  # eV, angstrom
sound = oph.AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg, direction="x")
drive = oph.ThermalInjection(sound, transmission=0.1, splitting=0.1, q_domain="sphere")
state = oph.ElectronState(fermi_level=[-2.5, -2.0, -1.5], temperature=[100, 300])
published, conserving = oph.Published(broadening=0.01), oph.Adiabatic(broadening=0.01)

problem = oph.Problem(metal, drive, state, coupling="quadrupole", observables=["Lx"], order=2)
answers = {method.name: oph.solve(problem, method, oph.Numerics(rtol=1e-3)) for method in (published, conserving)}
for answer in answers.values():
    print(answer, end="\n\n")

# The published number is negative and grows with the Fermi level. The conserving one has another sign.
assert answers["published"].value[2, 1, 0] < 0 < answers["adiabatic"].value[2, 1, 0]

# === Where the difference comes from: a full band has no orbital moment.
# Put the Fermi level 12 eV above every band. Three full p orbitals are a filled shell, and nothing can be pumped.
# A small shift of p_z keeps an accidental symmetry of the zone mean from hiding it.
shifted = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0, pz_shift=0.1)
full = oph.ElectronState(fermi_level=20.0, temperature=300)
problem = oph.Problem(shifted, drive, full, coupling="quadrupole", observables=["Lx"], order=2)
numerics = oph.Numerics(rtol=1e-3, atol=1e-15)
wrong, right = (oph.solve(problem, method, numerics).value.item() for method in (published, conserving))
print(f"three full bands: published {wrong:.1e} hbar, conserving {right:.1e} hbar per site")
assert abs(right) < 1e-9 * abs(wrong)

# === The exact coupling. The paper's vertex is the one at k = 0; a two-centre hopping gives cos(k_x d) times that.
state = oph.ElectronState(fermi_level=-1.5, temperature=300)
problem = oph.Problem(metal, drive, state, coupling="two_centre", observables=["Lx"], order=2)
exact = oph.solve(problem, conserving, oph.Numerics(rtol=1e-3))
print(f"exact coupling: {exact.value.item():.3e} +- {exact.error.item():.0e} hbar per site at 300 K")
print(f"energy flux: {drive.energy_flux(metal.crystal, state.temperature)[0] / (units.W / units.m**2):.2e} W/m^2")
