"""A real Ctrl-C in a real process: finished points stay, the exit code is 130, the same command computes the rest."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

from studies import THERMAL

PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it starts with &
from pytest import MonkeyPatch
from studies import FakeSolver, install
from orbiphon.cli.app import main

call = FakeSolver.__call__

def slow(self, *args):
    time.sleep(SECONDS)
    return call(self, *args)

SECONDS = float(sys.argv.pop())
FakeSolver.__call__ = slow
install(MonkeyPatch())
main()
"""


def start(study: Path, out: Path, seconds: float) -> subprocess.Popen:
    command = [sys.executable, "-c", PROGRAM, "run", str(study), "--out", str(out), str(seconds)]
    folder = Path(__file__).resolve().parent.parent / "study"
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def points(out: Path) -> int:
    with (out / "result.csv").open() as file:
        return len(list(csv.DictReader(file)))


def test_ctrl_c_keeps_what_is_finished(tmp_path):
    study, out = tmp_path / "study.toml", tmp_path / "out"
    study.write_text(THERMAL.replace('"0 eV"', '{ start = "0 eV", stop = "1 eV", num = 20 }'))
    process = start(study, out, seconds=0.6)
    deadline = time.monotonic() + 240
    while not list(out.glob(".partial/*.npz")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=240)
    assert process.returncode == 130, stderr
    assert stdout == "" and "Traceback" not in stderr
    assert "points are kept in" in stderr and "the same command computes the rest" in stderr
    kept = points(out)
    assert 0 < kept < 120
    assert f"{kept} of 120 points are kept" in stderr
    process = start(study, out, seconds=0.0)
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == 0 and f"{120 - kept} points computed, {kept} were there" in stderr
    assert points(out) == 120
