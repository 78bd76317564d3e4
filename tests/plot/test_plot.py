"""Pictures: the right numbers at the right places, with units and methods in words; and what cannot be drawn."""

import re
import shutil
from importlib import import_module

import jax.numpy as jnp
import matplotlib
import matplotlib.image
import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure
from studies import THERMAL, WAVE, install
from typer.testing import CliRunner

import orbiphon as oph
from orbiphon.cli.app import app
from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import tight_binding
from orbiphon.errors import InputError
from orbiphon.plot import metals, plot_folder, show as draw_study
from orbiphon.plot.electrons import draw_bands, draw_fermi, draw_states
from orbiphon.plot.paper import draw_paper
from orbiphon.plot.show import draw_phonons, draw_zone
from orbiphon.study import Interrupted, read_study, run, show

CUBIC = re.sub(
    r"\[electrons\].*?\n\n",
    '[electrons]\nmodel = "cubic_p"\nt_sigma = "1 eV"\nt_pi = "0.2 eV"\n\n',
    THERMAL,
    flags=re.DOTALL,
)
ONE_POINT = THERMAL.replace('{ start = "100 K", stop = "300 K", num = 3 }', '"300 K"').replace(
    '["-2.5 eV", "-1.5 eV"]', '"-1.5 eV"'
)


@pytest.fixture
def solver(monkeypatch):
    return install(monkeypatch)


@pytest.fixture
def drawn(monkeypatch):
    """Every figure that is saved, in order."""
    figures = []
    save = Figure.savefig

    def keep(self, *args, **kwargs):
        save(self, *args, **kwargs)
        figures.append(self)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def legend_texts(figure):
    legends = [*figure.legends, *(axis.get_legend() for axis in figure.axes if axis.get_legend())]
    return [[text.get_text() for text in legend.get_texts()] for legend in legends]


def check_picture(path, figure):
    """A readable picture with something in it, nothing cut at its rim, and no text upon another."""
    image = matplotlib.image.imread(path)[..., :3]
    assert image.shape[0] >= 400 and image.shape[1] >= 400
    assert 0.005 < np.mean(np.any(image < 0.9, axis=-1)) < 0.9
    rim = [image[:2], image[-2:], image[:, :2], image[:, -2:]]
    assert all(np.all(side == 1.0) for side in rim)
    assert not [other for other in path.parent.iterdir() if other.name.startswith(".") and other.is_file()]
    figure.draw_without_rendering()
    outside = [legend.get_window_extent() for legend in figure.legends]
    assert not any(box.overlaps(axis.get_tightbbox()) for box in outside for axis in figure.axes)
    titles = [axis.title.get_window_extent() for axis in figure.axes if axis.get_title()]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    assert matplotlib.pyplot.get_fignums() == []


def results(text, folder):
    run(read_study(text), folder, quiet=True)
    return folder


# Results of studies.


def test_a_study_has_a_picture_for_each_observable_with_its_numbers(solver, drawn, tmp_path):
    text = THERMAL.replace('["Lx"]', '["Lx", "Ly"]')
    paths = plot_folder(results(text, tmp_path))
    assert [path.name for path in paths] == ["Lx.png", "Ly.png"]
    for number, (path, figure) in enumerate(zip(paths, drawn, strict=True)):
        check_picture(path, figure)
        (axis,) = figure.axes
        assert axis.get_xlabel() == "temperature (K)"
        assert axis.get_ylabel() == f"{path.stem} per cell (ħ)"
        assert axis.get_title() == "adiabatic, two centre coupling"
        assert legend_texts(figure) == [["fermi level −2.5 eV", "fermi level −1.5 eV"]]
        for level, curve in zip((-2.5, -1.5), axis.containers, strict=True):
            line, _, (bars,) = curve
            x, y = line.get_data()
            assert x.tolist() == [100.0, 200.0, 300.0]
            assert y.tolist() == [solver.expected(level, t, number) for t in x]
            lengths = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
            assert lengths == pytest.approx([2e-3] * 3, rel=1e-3)


def test_methods_are_named_in_the_legend(solver, drawn, tmp_path):
    text = THERMAL.replace('method = "adiabatic"', 'method = ["published", "adiabatic"]')
    (path,) = plot_folder(results(text.replace('["-2.5 eV", "-1.5 eV"]', '"-1.5 eV"'), tmp_path))
    check_picture(path, drawn[0])
    assert legend_texts(drawn[0]) == [["published", "adiabatic"]]
    assert drawn[0].axes[0].get_title() == "two centre coupling"


def test_complex_values_have_two_panels(solver, drawn, tmp_path):
    (path,) = plot_folder(results(WAVE.replace("order = 2", "order = [1, 2]"), tmp_path))
    check_picture(path, drawn[0])
    assert [axis.get_ylabel() for axis in drawn[0].axes] == ["real Lx per cell (ħ)", "imaginary Lx per cell (ħ)"]
    expected = [f"fermi level −{level} eV, order {order}" for level in (2.5, 1.5) for order in (1, 2)]
    assert legend_texts(drawn[0]) == [expected]
    real, imaginary = ([curve[0].get_ydata()[0] for curve in axis.containers] for axis in drawn[0].axes)
    first, second = solver.expected(-2.5, 100), solver.expected(-1.5, 100)
    assert real == [first, first, second, second] and imaginary == [first, 0.0, second, 0.0]


def test_units_of_every_kind_are_written(solver, drawn, tmp_path):
    text = ONE_POINT.replace('"5000 m/s"', '{ start = "4 km/s", stop = "5 km/s", num = 3 }')
    text = text.replace('"5 angstrom"', '["4 angstrom", "5 angstrom"]')
    (path,) = plot_folder(results(text, tmp_path))
    check_picture(path, drawn[0])
    assert drawn[0].axes[0].get_xlabel() == "speed (m/s)"
    assert legend_texts(drawn[0]) == [["lattice constant 4 Å", "lattice constant 5 Å"]]


def test_many_curves_say_how_many_are_left_out(solver, drawn, tmp_path):
    text = THERMAL.replace('"0 eV"', '{ start = "0 eV", stop = "1 eV", num = 11 }')
    (path,) = plot_folder(results(text.replace("num = 3", "num = 4"), tmp_path))
    check_picture(path, drawn[0])
    assert drawn[0].axes[0].get_xlabel() == "pz shift (eV)"
    assert len(legend_texts(drawn[0])[0]) == len(drawn[0].axes[0].containers) == 6
    assert drawn[0].legends[0].get_title().get_text() == "and 2 more"


def test_a_single_point(solver, drawn, tmp_path):
    (path,) = plot_folder(results(ONE_POINT, tmp_path))
    check_picture(path, drawn[0])
    ((line, *_),) = drawn[0].axes[0].containers
    assert line.get_ydata().tolist() == [solver.expected(-1.5, 300)]
    assert drawn[0].axes[0].get_title() == "adiabatic, two centre coupling" and legend_texts(drawn[0]) == []


def test_what_is_finished_of_a_stopped_run_is_drawn(solver, drawn, tmp_path):
    solver.stop_after = 2
    with pytest.raises(Interrupted):
        results(THERMAL, tmp_path)
    (path,) = plot_folder(tmp_path)
    check_picture(path, drawn[0])
    values = np.concatenate([curve[0].get_ydata() for curve in drawn[0].axes[0].containers])
    assert np.isfinite(values).sum() == solver.states and values.size == 6


# The figures of the paper.


@pytest.fixture
def paper(tmp_path):
    """Tables of a reproduction with made-up values in 1e-7: published 1 + label, adiabatic 3, exact 5, line 99."""
    kinds = [("published", "quadrupole", "sphere", 1.0)]
    for coupling, value in (("quadrupole", 3.0), ("two_centre", 5.0)):
        kinds += [("adiabatic", coupling, "sphere", value), ("adiabatic", coupling, "line", 99.0)]
    labels = {"fig3a": ("fermi_level_eV", (-2.5, -1.5)), "fig3b": ("t_pi_eV", (-2.1, -2.0)), "fig4": ("other", (0.0,))}
    for name, (label, curves) in labels.items():
        along = "pz_shift_eV" if name == "fig4" else "temperature_K"
        rows = [
            {along: x, label: c, "method": m, "coupling": g, "q_domain": q, "Lx_per_site": 1e-7 * (v + c) * x}
            for m, g, q, v in kinds
            for c in curves
            for x in (300.0, 100.0, 200.0)
        ]
        columns = {key: [row[key] for row in rows] for key in rows[0]}
        data = xarray.Dataset(
            {k: ("row", np.array(v, dtype=object if isinstance(v[0], str) else float)) for k, v in columns.items()}
        )
        data.to_zarr(tmp_path / f"{name}.zarr", mode="w", zarr_format=2)
    return tmp_path


def test_figures_of_the_paper(paper, drawn):
    paths = plot_folder(paper)
    assert [path.name for path in paths] == ["fig3a.png", "fig3b.png", "fig4.png"]
    for path, figure in zip(paths, drawn, strict=True):
        check_picture(path, figure)
        assert [axis.get_title() for axis in figure.axes] == ["as published", "conserving broadening"]
        assert {axis.get_ylabel() for axis in figure.axes} == {r"$\langle L_x \rangle$ per site ($10^{-7}\,\hbar$)"}
        (words,) = {axis.get_xlabel() for axis in figure.axes}
        assert words.endswith("(eV)") if path.stem == "fig4" else words == "temperature (K)"
    levels = [r"$\varepsilon_\mathrm{F}$ = −2.5 eV", r"$\varepsilon_\mathrm{F}$ = −1.5 eV"]
    bonds = [r"$t_\pi$ = −2.1 eV", r"$t_\pi$ = −2.0 eV"]
    assert legend_texts(drawn[0]) == [levels, [*levels, "exact coupling"]]
    assert legend_texts(drawn[1]) == [bonds, [*bonds, "exact coupling"]]
    assert legend_texts(drawn[2]) == [["quadrupole coupling"], ["quadrupole coupling", "exact coupling"]]


def test_figures_of_the_paper_show_the_sphere_in_1e_7_hbar(paper, drawn):
    draw_paper(paper)
    expected = {0: (-2.5, -1.5), 1: (-2.1, -2.0), 2: (0.0,)}
    for number, curves in expected.items():
        for axis, bases in zip(drawn[number].axes, [(1.0,), (3.0, 5.0)], strict=True):
            lines = [line.get_data() for line in axis.lines if len(line.get_xdata()) == 3]
            slopes = [(np.asarray(y) / np.asarray(x)).round(9).tolist() for x, y in lines]
            assert slopes == [[pytest.approx(base + c)] * 3 for base in bases for c in curves]


def test_the_shift_is_drawn_in_order(paper, drawn):
    draw_paper(paper)
    for axis in drawn[2].axes:
        for line in axis.lines:
            assert np.all(np.diff(line.get_xdata()) > 0)


# What goes into a study.


def test_bands_lie_where_the_closed_form_says(drawn, tmp_path):
    metal = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0, pz_shift=0.5)
    data = show.band_data(metal)
    path = draw_bands(data, tmp_path / "bands.png")
    check_picture(path, drawn[0])
    (axis,) = drawn[0].axes
    assert axis.get_ylabel() == "energy (eV)"
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["Γ", "X", "M", "Γ"]
    assert legend_texts(drawn[0]) == [["0:px", "0:py", "0:pz"]]
    ticks = axis.get_xticks()
    assert np.diff(ticks) == pytest.approx(np.pi / 5 * np.array([1, 1, np.sqrt(2)]))
    # px: 2 t_sigma cos k_x d + 2 t_pi cos k_y d, ... at Gamma, X and M
    expected = {0: [-7.8, -0.2, 7.8], 1: [-7.8, 0.2, 7.8], 2: [-7.5, 0.5, 8.5]}
    for orbital, cloud in enumerate(axis.collections):
        x, y = cloud.get_offsets().T
        for tick, energy in zip(ticks, expected[orbital], strict=False):
            here = np.isclose(x, tick)
            assert here.any() == (orbital != 1 or tick == ticks[1])  # px and py are degenerate at Gamma and M
            assert np.allclose(y[here], energy, atol=1e-9)


def test_bands_look_the_same_whatever_states_of_a_degenerate_level_are_taken(drawn, monkeypatch, tmp_path):
    electrons = oph.models.cubic_p(t_sigma=-1.9, t_pi=-0.5, spin_orbit=0.5)
    module = import_module("orbiphon.electrons.characters")  # the package shows the function of the same name
    plain = module.eigensystem
    random, mixed = np.random.default_rng(0), []

    def other_states(electrons, k):
        energy, vectors = (np.array(x) for x in plain(electrons, k))
        before = vectors.copy()
        for e, v in zip(energy, vectors, strict=True):
            for level in (np.flatnonzero(np.abs(e - x) < 1e-8) for x in np.unique(np.round(e, 7))):
                v[:, level] = v[:, level] @ np.linalg.qr(random.normal(size=(level.size,) * 2))[0]
        mixed.append(np.max(np.abs(np.abs(vectors) - np.abs(before))))
        return jnp.asarray(energy), jnp.asarray(vectors)

    pictures = [draw_bands(show.band_data(electrons), tmp_path / "0.png")]
    monkeypatch.setattr(module, "eigensystem", other_states)
    pictures.append(draw_bands(show.band_data(electrons), tmp_path / "1.png"))
    check_picture(pictures[0], drawn[0])
    images = [matplotlib.image.imread(path) for path in pictures]
    assert np.array_equal(*images) and mixed[0] > 0.1


def test_states_and_fermi_surface_are_drawn_as_they_are(drawn, tmp_path):
    study = read_study(ONE_POINT.replace('"-1.5 eV"', '"-3 eV"'))
    metal = oph.models.square_p(t_sigma=-1.9, t_pi=-2.0, pz_shift=0.5)
    states = show.states_data(study, metal)
    check_picture(draw_states(states, tmp_path / "states.png", -3.0), drawn[0])
    (axis,) = drawn[0].axes
    total, *parts, level = axis.lines
    assert np.allclose(total.get_ydata(), np.sum([part.get_ydata() for part in parts], axis=0))
    assert np.trapezoid(total.get_ydata(), total.get_xdata()) == pytest.approx(3.0, rel=1e-6)
    assert level.get_xdata()[0] == -3.0 and "Gaussian of 0.0" in axis.get_title()
    assert legend_texts(drawn[0]) == [["total", "0:px", "0:py", "0:pz", "Fermi level"]]
    check_picture(draw_fermi(show.fermi_data(metal, -3.0), tmp_path / "fermi.png"), drawn[1])
    left, right = drawn[1].axes[:2]
    for axis in (left, right):
        x, y = np.concatenate([path.vertices for path in axis.collections[0].get_paths()]).T * 5.0
        bands = [2 * (a * np.cos(x) + b * np.cos(y)) for a, b in ((-1.9, -2.0), (-2.0, -1.9), (-2.0, -2.0))]
        off = np.abs(np.array(bands) + np.array([[0.0], [0.0], [0.5]]) + 3.0)
        assert np.max(np.min(off, axis=0)) < 1e-6 and axis.get_xlabel().startswith("$k$ along x")
    assert legend_texts(drawn[1]) == [["0:px", "0:py", "0:pz"]]


def test_an_insulator_says_that_it_has_no_fermi_surface(drawn, tmp_path):
    data = show.fermi_data(oph.models.cubic_p(t_sigma=-1.9, t_pi=-0.5), 50.0)
    check_picture(draw_fermi(data, tmp_path / "fermi.png"), drawn[0])
    words = [text.get_text() for axis in drawn[0].axes for text in axis.texts]
    assert len(data) == 2 and words == 4 * ["no states at\nthe Fermi level"]


@pytest.mark.parametrize("text", [THERMAL, CUBIC.replace('"x"', '"z"')])
def test_phonons_end_at_the_zone_boundary(text, drawn, tmp_path):
    path = draw_phonons(show.phonon_data(read_study(text)), tmp_path / "phonons.png")
    check_picture(path, drawn[0])
    (axis,) = drawn[0].axes
    assert axis.get_xlabel() == r"wave vector $q$ ($\mathrm{\AA}^{-1}$)" and axis.get_ylabel() == r"$\hbar\omega$ (meV)"
    (line,) = axis.lines
    assert line.get_xdata()[-1] == pytest.approx(np.pi / 5)
    assert line.get_ydata()[-1] == pytest.approx(8.617333262e-2 * 240, rel=3e-4)  # the paper's Debye temperature


def test_the_zone_map_adds_up_to_the_moment(drawn, monkeypatch, tmp_path):
    monkeypatch.setattr(show, "_MAP", 141)
    text = ONE_POINT.replace('"two_centre"', '"quadrupole"').replace('"adiabatic"', '"published"')
    study = read_study(text.replace('"0 eV"', '"0.1 eV"').replace('"-1.5 eV"', '"20 eV"'))
    data = show.zone_data(study)
    path = draw_zone(data, tmp_path / "zone.png")
    check_picture(path, drawn[0])
    # full bands: as published <A> = 114.6 eV^-3, against 52.33 for -7.63e-10 hbar/K at the level -1.5 eV
    mean = float(data["moment"].values[:-1, :-1].mean())
    assert mean / 300 == pytest.approx(-7.63e-10 * 114.6 / 52.33, rel=5e-3)


def zone(observables=("Lx",), moment=1e-6, sectors=(0, 1)):
    """Two made-up bands, cos k_1 and cos k_2, on a small map."""
    kappa = np.linspace(-0.5, 0.5, 41)
    one, two = np.meshgrid(np.cos(2 * np.pi * kappa), np.cos(2 * np.pi * kappa), indexing="xy")
    data = {
        "moment": (("ky", "kx", "observable"), np.repeat(moment * (one - two)[..., None], len(observables), -1)),
        "level": (("ky", "kx", "band"), np.stack([one, two], -1)),
    }
    coordinates = {"kx": kappa, "ky": kappa, "observable": list(observables), "sector": ("band", list(sectors))}
    attributes = {"fermi_level": -0.5, "temperature": 300.0, "method": "published", "coupling": "two_centre"}
    return xarray.Dataset(data, coordinates, attributes)


@pytest.mark.parametrize("observables", [("Lx",), ("Lx", "Ly", "Lz")])
def test_zone_maps_are_labelled(drawn, tmp_path, observables):
    path = draw_zone(zone(observables), tmp_path / "zone.png")
    check_picture(path, drawn[0])
    maps, bars = drawn[0].axes[: len(observables)], drawn[0].axes[len(observables) :]
    assert {axis.get_xlabel() for axis in maps} == {"$k_1$ (reciprocal vectors)"}
    assert {axis.get_ylabel() for axis in maps} == {"$k_2$ (reciprocal vectors)"}
    assert [bar.get_ylabel() for bar in bars] == [f"{name} from each wave vector ($\\hbar$)" for name in observables]
    ticks = [tick.get_text() for tick in bars[0].get_yticklabels() if tick.get_text()]
    assert ticks == ["−2.0e−06", "−2.0e−08", "0", "2.0e−08", "2.0e−06"]
    assert drawn[0].get_suptitle() == "published, two centre coupling\n300 K, Fermi level −0.5 eV"
    assert legend_texts(drawn[0]) == [["Fermi lines", "two bands meet"]]
    lines = [c for c in maps[0].collections if hasattr(c, "levels")]
    assert len(lines) == 3  # two Fermi lines and one of degeneracy
    for vertices in (path.vertices for path in lines[0].get_paths()):
        assert np.cos(2 * np.pi * vertices[:, 0]) == pytest.approx(-0.5, abs=0.01)


def test_a_zone_map_of_nothing(drawn, tmp_path):
    check_picture(draw_zone(zone(moment=0.0, sectors=(0, 0)), tmp_path / "zone.png"), drawn[0])
    assert legend_texts(drawn[0]) == [["Fermi lines"]]
    assert [tick.get_text() for tick in drawn[0].axes[1].get_yticklabels()] == ["0"]


# On the command line.


def call(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_plot_says_what_it_wrote(solver, tmp_path):
    result = call("plot", results(THERMAL, tmp_path))
    assert result.exit_code == 0 and result.stdout == "" and f"Wrote {tmp_path / 'Lx.png'}." in result.stderr


def no_folder(folder):
    shutil.rmtree(folder)


def nothing(folder):
    shutil.rmtree(folder / "result.zarr")


def empty(folder):
    nothing(folder)
    (folder / "result.zarr").mkdir()


def a_file(folder):
    no_folder(folder)
    folder.write_text("")


def damaged_index(folder):
    for path in folder.glob("result.zarr/.z*"):
        path.write_text('{"zarr')


def damaged_numbers(folder):
    for path in folder.glob("result.zarr/value/[0-9]*"):
        path.write_bytes(path.read_bytes()[:5])


def without_errors(folder):
    data = xarray.open_zarr(folder / "result.zarr").load()
    data.drop_vars("error").to_zarr(folder / "result.zarr", mode="w", zarr_format=2)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (no_folder, "has no result.zarr"),
        (a_file, "has no result.zarr"),
        (nothing, "has no result.zarr"),
        (empty, "must be readable"),
        (damaged_index, "must be readable"),
        (damaged_numbers, "must be readable"),
        (without_errors, "must hold error"),
    ],
)
def test_a_broken_folder_is_exit_code_2(solver, tmp_path, harm, message):
    harm(results(THERMAL, tmp_path / "out"))
    result = call("plot", tmp_path / "out")
    assert result.exit_code == 2 and message in result.stderr and "Traceback" not in result.output
    assert result.stderr.startswith("error: ") and not list(tmp_path.rglob("*.png"))


def test_a_reproduction_that_is_not_finished_is_exit_code_2(paper):
    shutil.rmtree(paper / "fig4.zarr")
    result = call("plot", paper)
    assert result.exit_code == 2 and "fig4.zarr" in result.stderr and not list(paper.glob("*.png"))


def showing(text, folder, out="pictures"):
    (folder / "study.toml").write_text(text)
    return call("show", folder / "study.toml", "--out", folder / out)


def test_show_a_sheet(monkeypatch, drawn, tmp_path):
    monkeypatch.setattr(show, "_MAP", 21)
    text = THERMAL.replace('"two_centre"', '"quadrupole"').replace('"adiabatic"', '["published", "adiabatic"]')
    result = showing(text, tmp_path)
    assert result.exit_code == 0, result.output
    names = ["bands.png", "states.png", "fermi.png", "phonons.png", "zone.png"]
    assert result.stderr.splitlines() == [f"Wrote {tmp_path / 'pictures' / name}." for name in names]
    for name, figure in zip(names, drawn, strict=True):
        check_picture(tmp_path / "pictures" / name, figure)
    assert drawn[4].get_suptitle() == "published, quadrupole coupling\n100 K, Fermi level −2.5 eV"


ALL_WAVES = THERMAL.replace('"adiabatic"', '"keldysh"').replace('"sphere"', '"line"')
FIRST_ORDER = WAVE.replace("order = 2", "order = 1").replace('"adiabatic"', '"kubo"')


@pytest.mark.parametrize("text", [CUBIC, FIRST_ORDER, ALL_WAVES])
def test_show_without_a_zone_map(text, tmp_path):
    paths = draw_study(read_study(text), tmp_path / "deep" / "pictures")
    assert [path.name for path in paths] == ["bands.png", "states.png", "fermi.png", "phonons.png"]
    assert sorted(tmp_path.rglob("*.png")) == sorted(paths)


def test_show_refuses_before_it_draws(tmp_path):
    result = showing(THERMAL.replace('["Lx"]', '["Lx", "Qyz"]'), tmp_path)
    assert result.exit_code == 2 and "odd under time reversal" in result.stderr and "Traceback" not in result.output
    assert not (tmp_path / "pictures").exists()
    result = showing(THERMAL.replace("4e-26 kg", "4e-26 s"), tmp_path)
    assert result.exit_code == 2 and "phonons.mass" in result.stderr and not (tmp_path / "pictures").exists()


def test_show_needs_a_folder(tmp_path):
    (tmp_path / "pictures").write_text("mine")
    result = showing(CUBIC, tmp_path)
    assert result.exit_code == 2 and "must be writable" in result.stderr and "Traceback" not in result.output
    assert (tmp_path / "pictures").read_text() == "mine"
    with pytest.raises(InputError, match="must be writable"):
        draw_study(read_study(CUBIC), tmp_path / "pictures" / "deep")


METALS = """metal,method,observable,wave,chirality,broadening_eV,temperature_K,fermi_shift_eV,value,error,unit
X,adiabatic,Lz,transverse_z,1,0.1,300.0,-1.0,40.0,0.5,1/eV
X,adiabatic,Lz,transverse_z,-1,0.1,300.0,-1.0,-40.0,0.5,1/eV
X,adiabatic,Lz,transverse_z,1,0.1,300.0,0.0,-1.0,0.1,1/eV
X,adiabatic,Sz,transverse_z,1,0.1,300.0,0.0,0.2,0.1,1/eV
X,adiabatic,Lz,transverse_z,1,0.1,300.0,1.0,2.0,0.1,1/eV
"""


def test_metals_are_drawn_from_their_table(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(metals, "save", lambda drawing, path: drawn.append(drawing) or path)
    (tmp_path / "metals.csv").write_text(METALS, encoding="utf-8")
    pictures = plot_folder(tmp_path)
    assert [path.name for path in pictures] == ["metals.png", "metals_broadening.png"]
    (axis,) = drawn[0].axes
    curves = [container.lines[0].get_xydata().tolist() for container in axis.containers]
    assert curves == [[[-1.0, 40.0], [0.0, -1.0], [1.0, 2.0]], [[0.0, 0.2]]] and axis.get_yscale() == "asinh"
    low, high = axis.get_ylim()
    assert low < -1.0 and high > 40.0
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["0", "1", "3", "10", "30"]


@pytest.mark.parametrize("text", ["", "metal,value\nX,1\n", METALS.replace("40.0", "many")])
def test_a_damaged_table_of_metals_is_refused(tmp_path, text):
    (tmp_path / "metals.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"metals.csv` must have"):
        plot_folder(tmp_path)


def test_points_of_oblique_lattices_are_called_by_their_coordinates():
    lattice = Lattice(2.0 * (np.ones((3, 3)) - 2.0 * np.eye(3)))  # bcc
    crystal = Crystal(lattice, np.zeros((1, 3)), ("X",))
    law = oph.SlaterKoster({"ss_sigma": -1.0}, length=np.sqrt(12.0))
    data = show.band_data(tight_binding(crystal, oph.Basis(((0, "s"),)), law, 3.6))
    assert data.attrs["labels"] == ["Γ", "½00", "½½0", "Γ", "½½½"]


@pytest.mark.parametrize("degrees", [60, 120])
def test_the_path_of_a_hexagonal_layer_goes_through_its_corner_and_its_edge(degrees):
    """K is as far from three reciprocal lattice points as from none other, M halfway between two."""
    angle = np.radians(degrees)
    lattice = Lattice([[2.0, 0.0, 0.0], [2.0 * np.cos(angle), 2.0 * np.sin(angle), 0.0]])
    nodes = [(name, np.array(point) @ np.asarray(lattice.reciprocal)) for name, point in show._nodes(lattice)]
    assert [name for name, _ in nodes] == ["Γ", "K", "M", "Γ"]
    points = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)]) @ np.asarray(lattice.reciprocal)
    for (_, node), alike in zip(nodes, (1, 3, 2, 1), strict=True):
        distance = np.linalg.norm(points - node, axis=1)
        assert np.sum(distance < np.min(distance) + 1e-9) == alike
