"""One look for all pictures."""

from pathlib import Path
from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # distinct to colour-blind eyes
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
}


def figure(columns: int, *, width: float = 3.4, height: float = 2.8) -> tuple[Any, Any]:
    """A figure with panels side by side, in inches each; nothing of it appears on a screen."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update(STYLE)
    drawing, axes = pyplot.subplots(1, columns, figsize=(width * columns, height), squeeze=False)
    return drawing, axes[0]


def save(drawing: Any, path: Path) -> Path:
    """Write a picture as a whole, and forget it."""
    from matplotlib import pyplot

    fresh = path.with_name(f".{path.name}")
    drawing.savefig(fresh, format=path.suffix.removeprefix("."))
    fresh.replace(path)
    pyplot.close(drawing)
    return path
