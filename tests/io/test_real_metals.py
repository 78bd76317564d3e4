"""Real Hamiltonians, read in place: the folder is that of the environment variable ORBIPHON_TEST_DATA."""

import gzip
import os
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import orbiphon as oph
from orbiphon import io
from orbiphon.errors import InputError
from orbiphon.io.hamiltonian import read_hr
from orbiphon.response.scan import scan

DATA = Path(os.environ.get("ORBIPHON_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
pytestmark = pytest.mark.skipif(
    not (DATA / "metals").is_dir(), reason="set ORBIPHON_TEST_DATA to the folder of the real data"
)
MEV = 1e-3
# the data's README: bands against DFT within 1 eV of the Fermi level, largest and mean deviation in meV
BANDS = {"Al": (62, 18), "W": (65, 14), "Cr": (13, 2.2), "Pt": (46, 2)}
# and dH/du_xz with and without the rotation
SHEAR = {"Al": (0.001, 0.34), "W": (0.0012, 0.47), "Cr": (0.0008, 0.43), "Pt": (0.0009, 0.43)}
EXCLUDED = {"Al": 0, "W": 4, "Cr": 4, "Pt": 0}


def reference_bands(metal):
    """k in reduced coordinates and DFT energies, from Quantum ESPRESSO's files."""
    folder = DATA / "metals" / metal / "unstrained"
    rows = (folder / "bands.in").read_text().split("K_POINTS crystal\n")[1].split("\n")
    k = np.array([[float(x) for x in row.split()[:3]] for row in rows[1 : int(rows[0]) + 1]])
    text = gzip.decompress((folder / "bands.out.gz").read_bytes()).decode()
    text = text[text.index("End of band structure calculation") :]
    energies = []
    for part in re.split(r"\n\s+k =", text)[1:]:
        part = part.split("bands (ev):")[1].split("occupation numbers")[0]
        part = re.split(r"\n\s*\n\s*(?=\S*[a-zA-Z])", part)[0]
        energies.append([float(x) for x in re.findall(r"-?\d+\.\d{4}", part)])
    return k, np.array(energies)[:, EXCLUDED[metal] :]


@pytest.mark.parametrize("metal", BANDS)
def test_interpolated_bands_are_those_of_the_calculation(metal):
    read = io.read_wannier(DATA / "metals" / metal / "unstrained")
    fermi = io.read_pairs(read, [DATA / "metals" / metal / "uxz_p0.02"]).fermi_level
    k, reference = reference_bands(metal)
    ours = np.asarray(oph.bands(read.electrons, read.electrons.crystal.lattice.k_from_reduced(jnp.asarray(k))))
    reference = reference[:, : ours.shape[1]]
    off = np.abs(ours - reference)[np.abs(reference - fermi) < 1.0] / MEV
    most, mean = BANDS[metal]
    assert np.max(off) < most + 1 and np.mean(off) < mean + 0.5


@pytest.mark.parametrize("metal", SHEAR)
def test_a_simple_shear_is_half_a_strain_and_half_a_rotation(metal):
    folder = DATA / "metals" / metal
    home = io.read_wannier(folder / "unstrained")
    sheared = io.read_pairs(home, [folder / "uxz_p0.02"]).coupling
    strained = io.read_pairs(home, [folder / "ezx_p0.01", folder / "ezx_m0.01"]).coupling
    gradient = np.outer(np.eye(3)[0], np.eye(3)[2])  # du_x/dz
    run, made = (np.asarray(x.gradient_derivative(gradient)) for x in (sheared, strained))
    half = np.asarray(strained.gradient_derivative((gradient + gradient.T) / 2))
    exact, without = SHEAR[metal]
    assert np.linalg.norm(run - made) < exact * np.linalg.norm(run)
    assert np.linalg.norm(run - half) == pytest.approx(without * np.linalg.norm(run), rel=0.02)


@pytest.mark.parametrize("metal", ["W", "Cr"])
def test_raw_files_brought_to_one_set_are_the_prepared_ones(metal):
    folder = DATA / "metals" / metal
    home = io.read_wannier(folder / "unstrained")
    raw = io.read_wannier(folder / "ezx_p0.01")
    prepared = read_hr(folder / "ezx_p0.01" / f"{metal}_common_hr.dat.gz")
    ours = dict(zip(map(tuple, (-home.cells).tolist()), home.interpolated(raw.on_mesh()), strict=True))
    order = np.argmax(np.abs(home.change), axis=1)
    for cell, degeneracy, matrix in zip(prepared.cells.tolist(), prepared.degeneracy, prepared.matrix, strict=True):
        assert np.max(np.abs(ours[tuple(cell)] - matrix[order][:, order] / degeneracy)) < 2e-6


def test_symmetry_makes_the_runs_that_were_made_too():
    folder = DATA / "metals" / "W"
    home = io.read_wannier(folder / "unstrained")
    gradient = np.outer(np.eye(3)[1], np.eye(3)[2])
    by_symmetry, by_run = (
        np.asarray(
            io.read_pairs(home, [folder / f"{e}_p0.01", folder / f"{e}_m0.01"]).coupling.gradient_derivative(gradient)
        )
        for e in ("ezx", "ezy")
    )
    assert np.linalg.norm(by_symmetry - by_run) < 1e-5 * np.linalg.norm(by_run)


def test_gallium_arsenide_shows_its_kramers_pairs_but_not_its_projections():
    with pytest.raises(InputError, match=r"symmetry of its crystal|time reversal"):
        io.read_wannier(DATA / "GaAs_soc")
    read = io.read_wannier(DATA / "GaAs_soc", verify=False)
    gamma_and_x = read.electrons.crystal.lattice.k_from_reduced(jnp.asarray([[0.0, 0, 0], [0.5, 0.5, 0.0]]))
    energies = np.asarray(oph.bands(read.electrons, gamma_and_x))
    assert np.max(np.abs(energies[:, ::2] - energies[:, 1::2])) < 1e-4
    assert np.max(np.abs(np.asarray(read.electrons.hopping).imag)) > 0.01


def couplings(metal):
    folder = DATA / "metals" / metal
    return io.read_pairs(folder / "unstrained", [folder / f"ezx_{step}" for step in STEPS[metal]])


# for Pt one of the second pair; its partner follows by symmetry
STEPS = {"Cr": ("p0.01", "m0.01", "p0.005", "m0.005"), "Pt": ("p0.01", "m0.01", "p0.005")}


@pytest.mark.parametrize(("metal", "observable"), [("Cr", "L"), ("Pt", "S")])
def test_cubic_symmetry_turns_the_wave_and_chirality_its_sign(metal, observable):
    pairs, numerics = couplings(metal), oph.Numerics(rtol=2e-2, max_points=12_000)
    states = [[pairs.fermi_level - 1.0, 1500.0], [pairs.fermi_level, 1500.0]]

    def along(axis, chirality=1):
        both = [pairs.coupling, pairs.coarse]
        names = [observable + axis]
        found = scan(both, 0.3, states, observables=names, direction=axis, chirality=chirality, numerics=numerics)
        return found.value[0, :, 0], found.error[0, :, 0] + np.abs(found.value[1] - found.value[0])[:, 0]

    (z, error), (x, other), (opposite, _) = along("z"), along("x"), along("z", -1)
    assert np.all(np.abs(x - z) <= error + other) and np.max(np.abs(z)) > 5 * np.max(error)
    assert np.max(np.abs(x - z)) < 1e-4 * np.max(np.abs(z))  # meshes have the symmetry, too
    assert np.allclose(opposite, -z, rtol=1e-9)


def test_a_linear_wave_gives_nothing_and_an_elliptical_one_its_area():
    pairs, state = couplings("Cr"), oph.ElectronState(fermi_level=18.8, temperature=1500)
    sound = oph.AcousticBranch(speed=0.02, mass=1000.0, direction="z")
    moments = []
    for ellipticity in (0.0, 0.5, 1.0):
        drive = oph.CoherentWave(sound, amplitude=0.01, q=0.01, ellipticity=ellipticity)
        problem = oph.Problem(pairs.home.electrons, drive, state, pairs.coupling, observables=["Lz"])
        answer = oph.solve(problem, oph.Adiabatic(broadening=0.3), oph.Numerics(rtol=5e-2, max_points=12_000))
        moments.append(answer.value[0, 0, 0])
    linear, half, circular = moments
    assert abs(linear) < 1e-9 * abs(circular)
    assert half == pytest.approx(0.5 * circular, rel=1e-3)
