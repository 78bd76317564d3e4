"""One look for all pictures."""

from pathlib import Path
from typing import Any

from orbiphon.errors import InputError

MINUS = "\N{MINUS SIGN}"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # distinct to colour-blind eyes
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
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


def writable(out: str | Path) -> Path:
    """The folder, made if it is not there. Raises `InputError` if it cannot be."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder `{folder}` must be writable, but is not: {error.strerror}.") from None
    return folder


def load(path: Path, *needed: str) -> Any:
    """The dataset in a folder of results, in memory. Raises `InputError` if it is broken or lacks what is needed."""
    import xarray

    try:
        data = xarray.open_zarr(path).load()
    except MemoryError:
        raise
    except Exception as error:  # whatever the reader says of damaged files
        words = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"The results `{path}` must be readable, but are not: {words}. Compute them again.") from None
    missing = [name for name in needed if name not in data.variables]
    if missing:
        raise InputError(f"The results `{path}` must hold {', '.join(missing)}, but do not. Compute them again.")
    return data


def save(drawing: Any, path: Path) -> Path:
    """Write a picture as a whole, and forget it."""
    from matplotlib import pyplot

    fresh = path.with_name(f".{path.name}")
    drawing.savefig(fresh, format=path.suffix.removeprefix("."))
    fresh.replace(path)
    pyplot.close(drawing)
    return path
