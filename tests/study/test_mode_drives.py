"""Drives on the modes of crystals in study files: each against the library, and what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon import units
from orbiphon.cli.app import app
from orbiphon.crystal import zone_points
from orbiphon.errors import InputError
from orbiphon.phonons import circular_modes
from orbiphon.study import read_study, run, show

BOND = 2.0
ELECTRONS = """\
[electrons]
model = "honeycomb_p"
t_sigma = "1.5 eV"
t_pi = "-0.5 eV"
stagger = "0.8 eV"
bond = "2 angstrom"

[state]
temperature = "2000 K"
fermi_level = "0.1 eV"

[phonons]
kind = "springs"
masses = ["11 amu", "14 amu"]
springs = [
    { length = "2 angstrom", central = "20 eV/angstrom^2", transverse = "5 eV/angstrom^2" },
    { length = "3.46410161513775 angstrom", central = "3 eV/angstrom^2", transverse = "0.5 eV/angstrom^2" },
]

[response]
observables = ["Lz"]
order = 2
method = "keldysh"
broadening = "0.3 eV"

[numerics]
rtol = 1e-2

"""
LAYER = oph.models.honeycomb_p(t_sigma=1.5, t_pi=-0.5, stagger=0.8, bond=BOND)
SPRINGS = [oph.Spring(BOND, 20.0, 5.0), oph.Spring(np.sqrt(3) * BOND, 3.0, 0.5)]
MASSES = np.array([11, 14]) * units.amu
PHONONS = oph.spring_model(LAYER.crystal, MASSES, SPRINGS)
STATE = oph.ElectronState(fermi_level=0.1, temperature=2000)
K = np.array([1 / 3, 2 / 3]) @ np.asarray(LAYER.crystal.lattice.reciprocal)
RAMP = np.arange(24.0).reshape(4, 6) / 10
SOURCE = "\n".join(
    [
        '[source]\nkind = "springs"\nmasses = ["11 amu", "14 amu"]',
        'springs = [{ length = "2 angstrom", central = "10 eV/angstrom^2", transverse = "3 eV/angstrom^2" }]',
    ]
)

DRIVES = {
    'kind = "one_mode"\nq_reduced = ["1/3", "2/3"]\nmode = 4\naxis = "z"': lambda: oph.OneMode(
        PHONONS, q=K, mode=4, axis="z"
    ),
    'kind = "coherent_mode"\nq = "0.2 1/angstrom"\ndirection = [1, 1, 0]\nmode = 2\namplitude = "1 pm"': (
        lambda: oph.CoherentMode(PHONONS, q=0.2 * np.array([1, 1, 0]) / np.sqrt(2), mode=2, amplitude=0.01)
    ),
    'kind = "coherent_mode"\nq_reduced = [0, 0]\nmode = 4\nquanta = 0.01\nmixture = [1, [0, 1]]': (
        lambda: oph.CoherentMode(PHONONS, q=np.zeros(3), mode=4, quanta=0.01, mixture=[1, 1j])
    ),
    'kind = "driven_mode"\nfield = "1 MV/cm"\ncharges = [1.5, -1.5]\ndamping = "1 meV"\nmode = 4\nchirality = -1': (
        lambda: oph.DrivenMode(
            PHONONS,
            field=0.01 * np.array([1, 1j, 0]) / np.sqrt(2),
            charges=[1.5, -1.5],
            damping=1e-3,
            mode=4,
        )
    ),
    'kind = "temperature_gradient"\ngradient = "2 K/um"\ndirection = "y"\nrelaxation_time = "1 ps"\nmesh = [3, 3]': (
        lambda: oph.TemperatureGradient(PHONONS, gradient=[0, 2e-4, 0], relaxation_time=units.ps, mesh=(3, 3))
    ),
    'kind = "interface_injection"\ntransmission = 0.3\ndirection = "x"\ntemperature = "400 K"\nmesh = [3, 3]\n'
    + SOURCE: (
        lambda: oph.InterfaceInjection(
            PHONONS,
            source=oph.spring_model(LAYER.crystal, MASSES, [oph.Spring(BOND, 10.0, 3.0)]),
            transmission=0.3,
            direction="x",
            temperature=400,
            mesh=(3, 3),
        )
    ),
    'kind = "phonon_table"\nmesh = [2, 2]\noccupation = "n.csv"': lambda: oph.PhononTable(
        circular_modes(PHONONS.modes(zone_points(LAYER.crystal.lattice, (2, 2)))), occupation=RAMP, mesh=(2, 2)
    ),
}


def waves(drive):
    return drive.waves(LAYER.crystal, jnp.array([2000.0]))


def density(drive):
    """Of the displacements at each q: it asks for no choice of degenerate modes."""
    count = 6 if len(drive.q) > 1 else 1
    u = np.asarray(drive.displacement).reshape(-1, count, 6)
    return np.einsum("qw,qwa,qwb->qab", np.asarray(drive.excess[0]).reshape(-1, count), u, u.conj())


@pytest.mark.parametrize("text", DRIVES)
def test_the_drive_of_a_study_is_that_of_a_script(text, tmp_path):
    from orbiphon.study import build, plan

    np.savetxt(tmp_path / "n.csv", RAMP, delimiter=",")
    study = read_study(ELECTRONS + "[drive]\n" + text, folder=tmp_path)
    _, values = next(plan(study).groups())
    found, expected = waves(build.drive(study, values)), waves(DRIVES[text]())
    np.testing.assert_allclose(found.q, expected.q, atol=1e-9)
    np.testing.assert_allclose(found.frequency, expected.frequency, atol=1e-8)
    one, other = density(found), density(expected)
    np.testing.assert_allclose(one, other, atol=1e-6 * np.max(np.abs(other)))
    assert np.any(np.asarray(found.excess) != 0) and found.mesh == expected.mesh


@pytest.mark.parametrize("mesh", ["", "mesh = [4, 4]"])
def test_a_study_takes_the_lifetimes_of_each_mode(tmp_path, mesh):
    pytest.importorskip("h5py")
    from kappa_files import write_kappa

    from orbiphon.study import build, plan
    from orbiphon.study.files import files_of

    path = tmp_path / "kappa-m441.hdf5"
    write_kappa(path, PHONONS, (4, 4, 1), lambda t, f: 1e-5 * t + 0 * f, temperature=(1000.0, 3000.0))
    text = ELECTRONS + f'[drive]\nkind = "temperature_gradient"\ngradient = "2 K/um"\nlifetimes = "{path.name}"\n'
    study = read_study(text + mesh, folder=tmp_path)
    _, values = next(plan(study).groups())
    found, tau = build.drive(study, values), units.ps / (2 * 2 * np.pi * 0.02)  # at 2000 K
    expected = oph.TemperatureGradient(PHONONS, gradient=[2e-4, 0, 0], relaxation_time=tau, mesh=(4, 4))
    np.testing.assert_allclose(waves(found).excess, waves(expected).excess, atol=1e-7 * np.max(waves(expected).excess))
    before = files_of(study)
    write_kappa(path, PHONONS, (4, 4, 1), lambda t, f: 2e-5 * t + 0 * f, temperature=(1000.0, 3000.0))
    assert before and files_of(study) != before


def test_moments_of_a_sweep_over_modes_and_springs(tmp_path):
    text = ELECTRONS.replace('"20 eV/angstrom^2"', '["20 eV/angstrom^2", "25 eV/angstrom^2"]')
    text = text.replace('"3 eV/angstrom^2"', '["3 eV/angstrom^2", "4 eV/angstrom^2"]')
    text += '[drive]\nkind = "one_mode"\nq_reduced = ["1/3", "2/3"]\naxis = "z"\nmode = [3, 5]\n'
    text += '[sweep]\nzip = [["phonons.springs.0.central", "phonons.springs.1.central"]]\n'
    assert run(read_study(text), tmp_path, quiet=True).missed == 0
    found = xarray.open_zarr(tmp_path / "result.zarr")
    first = "phonons_springs_0_central_eV_per_angstrom2"
    assert found.value.dims == (first, "mode", "observable")
    assert found["phonons_springs_1_central_eV_per_angstrom2"].dims == (first,)
    stiffer = oph.spring_model(
        LAYER.crystal, MASSES, [oph.Spring(BOND, 25.0, 5.0), oph.Spring(SPRINGS[1].length, 4.0, 0.5)]
    )
    for i, phonons in enumerate((PHONONS, stiffer)):
        problem = oph.Problem(LAYER, oph.OneMode(phonons, q=K, mode=5, axis="z"), STATE, observables=["Lz"])
        answer = oph.solve(problem, oph.Keldysh(0.3), oph.Numerics(rtol=1e-2))
        np.testing.assert_allclose(found.value.values[i, 1, 0], answer.value.item(), rtol=1e-5)
    assert run(read_study(text), tmp_path, quiet=True).fresh == 0


def test_first_order_of_a_mode(tmp_path):
    text = ELECTRONS.replace("order = 2", "order = 1").replace("keldysh", "kubo")
    text += (
        '[drive]\nkind = "coherent_mode"\nq = "0.2 1/angstrom"\ndirection = [1, 0.4, 0]\nmode = 2\namplitude = "1 pm"\n'
    )
    run(read_study(text), tmp_path, quiet=True)
    drive = oph.CoherentMode(PHONONS, q=0.2 * np.array([1, 0.4, 0]) / np.hypot(1, 0.4), mode=2, amplitude=0.01)
    problem = oph.Problem(LAYER, drive, STATE, observables=["Lz"], order=1)
    answer = oph.solve(problem, oph.Kubo(0.3), oph.Numerics(rtol=1e-2))
    assert np.abs(answer.value[0, 0, 0]) > 1e-9
    np.testing.assert_allclose(xarray.open_zarr(tmp_path / "result.zarr").value.values, answer.value[0, 0], rtol=1e-5)


def test_check_and_show(tmp_path):
    (tmp_path / "study.toml").write_text(ELECTRONS + '[drive]\nkind = "one_mode"\nq = "0.1 1/angstrom"\nmode = 1\n')
    result = CliRunner().invoke(app, ["check", str(tmp_path / "study.toml")])
    assert result.exit_code == 0, result.output
    for words in ("phonons:     springs, masses = [", "central = 20 eV/angstrom^2", "drive:       one_mode, q = 0.1"):
        assert words in result.output
    from orbiphon.study.show import phonon_data

    data = phonon_data(read_study((tmp_path / "study.toml").read_text()))
    assert data.frequency.dims == ("k", "mode") and data.sizes["mode"] == 6
    np.testing.assert_allclose(data.frequency[0], 1e3 * np.asarray(PHONONS.modes(np.zeros(3)).frequency[0]), atol=1e-5)


def test_pictures_of_a_study_and_its_spectrum(tmp_path, monkeypatch):
    """What `--spectrum` computes is `moment_spectrum` along the path that `show` takes for the phonons."""
    text = (
        ELECTRONS.replace("rtol = 1e-2", "rtol = 0.3") + '[drive]\nkind = "one_mode"\nq = "0.1 1/angstrom"\nmode = 1\n'
    )
    (tmp_path / "study.toml").write_text(text)
    monkeypatch.setattr(show, "_SPECTRUM_POINTS", 3)
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "study.toml"), "--out", str(tmp_path / "pictures")])
    assert shown.exit_code == 0, shown.output
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"bands.png", "states.png", "fermi.png", "phonons.png", "zone.png"}
    command = ["show", str(tmp_path / "study.toml"), "--spectrum", "--quiet", "--out", str(tmp_path / "spectrum")]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0, found.output
    assert (tmp_path / "spectrum" / "spectrum.png").stat().st_size > 10_000
    saved = xarray.open_zarr(tmp_path / "spectrum" / "spectrum.zarr").load()
    q, number = saved["wave_vector"].values, 7
    numerics, method = oph.Numerics(rtol=0.3), oph.Keldysh(0.3)
    one = oph.moment_spectrum(LAYER, PHONONS, STATE, method, q[[number]], observables=["Lz"], numerics=numerics)
    assert np.max(np.abs(one.value)) > 0
    both = saved["error"].values[number] + one.error[0]
    assert np.all(np.abs(saved["value"].values[number] - one.value[0]) <= both + 1e-12 * np.abs(one.value).max())


def test_a_spectrum_needs_modes(tmp_path):
    acoustic = '[phonons]\nspeed = "5000 m/s"\nmass = "4e-26 kg"\n\n[response]'
    text = ELECTRONS[: ELECTRONS.index("[phonons]")] + acoustic + ELECTRONS.partition("[response]")[2]
    text += '[drive]\nkind = "one_phonon"\nq = "0.1 1/angstrom"\n'
    (tmp_path / "study.toml").write_text(text)
    found = CliRunner().invoke(
        app, ["show", str(tmp_path / "study.toml"), "--spectrum", "--out", str(tmp_path / "out")]
    )
    assert found.exit_code == 2 and "[phonons] must be the modes of a crystal" in found.output


ONE = '[drive]\nkind = "one_mode"\nq = "0.1 1/angstrom"\nmode = 1\n'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "springs"', 'kind = "sprigs"', r'phonons\.kind must be one of acoustic, springs, but is "sprigs"'),
        ('central = "20', 'centrl = "20', r"phonons\.springs\.0\.centrl must be a known key.*Did you mean `central`"),
        ('"20 eV/angstrom^2"', '"20 eV"', r"phonons\.springs\.0\.central must have a unit of spring constant"),
        ('"11 amu"', '"-11 amu"', r"phonons\.masses must be greater than zero"),
        (
            ONE,
            '[drive]\nkind = "one_phonon"\nq = "0.1 1/angstrom"\n',
            r'must be an acoustic branch for the drive "one_phonon", but is the modes of a crystal',
        ),
        ("mode = 1", "mode = 1.5", r"drive\.mode must be a whole number from 0 on"),
        ("mode = 1", 'mode = 1\nq_reduced = ["1/3", 0]', r"exactly one of q, q_reduced"),
        ('q = "0.1 1/angstrom"', 'q_reduced = ["1/0"]', r"drive\.q_reduced must be numbers or fractions"),
        ("mode = 1", "mode = 1\ndirection = [0, 0, 0]", r"drive\.direction must not be the zero vector"),
        ("mode = 1", "mode = 1\n" + SOURCE, r"\[source\] must be there for the drive"),
        ('order = 2\nmethod = "keldysh"', 'order = 1\nmethod = "kubo"', r"response\.order must be 2 for the drive"),
        (
            ONE,
            '[drive]\nkind = "driven_mode"\nfield = "1 MV/cm"\ndamping = "1 meV"\nmode = 4\n',
            r"drive\.charges must be given where \[phonons\] has no file",
        ),
        (
            ONE,
            '[drive]\nkind = "temperature_gradient"\ngradient = "1 K/um"\nmesh = [2, 2]\n',
            r"must have exactly one of relaxation_time, lifetimes, but has none of them",
        ),
        (
            ONE,
            '[drive]\nkind = "temperature_gradient"\ngradient = "1 K/um"\nrelaxation_time = "1 ps"\n',
            r"must have `mesh` for a relaxation time, but has not",
        ),
        (
            ONE,
            '[drive]\nkind = "temperature_gradient"\ngradient = "1 K"\nrelaxation_time = "1 ps"\nmesh = [2.5]\n',
            r"(?s)drive\.gradient must have a unit of temperature gradient.*drive\.mesh must be whole numbers",
        ),
    ],
)
def test_what_is_refused(old, new, message):
    text = ELECTRONS + ONE
    assert old in text
    with pytest.raises(InputError, match=message):
        read_study(text.replace(old, new, 1))


def test_acoustic_phonons_are_no_modes_of_a_crystal():
    start, end = ELECTRONS.index("[phonons]"), ELECTRONS.index("[response]")
    text = ELECTRONS[:start] + '[phonons]\nspeed = "5 km/s"\nmass = "25 amu"\n\n' + ELECTRONS[end:] + ONE
    with pytest.raises(InputError, match=r'must be the modes of a crystal for the drive "one_mode"'):
        read_study(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["11 amu", "14 amu"]', '["11 amu"]', r"phonons\.masses must hold one mass for each of the 2 atoms"),
        ("mode = 1", "mode = 6", r"`mode` must be a whole number from 0 to 5"),
        ('q = "0.1 1/angstrom"', 'q_reduced = ["1/3"]', r"drive\.q_reduced must hold 2 numbers"),
        ('"3.46410161513775 angstrom"', '"3.3 angstrom"', r"no atoms are 3\.3 Å apart"),
    ],
)
def test_what_the_crystal_refuses(old, new, message, tmp_path):
    (tmp_path / "study.toml").write_text((ELECTRONS + ONE).replace(old, new))
    result = CliRunner().invoke(app, ["run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2 and not (tmp_path / "out").exists()
    import re

    assert re.search(message, result.output), result.output


def test_tables_that_are_missing_or_changed(tmp_path):
    text = ELECTRONS + '[drive]\nkind = "phonon_table"\nmesh = [2, 2]\nexcess = "n.csv"\n'
    study = read_study(text, folder=tmp_path)
    with pytest.raises(InputError, match=r"drive\.excess must be a file of numbers between commas"):
        run(study, tmp_path / "out", quiet=True)
    np.savetxt(tmp_path / "n.csv", RAMP[:, :5], delimiter=",")
    with pytest.raises(InputError, match="`excess`"):
        run(study, tmp_path / "out", quiet=True)
