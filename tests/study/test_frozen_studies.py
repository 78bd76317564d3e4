"""Study files with displaced atoms, by the command line, against the hopping law of the synthetic twin."""

import csv
import re

import numpy as np
import pytest
import twins
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon import units
from orbiphon.cli.app import app

STUDY = """
[electrons]
file = "home"

[state]
temperature = "4000 K"
fermi_level = "0.3 eV"

[coupling]
pairs = [
    { path = "0y0.02", atom = 0, direction = "y", step = "0.02 angstrom" },
    { path = "0y-0.02", atom = 0, direction = "y", step = "-2 pm" },
    "0y0.01",
    "0y-0.01",
]
sum_rule = true

[phonons]
kind = "springs"
masses = ["11 amu", "14 amu"]
springs = [{ length = "2 angstrom", central = "20 eV/angstrom^2", transverse = "5 eV/angstrom^2" }]

[drive]
kind = "one_mode"
q_reduced = [0, 0, 0]
mode = 4
axis = "z"

[response]
observables = ["Lz"]
method = "keldysh"
broadening = "1 eV"

[numerics]
rtol = 1e-2
"""


def call(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frozen")
    twins.frozen(folder, atoms=(0,), axes="y")
    return folder


def write(folder, text=STUDY):
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_check_tells_what_was_understood(folder):
    result = call("check", write(folder))
    text = " ".join(result.stdout.split())
    for words in (
        "0:A along y, |u| = 0.0100 angstrom, even part/odd part = ",
        "centres follow their atoms",
        "displacements known: 0:A along xy",
        "change of dH with the step: ",
        "acoustic sum rule: not tested, as not all atoms are displaced, imposed",
        "may be created: Lz",
    ):
        assert words in text, text


def test_a_run_gives_value_and_error(folder, tmp_path):
    result = call("run", write(folder), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / "result.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    layer = twins.layer()
    phonons = oph.spring_model(layer.crystal, np.array([11, 14]) * units.amu, [oph.Spring(2.0, 20.0, 5.0)])
    drive = oph.OneMode(phonons, q=np.zeros(3), mode=4, axis="z")
    problem = oph.Problem(layer, drive, oph.ElectronState(fermi_level=0.3, temperature=4000), observables=["Lz"])
    exact = oph.solve(problem, oph.Keldysh(1.0), oph.Numerics(rtol=1e-4)).value.item()
    assert abs(float(row["value"]) - exact) < float(row["error"]) < 0.02 * abs(exact)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('step = "-2 pm"', 'step = "2 pm"', r"displaced by 0.02 angstrom, as it is called, but by its positions 0:A"),
        ("atom = 0", "atom = 1", r"1:B along y displaced by 0.02 angstrom"),
        (', step = "-2 pm"', "", r"coupling.pairs.1 must have atom, direction and step together, but has atom and"),
        ('step = "-2 pm"', 'step = ["1 pm", "2 pm"]', r"coupling.pairs.1.step must be one length"),
        ('step = "-2 pm"', 'stpe = "-2 pm"', r"Did you mean `step`"),
        ("q_reduced = [0, 0, 0]", "q_reduced = [0.1, 0, 0]", r"must hold waves of q = 0 for a coupling from displaced"),
        ('"0y-0.01",', "", r"0y0.01` must have a partner with the opposite displacement"),
        ("sum_rule = true", "", r"must know the displacements 1:B along xy, but knows 0:A along xy"),
    ],
)
def test_wrong_studies_are_refused_in_words(folder, old, new, message):
    assert old in STUDY
    result = call("check", write(folder, STUDY.replace(old, new)))
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert re.search(message, " ".join(result.stderr.split())), result.stderr
