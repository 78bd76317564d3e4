"""Pictures: a dataset in, axes out. `plot_folder` draws a folder of results, `show` what goes into a study."""

from orbiphon.plot.folder import plot_folder as plot_folder
from orbiphon.plot.show import show as show
from orbiphon.plot.spectrum import (
    compute_spectrum as compute_spectrum,
    draw_spectrum as draw_spectrum,
    show_spectrum as show_spectrum,
)
from orbiphon.plot.traces import draw_traces as draw_traces
