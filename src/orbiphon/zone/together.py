"""Calls at the same time.

Sums over the zone are cut into blocks, and many sums (one per wave) make a result: calls inside of calls. All calls of
one depth share as many threads as there are processors. That bounds threads and memory, and while one sum thinks about
its next blocks, those of another have all processors.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""That this process may use."""

_HERE = threading.local()
_THREADS: dict[int, ThreadPoolExecutor] = {}  # by depth
_LOCK = threading.Lock()


def together(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """function(item) of all items in order, as many at a time as there are processors.

    For functions that spend their time in compiled programs. Twice as many items are taken ahead, no more: that keeps
    the processors busy, but not the memory.
    """
    threads, started = _threads(getattr(_HERE, "depth", 0)), deque[Future[_Result]]()
    try:
        for item in items:
            started.append(threads.submit(function, item))
            if len(started) > 2 * PROCESSORS:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()
    finally:
        wait([call for call in started if not call.cancel()])


def _threads(depth: int) -> ThreadPoolExecutor:
    """For calls inside of so many others: they wait for deeper ones only, so never for each other."""
    with _LOCK:
        if depth not in _THREADS:
            _THREADS[depth] = ThreadPoolExecutor(PROCESSORS, initializer=lambda: setattr(_HERE, "depth", depth + 1))
        return _THREADS[depth]
