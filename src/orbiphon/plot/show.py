"""Pictures of what goes into a study."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.plot.electrons import draw_bands, draw_fermi, draw_states
from orbiphon.plot.style import COLOURS, MINUS, figure, save, writable
from orbiphon.study import Study
from orbiphon.study.build import electrons as build_electrons
from orbiphon.study.show import (
    band_data,
    fermi_data,
    first_fermi_level,
    first_values,
    path_of_bands,
    phonon_data,
    pulse_data,
    states_data,
    zone_data,
)


def show(study: Study, out: str | Path) -> list[Path]:
    """bands.png, states.png, fermi.png (but of a chain), phonons.png and, for two-dimensional crystals at second order
    zone.png in the folder `out`, if one mean over the zone makes the moment; for a pulse pulse.png in place of it."""
    electrons = build_electrons(study, first_values(study))
    level = first_fermi_level(study, electrons)
    pictures = [
        (draw_bands, band_data(electrons, level, path_of_bands(study, electrons)), "bands.png"),
        (partial(draw_states, fermi_level=level), states_data(study, electrons), "states.png"),
    ]
    if electrons.crystal.lattice.dim > 1:
        pictures.append((draw_fermi, fermi_data(electrons, level), "fermi.png"))
    pictures.append((draw_phonons, phonon_data(study), "phonons.png"))
    if study.config.drive.in_time:
        pictures.append((draw_pulse, pulse_data(study), "pulse.png"))
    elif electrons.crystal.lattice.dim == 2 and 2 in study.config.response.order:
        zone = zone_data(study)
        pictures += [] if zone is None else [(draw_zone, zone, "zone.png")]
    folder = writable(out)
    return [draw(data, folder / name) for draw, data, name in pictures]


def draw_phonons(data: Any, path: Path) -> Path:
    """The acoustic branch, or the modes along a path."""
    drawing, (axis,) = figure(1)
    if "mode" in data.dims:
        axis.plot(data["distance"], data["frequency"], color=COLOURS[0])
        ends = data["distance"].values[data.attrs["nodes"]]
        axis.set_xticks(ends, data.attrs["labels"])
        axis.set_xlim(ends[0], ends[-1])
        axis.set_ylabel(r"$\hbar\omega$ (meV)")
        axis.set_ylim(0, None)
        return save(drawing, path)
    axis.plot(data["q"], data["frequency"], color=COLOURS[0])
    axis.set_xlabel(r"wave vector $q$ ($\mathrm{\AA}^{-1}$)")
    axis.set_ylabel(r"$\hbar\omega$ (meV)")
    axis.set_xlim(0, None)
    axis.set_ylim(0, None)
    return save(drawing, path)


def draw_pulse(data: Any, path: Path) -> Path:
    """The displacement in time."""
    drawing, (axis,) = figure(1, width=4.0)
    u = data["displacement"].values
    for number, name in enumerate("xyz"):
        if np.max(np.abs(u[:, number])) > 1e-6 * np.max(np.abs(u)):
            axis.plot(data["time"], u[:, number], color=COLOURS[number], label=f"$u_{name}$")
    axis.set_xlabel("time (ps)")
    axis.set_ylabel("displacement (pm)")
    axis.set_xlim(float(data["time"][0]), float(data["time"][-1]))
    axis.legend(loc="best")
    return save(drawing, path)


def draw_zone(data: Any, path: Path) -> Path:
    """Where in the zone the moment comes from, with the Fermi lines and the lines on which two bands meet."""
    from matplotlib.colors import SymLogNorm
    from matplotlib.lines import Line2D

    names = data["observable"].values
    drawing, axes = figure(len(names), width=4.4, height=3.8)
    meet = False
    for axis, name in zip(axes, names, strict=True):
        moment = data["moment"].sel({"observable": name}).values
        most = float(np.max(np.abs(moment)))
        scale = most or 1.0
        norm = SymLogNorm(linthresh=1e-4 * scale, vmin=-scale, vmax=scale)
        drawn = axis.pcolormesh(data["kx"], data["ky"], moment, cmap="RdBu_r", norm=norm, rasterized=True)
        drawing.colorbar(
            drawn,
            ax=axis,
            label=f"{name} from each wave vector ($\\hbar$)",
            ticks=[-most, -most / 100, 0.0, most / 100, most] if most else [0.0],
            format=lambda x, _: f"{x:.1e}".replace("-", MINUS) if x else "0",
        )
        meet |= _lines(axis, data)
        axis.set_aspect("equal")
        axis.set_xlabel("$k_1$ (reciprocal vectors)")
        axis.set_ylabel("$k_2$ (reciprocal vectors)")
    drawing.suptitle(
        f"{data.attrs['method']}, {data.attrs['coupling'].replace('_', ' ')} coupling\n"
        f"{data.attrs['temperature']:g} K, Fermi level {data.attrs['fermi_level']:.4g} eV".replace(" -", f" {MINUS}"),
        fontsize=9,
    )
    handles = [Line2D([], [], **_FERMI), *([Line2D([], [], **_MEET)] if meet else [])]
    labels = ["Fermi lines", "two bands meet"][: len(handles)]
    drawing.legend(handles, labels, loc="outside lower center", ncols=2)
    return save(drawing, path)


_FERMI: Any = {"color": "black", "linewidth": 0.5, "linestyle": "-"}
_MEET: Any = {"color": "0.35", "linewidth": 0.9, "linestyle": ":"}


def _lines(axis: Any, data: Any) -> bool:
    """Fermi lines of every band, and degeneracies of bands of different sectors; whether there are any of these."""
    level, sector = data["level"].values, data["sector"].values
    meet = False
    for a in range(level.shape[-1]):
        _zero(axis, data, level[..., a] - data.attrs["fermi_level"], _FERMI)
        for b in range(a):
            if sector[a] != sector[b]:
                meet |= _zero(axis, data, level[..., a] - level[..., b], _MEET)
    return meet


def _zero(axis: Any, data: Any, values: np.ndarray, style: Any) -> bool:
    """Draw where the values (ky, kx) vanish; nothing where that is only rounding."""
    crosses = bool(np.min(values) < -1e-9 and np.max(values) > 1e-9)  # eV
    if crosses:
        line = {f"{key}s": value for key, value in style.items()}
        axis.contour(data["kx"], data["ky"], values, levels=[0.0], **line)
    return crosses
