"""A terahertz pulse of chiral phonons through a chain of p orbitals: what oscillates and what is rectified.

To first order in the displacement the angular momentum across the chain oscillates with the wave; to second order there
is one along it that follows the envelope and changes sign with the chirality. Half a minute.
"""

from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import orbiphon as oph
from orbiphon import units
from orbiphon.plot import draw_traces

# === A chain along x, and a circular wave of 1.5 THz with an amplitude of 2 pm.
chain = oph.models.linear_chain({"pp_sigma": 0.6, "pp_pi": -0.25}, "p", lattice_constant=3.0)
sound = oph.AcousticBranch(speed=4000 * units.m / units.s, mass=40 * units.amu, direction="x")
state = oph.ElectronState(fermi_level=0.2, temperature=300)


def pulse(chirality: int) -> oph.Pulse:
    """1.2 ps long (full width of the intensity at half maximum), around 2.5 ps."""
    wave = oph.CoherentWave(sound, amplitude=2 * units.pm, frequency=1.5 * units.THz, chirality=chirality)
    return oph.Pulse(wave, oph.GaussianEnvelope(centre=2.5 * units.ps, duration=1.2 * units.ps))


# === Every orbital is in contact with a bath of 0.1 eV; the density matrix starts in equilibrium.
method = oph.Motion(broadening=0.1)
times = np.linspace(0, 5, 81) * units.ps
traces = {}
for chirality in (1, -1):
    problem = oph.Problem(chain, pulse(chirality), state, coupling="two_centre", observables=["Lx", "Ly", "Lz"])
    traces[chirality] = oph.time_traces(problem, times, method, mesh=(32,))
right, left = traces[1], traces[-1]
print(f"{right.description}; meshes of {right.mesh} and {right.coarse} wave vectors")

top = int(np.argmax(np.abs(right.uniform[:, 0])))
print(f"oscillating: |Ly| up to {np.abs(right.wave[:, 1]).max():.3e} hbar per cell")
print(
    f"rectified:   Lx up to {right.uniform[top, 0]:.3e} hbar per cell, error {right.uniform_error[top, 0]:.0e}, "
    f"at {times[top] / units.ps:.1f} ps; after the pulse {right.uniform[-1, 0]:.0e}"
)
assert np.allclose(left.uniform[:, 0], -right.uniform[:, 0], atol=1e-6 * abs(right.uniform[top, 0]))

# === The envelope is long against hbar/broadening = 7 fs: its top is a steady state.
steady = oph.Problem(chain, pulse(1).wave, state, coupling="two_centre", observables=["Lx"], order=2)
print(f"Keldysh, a continuous wave: {oph.solve(steady, oph.Keldysh(broadening=0.1)).value.item():.3e}")
print("picture:", draw_traces(right, Path(mkdtemp()) / "picosecond_pulse.png"))
