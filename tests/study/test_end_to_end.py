"""Study files through the real solver, against numbers of `theory.md` (sections 4 and 5.2) and against Python."""

import csv

import numpy as np
import pytest
from studies import THERMAL, WAVE
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon.cli.app import app
from orbiphon.study import build, plan, read_study

PAPER = (
    THERMAL.replace('{ start = "100 K", stop = "300 K", num = 3 }', '"400 K"')
    .replace('["-2.5 eV", "-1.5 eV"]', '"-1.5 eV"')
    .replace('"two_centre"', '"quadrupole"')
)


def rows(text: str, folder) -> list[dict[str, str]]:
    (folder / "study.toml").write_text(text)
    result = CliRunner().invoke(app, ["run", str(folder / "study.toml"), "--out", str(folder / "out"), "--quiet"])
    assert result.exit_code == 0, result.output
    with (folder / "out" / "result.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_published_number(tmp_path):
    (row,) = rows(PAPER.replace('"adiabatic"', '"published"'), tmp_path)
    assert float(row["value"]) / 400 == pytest.approx(-7.76e-10, abs=0.005e-10)
    assert float(row["error"]) < 1e-3 * abs(float(row["value"]))


def test_the_conserving_number(tmp_path):
    (row,) = rows(PAPER.replace("400 K", "300 K").replace("sphere", "line"), tmp_path)
    # per site: 4 (t_sigma - t_pi)^2 / M * <A> * (1/N) sum_q q^2 (n+ - n-), <A> = -4.858 eV^-3
    q = (np.arange(4000) + 0.5) * np.pi / 4000 / 5e-10  # 1/m, the line 0 < q < pi/d
    quantum = 1.054571817e-34 * 5000 * q / (1.380649e-23 * 300)
    injected = 0.1 / np.expm1(1.1 * quantum) - 0.1 / np.expm1(0.9 * quantum)
    total = np.mean(q**2 * injected) / 2  # (1/N) sum over the half line
    mass = 4e-26 / 1.054571817e-34**2 * 1.602176634e-19  # 1/(m^2 eV): hbar^2/M is an energy times an area
    expected = 4 * 0.1**2 / mass * -4.858 * total
    assert float(row["value"]) == pytest.approx(expected, rel=2e-3)


def test_a_study_and_a_script_give_the_same_number(tmp_path):
    text = PAPER.replace('"400 K"', '["300 K", "400 K"]').replace('"quadrupole"', '"two_centre"')
    found = [float(row["value"]) for row in rows(text, tmp_path)]
    metal = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0)
    sound = oph.AcousticBranch(speed=5000 * oph.units.m / oph.units.s, mass=4e-26 * oph.units.kg, direction="x")
    drive = oph.ThermalInjection(sound, transmission=0.1, splitting=0.1, q_domain="sphere")
    state = oph.ElectronState(fermi_level=-1.5, temperature=[300.0, 400.0])
    answer = oph.solve(oph.Problem(metal, drive, state), oph.Adiabatic(broadening=0.01), oph.Numerics(rtol=1e-4))
    assert found == pytest.approx(answer.value[0, :, 0].tolist(), rel=1e-12)


def test_units_of_a_wave_reach_the_core():
    text = WAVE.replace('amplitude = "1 pm"', 'power_per_width = "20 W/m"\ndensity = "5 g/cm^3"')
    _, values = next(plan(read_study(text)).groups())
    study = read_study(text)
    wave = build.drive(study, values)
    assert float(wave.frequency) == pytest.approx(6.62607015e-34 * 1e9 / 1.602176634e-19, rel=1e-9)  # h f
    metre, second = 1e10, oph.units.s
    assert float(wave.q) == pytest.approx(2 * 3.141592653589793 * 1e9 / second / (5000 * metre / second), rel=1e-9)
    # density ω² U² · speed · wavelength = power per width, in SI
    omega, amplitude = 2 * 3.141592653589793e9, float(wave.amplitude) / metre
    assert 5000 * omega**2 * amplitude**2 * 5000 * (5000 / 1e9) == pytest.approx(20, rel=1e-9)


def test_first_order_of_a_wave(tmp_path):
    text = WAVE.replace('{ start = "100 K", stop = "300 K", num = 3 }', '"300 K"').replace(
        "order = 2", "order = [1, 2]"
    )
    text = text.replace('["-2.5 eV", "-1.5 eV"]', '"-1.5 eV"').replace('["Lx"]', '["Lx", "Ly"]')
    found = {(row["order"], row["observable"]): row for row in rows(text, tmp_path)}
    assert float(found["1", "Lx"]["value_re"]) == float(found["1", "Lx"]["value_im"]) == 0.0
    assert abs(complex(float(found["1", "Ly"]["value_re"]), float(found["1", "Ly"]["value_im"]))) > 0
    assert float(found["2", "Lx"]["value_re"]) != 0.0 and float(found["2", "Lx"]["value_im"]) == 0.0
