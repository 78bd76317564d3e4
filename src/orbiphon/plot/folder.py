"""The pictures of a folder of results."""

from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.errors import InputError
from orbiphon.plot.paper import draw_paper
from orbiphon.plot.style import COLOURS, figure, save

_MOST_CURVES = 6


def plot_folder(path: str | Path) -> list[Path]:
    """Draw what `orbiphon run` or `orbiphon reproduce` left in a folder; the pictures' paths.

    Raises `InputError` if there is nothing to draw.
    """
    folder = Path(path)
    if (folder / "fig3a.zarr").is_dir():
        return draw_paper(folder)
    if not (folder / "result.zarr").is_dir():
        raise InputError(
            f"The folder `{folder}` must hold results, but has no result.zarr. Run `orbiphon run study.toml --out ...`."
        )
    import xarray

    data = xarray.open_zarr(folder / "result.zarr").load()
    return [
        _draw(data.sel({"observable": name}), str(name), folder / f"{name}.png") for name in data["observable"].values
    ]


def _draw(data: Any, name: str, path: Path) -> Path:
    """One observable against the longest swept quantity, a curve for each of the others' values."""
    dims = [dim for dim in data["value"].dims if dim not in ("method", "order")]
    others = [dim for dim in data["value"].dims if dim not in dims]
    along = max(dims, key=lambda dim: data.sizes[dim]) if dims else None
    curves = _curves(data, [dim for dim in (*dims, *others) if dim != along])
    parts = ("real", "imaginary") if np.iscomplexobj(data["value"].values) else ("",)
    drawing, axes = figure(len(parts))
    unit = str(data["unit"].values)
    for axis, part in zip(axes, parts, strict=True):
        for (label, one), colour in zip(curves[:_MOST_CURVES], COLOURS, strict=False):
            value = one["value"].values
            value = value.imag if part == "imaginary" else value.real
            x = [0.0] if along is None else one[along].values
            axis.errorbar(
                x, np.atleast_1d(value), np.atleast_1d(one["error"].values), color=colour, marker="o", label=label
            )
        axis.set_xlabel(along.replace("_", " ") if along else "")
        axis.set_ylabel(f"{part} {name} per cell ({unit})".strip())
        axis.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
        left_out = len(curves) - _MOST_CURVES
        if len(curves) > 1:
            axis.legend(title=f"and {left_out} more" if left_out > 0 else None)
        else:
            axis.set_title(curves[0][0])
    return save(drawing, path)


def _curves(data: Any, dims: list[str]) -> list[tuple[str, Any]]:
    """(label, slice) for every combination of values of the given dimensions."""
    curves = [("", data)]
    for dim in dims:
        curves = [
            (f"{label} {dim.replace('_', ' ')} {value}".strip(), one.isel({dim: i}))
            for label, one in curves
            for i, value in enumerate(data[dim].values)
        ]
    return curves
