"""What the person at the terminal sees of a run, and how it is stopped."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from orbiphon.zone import Listener, listening

_PATIENCE = 2.0  # seconds before a progress bar appears


@contextmanager
def progress_bars(total: int, done: int, quiet: bool, what: str = "points") -> Iterator[Callable[[int], None]]:
    """Bars with the time left, which appear if the work takes longer than a moment; yields what advances the first.

    One is for the points of the sweep, the other for what a single point takes long for.
    """
    if quiet:
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    points = bar.add_task(what, total=total, completed=done)
    inner = bar.add_task("", visible=False)

    def begin(what: str, size: int) -> None:
        bar.reset(inner, description=what, total=size, visible=False)

    def show(finished: int, visible: bool) -> None:
        bar.update(inner, completed=finished, visible=visible)

    timer = threading.Timer(_PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        with listening(_patient(begin, show)):
            yield lambda count: bar.advance(points, count)
    finally:
        timer.cancel()
        timer.join()
        bar.update(inner, visible=False)
        bar.stop()


def _patient(begin: Callable[[str, int], None], show: Callable[[int, bool], None]) -> Listener:
    """A listener that begins anew with every new thing, and shows it only when it takes longer than a moment."""
    current, last, start = "", 0, 0.0

    def listen(what: str, finished: int, size: int) -> None:
        nonlocal current, last, start
        if what != current or finished <= last:
            current, start = what, time.monotonic()
            begin(what, size)
        last = finished
        show(finished, finished < size and time.monotonic() - start > _PATIENCE)

    return listen


@contextmanager
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Ctrl-C interrupts at once. Where Python drops the interrupt, as inside callbacks of the garbage collector, what
    is yielded here raises it when it is called next."""
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield lambda: None
        return
    pressed = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.default_int_handler(number, frame)

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
