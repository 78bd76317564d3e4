"""Calls that return before they are done."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

_AHEAD = 4
_Result = TypeVar("_Result")


def few_ahead(started: Iterable[_Result]) -> Iterator[_Result]:
    """The same results in order, a few calls under way at a time: keeps the processor busy, but not the memory."""
    queue: deque[_Result] = deque()
    for one in started:
        queue.append(one)
        if len(queue) > _AHEAD:
            yield queue.popleft()
    yield from queue
