"""The command line: exit codes, messages, and that nothing broken ever shows a traceback or harms earlier results."""

import subprocess
import sys
from pathlib import Path

import pytest
from studies import THERMAL, FakeSolver, install
from typer.testing import CliRunner

from orbiphon import response
from orbiphon.cli.app import app
from orbiphon.errors import InputError


@pytest.fixture
def solver(monkeypatch) -> FakeSolver:
    return install(monkeypatch)


@pytest.fixture
def study(tmp_path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(THERMAL)
    return path


def call(*args: object):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_run_then_nothing_left(solver, study, tmp_path):
    first = call("run", study, "--out", tmp_path / "out")
    assert first.exit_code == 0 and "6 points computed" in first.stderr and first.stdout == ""
    again = call("run", study, "--out", tmp_path / "out")
    assert again.exit_code == 0 and "Nothing left to compute, 6 were there" in again.stderr


def test_quiet_says_nothing(solver, study, tmp_path):
    result = call("run", study, "--out", tmp_path / "out", "--quiet")
    assert result.exit_code == 0 and result.output == ""


def test_missed_tolerance_is_exit_code_1(solver, study, tmp_path):
    solver.converged = False
    result = call("run", study, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "6 of 6 points missed the tolerance" in result.stderr


def test_stopped_is_exit_code_130_and_resumes(solver, study, tmp_path):
    solver.stop_after = 2
    result = call("run", study, "--out", tmp_path / "out")
    assert result.exit_code == 130 and "points are kept in" in result.stderr
    solver.stop_after = None
    assert call("run", study, "--out", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize(
    ("trouble", "code", "message"),
    [
        (MemoryError(), 1, "out of memory. Lower numerics.block"),
        (OSError(28, "No space left on device", "/results/x"), 1, "refused `/results/x`: No space left on device"),
        (RuntimeError("RESOURCE_EXHAUSTED: 9 GB"), 1, "out of memory"),
        (ZeroDivisionError("oops\nsecond line"), 1, "internal failure, ZeroDivisionError: oops. This is a bug"),
        (InputError("Argument `x` must be y."), 2, "error: Argument `x` must be y."),
        (KeyboardInterrupt(), 130, "Stopped"),
    ],
)
def test_trouble_in_the_middle_is_told_in_words(monkeypatch, study, tmp_path, trouble, code, message):
    install(monkeypatch)

    def fail(*args):
        raise trouble

    monkeypatch.setattr(response, "solve", fail)
    result = call("run", study, "--out", tmp_path / "out")
    assert result.exit_code == code and message in result.stderr and "Traceback" not in result.output


def test_bad_study_is_exit_code_2_and_writes_nothing(solver, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(THERMAL.replace('"4e-26 kg"', '"4e-26 K"'))
    result = call("run", path, "--out", tmp_path / "out")
    assert result.exit_code == 2 and not (tmp_path / "out").exists() and solver.calls == 0
    assert "phonons.mass must have a unit of mass" in result.stderr and "Traceback" not in result.output


def test_a_method_that_cannot_is_refused_before_anything_is_written(monkeypatch, study, tmp_path):
    install(monkeypatch)

    def refuse(self, problem):
        raise InputError("Method `adiabatic` must be given bands, but has none. Give some.")

    monkeypatch.setattr(response.Adiabatic, "prepare", refuse)
    result = call("run", study, "--out", tmp_path / "out")
    assert result.exit_code == 2 and 'response.method = "adiabatic" at order 2: Method' in result.stderr
    assert not (tmp_path / "out").exists()


def test_check_describes_and_writes_nothing(solver, study, tmp_path):
    result = call("check", study)
    assert result.exit_code == 0 and solver.calls == 0
    for part in ("points:      6", "adiabatic; order 2", "MiB", "wave vectors", "temperature = 100 K, 200 K, 300 K"):
        assert part in result.stdout
    for part in (
        "point group 4/mmm",
        "may be created: Lx (along [1 0 0])",
        "zero by symmetry: none of the observables",
    ):
        assert part in result.stdout
    study.write_text(THERMAL.replace('["Lx"]', '["Lx", "Lz"]').replace("splitting = 0.1", "splitting = 0.0"))
    assert "zero by symmetry: Lx, Lz" in call("check", study).stdout  # as many phonons of both chiralities
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


def test_new_writes_a_study_that_can_be_checked(solver, tmp_path):
    path = tmp_path / "mine.toml"
    assert call("new", path).exit_code == 0
    assert call("check", path).exit_code == 0
    assert path.read_text() == call("new").stdout
    path.write_text("edited")
    again = call("new", path)
    assert again.exit_code == 2 and "is there already" in again.stderr and path.read_text() == "edited"
    assert call("new", tmp_path / "no" / "such.toml").exit_code == 2


def test_unknown_paper(tmp_path):
    result = call("reproduce", "sato2052", "--out", tmp_path / "out")
    assert result.exit_code == 2 and 'Did you mean "sato2025"' in result.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize("args", [["run"], ["run", "a.toml"], ["rnu"], ["check", "nothing.toml"], ["run", "--ot", "x"]])
def test_wrong_calls_are_exit_code_2(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*args)
    assert result.exit_code == 2 and "Traceback" not in result.output and not list(tmp_path.iterdir())


def test_help_is_light():
    code = (
        "import sys; sys.argv = ['orbiphon', '--help']\n"
        "from orbiphon.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'pint', 'xarray', 'zarr', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for command in ("reproduce", "run", "plot", "check", "new", "show"):
        assert command in result.stdout
