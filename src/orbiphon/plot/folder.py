"""The pictures of a folder of results."""

from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.errors import InputError
from orbiphon.plot.metals import draw_metals
from orbiphon.plot.paper import draw_paper
from orbiphon.plot.statements import draw_statements
from orbiphon.plot.style import COLOURS, MINUS, figure, load, save
from orbiphon.study.quantity import KINDS

_MOST_CURVES = 6


def plot_folder(path: str | Path) -> list[Path]:
    """Draw what `orbiphon run` or `orbiphon reproduce` left in a folder; the pictures' paths.

    Raises `InputError` if there is nothing to draw.
    """
    folder = Path(path)
    if (folder / "fig3a.zarr").is_dir():
        return draw_paper(folder)
    if (folder / "metals.csv").is_file():
        return draw_metals(folder / "metals.csv")
    if (folder / "statements.csv").is_file():
        return draw_statements(folder)
    if not (folder / "result.zarr").is_dir():
        raise InputError(
            f"The folder `{folder}` must hold results, but has no result.zarr. Run `orbiphon run study.toml --out ...`."
        )
    data = load(folder / "result.zarr", "value", "error", "observable", "unit")
    return [
        _draw(data.sel({"observable": name}), str(name), folder / f"{name}.png") for name in data["observable"].values
    ]


def _draw(data: Any, name: str, path: Path) -> Path:
    """One observable against time, or the longest swept quantity; a curve for each of the others' values."""
    dims = [dim for dim in data["value"].dims if dim not in ("method", "order")]
    others = [dim for dim in data["value"].dims if dim not in dims]
    along = max(dims, key=lambda dim: (dim == "time_ps", data.sizes[dim])) if dims else None
    curves = _curves(data, [dim for dim in (*dims, *others) if dim != along])
    shown = curves[:_MOST_CURVES]
    parts = ("real", "imaginary") if np.iscomplexobj(data["value"].values) else ("",)
    legend = 0.5 + 0.055 * max(len(label) for label, _ in shown) if len(shown) > 1 else 0.0  # inches
    drawing, axes = figure(len(parts), width=3.4 + legend / len(parts))
    unit = _written(str(data["unit"].values))
    for axis, part in zip(axes, parts, strict=True):
        for (label, one), colour in zip(shown, COLOURS, strict=False):
            value = one["value"].values
            value = value.imag if part == "imaginary" else value.real
            x = [0.0] if along is None else one[along].values
            axis.errorbar(
                x, np.atleast_1d(value), np.atleast_1d(one["error"].values), color=colour, marker="o", label=label
            )
        axis.set_ylabel(f"{part} {name} per cell ({unit})".strip())
        axis.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
        if along is None:
            axis.set_xticks([])
        else:
            words, unit_along = _words(data, along)
            axis.set_xlabel(f"{words} ({unit_along})" if unit_along else words)
        axis.set_title(_title(data))
    if legend:
        left_out = len(curves) - len(shown)
        drawing.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside right upper",
            title=f"and {left_out} more" if left_out else None,
        )
    return save(drawing, path)


def _curves(data: Any, dims: list[str]) -> list[tuple[str, Any]]:
    """(label, slice) for every combination of values of the given dimensions."""
    curves = [("", data)]
    for dim in dims:
        curves = [
            (f"{label}, {_value(data, dim, i)}".removeprefix(", "), one.isel({dim: i}))
            for label, one in curves
            for i in range(data.sizes[dim])
        ]
    return curves


def _title(data: Any) -> str:
    """What all curves share: the method, if there is one, and the coupling."""
    method = data.attrs.get("method")
    shared = [method] if isinstance(method, str) else []
    return ", ".join(
        [*shared, *(f"{word.replace('_', ' ')} coupling" for word in [data.attrs.get("coupling")] if word)]
    )


def _value(data: Any, dim: str, i: int) -> str:
    """One value of a dimension, as "fermi level −2.5 eV"."""
    value = data[dim].values[i]
    if dim == "method":
        return str(value)
    words, unit = _words(data, dim)
    return f"{words} {value:g} {unit}".strip().replace(" -", f" {MINUS}")


def _words(data: Any, dim: str) -> tuple[str, str]:
    """The name of a dimension without its unit, and the unit."""
    unit = str(data[dim].attrs.get("units", ""))
    suffix = next((kind.suffix for kind in KINDS.values() if kind.unit == unit), "")
    return dim.removesuffix(suffix).replace("_", " "), _written(unit)


def _written(unit: str) -> str:
    return unit.replace("hbar", "ħ").replace("^2", "²").replace("^3", "³").replace("angstrom", "Å")
