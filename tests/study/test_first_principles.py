"""Study files with electrons from files, by the command line, against the hopping law of the synthetic twin."""

import csv
import re

import numpy as np
import pytest
import twins
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon.cli.app import app
from orbiphon.errors import InputError
from orbiphon.response.long_wave_many import has_many, prepare_many
from orbiphon.study import first_principles, load_study, read_study
from systems import random_crystal

STUDY = """
[electrons]
file = "unstrained"

[state]
temperature = "1500 K"
fermi_shift = ["-0.5 eV", "0 eV"]

[phonons]
speed = "3000 m/s"
mass = "1e-25 kg"
direction = "z"

[drive]
kind = "coherent_wave"
amplitude = "1 pm"
frequency = "1 GHz"
chirality = -1

[response]
observables = ["Lz"]
method = "adiabatic"
broadening = "0.6 eV"

[numerics]
rtol = 5e-3
"""


def call(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def folder(tmp_path):
    return twins.metal(tmp_path / "A", "spinless", -1.0)


def write(folder, text=STUDY):
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_run_gives_value_error_and_picture(folder, tmp_path):
    result = call("run", write(folder), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / "result.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["fermi_shift_eV"]) for row in rows] == [-0.5, 0.0]
    unit = oph.units
    sound = oph.AcousticBranch(speed=3000 * unit.m / unit.s, mass=1e-25 * unit.kg, direction="z")
    drive = oph.CoherentWave(sound, amplitude=0.01, frequency=1e-3 * unit.THz, chirality=-1)
    state = oph.ElectronState(fermi_level=[-1.5, -1.0], temperature=1500)
    problem = oph.Problem(twins.model("spinless"), drive, state, observables=["Lz"])
    exact = oph.solve(problem, oph.Adiabatic(broadening=0.6), oph.Numerics(rtol=2e-3)).value[:, 0, 0]
    for row, expected in zip(rows, exact, strict=True):
        assert abs(float(row["value"]) - expected) < float(row["error"]) + 2e-3 * abs(expected)
        assert float(row["error"]) < 0.02 * np.max(np.abs(exact)) and row["unit"] == "hbar"
    assert call("plot", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "Lz.png").stat().st_size > 5000


def test_check_tells_what_was_understood(folder):
    text = " ".join(call("check", write(folder)).stdout.split())
    for words in ("0:px, 0:py, 0:pz", "X_tb.dat: ", "even part/odd part", "change of dH with the step", "symmetry: 48"):
        assert words in text
    assert "Fermi level of the calculation: -1.0000 eV" in text and "strains known: xy, xz, yz" in text


def test_named_pairs_are_the_ones_that_are_read(folder):
    chosen = STUDY + '[coupling]\npairs = ["xz_0.01", "xz_-0.01"]\n'
    text = call("check", write(folder, chosen)).stdout
    assert "xz_0.01" in text and "xz_0.005" not in text and "one step size" in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"unstrained"', '"nowhere"', r"electrons.file must be .*nowhere` is not there"),
        ('file = "unstrained"', 'file = "unstrained"\nmodel = "square_p"', r"electrons.model must be a known key"),
        ('file = "unstrained"', "file = 3", r"electrons.file must be a path, but is 3"),
        ('method = "adiabatic"', 'method = "keldysh"', r'response.method must be "adiabatic" for electrons from files'),
        ("[numerics]", "[coupling]\npairs = []\n[numerics]", r"coupling.pairs must name .* but is an empty list"),
        ("[numerics]", '[coupling]\npairs = ["nowhere"]\n[numerics]', r"nowhere.*is not there"),
        ("[numerics]", '[coupling]\nkind = "two_centre"\n[numerics]', r"coupling.kind must be one of pairs"),
        ("fermi_shift", "fermi_levle", r"state.fermi_levle must be a known key"),
        ('direction = "z"', 'direction = "x"\n', None),
        ('"Lz"', '"Sz"', r"Sz"),
    ],
)
def test_wrong_studies_are_refused_in_words(folder, old, new, message):
    assert old in STUDY
    result = call("check", write(folder, STUDY.replace(old, new)))
    if message is None:
        assert result.exit_code == 0
    else:
        assert result.exit_code == 2 and "Traceback" not in result.output
        assert re.search(message, " ".join(result.stderr.split())), result.stderr


def test_a_shift_needs_a_fermi_level_and_files(folder):
    (folder / "unstrained" / "info.json").unlink()
    result = call("check", write(folder))
    assert result.exit_code == 2 and "info.json (fermi_eV)" in " ".join(result.stderr.split())
    with pytest.raises(InputError, match=r"state.fermi_shift must be left out for a model"):
        model = 'model = "square_p"\nt_sigma = "-1.9 eV"\nt_pi = "-2.0 eV"'
        read_study(STUDY.replace('file = "unstrained"', model))
    assert load_study(write(folder)).folder == folder


@pytest.mark.parametrize("steps", [(0.04, 0.02), (0.03,)])
def test_the_error_holds_that_of_the_step(tmp_path, steps):
    """Large strains: the error of the mesh alone is far smaller than what they make, and the sum of both is not."""
    twins.metal(tmp_path, "spinless", -1.0, steps=steps)
    study = read_study(STUDY, folder=tmp_path)
    pairs, numerics, method = first_principles.read(study), oph.Numerics(rtol=1e-3), oph.Adiabatic(broadening=1.0)
    drive = oph.CoherentWave(oph.AcousticBranch(speed=0.02, mass=1e3, direction="z"), amplitude=0.01, q=0.01)
    state = oph.ElectronState(fermi_level=-1.0, temperature=2000)

    def moment(electrons, coupling):
        problem = oph.Problem(electrons, drive, state, coupling, observables=["Lz"])
        return oph.solve(problem, method, numerics), problem

    answer, problem = moment(pairs.home.electrons, pairs.coupling)
    off = abs(answer.value - moment(twins.model("spinless"), "two_centre")[0].value)
    error = first_principles.with_step_error(answer, problem, method, numerics, pairs).error
    assert np.all(error > answer.error) and np.all(off < error)
    assert np.all(error < 0.1 * np.abs(answer.value))


@pytest.mark.parametrize("spin", [False, True])
def test_the_way_of_many_bands_is_that_of_triples(spin):
    """Elliptical waves, several levels and temperatures, in crystals without symmetry."""
    electrons = random_crystal(4, dim=3, spin=spin)
    sound = oph.AcousticBranch(speed=0.02, mass=1000.0, direction="y")
    drive = oph.CoherentWave(sound, amplitude=0.02, q=0.01, chirality=-1, ellipticity=0.4)
    state = oph.ElectronState(fermi_level=[-0.5, 0.3], temperature=[4000.0, 8000.0])
    problem = oph.Problem(electrons, drive, state, observables=["Ly", "Lx"])
    numerics, method = oph.Numerics(rtol=1e-3), oph.Adiabatic(broadening=3.0)
    triples, many = oph.solve(problem, method, numerics), prepare_many(problem, 3.0, "")
    assert np.max(np.abs(triples.value)) > 0.0 and not has_many(twins.model("spinless"))
    for i, j in np.ndindex(2, 2):
        mean = many.moments(float(state.fermi_level[i]), j, numerics)
        off = np.abs(mean.value - triples.value[i, j])
        assert np.all(off < 3e-3 * np.max(np.abs(triples.value)))


def test_a_folder_of_other_hamiltonian_files_is_not_taken_up(folder):
    path = write(folder, STUDY.replace('["-0.5 eV", "0 eV"]', '"0 eV"').replace("5e-3", "0.3"))
    out = folder.parent / "out"
    assert call("run", path, "--out", out).exit_code in (0, 1)
    assert call("run", path, "--out", out).exit_code in (0, 1)
    with (folder / "unstrained" / "X.win").open("a") as file:
        file.write(" ")
    result = call("run", path, "--out", out)
    assert result.exit_code == 2 and "of other input files" in " ".join(result.stderr.split())
    assert call("run", path, "--out", out, "--overwrite").exit_code in (0, 1)
