"""A circular surface acoustic wave at 1 GHz: what oscillates, and what stays.

A coherent wave of a given power, in the paper's model metal. First order: moments that oscillate with the wave. Second
order: a static moment. A wave this long (5 micrometres) is where the long-wave theory holds. Twenty seconds.
"""

import numpy as np

import orbiphon as oph
from orbiphon import units

metal = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0)
sound = oph.AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg, direction="x")
state = oph.ElectronState(fermi_level=-1.5, temperature=300)
method, numerics = oph.Adiabatic(broadening=0.01), oph.Numerics(rtol=1e-3)

# === The wave: 20 W per metre of aperture, in a layer one wavelength deep.
wave = oph.CoherentWave(
    sound, power_per_width=20 * units.W / units.m, density=5000 * units.kg / units.m**3, frequency=1 * units.GHz
)
strain = float(wave.q * wave.amplitude)
print(f"amplitude {float(wave.amplitude) / units.pm:.2f} pm, strain {strain:.1e}, wavelength "
      f"{2 * np.pi / float(wave.q) / units.um:.1f} um")  # fmt: skip

# === First order. The strain moves the quadrupoles; the moments follow its rate of change, and are small.
# (`oph.Kubo` does the same at the wave's own wave vector and frequency. At 1 GHz it agrees to a part in 10^5.)
problem = oph.Problem(metal, wave, state, observables=["Ly", "Qxy"], order=1)
first = oph.solve(problem, method, numerics)
print(first)
for name, amplitude in zip(first.observables, first.value[0, 0], strict=True):
    print(f"  {name}: {abs(amplitude):.2e}, phase {np.angle(amplitude) / np.pi:+.2f} pi")

# === Second order. The static moment goes with the square of the strain and with the frequency.
problem = oph.Problem(metal, wave, state, observables=["Lx"], order=2)
second = oph.solve(problem, method, numerics).value.item()
print(f"static <Lx> = {second:.2e} hbar per site")

# === The sense of rotation and its ellipticity. A linear wave pumps nothing here.
for chirality, ellipticity in ((-1, 1.0), (1, 0.5), (1, 0.0)):
    turned = oph.CoherentWave(
        sound, strain=strain, frequency=1 * units.GHz, chirality=chirality, ellipticity=ellipticity
    )
    answer = oph.solve(oph.Problem(metal, turned, state, observables=["Lx"], order=2), method, numerics)
    print(f"  chirality {chirality:+d}, ellipticity {ellipticity}: {answer.value.item():+.2e} hbar per site")
    # (e1 - i lambda eta e2) turns in proportion to lambda eta
    assert np.isclose(answer.value.item(), chirality * ellipticity * second, rtol=1e-2, atol=1e-3 * abs(second))
