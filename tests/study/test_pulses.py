"""Pulses in study files: against the library, the time axis, both orders, stopped runs, and what is refused."""

import csv

import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon import units
from orbiphon.cli.app import app
from orbiphon.errors import InputError
from orbiphon.plot import plot_folder, show
from orbiphon.study import by_time, load_study, read_study, run

PULSE = """\
[electrons]
model = "chain_p"
t_sigma = "0.6 eV"
t_pi = "-0.25 eV"

[state]
temperature = "4000 K"
fermi_level = "0.2 eV"

[phonons]
speed = "4000 m/s"
mass = "40 amu"

[drive]
kind = "pulse"
amplitude = "2 pm"
frequency = "3 THz"
centre = "150 fs"
duration = "60 fs"
time = { start = "0.1 ps", stop = "0.2 ps", num = 3 }

[response]
observables = ["Lx", "Ly"]
order = [1, 2]
method = "motion"
broadening = "0.3 eV"

[numerics]
rtol = 3.0
max_points = 10
"""


def traces(times, chirality=1, **shape):
    sound = oph.AcousticBranch(speed=4000 * units.m / units.s, mass=40 * units.amu)
    wave = oph.CoherentWave(sound, amplitude=0.02, frequency=3 * units.THz, chirality=chirality)
    envelope = oph.GaussianEnvelope(centre=150 * units.fs, duration=60 * units.fs, **shape)
    chain = oph.models.linear_chain({"pp_sigma": 0.6, "pp_pi": -0.25}, "p")
    state = oph.ElectronState(fermi_level=0.2, temperature=4000)
    problem = oph.Problem(chain, oph.Pulse(wave, envelope), state, observables=["Lx", "Ly"])
    return oph.time_traces(problem, times, oph.Motion(0.3, tolerance=3e-3), mesh=(10,))


def test_a_study_and_a_script_give_the_same_traces(tmp_path):
    (tmp_path / "pulse.toml").write_text(PULSE)
    result = CliRunner().invoke(app, ["run", str(tmp_path / "pulse.toml"), "--out", str(tmp_path / "out"), "--quiet"])
    assert result.exit_code == 0, result.output
    found = xarray.open_zarr(tmp_path / "out" / "result.zarr")
    assert found.value.dims == ("time_ps", "order", "observable")
    assert found.time_ps.values.tolist() == [0.1, 0.15, 0.2] and found.time_ps.attrs["units"] == "ps"
    # The pulse begins before the first time: 2.5 durations before its centre, at 0.
    script = traces(np.array([0.0, 0.1, 0.15, 0.2]) * units.ps)
    np.testing.assert_allclose(found.value.sel(order=1).values[:, 1], script.wave[1:, 1], rtol=1e-6)
    np.testing.assert_allclose(found.value.sel(order=2).values[:, 0], script.uniform[1:, 0], rtol=1e-6)
    assert np.all(np.abs(found.value.sel(order=2).values[:, 0]) > 1e-12)
    np.testing.assert_allclose(found.error.sel(order=2).values[:, 0], script.uniform_error[1:, 0], rtol=1e-3)
    assert found.zero_by_symmetry.values[0].tolist() == [[True, False], [False, True]]
    with (tmp_path / "out" / "result.csv").open() as file:
        first = next(csv.DictReader(file))
    assert (first["time_ps"], first["order"]) == ("0.1", "1")
    assert {path.name for path in plot_folder(tmp_path / "out")} == {"Lx.png", "Ly.png"}


def test_times_need_no_order_and_other_axes_are_outer(tmp_path, monkeypatch):
    asked = []
    original = by_time.time_traces

    def count(problem, times, method, mesh):
        asked.append(np.array(times) / units.ps)
        return original(problem, times, method, mesh)

    monkeypatch.setattr(by_time, "time_traces", count)
    text = PULSE.replace('{ start = "0.1 ps", stop = "0.2 ps", num = 3 }', '["0.2 ps", "100 fs"]\nchirality = [1, -1]')
    text = text.replace("order = [1, 2]", "order = 2")
    report = run(read_study(text), tmp_path, quiet=True)
    assert report.entries == report.finished == 4 and len(asked) == 2
    np.testing.assert_allclose(asked[0], [0.0, 0.1, 0.2], atol=1e-12)
    found = xarray.open_zarr(tmp_path / "result.zarr")
    assert found.value.dims == ("time_ps", "chirality", "observable")
    lx = found.value.values[..., 0]
    assert found.time_ps.values.tolist() == [0.2, 0.1]
    np.testing.assert_allclose(lx[:, 0], -lx[:, 1], rtol=1e-6)
    np.testing.assert_allclose(lx[1, 0], traces(np.array([0.0, 0.1, 0.2]) * units.ps).uniform[1, 0], rtol=1e-6)
    assert run(read_study(text), tmp_path, quiet=True).fresh == 0 and len(asked) == 2


def test_a_stopped_run_is_taken_up_pulse_by_pulse(tmp_path, monkeypatch):
    calls, original = [], by_time.time_traces

    def stop_at_the_second(*args):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(by_time, "time_traces", stop_at_the_second)
    study = read_study(PULSE.replace('"2 pm"', '["1 pm", "2 pm"]').replace("order = [1, 2]", "order = 2"))
    with pytest.raises(KeyboardInterrupt):
        run(study, tmp_path, quiet=True)
    report = run(study, tmp_path, quiet=True)
    assert (report.fresh, report.finished, len(calls)) == (3, 6, 3)


def test_chirp_and_phase_have_units():
    from orbiphon.study import build, plan

    study = read_study(PULSE.replace("[response]", 'chirp = "2 THz/ps"\nphase = "90 deg"\n\n[response]'))
    _, values = next(plan(study).groups())
    envelope = build.drive(study, values).envelope
    # h * 2 THz per ps, in eV per hbar/eV
    assert float(envelope.chirp) == pytest.approx(4.135667696e-3 * 2 / (1e-12 / 6.582119569e-16), rel=1e-9)
    assert float(envelope.phase) == pytest.approx(np.pi / 2, rel=1e-12)


def test_a_mesh_that_is_too_coarse_is_told(tmp_path):
    study = read_study(PULSE.replace("rtol = 3.0", "rtol = 1e-2").replace("order = [1, 2]", "order = 2"))
    assert run(study, tmp_path, quiet=True).missed == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '[1, 2]\nmethod = "motion"',
            '2\nmethod = "keldysh"',
            r'response\.method must be "motion" for the drive "pulse", but is "keldysh"',
        ),
        ('"motion"', '["motion", "floquet"]', r"response\.method must be .*the others know steady states only"),
        ('duration = "60 fs"\n', "", r'must have `duration` for an envelope "gaussian", but has not'),
        ('duration = "60 fs"', 'duration = "60 fs"\nrise = "1 ps"', r'has `rise`: an envelope "gaussian" has only c'),
        (
            'kind = "pulse"',
            'kind = "pulse"\nenvelope = "gausian"',
            r'drive\.envelope must be one of .*Did you mean "gau',
        ),
        ('"60 fs"', '"60 meV"', r"drive\.duration must have a unit of time, but is .*an energy"),
        ('"60 fs"', '"-60 fs"', r"drive\.duration must be greater than zero"),
        ('duration = "60 fs"', 'duration = "60 fs"\nchirp = "1 rad/ps^2"', r"must be an ordinary frequency"),
        ('kind = "pulse"', 'kind = "coherent_wave"', r"drive\.time must be a known key, but is none"),
        ("time = {", "tme = {", r"drive\.tme must be a known key.*Did you mean `time`"),
    ],
)
def test_what_is_refused(old, new, message):
    assert old in PULSE
    with pytest.raises(InputError, match=message):
        read_study(PULSE.replace(old, new))


def test_moments_that_order_2_does_not_have_are_refused_before_work(tmp_path):
    (tmp_path / "study.toml").write_text(PULSE.replace('"Ly"', '"Qzx"'))
    result = CliRunner().invoke(app, ["run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2 and not (tmp_path / "out").exists()
    assert "at order 2" in result.output and "odd under time reversal" in result.output


def test_check_tells_what_it_understood(tmp_path):
    (tmp_path / "study.toml").write_text(PULSE)
    result = CliRunner().invoke(app, ["check", str(tmp_path / "study.toml")])
    assert result.exit_code == 0, result.output
    for words in ("drive:       pulse, ", "duration = 0.06 ps", "zero by symmetry: Ly", "followed through the pulse"):
        assert words in result.output


def test_the_pulse_is_shown(tmp_path):
    names = {path.name for path in show(load_study(_file(tmp_path)), tmp_path / "pictures")}
    assert names == {"bands.png", "states.png", "phonons.png", "pulse.png"}


def _file(folder):
    (folder / "study.toml").write_text(PULSE)
    return folder / "study.toml"
