"""Bands, density of states and Fermi surface, in the colours of the orbitals that they are made of."""

from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.electrons import FermiLines, SpectralDensity
from orbiphon.plot.style import COLOURS, MINUS, figure, save

_LEVEL: Any = {"color": "0.35", "linewidth": 0.8, "linestyle": "--", "zorder": 0}


def draw_bands(data: Any, path: Path) -> Path:
    """Bands, each point in the colour of its largest orbital and as wide as that orbital's weight."""
    drawing, (axis,) = figure(1, width=4.8)
    weight = data["weight"].values
    main = _main(weight)
    for orbital, name in enumerate(data["orbital"].values):
        chosen = main == orbital
        x = np.broadcast_to(data["distance"].values[:, None], chosen.shape)[chosen]
        size = 5 * weight[..., orbital][chosen]
        axis.scatter(x, data["energy"].values[chosen], size, COLOURS[orbital % len(COLOURS)], label=str(name))
    ends = data["distance"].values[data.attrs["nodes"]]
    axis.set_xticks(ends, data.attrs["labels"])
    for end in ends:
        axis.axvline(end, color="0.8", linewidth=0.6, zorder=0)
    if "fermi_level" in data.attrs:
        axis.axhline(data.attrs["fermi_level"], label="Fermi level", **_LEVEL)
    axis.set_xlim(ends[0], ends[-1])
    axis.set_ylabel("energy (eV)")
    legend = drawing.legend(loc="outside right upper", scatterpoints=1)
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([20])
    return save(drawing, path)


def draw_states(data: SpectralDensity, path: Path, fermi_level: float | None = None) -> Path:
    """The density of states, total and by orbital, with what it resolves and its largest error."""
    drawing, (axis,) = figure(1, width=5.2)
    axis.fill_between(data.energies, data.total, color="0.9", linewidth=0)
    axis.plot(data.energies, data.total, color="0.3", linewidth=1.0, label="total")
    for group, name in enumerate(data.names):
        colour = COLOURS[group % len(COLOURS)]
        axis.plot(data.energies, data.value[:, group], color=colour, linewidth=1.0, label=name)
    if fermi_level is not None:
        axis.axvline(fermi_level, label="Fermi level", **_LEVEL)
    axis.set_xlim(data.energies[0], data.energies[-1])
    axis.set_ylim(0, None)
    axis.set_xlabel("energy (eV)")
    axis.set_ylabel("states per eV and cell")
    error = float(np.max(np.sum(data.error, axis=1)))
    axis.set_title(f"Gaussian of {data.resolution:.2g} eV, error at most {error:.1g}")
    drawing.legend(loc="outside right upper")
    return save(drawing, path)


def draw_fermi(data: list[FermiLines], path: Path) -> Path:
    """The Fermi surface in planes: on the left each point in the colour of its largest orbital and as wide as that
    orbital's weight, on the right in that of its velocity. The grey line is the border of the zone."""
    from matplotlib.lines import Line2D

    drawing, axes = figure(2 * len(data), width=3.2, height=3.4)
    by_orbital, by_speed = axes[: len(data)], axes[len(data) :]
    fastest = max((float(np.max(lines.speed)) for lines in data if len(lines.speed)), default=1.0)
    for lines, left, right in zip(data, by_orbital, by_speed, strict=True):
        colours = np.array(COLOURS)[_main(lines.weight) % len(COLOURS)]
        _draw_lines(
            left, lines, {"colors": colours, "linewidths": 0.6 + 2.0 * np.max(lines.weight, axis=1, initial=0.0)}
        )
        drawn = _draw_lines(right, lines, {"array": lines.speed, "linewidths": 1.8})
        drawn.set_clim(0.0, fastest)
    bar = drawing.colorbar(drawn, ax=list(by_speed), shrink=0.8)
    bar.set_label(r"$|\partial\varepsilon/\partial k|$ (eV $\mathrm{\AA}$)")
    shown = sorted(set(np.concatenate([_main(lines.weight) for lines in data]).tolist()))
    handles = [Line2D([], [], color=COLOURS[group % len(COLOURS)], linewidth=2) for group in shown]
    if shown:
        drawing.legend(handles, [data[0].names[group] for group in shown], loc="outside upper left", ncols=len(shown))
    return save(drawing, path)


def _draw_lines(axis: Any, lines: FermiLines, style: dict[str, Any]) -> Any:
    """The lines in a plane, with a value of each property of `style` for each point, or one for all."""
    from matplotlib.collections import LineCollection

    section, plane = lines.section, lines.k @ lines.section.axes.T
    axis.fill(*section.corners.T, facecolor="none", edgecolor="0.7", linewidth=0.8)
    begin = np.flatnonzero(np.diff(lines.line) == 0)
    chosen = {key: value[begin] if np.ndim(value) else value for key, value in style.items()}
    drawn = LineCollection(list(np.stack([plane[begin], plane[begin + 1]], axis=1)), capstyle="round", **chosen)
    axis.add_collection(drawn)
    if not len(plane):
        axis.text(0, 0, "no states at\nthe Fermi level", ha="center", va="center")
    axis.set_aspect("equal")
    axis.set_xlabel(f"$k$ along {_direction(section.axes[0])} ($\\mathrm{{\\AA}}^{{-1}}$)")
    axis.set_ylabel(f"$k$ along {_direction(section.axes[1])} ($\\mathrm{{\\AA}}^{{-1}}$)")
    return drawn


def _main(weight: np.ndarray) -> np.ndarray:
    """The group with the largest weight, the first of those with equal ones."""
    return np.argmax(np.round(weight, 6), axis=-1)


def _direction(axis: np.ndarray) -> str:
    """A direction in space by name: x, or components over the smallest."""
    shown = axis / np.min(np.abs(axis[np.abs(axis) > 1e-6]))
    if np.count_nonzero(np.abs(axis) > 1e-6) == 1 and np.sum(axis) > 0:
        return "xyz"[int(np.argmax(axis))]
    return "[" + " ".join(f"{x:.3g}" for x in np.where(np.abs(shown) < 1e-6, 0.0, shown)).replace("-", MINUS) + "]"
