"""A real metal at 200 states: the long-wave moment, its eigensystems alone, and WannierBerri's Hall conductivity.

    python benchmarks/many_states.py METAL [--peer PYTHON]

METAL is a folder that `orbiphon reproduce metals` takes. 20 Fermi levels within 2 eV of the metal's and 10 temperatures
from 50 to 500 K, broadening 0.05 eV, each program on all processors that it uses by itself; the fastest of several
runs. The eigensystems are those of the same H(k), built alike.
WannierBerri computes its anomalous Hall conductivity (internal terms) at the 20 Fermi levels, T = 0, from the Wannier
file of the undeformed cell, by the interpreter of `make peer`. Goals: twice the eigensystems, a fifth of WannierBerri's
time per k.
"""

import argparse
import gzip
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.electrons import TightBinding, observable
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.electrons.structure import Steps
from orbiphon.phonons import circular_polarisation, direction_vector
from orbiphon.response.scan import many_bands
from orbiphon.study.metals import HOME, read_metal
from orbiphon.zone import AbstractIntegrand
from orbiphon.zone.mean import _mesh_mean
from orbiphon.zone.mesh import Mesh

BROADENING, MESH, PEER_MESH, BLOCK, RUNS = 0.05, 64, 32, 512, 3
SHIFTS, TEMPERATURES = np.linspace(-2.0, 2.0, 20), np.linspace(50.0, 500.0, 10)

PEER = """
import json, sys, time
import numpy as np
import wannierberri as wb
from wannierberri.calculators import static
path, mesh, levels, runs = json.loads(sys.argv[1])
system = wb.system.System_R.from_tb_file(path, berry=True)
grid = wb.Grid(system, NK=[mesh] * 3, NKFFT=[mesh // 2] * 3, use_symmetry=False)
hall = {"hall": static.AHC(Efermi=np.array(levels), tetra=False, kwargs_formula={"external_terms": False})}
seconds = []
for _ in range(runs):
    begin = time.perf_counter()
    wb.run(system, grid, hall, use_irred_kpt=False, symmetrize=False, parallel=False, print_Kpoints=False,
           fout_name="hall")
    seconds.append(time.perf_counter() - begin)
print("RESULT" + json.dumps(min(seconds)))
"""


class Eigensystems(AbstractIntegrand):
    """Something that needs all levels and eigenvectors."""

    electrons: TightBinding
    steps: Steps = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Array, Array]:
        orbitals = tuple(range(self.electrons.size))
        return jnp.linalg.eigh(
            BlochSum(self.electrons, self.steps, phases).block(self.electrons.hopping, orbitals, orbitals)
        )

    def respond(self, prepared: tuple[Array, Array]) -> Float[Array, "component"]:
        levels, vectors = prepared
        return levels + jnp.abs(vectors[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metal", type=Path)
    parser.add_argument("--peer", default=str(Path(__file__).parents[1] / ".venv-peer" / "bin" / "python"))
    options = parser.parse_args()
    metal = read_metal(options.metal)
    levels = metal.fermi_level + SHIFTS
    states = np.array([[level, temperature] for level in levels for temperature in TEMPERATURES])
    unit = np.asarray(circular_polarisation("z", 1))
    vertex = metal.coupling.gradient_derivative(unit[:, None] * np.asarray(direction_vector("z"))[None, :])
    matrix = observable(metal.electrons.basis, "Lz").matrix
    moments = many_bands(metal.electrons, vertex[None], matrix[None], BROADENING, states)
    alone = Eigensystems(metal.electrons, lattice_steps(metal.electrons))
    full, eigensystems = fastest([lambda: mean(moments), lambda: mean(alone)])
    points = MESH**3
    print(f"{metal.electrons.size} orbitals, {len(metal.electrons.cells)} cells, {len(states)} states, {points} k")
    print(f"eigensystems      {1e6 * eigensystems / points:7.1f} us per k")
    print(f"moments           {1e6 * full / points:7.1f} us per k: {full / eigensystems:.2f} times (goal 2)")
    if (seconds := peer(options, levels)) is not None:
        each = 1e6 * seconds / PEER_MESH**3
        print(f"WannierBerri      {each:7.1f} us per k: {each / (1e6 * full / points):.1f} times slower (goal 5)")


def mean(integrand: AbstractIntegrand) -> np.ndarray:
    return _mesh_mean(integrand, Mesh((MESH,) * 3, (False,) * 3), BLOCK).value


def fastest(calls: list[Callable[[], object]]) -> list[float]:
    seconds = np.full(len(calls), np.inf)
    for run in range(RUNS + 1):  # the first one compiles
        for number, call in enumerate(calls):
            begin = time.perf_counter()
            jax.block_until_ready(call())
            if run:
                seconds[number] = min(seconds[number], time.perf_counter() - begin)
    return seconds.tolist()


def peer(options: argparse.Namespace, levels: np.ndarray) -> float | None:
    """Seconds of WannierBerri, if it is there."""
    packed = next((options.metal / HOME).glob("*_tb.dat*"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "metal_tb.dat"
        file.write_bytes(gzip.decompress(packed.read_bytes()) if packed.suffix == ".gz" else packed.read_bytes())
        asked = json.dumps([str(file), PEER_MESH, levels.tolist(), RUNS])
        run = subprocess.run([options.peer, "-c", PEER, asked], capture_output=True, text=True, cwd=folder)
    if "RESULT" not in run.stdout:
        print(f"WannierBerri did not run ({run.stderr.strip().splitlines()[-1:]}): `make peer`")
        return None
    return json.loads(run.stdout.split("RESULT")[1])


if __name__ == "__main__":
    main()
