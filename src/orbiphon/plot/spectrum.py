"""The moment-per-phonon spectrum: phonon bands, or maps of the zone, coloured by what one phonon pumps."""

from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.errors import InputError
from orbiphon.plot.style import MINUS, figure, load, save, writable
from orbiphon.response import MomentSpectrum
from orbiphon.study import Study
from orbiphon.study.progress import progress_bars
from orbiphon.study.show import mode_spectrum
from orbiphon.study.spectrum import save_spectrum, spectrum_dataset

_NEEDED = ("frequency", "value", "wave_vector", "observable")
_COLOURS = "RdBu_r"
_QUIET = 1e-9  # of the largest moment of any observable: nothing but rounding


def draw_spectrum(spectrum: MomentSpectrum | Any, path: str | Path, observable: str | None = None) -> Path:
    """Draw a `MomentSpectrum`, or its dataset: bands along a path, one panel per observable; over a mesh of a layer's
    zone, one panel per mode for one `observable` (default: the first). Returns the path of the picture.

    **Raises:** `InputError` for an observable that is not there, or a mesh of another dimension than two.
    """
    data = spectrum_dataset(spectrum) if isinstance(spectrum, MomentSpectrum) else spectrum
    names = [str(name) for name in data["observable"].values]
    if observable is not None and observable not in names:
        raise InputError(f"Argument `observable` must be one of {', '.join(names)}, but is {observable!r}. Choose one.")
    if "distance" in data.coords:
        return _bands(data, names if observable is None else [observable], Path(path))
    if len(data.attrs.get("mesh", ())) != 2:
        raise InputError(
            "Argument `spectrum` must run along a path, or over a mesh in two dimensions. Compute one such."
        )
    return _zone(data, observable or names[0], Path(path))


def show_spectrum(file: str | Path, out: str | Path) -> list[Path]:
    """Draw a saved spectrum into the folder `out`. **Raises:** `InputError` if it is none, or `out` is not writable."""
    data, folder = load(Path(file), *_NEEDED), writable(out)
    return [draw_spectrum(data, folder / f"{Path(file).stem}.png")]


def compute_spectrum(study: Study, out: str | Path, quiet: bool = False) -> list[Path]:
    """Moments per phonon of a study's crystal along a path, into spectrum.zarr and spectrum.png in the folder `out`.

    **Raises:** `InputError` if the study has no such moments, or `out` is not writable.
    """
    folder = writable(out)
    with progress_bars(1, 0, quiet, "spectrum") as advance:
        spectrum = mode_spectrum(study)
        advance(1)
    return [save_spectrum(spectrum, folder / "spectrum.zarr"), draw_spectrum(spectrum, folder / "spectrum.png")]


def _bands(data: Any, names: list[str], path: Path) -> Path:
    drawing, axes = figure(len(names), width=4.6, height=3.4)
    largest = float(np.max(np.abs(data["value"].values)))
    for axis, name in zip(axes, names, strict=True):
        moment = data["value"].sel({"observable": name}).values
        frequency, distance = data["frequency"].values, data["distance"].values
        axis.plot(distance, frequency, color="0.75", linewidth=0.6, zorder=1)
        scale = float(np.max(np.abs(moment)))
        scale = scale if scale > _QUIET * largest else 1.0
        x = np.broadcast_to(distance[:, None], moment.shape)
        order = np.argsort(np.abs(moment), axis=None)  # the largest on top
        size = 3.0 + 22.0 * np.sqrt(np.abs(moment) / scale)
        drawn = axis.scatter(
            x.ravel()[order],
            frequency.ravel()[order],
            size.ravel()[order],
            moment.ravel()[order],
            cmap=_COLOURS,
            vmin=-scale,
            vmax=scale,
            linewidths=0.2,
            edgecolors="0.4",
            zorder=2,
        )
        _colourbar(drawing, axis, drawn, name, scale)
        ends = distance[list(data.attrs["nodes"])]
        axis.set_xticks(ends, data.attrs["labels"])
        for end in ends:
            axis.axvline(end, color="0.85", linewidth=0.6, zorder=0)
        axis.set_xlim(ends[0], ends[-1])
        axis.set_ylim(0.0, None)
        axis.set_ylabel(r"$\hbar\omega$ (meV)")
    _title(drawing, data)
    return save(drawing, path)


def _zone(data: Any, name: str, path: Path) -> Path:
    moment = data["value"].sel({"observable": name}).values
    q, modes = data["wave_vector"].values, moment.shape[1]
    drawing, axes = figure(modes, width=2.5, height=2.7)
    scale = float(np.max(np.abs(moment))) or 1.0
    apart = np.min(np.linalg.norm(q[1:] - q[0], axis=1)) if len(q) > 1 else 1.0
    for mode, axis in enumerate(axes):
        drawn = axis.scatter(
            q[:, 0], q[:, 1], _area(drawing, axis, q, apart), moment[:, mode], cmap=_COLOURS, vmin=-scale, vmax=scale,
            linewidths=0.0, marker="h",
        )  # fmt: skip
        axis.set_aspect("equal")
        axis.set_title(f"mode {mode}")
        axis.set_xlabel(r"$q_x$ ($\mathrm{\AA}^{-1}$)")
    axes[0].set_ylabel(r"$q_y$ ($\mathrm{\AA}^{-1}$)")
    _colourbar(drawing, list(axes), drawn, name, scale)
    _title(drawing, data)
    return save(drawing, path)


def _area(drawing: Any, axis: Any, q: np.ndarray, apart: float) -> float:
    """Of a marker (points²) that covers the part of the zone that belongs to one q."""
    span = max(np.ptp(q[:, 0]), np.ptp(q[:, 1])) + apart
    inches = min(drawing.get_size_inches()[1] * 0.62, drawing.get_size_inches()[0])
    return (1.15 * 72.0 * inches * apart / span) ** 2


def _colourbar(drawing: Any, axes: Any, drawn: Any, name: str, scale: float) -> None:
    """In units of 10^-6 or so, so that ticks are short; with what its end is as a magnetic moment."""
    power = int(np.floor(np.log10(scale)))
    bar = drawing.colorbar(drawn, ax=axes, ticks=[-scale, 0.0, scale])
    end = f"{scale / 10.0**power:.2f}"
    bar.ax.set_yticklabels([MINUS + end, "0", end])
    bar.set_label(f"{name} per phonon ($10^{{{power}}}\\,\\hbar$)".replace("-", MINUS))


def _title(drawing: Any, data: Any) -> None:
    a = data.attrs
    words = f"{a['method']}, {a['temperature_K']:g} K, Fermi level {a['fermi_level_eV']:.4g} eV, "
    drawing.suptitle((words + f"broadening {a['broadening_eV']:g} eV").replace(" -", f" {MINUS}"), fontsize=9)
