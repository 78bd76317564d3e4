"""The moment-per-phonon map of a honeycomb layer: all 6 branches on 24 x 24 wave vectors.

    python benchmarks/spectrum.py [--mesh 24] [--picture zone.png]

p orbitals on two kinds of atoms (6 bands, Fermi level in the gap), `Keldysh` with 10 meV at 300 K, rtol = 1e-3. Goal:
two minutes on two cores.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import orbiphon as oph
from orbiphon import models, units
from orbiphon.plot import draw_spectrum


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mesh", type=int, default=24)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    layer = models.honeycomb_p(1.5, -0.5, stagger=1.6, bond=2.0)
    masses = 11 * units.amu, 14 * units.amu
    phonons = models.honeycomb_springs(layer.crystal, masses, (20.0, 3.0), (5.0, 0.5))
    state, numerics = oph.ElectronState(fermi_level=0.0, temperature=300.0), oph.Numerics(rtol=1e-3)
    wall, processor = time.perf_counter(), time.process_time()
    mesh = (options.mesh, options.mesh)
    found = oph.moment_spectrum(layer, phonons, state, oph.Keldysh(0.01), mesh, observables=["Lz"], numerics=numerics)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    size, error = (np.max(np.abs(x), axis=(1, 2)) for x in (found.value, found.error))
    there = size > 1e-6 * np.max(size)
    print(
        f"{wall:.0f} s, {processor:.0f} s of the processors; {found.points / len(size):.0f} k per q; all converged: ",
        end="",
    )
    print(
        f"{found.converged.all()}; worst error {np.max(error[there] / size[there]):.0e} of the largest moment at its q"
    )
    if options.picture is not None:
        draw_spectrum(found, options.picture)


if __name__ == "__main__":
    main()
