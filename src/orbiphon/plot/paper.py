"""The figures of arXiv:2511.11272, as published beside conserving."""

from pathlib import Path
from typing import Any

import numpy as np

from orbiphon.plot.style import COLOURS, MINUS, figure, load, save

PANELS = (
    ("as published", (("published", "quadrupole", "-", "quadrupole coupling"),)),
    (
        "conserving broadening",
        (("adiabatic", "quadrupole", "-", "quadrupole coupling"), ("adiabatic", "two_centre", "--", "exact coupling")),
    ),
)
NEEDED = {
    "fig3a": ("temperature_K", "fermi_level_eV"),
    "fig3b": ("temperature_K", "t_pi_eV"),
    "fig4": ("pz_shift_eV",),
}


def draw_paper(folder: Path) -> list[Path]:
    """fig3a.png, fig3b.png, fig4.png from the tables of the folder, and thermal.png where finite wave vectors are."""
    columns = ("method", "coupling", "q_domain", "Lx_per_site")
    tables = {name: load(folder / f"{name}.zarr", *columns, *swept) for name, swept in NEEDED.items()}
    labels = {"fig3a": r"$\varepsilon_\mathrm{F}$", "fig3b": r"$t_\pi$"}
    drawn = [
        _against_temperature(tables[name], column, labels[name], folder / f"{name}.png")
        for name, column in (("fig3a", "fermi_level_eV"), ("fig3b", "t_pi_eV"))
    ]
    return [*drawn, _against_shift(tables["fig4"], folder / "fig4.png"), *_thermal(tables["fig3a"], folder)]


def rows(table: Any, method: str, coupling: str, q_domain: str = "sphere") -> Any:
    """The rows of one curve family."""
    wanted = (table["method"] == method) & (table["coupling"] == coupling) & (table["q_domain"] == q_domain)
    return table.isel(row=np.flatnonzero(wanted.values))


def _against_temperature(table: Any, column: str, label: str, path: Path) -> Path:
    drawing, axes = figure(2)
    for axis, (title, families) in zip(axes, PANELS, strict=True):
        for method, coupling, style, words in families:
            curves = rows(table, method, coupling)
            for colour, value in zip(COLOURS, np.unique(curves[column].values), strict=False):
                one = curves.isel(row=np.flatnonzero(curves[column].values == value))
                text = f"{label} = {value:.1f} eV".replace("-", MINUS) if style == "-" else None
                axis.plot(one["temperature_K"], one["Lx_per_site"] * 1e7, style, color=colour, marker="o", label=text)
            if style != "-":
                axis.plot([], [], style, color="0.4", label=words)
        _dress(axis, "temperature (K)", title)
        axis.set_xlim(0, None)
    return save(drawing, path)


def _against_shift(table: Any, path: Path) -> Path:
    drawing, axes = figure(2)
    for axis, (title, families) in zip(axes, PANELS, strict=True):
        for colour, (method, coupling, style, words) in zip(COLOURS, families, strict=False):
            one = rows(table, method, coupling).sortby("pz_shift_eV")
            axis.plot(one["pz_shift_eV"], one["Lx_per_site"] * 1e7, style, color=colour, marker="o", label=words)
        _dress(axis, r"shift of the $p_z$ level, $\delta\varepsilon_z$ (eV)", title)
    return save(drawing, path)


def _thermal(table: Any, folder: Path) -> list[Path]:
    """All waves of the line: in the long-wave approximation, and at their own wave vectors."""
    exact = rows(table, "keldysh", "two_centre", "line").sortby("temperature_K")
    if exact.sizes["row"] == 0:
        return []
    long_wave = rows(table, "adiabatic", "two_centre", "line").sortby("temperature_K")
    long_wave = long_wave.isel(row=np.flatnonzero(long_wave["fermi_level_eV"] == exact["fermi_level_eV"].values[0]))
    drawing, (axis,) = figure(1, width=4.2)
    axis.plot(long_wave["temperature_K"], long_wave["Lx_per_site"] * 1e9, "--", color="0.5", label="long waves")
    values = exact["Lx_per_site"] * 1e9, exact["error"] * 1e9
    axis.errorbar(exact["temperature_K"], *values, fmt="o-", color=COLOURS[0], label="all wave vectors")
    _dress(axis, "temperature (K)", "thermal phonons on a line, conserving broadening")
    axis.set_ylabel(r"$\langle L_x \rangle$ per site ($10^{-9}\,\hbar$)")
    axis.set_xlim(0, None)
    return [save(drawing, folder / "thermal.png")]


def _dress(axis: Any, xlabel: str, title: str) -> None:
    axis.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
    axis.set_xlabel(xlabel)
    axis.set_ylabel(r"$\langle L_x \rangle$ per site ($10^{-7}\,\hbar$)")
    axis.set_title(title)
    axis.legend()
