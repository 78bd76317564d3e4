"""Statements of neighbouring papers, by the command line."""

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

from orbiphon.cli.app import app
from orbiphon.study import outlook, tateishi2026
from orbiphon.study.statements import Statement

COLUMNS = ["statement", "source", "computed", "error", "unit", "holds"]


def reproduced(paper, folder):
    done = CliRunner().invoke(app, ["reproduce", paper, "--out", str(folder)])
    assert done.exit_code == 0, done.output
    with (folder / "statements.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_helix(tmp_path):
    rows = reproduced("tateishi2026", tmp_path / "out")
    assert list(rows[0]) == COLUMNS
    heat, hand, *places = rows
    assert heat["holds"] == hand["holds"] == "yes"
    # a mirror image: L_z is an axial vector along the axis of the mirror's plane
    assert abs(float(hand["computed"]) + 1) <= float(hand["error"]) < 1e-3
    assert [row["holds"] for row in places if "zone boundary over" in row["statement"] and "0.98" in row["statement"]]
    assert len(places) == 6
    again = CliRunner().invoke(app, ["reproduce", "outlook", "--out", str(tmp_path / "out")])
    assert again.exit_code == 2 and "tateishi2026" in again.stderr and "Traceback" not in again.output


def test_the_contribution_of_each_wave_adds_up(monkeypatch):
    """-tau sum_q F(q)/N over the drive's own mesh is what the drive accumulates per gradient."""
    mesh = (np.arange(tateishi2026.MESH) - tateishi2026.MESH // 2) * 2 * np.pi / tateishi2026.PITCH / tateishi2026.MESH
    inner = np.array([q for q in mesh if 0 < abs(q) < np.pi / tateishi2026.PITCH - 1e-9])
    monkeypatch.setattr(tateishi2026, "wave_vectors", lambda: inner[:, None] * np.array([[0.0, 0.0, 1.0]]))
    found = tateishi2026.compute("right")
    from orbiphon import units

    contribution = found.contribution.sum(axis=1)[inner > 0]
    centre, edge = ((4 * a - b) / 3 for a, b in (contribution[:2], contribution[:-3:-1]))  # even parabolas
    total = -units.ps * (2 * np.sum(contribution) + centre + edge) / tateishi2026.MESH
    assert total == pytest.approx(found.accumulation / tateishi2026.GRADIENT, rel=5e-3)


def test_the_outlook_table(monkeypatch):
    """Its rows follow from the moments; the moments are made up."""

    def made_up(electrons, direction, observables, level, chirality=1, rtol=1e-3):
        strength = (
            0.0
            if electrons.size != 6
            else float(np.abs(electrons.hopping - np.swapaxes(electrons.hopping, 1, 2)).max())
        )
        n = np.array(direction) / np.linalg.norm(direction)
        orbital = chirality * (1 + np.prod(np.abs(np.sign(direction)))) * n
        if "Sx" in observables:
            return np.array([2.0, 1e3 * strength**2]), np.array([1e-4, 1e-7])
        return orbital[: len(observables)], np.full(len(observables), 1e-4)

    monkeypatch.setattr(outlook, "moment", made_up)
    monkeypatch.setattr(outlook.nodes, "statements", lambda moment: [])
    rows = list(outlook._statements())
    assert all(isinstance(row, Statement) and type(row.computed) is type(row.error) is float for row in rows)
    by = {row.statement.split(":")[0]: row for row in rows}
    assert by["the moment changes sign with the chirality"].computed == -1.0
    assert by["the spin moment needs spin-orbit coupling"].computed == 0.0
    assert rows[-2].computed == pytest.approx(2.0, abs=1e-6) and all(
        row.holds for row in rows if "[110]" not in row.statement
    )


@pytest.mark.parametrize("strength", [0.02])
def test_spin_moment_of_the_p_shell_is_of_second_order(strength):
    """The outlook's power, at a temperature and broadening that need few wave vectors."""
    from orbiphon.models import cubic_p

    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(outlook, "BROADENING", 0.5)
        patch.setattr(outlook, "TEMPERATURE", 3000.0)
        spins = [
            outlook.moment(cubic_p(1.0, -0.3, spin_orbit=lam), (1, 0, 0), ("Lx", "Sx"), 0.5)[0]
            for lam in (strength, 2 * strength)
        ]
    power = np.log2(spins[1][1] / spins[0][1])
    assert power == pytest.approx(2.0, abs=0.05) and abs(spins[0][1]) < 0.1 * abs(spins[0][0])
