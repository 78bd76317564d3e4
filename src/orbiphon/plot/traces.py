"""Moments in time."""

from pathlib import Path

import numpy as np

from orbiphon.plot.style import COLOURS, figure, save
from orbiphon.response import TimeTraces
from orbiphon.units import fs, pm, ps


def draw_traces(traces: TimeTraces, path: str | Path) -> Path:
    """Three panels against time: the displacement at r = 0, the moments of the wave there, the uniform moments.

    Bands show the errors. Returns the path of the picture.
    """
    drawing, (above, middle, below) = figure(3, width=3.6)
    long = np.ptp(traces.times) > ps
    t = traces.times / (ps if long else fs)
    along = np.max(np.abs(traces.displacement), axis=0)
    for axis, name in enumerate("xyz"):
        if along[axis] > 1e-6 * np.max(along):
            above.plot(t, np.real(traces.displacement[:, axis]) / pm, color=COLOURS[axis], label=f"$u_{name}$")
    above.set_ylabel("displacement (pm)")
    for index, name in enumerate(traces.observables):
        pair = (
            (middle, np.real(traces.wave[:, index]), traces.wave_error[:, index]),
            (below, traces.uniform[:, index], traces.uniform_error[:, index]),
        )
        for panel, value, error in pair:
            if np.all(np.isfinite(value)):
                colour = COLOURS[index % len(COLOURS)]
                panel.plot(t, value, color=colour, label=name)
                panel.fill_between(t, value - error, value + error, color=colour, alpha=0.25, linewidth=0.0)
    units = ", ".join(dict.fromkeys(unit.replace("hbar", r"$\hbar$") for unit in traces.unit))
    middle.set_ylabel(f"moment of the wave at $r = 0$ ({units})")
    below.set_ylabel(f"uniform moment ({units})")
    for panel in (above, middle, below):
        panel.set_xlabel("time (ps)" if long else "time (fs)")
        panel.set_xlim(t[0], t[-1])
        panel.ticklabel_format(axis="y", scilimits=(-3, 4), useMathText=True)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="best")
    return save(drawing, Path(path))
