"""Spectra of moments per phonon: paths, meshes, sums of drives over them, pictures and files."""

import numpy as np
import pytest

from lattices import honeycomb, honeycomb_electrons, honeycomb_springs
from orbiphon import units
from orbiphon.cli.app import app
from orbiphon.crystal import Crystal, Lattice, k_path, zone_points
from orbiphon.drives import OneMode, PhononTable, TemperatureGradient
from orbiphon.electrons import Basis, SlaterKoster, tight_binding
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.phonons import Spring, circular_modes, spring_model
from orbiphon.plot import draw_spectrum
from orbiphon.response import (
    ElectronState,
    Floquet,
    Keldysh,
    Numerics,
    Problem,
    moment_per_phonon,
    moment_spectrum,
    solve,
)
from orbiphon.study import save_spectrum, to_xarray

CRYSTAL = Crystal(Lattice([[3.0, 0, 0]]), [[0, 0, 0], [1.3, 0.7, 0.4]], ("A", "B"))
LAW = SlaterKoster({"ss_sigma": -0.7, "sp_sigma": 0.9, "pp_sigma": 1.1, "pp_pi": -0.4}, length=2.0)
ELECTRONS = tight_binding(CRYSTAL, Basis(((0, "s"), (1, "p"))), LAW, 3.2, onsite=[-0.6, 0.3, 0.5, 0.7])
BOND = float(np.linalg.norm(np.asarray(CRYSTAL.positions)[1]))
PHONONS = spring_model(CRYSTAL, np.array([10.0, 20.0]) * units.amu, [Spring(BOND, 5.0, 2.0), Spring(3.0, 2.0, 0.5)])
STATE = ElectronState(fermi_level=0.1, temperature=4000.0)
METHOD = Keldysh(0.8)
FINE = Numerics(rtol=1e-6)


def test_path_and_mesh_and_single_modes_agree():
    mesh = moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, (4,), observables=["Lx", "Lz"], numerics=FINE)
    path = k_path(CRYSTAL.lattice, [("Γ", (0.0,)), ("X", (0.5,))], points=2)
    along = moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, path, observables=["Lx", "Lz"], numerics=FINE)
    scale = np.max(np.abs(mesh.value))
    assert scale > 0.0
    np.testing.assert_allclose(along.value[:3], mesh.value[:3], atol=1e-5 * scale)
    np.testing.assert_allclose(along.angular_momentum, mesh.angular_momentum[:3], atol=1e-9)
    one = Problem(ELECTRONS, OneMode(PHONONS, q=mesh.q[1], mode=4), STATE, observables=["Lx", "Lz"])
    np.testing.assert_allclose(solve(one, METHOD, FINE).value[0, 0], mesh.value[1, 4], atol=1e-5 * scale)
    assert np.all(mesh.value[0, :3] == 0.0)  # uniform translations


def test_magnetic_moments():
    spectrum = moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, (2,), observables=["Lz"], numerics=Numerics(rtol=0.1))
    np.testing.assert_allclose(spectrum.bohr_magnetons, -spectrum.value)
    np.testing.assert_allclose(spectrum.nuclear_magnetons, -1836.15267 * spectrum.value, rtol=1e-8)


def test_spin_counts_twice():
    onsite, basis = np.repeat([-0.6, 0.3, 0.5, 0.7], 2), Basis(((0, "s"), (1, "p")), spin=True)
    electrons = tight_binding(CRYSTAL, basis, LAW, 3.2, onsite=onsite, spin_orbit={(1, "p"): 0.3})
    q, names = np.array([[0.3, 0.0, 0.0]]), ["Lz", "Sz", "Mz"]
    found = moment_spectrum(electrons, PHONONS, STATE, METHOD, q, observables=names, numerics=Numerics(rtol=0.1))
    l, s, m = np.moveaxis(found.value, -1, 0)
    np.testing.assert_allclose(l + 2 * s, m, atol=1e-9 * np.max(np.abs(l)))
    assert np.max(np.abs(s)) > 1e-3 * np.max(np.abs(l))
    np.testing.assert_allclose(found.bohr_magnetons[..., 1], -2 * s)


def test_level_as_a_matrix():
    """The optical pair at the centre: its trace is the sum over the pair, its diagonal the circular modes, and the
    linear ones follow from it."""
    crystal = honeycomb()
    electrons, phonons = honeycomb_electrons(crystal), honeycomb_springs(crystal)
    problem = Problem(electrons, OneMode(phonons, q=np.zeros(3), mode=5), STATE, observables=["Lz"])
    numerics = Numerics(rtol=1e-3)
    level = moment_per_phonon(problem, METHOD, numerics)
    assert level.value.shape == (1, 2, 2)
    spectrum = moment_spectrum(electrons, phonons, STATE, METHOD, np.zeros((1, 3)), numerics=numerics)
    scale = np.max(np.abs(level.value))
    np.testing.assert_allclose(np.diagonal(level.value[0]), spectrum.value[0, 4:, 0], atol=1e-3 * scale)
    np.testing.assert_allclose(level.value[0, 0, 0], -level.value[0, 1, 1], atol=1e-3 * scale)  # a mirror
    np.testing.assert_allclose(level.value[0, 0, 1], 0.0, atol=1e-3 * scale)  # threefold: no linear wave pumps L_z
    np.testing.assert_allclose(level.total, 0.0, atol=2e-3 * scale)


def test_drives_weigh_the_spectrum():
    spectrum = moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, (6,), observables=["Lz"], numerics=FINE)
    modes = circular_modes(PHONONS.modes(zone_points(CRYSTAL.lattice, (6,))))
    excess = np.random.default_rng(0).uniform(-1, 1, (6, 6))
    table = PhononTable(modes, excess=excess, mesh=(6,))
    found = solve(Problem(ELECTRONS, table, STATE, observables=["Lz"]), METHOD, FINE).value.item()
    expected = np.sum(np.where(modes.still, 0.0, excess) * spectrum.value[:, :, 0]) / 6
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_opposite_gradients_are_opposite():
    values = []
    for sign in (1, -1):
        drive = TemperatureGradient(PHONONS, gradient=(sign * 1e-6, 0, 0), relaxation_time=units.ps, mesh=(6,))
        values.append(solve(Problem(ELECTRONS, drive, STATE, observables=["Lz"]), METHOD, FINE))
    np.testing.assert_allclose(values[0].value, -values[1].value, rtol=1e-9)
    assert abs(values[0].value.item()) > 0.0
    assert values[0].error.item() > 0.0  # that of the mesh of q


def test_pictures_and_files(tmp_path):
    from typer.testing import CliRunner

    path = k_path(CRYSTAL.lattice, [("Γ", (0.0,)), ("X", (0.5,))], points=3)
    rough = Numerics(rtol=0.1)
    spectrum = moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, path, observables=["Lx", "Lz"], numerics=rough)
    assert draw_spectrum(spectrum, tmp_path / "bands.png").stat().st_size > 10_000
    data = to_xarray(spectrum)
    np.testing.assert_array_equal(data["value"].sel(observable="Lz"), spectrum.value[..., 1])
    saved = save_spectrum(spectrum, tmp_path / "spectrum.zarr")
    done = CliRunner().invoke(app, ["show", str(saved), "--out", str(tmp_path / "pictures")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "pictures" / "spectrum.png").stat().st_size > 10_000
    with pytest.raises(InputError, match="`observable` must be one of Lx, Lz, but is 'Ly'"):
        draw_spectrum(spectrum, tmp_path / "no.png", "Ly")
    broken = CliRunner().invoke(app, ["show", str(tmp_path / "none.zarr")])
    assert broken.exit_code == 2


def test_what_cannot_be_asked():
    with pytest.raises(InputError, match="`drive` must be a CoherentWave here, but is a EveryMode"):
        moment_spectrum(ELECTRONS, PHONONS, STATE, Floquet(0.1), (2,))
    with pytest.raises(InputError, match="must be odd under time reversal"):
        moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, (2,), observables=["Qxy"])
    with pytest.raises(InputError, match="must hold a whole number of points for each of 1"):
        moment_spectrum(ELECTRONS, PHONONS, STATE, METHOD, (2, 2))
    with pytest.raises(InputError, match="`broadening` must be greater than zero"):
        moment_spectrum(ELECTRONS, PHONONS, STATE, Keldysh(0.0), (2,))
    with pytest.warns(ToleranceWarning, match="wave vectors missed"):
        tight = Numerics(rtol=1e-12, max_points=60)
        missed = moment_spectrum(
            ELECTRONS, PHONONS, ElectronState(fermi_level=0.1, temperature=20.0), Keldysh(0.001), (2,), numerics=tight
        )
    assert not missed.converged.all()
