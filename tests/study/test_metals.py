"""`orbiphon reproduce metals` from end to end, on metals whose answer is known."""

import csv
import gzip
import re

import numpy as np
import pytest
import twins
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon.cli.app import app
from orbiphon.study import metals

FERMI_LEVEL, BROADENING, SHIFTS = -1.0, 0.6, (-1.0, 0.0, 0.5)
COLUMNS = "metal method observable wave chirality broadening_eV temperature_K fermi_shift_eV value error unit".split()


@pytest.fixture(autouse=True)
def few_states(monkeypatch):
    for name, value in (("BROADENINGS", (BROADENING,)), ("SCANNED", (BROADENING,)), ("SHIFTS", SHIFTS)):
        monkeypatch.setattr(metals, name, value)
    monkeypatch.setattr(metals, "TEMPERATURES", (300.0,))


def reproduce(data, out, *options):
    return CliRunner().invoke(app, ["reproduce", "metals", "--data", str(data), "--out", str(out), *options])


def rows(out):
    with (out / "metals.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def exact(kind, observables):
    """The same from the hopping law itself, by the method's other route: (shift observable)."""
    electrons = twins.model(kind)
    drive = oph.CoherentWave(oph.AcousticBranch(speed=1.0, mass=1.0, direction="z"), amplitude=1.0, q=1.0)
    state = oph.ElectronState(fermi_level=[FERMI_LEVEL + shift for shift in SHIFTS], temperature=300.0)
    problem = oph.Problem(electrons, drive, state, observables=observables)
    return oph.solve(problem, oph.Adiabatic(broadening=BROADENING), oph.Numerics(rtol=1e-2)).value[:, 0]


def test_two_metals_by_one_command(tmp_path):
    """One with spin, one without and gzipped under another name; values against those of the hopping law."""
    twins.metal(tmp_path / "data" / "A", "cubic", FERMI_LEVEL)
    twins.metal(tmp_path / "data" / "B", "spinless", FERMI_LEVEL, steps=(0.004,))
    for path in list((tmp_path / "data" / "B").rglob("X*")):
        with gzip.open(path.with_name(path.name.replace("X", "other") + ".gz"), "wb") as packed:
            packed.write(path.read_bytes())
        path.unlink()
    (tmp_path / "data" / "notes").mkdir()
    out = tmp_path / "out"
    result = reproduce(tmp_path / "data", out, "--quiet")
    assert result.exit_code == 0 and result.output == ""
    found = rows(out)
    assert list(found[0]) == COLUMNS and len(found) == 2 * 3 * (2 + 1)
    assert {row["metal"] for row in found} == {"A", "B"} and {row["wave"] for row in found} == {"transverse_z"}
    assert {(row["method"], row["unit"]) for row in found} == {("adiabatic", "1/eV")}
    assert (out / "metals.png").stat().st_size > 10_000 and (out / "metals_broadening.png").stat().st_size > 10_000
    for metal, kind, observables in (("A", "cubic", ("Lz", "Sz")), ("B", "spinless", ("Lz",))):
        known = exact(kind, observables)
        for shift, ours in zip(SHIFTS, known, strict=True):
            for observable, expected in zip(observables, ours, strict=True):
                own = {
                    row["chirality"]: row
                    for row in found
                    if (row["metal"], row["observable"], float(row["fermi_shift_eV"])) == (metal, observable, shift)
                }
                value, error = float(own["1"]["value"]), float(own["1"]["error"])
                assert float(own["-1"]["value"]) == -value and float(own["-1"]["error"]) == error
                assert abs(value - expected) < error + 5e-3 * abs(expected) and error < 0.03 * np.max(np.abs(known))
    with (out / "metals_wave.csv").open(newline="", encoding="utf-8") as file:
        waves = {row["metal"]: {k: float(v) for k, v in row.items() if k != "metal"} for row in csv.DictReader(file)}
    at_fermi = {
        (row["metal"], row["observable"]): float(row["value"])
        for row in found
        if float(row["fermi_shift_eV"]) == 0.0 and row["chirality"] == "1"
    }
    strength = 1e-8 * 4.135667696e-6  # (q U)^2 and the quantum of 1 GHz in eV
    cells = 1e24 / 4.0**3
    both = at_fermi["A", "Lz"] + 2 * at_fermi["A", "Sz"]
    assert waves["A"]["moment_muB_per_cm3"] == pytest.approx(-both * strength * cells)
    assert waves["B"]["moment_muB_per_cm3"] == pytest.approx(-2 * at_fermi["B", "Lz"] * strength * cells)
    assert waves["B"]["L_per_cell_hbar"] == pytest.approx(2 * at_fermi["B", "Lz"] * strength)
    assert not (out / "metals_sites.csv").exists()
    assert reproduce(tmp_path / "data" / "A", out).exit_code == 2  # another study's folder


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "unstrained" / "X_tb.dat").unlink(), r"have one beside it, but is or has none"),
        (lambda f: (f / "unstrained" / "X.win").unlink(), r"must hold one `.win` file"),
        (lambda f: (f / "unstrained" / "info.json").unlink(), r"must have an info.json with fermi_eV"),
        (lambda f: (f / "unstrained" / "info.json").write_text("{"), r"info.json.*must"),
        (lambda f: (f / "unstrained" / "info.json").write_text('{"fermi_eV": "high"}'), r"fermi_eV"),
        (lambda f: truncate(f / "xz_0.01" / "X_tb.dat"), r"X_tb.dat.*truncated|line \d+ must be"),
        (lambda f: (f / "xz_0.005" / "X.win").write_bytes(b"\xff\xfe\x00"), r"text in UTF-8"),
        (lambda f: (f / "xz_0.01" / "info.json").write_text('{"fermi_eV": 9.0}'), r"about the Fermi level"),
        (lambda f: [path.unlink() for path in f.glob("xz*/X.win")], r"folders of deformed cells, but has none"),
        (lambda f: (f / "unstrained").rename(f / "home"), r"must have subfolders with `unstrained/`"),
    ],
)
def test_damaged_folders_are_refused_in_words(tmp_path, damage, message):
    folder = twins.metal(tmp_path / "A", "spinless", FERMI_LEVEL)
    damage(folder)
    result = reproduce(folder, tmp_path / "out")
    words = " ".join(result.stderr.split())
    assert result.exit_code == 2 and "Traceback" not in result.output and "internal" not in words
    assert re.search(message, words), words
    assert not (tmp_path / "out").exists()


def truncate(path):
    path.write_bytes(path.read_bytes()[:5000])


def test_no_data_is_refused(tmp_path):
    result = reproduce(tmp_path / "nowhere", tmp_path / "out")
    assert result.exit_code == 2 and "must be there, but is not" in " ".join(result.stderr.split())


def test_a_missed_tolerance_is_exit_code_1_with_honest_errors(tmp_path, monkeypatch):
    monkeypatch.setattr(metals, "ELEMENTS", 10_000)
    monkeypatch.setattr(metals, "BROADENINGS", (0.05,))
    monkeypatch.setattr(metals, "SCANNED", ())
    folder = twins.metal(tmp_path / "A", "spinless", FERMI_LEVEL)
    result = reproduce(folder, tmp_path / "out")
    assert result.exit_code == 1 and "missed their tolerance" in result.stderr
    (row,) = [row for row in rows(tmp_path / "out") if row["chirality"] == "1"]
    assert not np.isfinite(float(row["error"])) or float(row["error"]) > 0.01 * abs(float(row["value"]))
    assert (tmp_path / "out" / "metals_broadening.png").is_file()


def test_what_is_finished_is_not_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(metals, "BROADENINGS", (1.5, 2.0))
    monkeypatch.setattr(metals, "SCANNED", ())
    asked, stop = [], []
    compute = metals.metal_rows

    def counted(name, pairs, broadening):
        asked.append(broadening)
        if len(asked) == 2 and stop:
            raise KeyboardInterrupt
        return compute(name, pairs, broadening)

    monkeypatch.setattr(metals, "metal_rows", counted)
    folder, out = twins.metal(tmp_path / "A", "spinless", FERMI_LEVEL), tmp_path / "out"
    stop.append(True)
    reproduce(folder, out)
    assert asked == [1.5, 2.0] and not (out / "metals.csv").exists()
    stop.clear()
    assert reproduce(folder, out).exit_code == 0 and asked == [1.5, 2.0, 2.0]
    first = rows(out)
    assert reproduce(folder, out).exit_code == 0 and len(asked) == 3 and rows(out) == first
    # other files, though only by a blank, are another metal's
    with (folder / "xz_0.01" / "X.win").open("a") as file:
        file.write(" ")
    result = reproduce(folder, out)
    assert result.exit_code == 2 and "this reproduction's" in " ".join(result.stderr.split()) and len(asked) == 3
    assert reproduce(folder, out, "--overwrite").exit_code == 0 and asked[3:] == [1.5, 2.0]


def test_sites_share_out_the_moment_of_a_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(metals, "BROADENINGS", (1.5,))
    monkeypatch.setattr(metals, "SCANNED", ())
    monkeypatch.setattr(metals, "ELEMENTS", 20_000)
    folder = twins.metal(tmp_path / "Ti", "hcp", FERMI_LEVEL)
    assert reproduce(folder, tmp_path / "out").exit_code in (0, 1)
    with (tmp_path / "out" / "metals_sites.csv").open(newline="", encoding="utf-8") as file:
        sites = {row["observable"]: float(row["value"]) for row in csv.DictReader(file) if row["chirality"] == "1"}
    (row,) = [row for row in rows(tmp_path / "out") if row["chirality"] == "1"]
    assert set(sites) == {"Lz@0", "Lz@1"} and row["observable"] == "Lz"
    assert sum(sites.values()) == pytest.approx(float(row["value"]), rel=1e-9)
    assert sites["Lz@0"] == pytest.approx(sites["Lz@1"], rel=1e-3)  # an operation of the crystal exchanges them
