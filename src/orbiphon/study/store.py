"""Results as labelled arrays, `result.zarr` and `result.csv`."""

import csv
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orbiphon.response import Answer, MomentSpectrum
from orbiphon.study.config import Study
from orbiphon.study.provenance import provenance
from orbiphon.study.results import Results
from orbiphon.study.spectrum import spectrum_dataset

if TYPE_CHECKING:
    import xarray


def to_xarray(answer: Answer | MomentSpectrum) -> "xarray.Dataset":
    """A spectrum as `spectrum_dataset` has it; an answer as a dataset of `value`, `error` (fermi_level_eV,
    temperature_K, observable), `converged` and `points`.

    Where the answer was asked for by filling, levels differ from temperature to temperature; the first dimension is
    then called `fermi`, and `fermi_level_eV` has the dimensions (fermi, temperature_K).
    """
    import xarray

    if isinstance(answer, MomentSpectrum):
        return spectrum_dataset(answer)
    levels = answer.fermi_level
    alike = bool(np.all(levels == levels[:, :1]))
    fermi = "fermi_level_eV" if alike else "fermi"
    states = (fermi, "temperature_K")
    data = {
        "value": ((*states, "observable"), answer.value),
        "error": ((*states, "observable"), answer.error),
        "converged": (states, answer.converged),
        "points": (states, answer.points),
    }
    coordinates: dict[str, Any] = {
        "temperature_K": answer.temperature,
        "observable": list(answer.observables),
        "unit": ("observable", list(answer.unit)),
        "zero_by_symmetry": ("observable", list(answer.forbidden or [False] * len(answer.observables))),
        "fermi_level_eV": levels[:, 0] if alike else (states, levels),
    }
    attributes = {
        "method": answer.method,
        "coupling": answer.coupling,
        "order": answer.order,
        "broadening": answer.broadening,
        "broadening_unit": "eV",
        "description": answer.description,
    }
    return xarray.Dataset(data, coordinates, attributes | provenance())


def to_dataset(study: Study, results: Results) -> "xarray.Dataset":
    """All results of a study by swept quantities, `method` and `order` (where there are several), and `observable`."""
    import xarray

    plan, table = results.plan, study.config.response
    listed = {"method": results.methods, "order": results.orders}
    extra = [name for name, names in listed.items() if len(names) > 1]
    dims = (*plan.dims, *extra)

    def shaped(array: np.ndarray) -> np.ndarray:
        sizes = [len(listed[name]) for name in extra]
        return array.reshape((*plan.shape, *sizes, *array.shape[3:]))

    coordinates: dict[str, Any] = {"observable": list(results.observables)}
    coordinates |= {name: list(listed[name]) for name in extra}
    for axis, dim in zip(plan.axes, plan.dims, strict=True):
        for path, found in axis.quantities.items():
            coordinates[plan.columns[path]] = (dim, list(found.values), {"units": found.kind.unit, "key": path})
    coordinates["unit"] = ("observable", list(results.unit or [""] * len(results.observables)))
    data = {
        "value": ((*dims, "observable"), shaped(results.value)),
        "error": ((*dims, "observable"), shaped(results.error)),
        "converged": (dims, shaped(results.converged)),
        "finished": (dims, shaped(results.done)),
        "points": (dims, shaped(results.points)),
        "zero_by_symmetry": ((*dims, "observable"), shaped(results.forbidden)),
    }
    if study.config.state.filling is not None:
        data["fermi_level_of_filling"] = (dims, shaped(results.fermi_level))
    broadening = table.broadening
    attributes: dict[str, Any] = {
        "units": ", ".join(f"{name}: {unit}" for name, unit in zip(results.observables, results.unit, strict=False)),
        "method": _one_or_all(results.methods),
        "order": _one_or_all(results.orders),
        "coupling": study.config.coupling.kind,
        "broadening": "swept" if broadening.swept else broadening.values[0],
        "broadening_unit": broadening.kind.unit,
        "tolerance": {"rtol": study.config.numerics.rtol.values[0], "atol": study.config.numerics.atol.values[0]},
        "description": list(results.descriptions),
        "complete": results.complete,
        "config": json.dumps(study.canonical()),
        "study_file": study.text,
    }
    dataset = xarray.Dataset(data, coordinates, attributes | provenance())
    for name in ("value", "error"):
        dataset[name].attrs["units"] = attributes["units"]
    return dataset


def _one_or_all(names: Sequence[Any]) -> Any:
    return names[0] if len(names) == 1 else list(names)


def write_results(study: Study, results: Results, folder: Path) -> None:
    """Write `result.csv` and `result.zarr`; each is replaced as a whole, so that nobody reads half of one."""
    fresh = folder / "result.csv.new"
    _write_csv(study, results, fresh)
    os.replace(fresh, folder / "result.csv")
    path, fresh, old = (folder / f"result.zarr{end}" for end in ("", ".new", ".old"))
    for leftover in (fresh, old):
        remove(leftover)
    to_dataset(study, results).to_zarr(fresh, mode="w", zarr_format=2)
    if path.exists():
        os.replace(path, old)
    os.replace(fresh, path)
    remove(old)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_csv(study: Study, results: Results, path: Path) -> None:
    """One row per finished point, method, order and observable."""
    plan, complex_values = results.plan, np.iscomplexobj(results.value)
    columns = [column for axis in plan.axes for column in (plan.columns[path] for path in axis.quantities)]
    names = ["value_re", "value_im"] if complex_values else ["value"]
    order = ["order"] if len(results.orders) > 1 else []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, "observable", "method", *order, *names, "error", "unit"])
        for point, index in enumerate(np.ndindex(*plan.shape)):
            swept = [
                repr(found.values[i])
                for axis, i in zip(plan.axes, index, strict=True)
                for found in axis.quantities.values()
            ]
            for m, o in np.ndindex(len(results.methods), len(results.orders)):
                if not results.done[point, m, o]:
                    continue
                for n, observable in enumerate(results.observables):
                    value = results.value[point, m, o, n]
                    numbers = [value.real, value.imag] if complex_values else [value]
                    row = [*swept, observable, results.methods[m], *([results.orders[o]] if order else [])]
                    error = results.error[point, m, o, n]
                    writer.writerow([*row, *(repr(float(x)) for x in (*numbers, error)), results.unit[n]])
