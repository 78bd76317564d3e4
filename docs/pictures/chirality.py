"""The motion of a circular wave along x for both chiralities: `python docs/pictures/chirality.py` draws chirality.png.

Left: one atom, the path of its displacement with dots of rising time. Middle: its two components against time. Right: a
snapshot of the wave in space. Everything is computed from `orbiphon.phonons.circular_polarisation`.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from orbiphon.phonons import circular_polarisation

COLOURS = {1: "#0b5fa5", -1: "#c2410c"}


def displacement(chirality: int, angle: np.ndarray) -> np.ndarray:
    """u(angle) = Re{(e_y - i lambda e_z) e^{i angle}}, angle = qx - omega t, in units of U; (xyz, angle)."""
    e = np.sqrt(2) * np.asarray(circular_polarisation("x", chirality))
    return np.real(e[:, None] * np.exp(1j * angle[None]))


def orbit(axes: plt.Axes, chirality: int) -> None:
    """The path in the plane across the wave; +x, where the wave goes, points at the reader."""
    colour = COLOURS[chirality]
    _, y, z = displacement(chirality, -np.linspace(0, 2 * np.pi, 200))
    axes.plot(y, z, color=colour, lw=1.5)
    times = np.arange(8) / 8
    _, y, z = displacement(chirality, -2 * np.pi * times)
    axes.scatter(y, z, s=16 + 34 * times, color=colour, zorder=3)
    axes.annotate("t = 0", (y[0], z[0]), (y[0] + 0.18, z[0] - 0.05), fontsize=9)
    axes.annotate("T/8", (y[1], z[1]), (y[1] + 0.16, z[1] - 0.05), fontsize=9)
    inner = 0.62
    arrow = {"arrowstyle": "-|>", "color": "black", "connectionstyle": f"arc3,rad={-0.25 * chirality}", "lw": 1.4}
    _, y, z = displacement(chirality, -np.array([0.3, 1.9]))
    axes.annotate("", (inner * y[1], inner * z[1]), (inner * y[0], inner * z[0]), arrowprops=arrow)
    axes.text(0, 0.06, "wave: +x ⊙", ha="center", fontsize=9)
    axes.text(0, -0.22, f"quantum: {'−' if chirality == 1 else '+'}ħ", ha="center", fontsize=9)
    axes.set(xlim=(-1.75, 1.75), ylim=(-1.5, 1.5), aspect="equal", xlabel="$u_y / U$", ylabel="$u_z / U$")
    axes.set_title(f"λ = {chirality:+d}, one atom".replace("-", "−"))


def components(axes: plt.Axes, chirality: int) -> None:
    """Both components against time at x = 0."""
    t = np.linspace(0, 2, 400)
    _, y, z = displacement(chirality, -2 * np.pi * t)
    axes.plot(t, y, color=COLOURS[chirality], label="$u_y$")
    axes.plot(t, z, color=COLOURS[chirality], ls="--", label="$u_z$")
    axes.axhline(0, color="0.8", lw=0.8, zorder=0)
    axes.set(xlabel="time / period, at x = 0", ylabel="displacement / U", ylim=(-1.5, 1.5), title="in time")
    axes.legend(loc="upper right", ncols=2, frameon=False, fontsize=9)


def screw(axes: plt.Axes, chirality: int) -> None:
    """The wave in space at t = 0, for q_x > 0."""
    x = np.linspace(0, 2, 400)
    _, y, z = displacement(chirality, 2 * np.pi * x)
    axes.plot(x, y, z, color=COLOURS[chirality], lw=1.5)
    axes.plot(x, 0 * x, 0 * x, color="0.6", lw=0.8)
    for at in np.arange(0, 2.01, 0.125):
        _, y, z = displacement(chirality, np.array([2 * np.pi * at]))
        axes.plot([at, at], [0, y[0]], [0, z[0]], color=COLOURS[chirality], lw=0.9, alpha=0.6)
    axes.set(xlabel="x / wavelength", ylabel="$u_y$", zlabel="$u_z$", xlim=(0, 2), ylim=(-1, 1), zlim=(-1, 1))
    axes.set(yticks=[-1, 0, 1], zticks=[-1, 0, 1])
    hand = "right" if chirality == 1 else "left"
    axes.set_title(f"in space at t = 0, $q_x > 0$: {hand}-handed")
    axes.set_box_aspect((2.2, 1, 1), zoom=1.15)
    axes.view_init(elev=20, azim=-62)


def main() -> None:
    figure = plt.figure(figsize=(12, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=(1.05, 1.1, 1.6))
    for row, chirality in enumerate((1, -1)):
        orbit(figure.add_subplot(grid[row, 0]), chirality)
        components(figure.add_subplot(grid[row, 1]), chirality)
        screw(figure.add_subplot(grid[row, 2], projection="3d"), chirality)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
