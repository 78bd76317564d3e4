"""Calls at the same time."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_HERE = threading.local()


def together(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """function(item) of all items in order, as many at a time as there are processors.

    For functions that spend their time in compiled programs. Twice as many items are taken ahead, no more: that keeps
    the processors busy, but not the memory. Inside such a function it is one item after the other: all processors are
    busy already.
    """
    if getattr(_HERE, "busy", False):
        yield from map(function, items)
        return
    count = os.cpu_count() or 1
    pool, started = ThreadPoolExecutor(count, initializer=_mark), deque[Future[_Result]]()
    try:
        for item in items:
            started.append(pool.submit(function, item))
            if len(started) > 2 * count:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _mark() -> None:
    _HERE.busy = True
