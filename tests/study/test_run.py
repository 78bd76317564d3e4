"""Runs of a study with a stand-in for the solver: what is written, stopped, taken up, refused."""

import csv
import json
import shutil
import signal

import numpy as np
import pytest
import xarray
from studies import THERMAL, WAVE, FakeSolver, install

from orbiphon import response
from orbiphon.errors import InputError
from orbiphon.study import Interrupted, read_study, run
from orbiphon.study.by_state import _missing, _Pace


@pytest.fixture
def solver(monkeypatch) -> FakeSolver:
    return install(monkeypatch)


def rows(folder):
    with (folder / "result.csv").open() as file:
        return list(csv.DictReader(file))


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_row_for_each_point(solver, tmp_path):
    report = run(read_study(THERMAL), tmp_path / "new" / "out", quiet=True)
    assert (report.entries, report.finished, report.fresh, report.missed) == (6, 6, 6, 0)
    found = rows(tmp_path / "new" / "out")
    assert list(found[0]) == ["temperature_K", "fermi_level_eV", "observable", "method", "value", "error", "unit"]
    assert len(found) == 6
    for row in found:
        expected = solver.expected(float(row["fermi_level_eV"]), float(row["temperature_K"]))
        assert float(row["value"]) == expected
        assert (row["observable"], row["method"], row["error"], row["unit"]) == ("Lx", "adiabatic", "0.001", "hbar")


def test_labelled_arrays(solver, tmp_path):
    text = THERMAL.replace('["Lx"]', '["Lx", "Qxy"]').replace('"0 eV"', '["0 eV", "0.1 eV"]')
    run(read_study(text), tmp_path, quiet=True)
    found = xarray.open_zarr(tmp_path / "result.zarr")
    assert found.value.dims == ("pz_shift_eV", "temperature_K", "fermi_level_eV", "observable")
    assert found.error.dims == found.value.dims
    one = found.sel(pz_shift_eV=0.1, temperature_K=300, fermi_level_eV=-2.5)
    assert one.value.values.tolist() == [solver.expected(-2.5, 300), solver.expected(-2.5, 300, 1)]
    assert one.unit.values.tolist() == ["hbar", "hbar^2"]
    assert found.temperature_K.attrs["units"] == "K"
    for key in ("units", "method", "broadening", "config", "versions", "date"):
        assert found.attrs[key], key
    assert found.attrs["broadening"] == 0.01 and found.attrs["method"] == "adiabatic"
    assert json.loads(found.attrs["config"])["electrons"]["pz_shift"] == {"value": [0.0, 0.1], "unit": "eV"}
    assert read_study(found.attrs["study_file"]).fingerprint() == read_study(text).fingerprint()


def test_a_single_point_has_no_dimension_but_the_observable(solver, tmp_path):
    text = THERMAL.replace('{ start = "100 K", stop = "300 K", num = 3 }', '"300 K"')
    run(read_study(text.replace('["-2.5 eV", "-1.5 eV"]', '"-1.5 eV"')), tmp_path, quiet=True)
    (row,) = rows(tmp_path)
    assert list(row) == ["observable", "method", "value", "error", "unit"]
    assert float(row["value"]) == solver.expected(-1.5, 300)
    assert xarray.open_zarr(tmp_path / "result.zarr").value.dims == ("observable",)


def test_several_methods(solver, tmp_path):
    text = THERMAL.replace('method = "adiabatic"', 'method = ["published", "adiabatic"]')
    run(read_study(text), tmp_path, quiet=True)
    assert [row["method"] for row in rows(tmp_path)[:2]] == ["published", "adiabatic"]
    assert xarray.open_zarr(tmp_path / "result.zarr").value.dims[2] == "method"


def test_first_order_is_complex(solver, tmp_path):
    run(read_study(WAVE.replace("order = 2", "order = [1, 2]")), tmp_path, quiet=True)
    found = rows(tmp_path)
    columns = [
        "temperature_K",
        "fermi_level_eV",
        "observable",
        "method",
        "order",
        "value_re",
        "value_im",
        "error",
        "unit",
    ]
    assert list(found[0]) == columns
    first, second = found[:2]
    assert (first["order"], second["order"]) == ("1", "2")
    expected = solver.expected(float(first["fermi_level_eV"]), float(first["temperature_K"]))
    assert float(first["value_re"]) == float(first["value_im"]) == float(second["value_re"]) == expected
    assert float(second["value_im"]) == 0.0
    stored = xarray.open_zarr(tmp_path / "result.zarr").value
    assert np.iscomplexobj(stored) and stored.sel(order=1).values[0, 0, 0] == expected * (1 + 1j)


def test_first_order_alone_has_no_order_column(solver, tmp_path):
    run(read_study(WAVE.replace("order = 2", "order = 1")), tmp_path, quiet=True)
    assert "order" not in rows(tmp_path)[0] and "value_im" in rows(tmp_path)[0]


def test_fillings(solver, tmp_path):
    text = THERMAL.replace('fermi_level = ["-2.5 eV", "-1.5 eV"]', "filling = [1.0, 2.0]")
    run(read_study(text), tmp_path, quiet=True)
    assert {row["filling"] for row in rows(tmp_path)} == {"1.0", "2.0"}
    stored = xarray.open_zarr(tmp_path / "result.zarr")
    assert stored.fermi_level_of_filling.dims == ("temperature_K", "filling")


def test_fermi_level_before_temperature(solver, tmp_path):
    lines = [line for line in THERMAL.splitlines() if not line.startswith("fermi_level")]
    text = "\n".join(lines).replace("[state]", '[state]\nfermi_level = ["-2.5 eV", "-1.5 eV"]')
    run(read_study(text), tmp_path, quiet=True)
    for row in rows(tmp_path):
        assert float(row["value"]) == solver.expected(float(row["fermi_level_eV"]), float(row["temperature_K"]))


def test_tied_quantities_have_both_columns(solver, tmp_path):
    text = THERMAL.replace("num = 3", "num = 2") + '[sweep]\nzip = [["temperature", "fermi_level"]]\n'
    run(read_study(text), tmp_path, quiet=True)
    found = rows(tmp_path)
    assert [(row["temperature_K"], row["fermi_level_eV"]) for row in found] == [("100.0", "-2.5"), ("300.0", "-1.5")]
    assert [float(row["value"]) for row in found] == [solver.expected(-2.5, 100), solver.expected(-1.5, 300)]
    assert xarray.open_zarr(tmp_path / "result.zarr").fermi_level_eV.dims == ("temperature_K",)


def test_a_stopped_run_keeps_its_points_and_is_taken_up(solver, tmp_path):
    text = THERMAL.replace('"0 eV"', '{ start = "0 eV", stop = "1 eV", num = 5 }')
    solver.stop_after = 3
    with pytest.raises(Interrupted) as stopped:
        run(read_study(text), tmp_path, quiet=True)
    kept = stopped.value.report.finished
    assert 0 < kept < 30 and kept == solver.states == len(rows(tmp_path))
    partly = xarray.open_zarr(tmp_path / "result.zarr")
    assert not partly.attrs["complete"] and int(partly.finished.sum()) == kept
    assert int(np.isnan(partly.value).sum()) == 30 - kept
    solver.stop_after = None
    report = run(read_study(text), tmp_path, quiet=True)
    assert report.fresh == 30 - kept and report.finished == 30
    assert solver.states == 30
    assert xarray.open_zarr(tmp_path / "result.zarr").attrs["complete"]
    direct = tmp_path / "direct"
    run(read_study(text), direct, quiet=True)
    assert (direct / "result.csv").read_bytes() == (tmp_path / "result.csv").read_bytes()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_is_not_lost_where_python_drops_it(solver, tmp_path, monkeypatch):
    class Garbage:
        def __del__(self):  # Python ignores what is raised here, as it does in callbacks of its garbage collector
            if solver.calls == 2:
                signal.raise_signal(signal.SIGINT)

    def call(*args):
        answer = solver(*args)
        Garbage()
        return answer

    monkeypatch.setattr(response, "solve", call)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted):
            run(read_study(THERMAL.replace('"0 eV"', '["0 eV", "1 eV", "2 eV"]')), tmp_path, quiet=True)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert solver.calls == 2 and len(rows(tmp_path)) == solver.states


def test_any_other_failure_keeps_the_points_too(solver, tmp_path):
    solver.stop_after, solver.trouble = 2, MemoryError
    with pytest.raises(MemoryError):
        run(read_study(THERMAL), tmp_path, quiet=True)
    kept, solver.stop_after = solver.states, None
    assert run(read_study(THERMAL), tmp_path, quiet=True).fresh == 6 - kept < 6


def test_a_finished_study_has_nothing_left(solver, tmp_path):
    run(read_study(THERMAL), tmp_path, quiet=True)
    before, calls = content(tmp_path), solver.calls
    report = run(read_study(THERMAL), tmp_path, quiet=True)
    assert report.fresh == 0 and solver.calls == calls and content(tmp_path) == before


def test_lost_results_are_written_again_without_work(solver, tmp_path):
    run(read_study(THERMAL), tmp_path, quiet=True)
    before, calls = (tmp_path / "result.csv").read_bytes(), solver.calls
    (tmp_path / "result.csv").unlink()
    shutil.rmtree(tmp_path / "result.zarr")
    run(read_study(THERMAL), tmp_path, quiet=True)
    assert solver.calls == calls and (tmp_path / "result.csv").read_bytes() == before


def test_a_damaged_checkpoint_is_computed_again(solver, tmp_path):
    run(read_study(THERMAL), tmp_path, quiet=True)
    before = (tmp_path / "result.csv").read_bytes()
    for path in (tmp_path / ".partial").glob("*.npz"):
        path.write_bytes(path.read_bytes()[:50])
    report = run(read_study(THERMAL), tmp_path, quiet=True)
    assert report.fresh == 6 and (tmp_path / "result.csv").read_bytes() == before


def test_another_study_is_refused_and_leaves_the_results_alone(solver, tmp_path):
    run(read_study(THERMAL), tmp_path, quiet=True)
    before = content(tmp_path)
    other = read_study(THERMAL.replace('"0.01 eV"', '"0.02 eV"'))
    with pytest.raises(InputError, match=r"holds another study \(different: response.broadening\).*--overwrite"):
        run(other, tmp_path, quiet=True)
    assert content(tmp_path) == before
    (tmp_path / "notes.txt").write_text("mine")
    assert run(other, tmp_path, quiet=True, overwrite=True).fresh == 6
    assert xarray.open_zarr(tmp_path / "result.zarr").attrs["broadening"] == 0.02
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_overwrite_computes_the_same_study_again(solver, tmp_path):
    run(read_study(THERMAL), tmp_path, quiet=True)
    assert run(read_study(THERMAL), tmp_path, quiet=True, overwrite=True).fresh == 6


def test_results_of_another_version_are_not_mixed(solver, tmp_path):
    run(read_study(THERMAL), tmp_path, quiet=True)
    mark = json.loads((tmp_path / "study.json").read_text())
    (tmp_path / "study.json").write_text(json.dumps(mark | {"version": "0.0.1"}))
    with pytest.raises(InputError, match="computed by orbiphon 0.0.1"):
        run(read_study(THERMAL), tmp_path, quiet=True)


def test_a_folder_with_other_files_is_refused(solver, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is not empty and holds no study"):
        run(read_study(THERMAL), tmp_path, quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_unusable_output_folders(solver, tmp_path):
    (tmp_path / "file").write_text("")
    for out, message in [("file", "is a file"), ("file/out", "must be writable"), ("a\0b", "must be")]:
        with pytest.raises(InputError, match=message):
            run(read_study(THERMAL), tmp_path / out, quiet=True)
    assert solver.calls == 0 and [path.name for path in tmp_path.iterdir()] == ["file"]


def test_missed_tolerances_are_counted(solver, tmp_path):
    solver.converged = False
    assert run(read_study(THERMAL), tmp_path, quiet=True).missed == 6
    assert not xarray.open_zarr(tmp_path / "result.zarr").converged.any()
    assert run(read_study(THERMAL), tmp_path, quiet=True).missed == 6


def test_results_that_are_no_numbers_count_as_missed(solver, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeSolver, "expected", staticmethod(lambda level, t, o=0: level * t * np.nan))
    assert run(read_study(THERMAL), tmp_path, quiet=True).missed == 6


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 100])
def test_blocks_cover_what_is_missing_once(size):
    rng = np.random.default_rng(size)
    for _ in range(20):
        done = rng.random((3, 4)) < rng.random()
        covered = np.zeros(done.shape, dtype=int)
        pace = _Pace()
        pace.size = size
        for block in _missing(done, pace):
            assert covered[block].size <= max(size, 1)
            covered[block] += 1
        assert np.array_equal(covered, (~done).astype(int))
