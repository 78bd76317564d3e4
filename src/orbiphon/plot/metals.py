"""The orbital accumulation of metals against the Fermi level."""

import csv
from pathlib import Path

from orbiphon.plot.style import COLOURS, figure, save


def draw_metals(table: Path) -> list[Path]:
    """metals.png beside the table: a panel for each metal, a curve for each broadening, bars for the errors."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["observable"] == "Lz" and row["chirality"] == "1"]
    names = list(dict.fromkeys(row["metal"] for row in rows))
    drawing, axes = figure(len(names), width=2.8)
    for axis, name in zip(axes, names, strict=True):
        own = [row for row in rows if row["metal"] == name]
        for colour, width in zip(COLOURS, dict.fromkeys(row["broadening_eV"] for row in own), strict=False):
            curve = sorted(
                (float(row["fermi_shift_eV"]), float(row["value"]), float(row["error"]))
                for row in own
                if row["broadening_eV"] == width
            )
            x, y, error = zip(*curve, strict=True)
            axis.errorbar(x, y, error, color=colour, marker="o", label=rf"$\Gamma$ = {float(width):g} eV")
        axis.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
        axis.axvline(0.0, color="0.7", linewidth=0.6, zorder=0)
        axis.set_title(name)
        axis.set_xlabel(r"Fermi level $-\ \varepsilon_\mathrm{F}$ (eV)")
    axes[0].set_ylabel(r"$\langle L_z\rangle / [(qU)^2 \hbar\omega]$ per cell ($\hbar$/eV)")
    axes[-1].legend()
    return [save(drawing, table.with_suffix(".png"))]
