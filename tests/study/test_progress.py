"""What is shown of a run: nothing of what is over in a moment; of a long sum, how far it is."""

import re
import time

import pytest
from studies import THERMAL, install

from orbiphon import response
from orbiphon.study import progress, read_study, run
from orbiphon.zone.progress import tell


@pytest.fixture
def clock(monkeypatch):
    """A clock of our own for the patience with a single sum."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_only_what_takes_long_is_shown(clock):
    begun, shown = [], []
    listen = progress._patient(lambda *what: begun.append(what), lambda *state: shown.append(state))
    listen("mesh of 4 x 4", 8, 16)
    clock[0] = 1.0
    listen("mesh of 4 x 4", 16, 16)
    listen("mesh of 6 x 6", 1, 36)
    clock[0] = 10.0
    listen("mesh of 6 x 6", 30, 36)
    listen("mesh of 6 x 6", 36, 36)
    listen("mesh of 6 x 6", 1, 36)  # the next point on the same mesh
    assert begun == [("mesh of 4 x 4", 16), ("mesh of 6 x 6", 36), ("mesh of 6 x 6", 36)]
    assert shown == [(8, False), (16, False), (1, False), (30, True), (36, False), (1, False)]


def test_a_long_point_shows_how_far_its_sum_is(monkeypatch, tmp_path, capsys):
    solver = install(monkeypatch)

    def slow(*args):
        for done in range(8):
            tell("mesh of 512 x 512", done, 8)
            time.sleep(0.08)
        return solver(*args)

    monkeypatch.setattr(response, "solve", slow)
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    run(read_study(THERMAL), tmp_path)
    shown = capsys.readouterr().err
    assert "points" in shown and re.search(r"mesh of 512 x 512 .*[1-7]/8.* left", shown)


def test_a_quiet_run_shows_nothing(monkeypatch, tmp_path, capsys):
    install(monkeypatch)
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    run(read_study(THERMAL), tmp_path, quiet=True)
    assert capsys.readouterr().err == ""
