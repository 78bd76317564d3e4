"""`orbiphon reproduce sato2025`: its tables with a stand-in for the solver, and a few real points against plain NumPy.

The real points have three sources: sums over a uniform mesh of formula (21), written out here; Bose sums on a fine
ladder of q; and numbers of `theory.md` (sections 4 and 5.2) where NumPy would take too long.
"""

import csv
import json
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import xarray
from studies import THERMAL, FakeSolver, install
from typer.testing import CliRunner

from orbiphon.cli.app import app
from orbiphon.errors import InputError
from orbiphon.study import read_study, reproduce, run as run_study, sato2025

HBAR, K_B, E = 1.054571817e-34, 1.380649e-23, 1.602176634e-19
SPACING, SPEED, MASS = 5e-10, 5000.0, 4e-26
T_SIGMA, BROADENING = -1.9, 0.01

FILES = {"fig3a", "fig3b", "fig4", "summary"}
SWEPT = {
    "fig3a": ["temperature_K", "fermi_level_eV"],
    "fig3b": ["temperature_K", "t_pi_eV", "fermi_level_eV"],
    "fig4": ["pz_shift_eV"],
}
KINDS = {
    ("published", "quadrupole", "sphere"),
    ("adiabatic", "quadrupole", "sphere"),
    ("adiabatic", "quadrupole", "line"),
    ("adiabatic", "two_centre", "sphere"),
    ("adiabatic", "two_centre", "line"),
}
SMALL = {
    "KELDYSH_TEMPERATURES": (),
    "TEMPERATURES": (300, 400),
    "FERMI_LEVELS": (-2.5, -1.5),
    "SHIFTS": (0.0, 0.16, 0.2, 0.22),
}


def table(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def kind(row):
    return row["method"], row["coupling"], row["q_domain"]


def moment(row):
    return float(row["Lx_per_site"])


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Plain NumPy, SI units.


def injected(temperature, chirality, nodes=4000):
    """q in 1/m on a ladder up to pi/d, and the injected quanta."""
    q = (np.arange(nodes) + 0.5) * np.pi / nodes / SPACING
    return q, 0.1 / np.expm1((1 + 0.1 * chirality) * HBAR * SPEED * q / (K_B * temperature))


def domain_sum(q, values, q_domain, cosine_power):
    """(1/N) sum over q_x > 0 of values(|q|) (q_x/|q|)^power: on the line, or in the sphere."""
    step = q[1] - q[0]
    if q_domain == "line":
        return np.sum(values) * step * SPACING / (2 * np.pi)
    return np.sum(values * q**2) * step * (SPACING / (2 * np.pi)) ** 3 * 2 * np.pi / (cosine_power + 1)


def excess_q2(q_domain, temperature):
    """(1/N) sum (n+ - n-) q_x^2 in 1/m^2."""
    q, plus = injected(temperature, 1)
    return domain_sum(q, q**2 * (plus - injected(temperature, -1)[1]), q_domain, 2)


def flux(q_domain, temperature):
    """(1/N d^3) sum hbar Omega n dOmega/dq_x in W/m^2."""
    total = 0.0
    for chirality in (1, -1):
        q, quanta = injected(temperature, chirality)
        speed = SPEED * (1 + 0.1 * chirality)
        total += domain_sum(q, HBAR * speed**2 * q * quanta, q_domain, 1)
    return total / SPACING**3


def levels(t_pi, shift, size):
    c = np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
    x, y = c[:, None], c[None, :]
    return 2 * T_SIGMA * x + 2 * t_pi * y, 2 * t_pi * x + 2 * T_SIGMA * y, 2 * t_pi * (x + y) + shift


def fermi(energy, temperature):
    return 0.5 * (1 - np.tanh(energy * E / (2 * K_B * temperature)))


def published_mean(temperature, level, t_pi, shift, size=700):
    """<A> of (21) in 1/eV^3 with 1/E -> Re 1/(E + i Gamma), 1/E^2 -> Re 1/(E + i Gamma)^2."""
    x, y, z = levels(t_pi, shift, size)
    f_x, f_y, f_z = (fermi(e - level, temperature) for e in (x, y, z))

    def power(a, b, p):
        return np.real((a - b + 1j * BROADENING) ** -p)

    first = f_x * (power(x, y, 1) * power(x, z, 2) + power(x, z, 1) * power(x, y, 2))
    return np.mean(first - f_y * power(y, z, 1) * power(y, x, 2) - f_z * power(z, y, 1) * power(z, x, 2))


def filling(temperature, level, t_pi, size=700):
    return sum(np.mean(fermi(e - level, temperature)) for e in levels(t_pi, 0.0, size))


def from_mean(mean, t_pi, q_domain, temperature):
    """<L_x> per site, (24): 4 (t_sigma - t_pi)^2 hbar^2/M <A> (1/N) sum (n+ - n-) q_x^2."""
    return 4 * (T_SIGMA - t_pi) ** 2 * HBAR**2 / (MASS * E) * mean * excess_q2(q_domain, temperature)


# Real points, computed once.


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The whole target on a few points, with the real solver: the folder, and whether all tolerances were met."""
    out = tmp_path_factory.mktemp("sato2025")
    with pytest.MonkeyPatch.context() as patch:
        for name, points in SMALL.items():
            patch.setattr(sato2025, name, points)
        sato2025.fermi_levels.cache_clear()
        met = reproduce.run("sato2025", out, quiet=True)
    sato2025.fermi_levels.cache_clear()
    return SimpleNamespace(folder=out, met=met, **{name: table(out, name) for name in FILES})


def swept(figure, row):
    """Temperature, Fermi level, t_pi, shift of a row."""
    level = float(row.get("fermi_level_eV", -1.5))
    return (
        float(row.get("temperature_K", 200.0)),
        level,
        float(row.get("t_pi_eV", -2.0)),
        float(row.get("pz_shift_eV", 0.0)),
    )


@pytest.mark.parametrize(("figure", "count"), [("fig3a", 4), ("fig3b", 6), ("fig4", 4)])
def test_every_published_point_is_the_sum_of_formula_21(real, figure, count):
    rows = [row for row in getattr(real, figure) if row["method"] == "published"]
    assert len(rows) == count
    for row in rows:
        temperature, level, t_pi, shift = swept(figure, row)
        mean = published_mean(temperature, level, t_pi, shift)
        expected = from_mean(mean, t_pi, "sphere", temperature)
        assert moment(row) == pytest.approx(expected, rel=5e-4, abs=1e-20), row


def test_the_published_numbers_of_the_theory_notes(real):
    found = {
        float(row["temperature_K"]): moment(row) / float(row["temperature_K"])
        for row in real.fig3a
        if row["method"] == "published" and row["fermi_level_eV"] == "-1.5"
    }
    assert found == {300.0: pytest.approx(-7.63e-10, abs=5e-13), 400.0: pytest.approx(-7.757e-10, abs=5e-13)}


def test_the_conserving_numbers_of_the_theory_notes(real):
    found = {
        row["coupling"]: moment(row) / 300
        for row in real.fig3a
        if (row["method"], row["q_domain"]) == ("adiabatic", "line")
        and (row["temperature_K"], row["fermi_level_eV"]) == ("300.0", "-1.5")
    }
    assert found == {"quadrupole": pytest.approx(2.730e-10, rel=1e-3), "two_centre": pytest.approx(6.32e-11, rel=2e-3)}


def test_line_and_sphere_differ_by_their_sums_over_q(real):
    for figure in SWEPT:
        pairs = defaultdict(dict)
        for row in getattr(real, figure):
            if row["method"] == "adiabatic":
                point = (row["coupling"], *(row[name] for name in SWEPT[figure]))
                pairs[point][row["q_domain"]] = (moment(row), swept(figure, row)[0])
        assert len(pairs) == 2 * {"fig3a": 4, "fig3b": 6, "fig4": 4}[figure]
        for pair in pairs.values():
            (line, temperature), (sphere, _) = pair["line"], pair["sphere"]
            ratio = excess_q2("line", temperature) / excess_q2("sphere", temperature)
            assert line == pytest.approx(ratio * sphere, rel=1e-6)


def test_the_moment_grows_with_the_fermi_level(real):
    size = defaultdict(dict)
    for row in real.fig3a:
        size[*kind(row), row["temperature_K"]][float(row["fermi_level_eV"])] = abs(moment(row))
    assert len(size) == 10
    for by_level in size.values():
        assert 0 < by_level[-2.5] < by_level[-1.5]


def test_isotropic_hopping_has_no_moment_and_a_stronger_pi_bond_has_less(real):
    size = defaultdict(dict)
    for row in real.fig3b:
        size[*kind(row), row["temperature_K"]][float(row["t_pi_eV"])] = abs(moment(row))
    assert len(size) == 10
    for by_bond in size.values():
        assert by_bond[-1.9] <= 1e-9 * by_bond[-2.0]
        assert 0 < by_bond[-2.1] < by_bond[-2.0]


def test_fig3b_keeps_the_filling(real):
    assert {float(row["t_pi_eV"]) for row in real.fig3b} == {-1.9, -2.0, -2.1}
    for row in real.fig3b:
        temperature, level, t_pi, _ = swept("fig3b", row)
        assert filling(temperature, level, t_pi) == pytest.approx(filling(temperature, -1.5, -2.0), abs=2e-5)
    assert {row["fermi_level_eV"] for row in real.fig3b if row["t_pi_eV"] == "-2.0"} == {"-1.5"}


def test_fig4_as_published_is_largest_where_three_levels_come_close_with_both_signs(real):
    curve = {float(row["pz_shift_eV"]): moment(row) for row in real.fig4 if row["method"] == "published"}
    assert 0.16 <= max(curve, key=lambda shift: abs(curve[shift])) <= 0.22
    near = [value for shift, value in curve.items() if 0.16 <= shift <= 0.22]
    assert min(near) < 0 < max(near)
    assert min(abs(min(near)), max(near)) > 5 * abs(curve[0.0])


def test_the_conserving_moment_is_positive_and_changes_sign_in_fig4(real):
    for row in (*real.fig3a, *real.fig3b):
        if row["method"] == "adiabatic" and row.get("t_pi_eV") != "-1.9":
            assert moment(row) > 0
    for coupling in ("quadrupole", "two_centre"):
        curve = {
            float(row["pz_shift_eV"]): moment(row)
            for row in real.fig4
            if row["coupling"] == coupling and row["method"] == "adiabatic" and row["q_domain"] == "sphere"
        }
        assert curve[0.0] > 0 and curve[0.16] > 0 > curve[0.2]


def test_every_error_is_small_and_every_tolerance_met(real):
    assert real.met is True
    for figure in SWEPT:
        along = SWEPT[figure][0]
        curves = defaultdict(list)
        for row in getattr(real, figure):
            fixed = [
                row[name] for name in SWEPT[figure] if name != along and (figure, name) != ("fig3b", SWEPT["fig3a"][1])
            ]
            curves[*kind(row), *fixed].append((abs(moment(row)), float(row["error"])))
        assert len(curves) == 5 * {"fig3a": 2, "fig3b": 3, "fig4": 1}[figure]
        for points in curves.values():
            floor = 0.01 * max(value for value, _ in points)
            for value, error in points:
                assert 0 <= error <= 1e-3 * max(value, floor)
                assert error > 0 or value == 0


def test_the_summary_follows_from_the_figures_and_from_numpy(real):
    found = {(row["quantity"], row["q_domain"]): row for row in real.summary}
    columns = {
        "published": ("published", "quadrupole"),
        "adiabatic": ("adiabatic", "quadrupole"),
        "adiabatic_two_centre": ("adiabatic", "two_centre"),
    }
    slope = [1 / (4 * K_B * 300 / E) / np.cosh((e + 1.5) * E / (2 * K_B * 300)) ** 2 for e in levels(-2.0, 0.0, 700)]
    states = sum(np.mean(s) for s in slope)
    assert states == pytest.approx(0.237, abs=5e-4)  # theory.md, section 4
    figure = {(*kind(row), row["temperature_K"]): moment(row) for row in real.fig3a if row["fermi_level_eV"] == "-1.5"}
    for column, (method, coupling) in columns.items():
        assert float(found["dos_fermi", ""][column]) == pytest.approx(states, rel=1e-3)
        for q_domain in ("sphere", "line"):
            ours = {name: float(row[column]) for (name, domain), row in found.items() if domain == q_domain}
            if (method, coupling, q_domain, "300.0") in figure:
                at_300 = figure[method, coupling, q_domain, "300.0"]
                assert ours["Lx_over_T_400K"] == pytest.approx(
                    figure[method, coupling, q_domain, "400.0"] / 400, rel=1e-9
                )
            else:
                at_300 = figure[method, coupling, "sphere", "300.0"]
                at_300 *= excess_q2(q_domain, 300.0) / excess_q2("sphere", 300.0)
            classical = 0.1 * SPEED * K_B * 300 / SPACING**3
            energy = classical if column == "published" else flux(q_domain, 300.0)
            assert ours["Lx_over_T_300K"] == pytest.approx(at_300 / 300, rel=1e-6)
            assert ours["energy_flux"] == pytest.approx(energy, rel=1e-5)
            assert ours["efficiency"] == pytest.approx(at_300 / energy, rel=1e-5)
            assert ours["chemical_potential"] == pytest.approx(at_300 / states, rel=1e-3)
    mean = found["mean_A", ""]
    assert float(mean["published"]) == pytest.approx(published_mean(300.0, -1.5, -2.0, 0.0), rel=5e-4)
    assert float(mean["adiabatic"]) == pytest.approx(-4.858, rel=5e-4)
    assert float(mean["adiabatic_two_centre"]) == pytest.approx(-1.1256, rel=5e-4)


def test_the_summary_quotes_the_paper(real):
    columns = ["quantity", "unit", "q_domain", "paper", *("published", "adiabatic", "adiabatic_two_centre", "keldysh")]
    assert list(real.summary[0]) == columns
    quoted = {(row["quantity"], row["unit"]): row["paper"] for row in real.summary}
    assert {key: value and float(value) for key, value in quoted.items()} == {
        ("Lx_over_T_300K", "hbar/K"): "",
        ("Lx_over_T_400K", "hbar/K"): -8e-10,
        ("mean_A", "1/eV^3"): "",
        ("energy_flux", "W/m^2"): "",
        ("efficiency", "hbar m^2/W"): -1.5e-17,
        ("chemical_potential", "eV"): 4e-7,
        ("dos_fermi", "1/eV"): 0.6,
    }
    assert {row["keldysh"] for row in real.summary} == {""}


# The tables, with a stand-in for the solver that tells every state apart.


def made_up_level(t_pi, temperature):
    return round(t_pi + temperature / 1000, 3)


@pytest.fixture
def solver(monkeypatch) -> FakeSolver:
    monkeypatch.setattr(
        sato2025, "fermi_levels", lambda t_pi: tuple(made_up_level(t_pi, t) for t in sato2025.TEMPERATURES)
    )
    monkeypatch.setattr(sato2025, "KELDYSH_TEMPERATURES", ())
    monkeypatch.setattr(sato2025, "density_of_states", lambda *a, **k: SimpleNamespace(value=np.array([0.25])))
    return install(monkeypatch)


@pytest.fixture
def few(monkeypatch, solver) -> FakeSolver:
    for name, points in SMALL.items():
        monkeypatch.setattr(sato2025, name, points)
    return solver


def test_the_tables_have_every_point_of_the_contract(solver, tmp_path):
    out = tmp_path / "new" / "out"
    assert reproduce.run("sato2025", out, quiet=True) is True
    for figure in SWEPT:
        rows = table(out, figure)
        assert list(rows[0]) == [*SWEPT[figure], "method", "coupling", "q_domain", "Lx_per_site", "error"]
        assert {kind(row) for row in rows} == KINDS
        points = {tuple(float(row[name]) for name in SWEPT[figure]) for row in rows}
        assert len(rows) == len(KINDS) * len(points)
        temperatures = {point[0] for point in points}
        if figure == "fig3a":
            assert points == {(t, level) for t in temperatures for level in (-2.5, -2.0, -1.5)}
        elif figure == "fig3b":
            assert points == {
                (t, bond, -1.5 if bond == -2.0 else made_up_level(bond, t))
                for t in temperatures
                for bond in (-1.9, -2.0, -2.1)
            }
        if figure != "fig4":
            assert temperatures >= {50, 100, 200, 300, 400, 500}
        else:
            assert {shift for (shift,) in points} >= {-0.2, 0.0, 0.1, 0.2}
        for row in rows:
            temperature, level, *_ = swept(figure, row)
            weight = excess_q2(row["q_domain"], temperature) / (sato2025.Q * 1e10) ** 2
            assert moment(row) == pytest.approx(weight * solver.expected(level, temperature), rel=1e-6), row
            assert abs(weight) * 1e-3 <= float(row["error"]) * (1 + 1e-6)


def test_finite_wave_vectors_in_tables_and_pictures(few, monkeypatch, tmp_path):
    monkeypatch.setattr(sato2025, "KELDYSH_TEMPERATURES", (300, 400))
    monkeypatch.setattr(sato2025, "TEMPERATURES", (200, 300, 400))
    for full, temperatures in ((False, [300.0, 400.0]), (True, [200.0, 300.0, 400.0])):
        call = ["reproduce", "sato2025", "--out", str(tmp_path / str(full)), *(["--full"] if full else [])]
        assert CliRunner().invoke(app, call).exit_code == 0
        found = {name: table(tmp_path / str(full), name) for name in FILES}
        rows = {name: [row for row in found[name] if row["method"] == "keldysh"] for name in SWEPT}
        assert [float(row["temperature_K"]) for row in rows["fig3a"]] == temperatures
        assert {kind(row) for row in rows["fig3a"]} == {("keldysh", "two_centre", "line")}
        assert {row["fermi_level_eV"] for row in rows["fig3a"]} == {"-1.5"}
        for row in rows["fig3a"]:
            assert moment(row) == pytest.approx(few.expected(-1.5, float(row["temperature_K"])), rel=1e-12)
            assert float(row["error"]) == 1e-3
        assert [moment(row) for row in rows["fig3b"]] == [moment(row) for row in rows["fig3a"]]
        assert {row["t_pi_eV"] for row in rows["fig3b"]} == {"-2.0"}
        assert [row["pz_shift_eV"] for row in rows["fig4"]] == (["0.0"] if full else [])
        summary = {(row["quantity"], row["q_domain"]): row["keldysh"] for row in found["summary"]}
        assert float(summary["Lx_over_T_300K", "line"]) == pytest.approx(few.expected(-1.5, 300.0) / 300, rel=1e-12)
        assert float(summary["Lx_over_T_400K", "line"]) == pytest.approx(few.expected(-1.5, 400.0) / 400, rel=1e-12)
        assert float(summary["chemical_potential", "line"]) == pytest.approx(few.expected(-1.5, 300.0) / 0.25)
        assert float(summary["efficiency", "line"]) == pytest.approx(
            few.expected(-1.5, 300.0) / flux("line", 300.0), rel=1e-5
        )
        assert {value for (_, domain), value in summary.items() if domain != "line"} == {""}
        assert (tmp_path / str(full) / "thermal.png").is_file()
    calls = few.calls  # the short list is part of the long one
    assert CliRunner().invoke(app, ["reproduce", "sato2025", "--out", str(tmp_path / "True")]).exit_code == 0
    assert few.calls == calls


def test_only_what_takes_long_may_be_asked_for_in_full(tmp_path):
    with pytest.raises(InputError, match='Option `full` must be given for sato2025 only, but "metals"'):
        reproduce.run("metals", tmp_path, data=tmp_path, full=True)


def test_the_same_tables_as_labelled_arrays(few, tmp_path):
    reproduce.run("sato2025", tmp_path, quiet=True)
    for name in FILES:
        rows, data = table(tmp_path, name), xarray.open_zarr(tmp_path / f"{name}.zarr").load()
        assert set(data.data_vars) == set(rows[0]) and data.sizes["row"] == len(rows)
        for column in rows[0]:
            stored = data[column].values
            if stored.dtype.kind == "f":
                assert [row[column] and float(row[column]) for row in rows] == [
                    "" if np.isnan(x) else x for x in stored
                ]
            else:
                assert [row[column] for row in rows] == list(stored)
        if name in SWEPT:
            assert data["Lx_per_site"].dtype == data["error"].dtype == float
            assert data["Lx_per_site"].attrs["units"] == data["error"].attrs["units"] == "hbar"
        assert data.attrs["paper"] == "arXiv:2511.11272" and data.attrs["broadening"] == 0.01
        assert data.attrs["versions"] and data.attrs["date"]


def test_a_stopped_reproduction_is_taken_up_without_repeating_points(few, tmp_path):
    reproduce.run("sato2025", tmp_path / "at once", quiet=True)
    every, few.states = few.states, 0
    few.stop_after = few.calls + 12
    with pytest.raises(KeyboardInterrupt):
        reproduce.run("sato2025", tmp_path / "stopped", quiet=True)
    assert 0 < few.states < every
    assert not (tmp_path / "stopped" / "summary.csv").exists()
    few.stop_after = None
    reproduce.run("sato2025", tmp_path / "stopped", quiet=True)
    assert few.states == every
    for name in FILES:
        file = f"{name}.csv"
        assert (tmp_path / "stopped" / file).read_bytes() == (tmp_path / "at once" / file).read_bytes()
    calls = few.calls
    (tmp_path / "stopped" / "fig3b.csv").unlink()
    reproduce.run("sato2025", tmp_path / "stopped", quiet=True)
    assert few.calls == calls and table(tmp_path / "stopped", "fig3b") == table(tmp_path / "at once", "fig3b")


def other_version(folder):
    (folder / "reproduction.json").write_text(json.dumps({"paper": "sato2025", "version": "0.0.1"}))


def half_a_mark(folder):
    (folder / "reproduction.json").write_text('{"paper": "sa')


def a_study(folder):
    run_study(read_study(THERMAL), folder, quiet=True)


def a_thesis(folder):
    (folder / "thesis.tex").write_text("years of work")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_version, "0.0.1"),
        (half_a_mark, "something else"),
        (a_study, "something else"),
        (a_thesis, "something else"),
    ],
)
def test_a_foreign_folder_is_refused_and_left_alone(few, tmp_path, make, message):
    make(tmp_path)
    before, few.calls = content(tmp_path), 0
    with pytest.raises(InputError, match=f"{message}.*--overwrite"):
        reproduce.run("sato2025", tmp_path, quiet=True)
    assert content(tmp_path) == before and few.calls == 0
    if make is a_thesis:
        reproduce.run("sato2025", tmp_path, quiet=True, overwrite=True)
        assert few.calls > 0 and (tmp_path / "summary.csv").is_file()
        assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_unusable_folders(few, tmp_path):
    (tmp_path / "file").write_text("")
    for out, message in [("file", "is a file"), ("file/out", "must be writable"), ("a\0b", "must be a path")]:
        with pytest.raises(InputError, match=message):
            reproduce.run("sato2025", tmp_path / out, quiet=True)
    assert few.calls == 0 and [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_command(few, monkeypatch, tmp_path):
    def call(*options):
        return CliRunner().invoke(app, ["reproduce", "sato2025", "--out", str(tmp_path / "out"), *options])

    few.stop_after = 3
    stopped = call()
    assert stopped.exit_code == 130 and "Traceback" not in stopped.output
    few.stop_after = None
    done = call()
    assert done.exit_code == 0 and done.stdout == "" and "Wrote" in done.stderr
    assert {path.name for path in (tmp_path / "out").glob("fig*")} == {
        f"{figure}.{end}" for figure in SWEPT for end in ("csv", "zarr", "png")
    }
    few.converged = False
    monkeypatch.setattr("orbiphon.plot.plot_folder", lambda folder: [])
    missed = call("--overwrite", "--quiet")
    assert missed.exit_code == 1 and missed.output == ""
    a_thesis(tmp_path)
    refused = CliRunner().invoke(app, ["reproduce", "sato2025", "--out", str(tmp_path)])
    assert refused.exit_code == 2 and refused.stderr.startswith("error: ") and "Traceback" not in refused.output
