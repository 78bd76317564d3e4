"""Lifetimes from phono3py's files, and what a temperature gradient makes of them."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon import units
from orbiphon.crystal import zone_points
from orbiphon.drives import TemperatureGradient
from orbiphon.errors import InputError
from orbiphon.io import read_lifetimes

pytest.importorskip("h5py")
from kappa_files import THZ, caesium_chloride, irreducible, layer, screw, write_kappa

CUBIC, CHIRAL, LAYER = caesium_chloride(), screw(), layer()
KELVIN = jnp.array([300.0, 350.0])
GRADIENT = np.array([1e-6, 0.5e-6, -0.3e-6])
MESHES = [(CUBIC, (4, 4, 4)), (CHIRAL, (3, 3, 2)), (LAYER, (4, 4, 1))]
NAMES = ["cubic", "chiral", "layer"]


def tau_of(gamma):
    """phono3py's documentation: 1/(2 2 pi gamma), gamma in THz, in picoseconds."""
    return units.ps / (2 * 2 * np.pi * gamma)


def excess(phonons, gradient=GRADIENT, kelvin=KELVIN, **time):
    drive = TemperatureGradient(phonons, gradient=gradient, **time)
    return np.asarray(drive.waves(phonons.crystal, kelvin).excess).reshape(len(kelvin), -1, 3 * phonons.crystal.sites)


@pytest.mark.parametrize(("phonons", "mesh"), MESHES[:2], ids=NAMES[:2])
def test_a_constant_gamma_is_one_relaxation_time(tmp_path, phonons, mesh):
    write_kappa(tmp_path / "kappa.hdf5", phonons, mesh, lambda t, f: 0.05)
    own = mesh[: phonons.crystal.lattice.dim]
    found = excess(phonons, lifetimes=read_lifetimes(tmp_path / "kappa.hdf5"))
    expected = excess(phonons, relaxation_time=tau_of(0.05), mesh=own)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14 * np.max(np.abs(expected)))
    assert np.any(expected != 0.0)


def test_gamma_may_depend_on_mode_and_temperature(tmp_path):
    """gamma ~ T f^2: linear in temperature, so that interpolation is exact."""
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 1e-5 * t * (0.1 + f**2))
    found = excess(CUBIC, lifetimes=read_lifetimes(tmp_path / "kappa.hdf5"), mesh=(4, 4, 4))
    for index, kelvin in enumerate((300.0, 350.0)):
        time = lambda omega, t=kelvin: tau_of(1e-5 * t * (0.1 + (omega / THZ) ** 2))  # noqa: E731
        expected = excess(CUBIC, kelvin=KELVIN[index : index + 1], relaxation_time=time, mesh=(4, 4, 4))[0]
        np.testing.assert_allclose(found[index], expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize(("phonons", "mesh"), MESHES, ids=NAMES)
def test_the_mesh_is_spread_out_as_spglib_does(tmp_path, phonons, mesh):
    """A gamma that numbers the irreducible points, against spglib's own list of which point belongs to which."""
    reduced, _, addresses, belongs = irreducible(phonons, mesh)
    assert len(reduced) < len(addresses) / 1.5
    number = 1.0 + np.arange(len(reduced))
    bands = 3 * phonons.crystal.sites
    gamma = np.tile(number[None, :, None], (3, 1, bands))
    write_kappa(tmp_path / "kappa.hdf5", phonons, mesh, lambda t, f: gamma)
    lattice = phonons.crystal.lattice
    modes = phonons.modes(zone_points(lattice, mesh[: lattice.dim]))
    times = read_lifetimes(tmp_path / "kappa.hdf5").times(phonons.crystal, modes, [300.0])[0]
    place = np.rint(np.asarray(modes.q) @ np.asarray(lattice.vectors).T / (2 * np.pi) * mesh[: lattice.dim]).astype(int)
    place = np.pad(place % np.array(mesh[: lattice.dim]), ((0, 0), (0, 3 - lattice.dim)))
    which = [int(belongs[np.flatnonzero(np.all(addresses == one, axis=1))[0]]) for one in place]
    np.testing.assert_allclose(times[:, -1], tau_of(number[which]), rtol=1e-12)


def test_a_file_without_symmetry_gives_the_same(tmp_path):
    for name, whole in (("whole", True), ("part", False)):
        write_kappa(tmp_path / name, CHIRAL, (3, 3, 2), lambda t, f: 1e-4 * t * (1 + f), whole=whole)
    whole, part = (excess(CHIRAL, lifetimes=read_lifetimes(tmp_path / name)) for name in ("whole", "part"))
    np.testing.assert_allclose(whole, part, rtol=1e-9, atol=1e-12 * np.max(np.abs(part)))


def test_the_gradient_turned_round_turns_everything_round(tmp_path):
    """Mode by mode within levels the order changes; the sum over the modes at each q does not."""
    write_kappa(tmp_path / "kappa.hdf5", CHIRAL, (3, 3, 2), lambda t, f: 1e-4 * t * (1 + f))
    lifetimes = read_lifetimes(tmp_path / "kappa.hdf5")
    there, back = (excess(CHIRAL, sign * GRADIENT, lifetimes=lifetimes).sum(axis=2) for sign in (1, -1))
    np.testing.assert_allclose(there, -back, atol=1e-10 * np.max(np.abs(there)))
    assert np.max(np.abs(there)) > 0.0


def test_other_scattering_adds_up(tmp_path):
    shape = irreducible(CUBIC, (4, 4, 4))[0].shape[0], 6
    further = {"gamma_isotope": np.full(shape, 0.02), "gamma_elph": np.full((3, *shape), 0.03)}
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.05, **further)
    found = excess(CUBIC, lifetimes=read_lifetimes(tmp_path / "kappa.hdf5"))
    expected = excess(CUBIC, relaxation_time=tau_of(0.1), mesh=(4, 4, 4))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14 * np.max(np.abs(expected)))


def test_a_degenerate_level_has_one_lifetime(tmp_path):
    """Along x the transverse modes of the cubic crystal are degenerate: the mean of their rates."""
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.01 * np.arange(1, 7)[None, None] + 0 * f)
    modes = CUBIC.modes(np.array([2 * np.pi / 4.0 / 4, 0, 0]))
    levels = np.asarray(modes.levels())[0]
    assert levels[0] == levels[1]
    times = read_lifetimes(tmp_path / "kappa.hdf5").times(CUBIC.crystal, modes, 300.0)[0, 0]
    means = [np.mean(0.01 * (1 + np.flatnonzero(levels == level))) for level in levels]
    np.testing.assert_allclose(times, tau_of(np.array(means)), rtol=1e-12)


@pytest.mark.parametrize("kelvin", [199.0, 401.0])
def test_temperatures_outside_are_refused(tmp_path, kelvin):
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.05)
    lifetimes = read_lifetimes(tmp_path / "kappa.hdf5")
    with pytest.raises(InputError, match=rf"reaches from 200 to 400 K, and {kelvin:g} K is asked"):
        excess(CUBIC, kelvin=jnp.array([300.0, kelvin]), lifetimes=lifetimes)


def test_modes_without_a_gamma_are_refused_only_where_they_are_needed(tmp_path):
    """At 0 K phono3py's gamma may be zero; the translations at q = 0 always are."""
    given = {"temperature": (0.0, 200.0, 300.0), "gamma": lambda t, f: 1e-4 * t + 0 * f}
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), **given)
    lifetimes = read_lifetimes(tmp_path / "kappa.hdf5")
    assert np.all(np.isfinite(excess(CUBIC, kelvin=jnp.array([200.0, 300.0]), lifetimes=lifetimes)))
    with pytest.raises(InputError, match=r"that of mode \d at q = .* at 100 K is zero"):
        excess(CUBIC, kelvin=jnp.array([100.0]), lifetimes=lifetimes)


def test_another_crystal_is_refused(tmp_path):
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.05)
    lifetimes = read_lifetimes(tmp_path / "kappa.hdf5")
    with pytest.raises(InputError, match=r"whose operations take its \d+ wave vectors"):
        excess(CHIRAL, lifetimes=lifetimes)
    with pytest.raises(InputError, match=r"one point along the directions in which the crystal does not repeat"):
        excess(LAYER, lifetimes=lifetimes)
    write_kappa(tmp_path / "whole.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.05, whole=True)
    with pytest.raises(InputError, match=r"with 9 modes, but has 6"):
        excess(CHIRAL, lifetimes=read_lifetimes(tmp_path / "whole.hdf5"))
    change(tmp_path / "kappa.hdf5", {"frequency": 1.05 * np.asarray(lifetimes.frequency) / THZ})
    with pytest.raises(InputError, match=r"the same phonons, but the frequency of mode \d"):
        excess(CUBIC, lifetimes=read_lifetimes(tmp_path / "kappa.hdf5"))
    with pytest.raises(InputError, match=r"`mesh` must be that of the lifetimes, \(4, 4, 4\)"):
        excess(CUBIC, lifetimes=lifetimes, mesh=(6, 6, 6))


def test_one_time_or_many(tmp_path):
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.05)
    lifetimes = read_lifetimes(tmp_path / "kappa.hdf5")
    for given, found in (({}, "neither"), ({"lifetimes": lifetimes, "relaxation_time": 1.0}, "both")):
        with pytest.raises(InputError, match=f"`relaxation_time` and `lifetimes` must be given, but got {found}"):
            TemperatureGradient(CUBIC, gradient=GRADIENT, mesh=(4, 4, 4), **given)
    with pytest.raises(InputError, match=r"`mesh` must be given with a relaxation time"):
        TemperatureGradient(CUBIC, gradient=GRADIENT, relaxation_time=1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": None}, r"has no gamma"),
        ({"mesh": None}, r"has no mesh"),
        ({"gamma": np.ones((3, 6))}, r"of one grid point"),
        ({"frequency": np.ones((2, 6))}, r"of one grid point"),
        ({"mesh": np.eye(3)}, r"generalised"),
        ({"grid_matrix": np.eye(3)}, r"generalised"),
        ({"mesh": np.array([3, 3, 3])}, r"weights add up to 64 instead of 27"),
        ({"gamma_isotope": np.ones(2)}, r"rates of the same modes"),
        ({"gamma": -np.ones((3, 10, 6))}, r"that of mode 3 .* is zero"),
        ({"temperature": np.array([300.0, 200.0, 400.0])}, r"rising temperatures"),
        ({"temperature": b"cold"}, r"must be a file of phono3py"),
    ],
)
def test_damaged_files_are_refused(tmp_path, changes, message):
    write_kappa(tmp_path / "kappa.hdf5", CUBIC, (4, 4, 4), lambda t, f: 0.05)
    change(tmp_path / "kappa.hdf5", changes)
    with pytest.raises(InputError, match=message):
        excess(CUBIC, lifetimes=read_lifetimes(tmp_path / "kappa.hdf5"))


def change(path, changes):
    import h5py

    with h5py.File(path, "r+") as file:
        for name, array in changes.items():
            if name in file:
                del file[name]
            if array is not None:
                file.create_dataset(name, data=array)


def test_what_is_no_file_of_phono3py_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"must be there to be read"):
        read_lifetimes(tmp_path / "kappa.hdf5")
    (tmp_path / "kappa.hdf5").write_text("kappa")
    with pytest.raises(InputError, match=r"must be a file of phono3py"):
        read_lifetimes(tmp_path / "kappa.hdf5")
