"""WannierBerri as a peer: conductivities of a real metal from our eigenvectors and velocities equal its own.

It is GPL: it runs in a process of its own and an environment of its own, that of `make peer` or of the interpreter that
ORBIPHON_PEER_PYTHON names, and nothing of it is imported here.
"""

import json
import os
import subprocess
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import io
from orbiphon.io.hamiltonian import read_tb
from orbiphon.io.writing import _tb

DATA = Path(os.environ.get("ORBIPHON_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "metals"
PYTHON = os.environ.get("ORBIPHON_PEER_PYTHON") or str(Path(__file__).parents[2] / ".venv-peer" / "bin" / "python")
MESH, WIDTH, TEMPERATURE = 6, 0.2, 0.05  # eV
DEGENERATE = 1e-4  # eV: WannierBerri leaves out transitions between closer levels
OMEGA = np.array([0.5, 1.5, 4.0])

PEER = """
import json, sys
import numpy as np
import wannierberri as wb
from wannierberri.calculators import dynamic, static
path, mesh, width, temperature, levels, omega = json.loads(sys.argv[1])
system = wb.system.System_R.from_tb_file(path, berry=True)
grid = wb.Grid(system, NK=[mesh] * 3, NKFFT=[mesh] * 3, use_symmetry=False)
inner = {"external_terms": False}
calculators = {
    "hall": static.AHC(Efermi=np.array(levels), tetra=False, kwargs_formula=inner),
    "optical": dynamic.OpticalConductivity(
        Efermi=np.array(levels[:1]), omega=np.array(omega), kBT=temperature, smr_fixed_width=width, kwargs_formula=inner
    ),
}
found = wb.run(system, grid, calculators, use_irred_kpt=False, symmetrize=False, parallel=False, print_Kpoints=False,
               fout_name=path + ".out")
optical = found.results["optical"].data[0]
print("RESULT" + json.dumps([found.results["hall"].data.tolist(), optical.real.tolist(), optical.imag.tolist()]))
"""
FACTOR = 1.602176634e-19**2 / 1.054571817e-34 * 1e10  # e^2/hbar per angstrom, in S/m


def peer_is_there() -> bool:
    try:
        return subprocess.run([PYTHON, "-c", "import wannierberri"], capture_output=True, timeout=120).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="module")
def magnet(tmp_path_factory):
    """Tungsten in a field that acts on the orbital moments of p and d orbitals, as a `_tb.dat`."""
    if not DATA.is_dir():
        pytest.skip("set ORBIPHON_TEST_DATA to the folder of the real data")
    if not peer_is_there():
        pytest.skip("WannierBerri is not installed: `make peer`")
    folder = tmp_path_factory.mktemp("magnet")
    raw = read_tb(DATA / "W" / "unstrained" / "W_tb.dat.gz")
    matrix, home = raw.matrix.copy(), int(np.flatnonzero(~np.any(raw.cells, axis=1))[0])
    for i, j, m in ((2, 3, 1.0), (5, 6, 1.0), (7, 8, 2.0)):  # px, py; dxz, dyz; dx2-y2, dxy
        matrix[home, i, j] += -0.3j * m
        matrix[home, j, i] += 0.3j * m
    path = folder / "X_tb.dat"
    path.write_text(_tb(raw.vectors, raw.cells, raw.degeneracy, matrix, np.zeros((9, 3))), encoding="utf-8")
    path.with_name("X.win").write_bytes((DATA / "W" / "unstrained" / "W.win").read_bytes())
    return path


def test_conductivities_are_those_of_wannierberri(magnet):
    electrons, levels = io.read_wannier(magnet, verify=False).electrons, np.linspace(22.0, 23.5, 7)
    asked = json.dumps([str(magnet), MESH, WIDTH, TEMPERATURE, levels.tolist(), OMEGA.tolist()])
    run = subprocess.run([PYTHON, "-c", PEER, asked], capture_output=True, text=True, timeout=300, cwd=magnet.parent)
    assert "RESULT" in run.stdout, run.stderr[-2000:]
    hall, real, imaginary = (np.array(x) for x in json.loads(run.stdout.split("RESULT")[1]))

    lattice = electrons.crystal.lattice
    kappa = np.stack(np.meshgrid(*[np.arange(MESH) / MESH] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    k = lattice.k_from_reduced(jnp.asarray(kappa))
    e, vectors = (np.asarray(x) for x in jnp.linalg.eigh(jax.vmap(electrons.hamiltonian)(k)))
    slopes = np.moveaxis(np.asarray(jax.vmap(jax.jacfwd(electrons.hamiltonian))(k)), -1, 1)  # (k xyz orbital orbital)
    velocity = np.einsum("kim,kaij,kjn->kamn", vectors.conj(), slopes, vectors)
    gap = e[:, None, :] - e[:, :, None]  # e_n - e_m at (m, n)
    apart = np.where(np.abs(gap) > DEGENERATE, gap, np.inf)
    products = np.einsum("kamn,kbnm,kmn->kabmn", velocity, velocity, 1.0 / apart**2)  # A_mn A_nm
    factor = FACTOR / (len(k) * abs(np.linalg.det(np.asarray(lattice.vectors))))

    curvature = -2.0 * np.imag(products[:, 0, 1].sum(axis=-1))  # z, of band m
    ours = [-factor * np.sum(curvature[e < level]) for level in levels]
    assert np.max(np.abs(ours)) > 100.0
    assert np.allclose(ours, hall[:, 2], rtol=1e-6, atol=1e-6 * np.max(np.abs(ours)))

    filled = 1.0 / (np.exp((e - levels[0]) / TEMPERATURE) + 1.0)
    difference = filled[:, None, :] - filled[:, :, None]
    for omega, re, im in zip(OMEGA, real, imaginary, strict=True):
        weight = difference * gap / (gap - omega - 1j * WIDTH)
        sigma = 1j * factor * np.einsum("kabmn,kmn->ab", products, weight)
        assert np.max(np.abs(sigma[0, 1])) > 1e-3 * np.max(np.abs(sigma))
        assert np.max(np.abs(sigma - (re + 1j * im))) < 1e-6 * np.max(np.abs(sigma))
