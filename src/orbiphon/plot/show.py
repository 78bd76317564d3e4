"""Pictures of what goes into a study."""

from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.errors import InputError
from orbiphon.plot.style import COLOURS, figure, save
from orbiphon.study import Study
from orbiphon.study.build import electrons as build_electrons
from orbiphon.study.show import band_data, first_values, phonon_data, zone_data


def show(study: Study, out: str | Path) -> list[Path]:
    """bands.png, phonons.png and, for two-dimensional crystals at second order, zone.png in the folder `out`."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder `{folder}` must be writable, but is not: {error.strerror}.") from None
    electrons = build_electrons(study, first_values(study))
    drawn = [draw_bands(band_data(electrons), folder / "bands.png")]
    drawn.append(draw_phonons(phonon_data(study), folder / "phonons.png"))
    if electrons.crystal.lattice.dim == 2 and 2 in study.config.response.order:
        drawn.append(draw_zone(zone_data(study), folder / "zone.png"))
    return drawn


def draw_bands(data: Any, path: Path) -> Path:
    """Bands, each point in the colour of its largest orbital and as wide as that orbital's weight."""
    drawing, (axis,) = figure(1, width=4.2)
    main = data["weight"].argmax("orbital").values
    for orbital, name in enumerate(data["orbital"].values):
        chosen = main == orbital
        x = np.broadcast_to(data["distance"].values[:, None], chosen.shape)[chosen]
        size = 7 * data["weight"].values[..., orbital][chosen]
        axis.scatter(x, data["energy"].values[chosen], size, COLOURS[orbital % len(COLOURS)], label=str(name))
    ends = data["distance"].values[data.attrs["nodes"]]
    axis.set_xticks(ends, data.attrs["labels"])
    for end in ends:
        axis.axvline(end, color="0.8", linewidth=0.6, zorder=0)
    axis.set_xlim(ends[0], ends[-1])
    axis.set_ylabel("energy (eV)")
    axis.legend(markerscale=2)
    return save(drawing, path)


def draw_phonons(data: Any, path: Path) -> Path:
    """The acoustic branch."""
    drawing, (axis,) = figure(1)
    axis.plot(data["q"], data["frequency"], color=COLOURS[0])
    axis.set_xlabel(r"wave vector $q$ ($\mathrm{\AA}^{-1}$)")
    axis.set_ylabel(r"$\hbar\omega$ (meV)")
    axis.set_xlim(0, None)
    axis.set_ylim(0, None)
    return save(drawing, path)


def draw_zone(data: Any, path: Path) -> Path:
    """Where in the zone the moment comes from, with the Fermi lines and the lines on which two bands meet."""
    from matplotlib.colors import SymLogNorm
    from matplotlib.lines import Line2D

    names = data["observable"].values
    drawing, axes = figure(len(names), width=4.4, height=3.8)
    for axis, name in zip(axes, names, strict=True):
        moment = data["moment"].sel({"observable": name}).values
        most = float(np.max(np.abs(moment))) or 1.0
        norm = SymLogNorm(linthresh=1e-4 * most, vmin=-most, vmax=most)
        drawn = axis.pcolormesh(data["kx"], data["ky"], moment, cmap="RdBu_r", norm=norm, rasterized=True)
        drawing.colorbar(
            drawn,
            ax=axis,
            label=f"{name} from each wave vector ($\\hbar$)",
            ticks=[-most, -most / 100, 0.0, most / 100, most],
            format="%.0e",
        )
        _lines(axis, data)
        axis.set_aspect("equal")
        axis.set_xlabel("$k_1$ (reciprocal vectors)")
        axis.set_ylabel("$k_2$ (reciprocal vectors)")
        axis.set_title(
            f"{data.attrs['method']}, {data.attrs['coupling'].replace('_', ' ')} coupling, "
            f"{data.attrs['temperature']:g} K, {data.attrs['fermi_level']:g} eV".replace(" -", " \N{MINUS SIGN}")
        )
        handles = [Line2D([], [], color="black"), Line2D([], [], color="0.35", linestyle=":")]
        drawing.legend(handles, ["Fermi lines", "two bands meet"], loc="outside lower center", ncols=2)
    return save(drawing, path)


def _lines(axis: Any, data: Any) -> None:
    """Fermi lines of every band, and degeneracies of bands of different sectors."""
    level, sector = data["level"].values, data["sector"].values
    for a in range(level.shape[-1]):
        _zero(axis, data, level[..., a] - data.attrs["fermi_level"], colors="black", linewidths=0.9)
        for b in range(a):
            if sector[a] != sector[b]:
                _zero(axis, data, level[..., a] - level[..., b], colors="0.35", linewidths=0.9, linestyles=":")


def _zero(axis: Any, data: Any, values: np.ndarray, **style: Any) -> None:
    if np.min(values) < 0.0 < np.max(values):
        axis.contour(data["kx"], data["ky"], values, levels=[0.0], **style)
