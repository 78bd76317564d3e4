"""Calls at the same time: in order, not too many at once or ahead, also inside of each other."""

import itertools
import threading
import time

import pytest

from orbiphon.zone.together import PROCESSORS, together


class Counter:
    """How many calls run at the same time."""

    def __init__(self):
        self.running, self.most, self.lock = 0, 0, threading.Lock()

    def __call__(self, item):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.002 * (item % 3))
        with self.lock:
            self.running -= 1
        return item


def test_results_come_in_order_and_few_items_are_taken_ahead():
    taken, largest = 0, 0

    def items():
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for done, square in enumerate(together(lambda number: number**2, items())):
        assert square == done**2
        largest = max(largest, taken - done)
    assert taken == 100 and largest <= 2 * PROCESSORS + 1


def test_as_many_at_a_time_as_there_are_processors():
    meeting = threading.Barrier(PROCESSORS)  # passed only if all are there at once
    assert len({*together(lambda _: (meeting.wait(60), threading.get_ident())[1], range(PROCESSORS))}) == PROCESSORS


def test_no_more_than_that_inside_of_each_other():
    inner = Counter()
    for found in together(lambda _: [*together(inner, range(7))], range(4 * PROCESSORS)):
        assert found == [*range(7)]
    assert inner.most <= PROCESSORS and inner.running == 0


def test_the_last_call_of_many_has_all_processors():
    meeting = threading.Barrier(PROCESSORS)

    def last(number):
        """One call lasts longer than the others: once those are done, its own calls go to all processors."""
        return [*together(lambda _: meeting.wait(60), range(PROCESSORS))] if number == 0 else []

    assert len(next(together(last, range(PROCESSORS)))) == PROCESSORS


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_errors_come_out_of_any_depth_and_free_the_helpers(depth):
    def nested(level, number):
        return 1 / number if level == 1 else list(together(lambda n: nested(level - 1, n), [1, 0, 2]))

    for _ in range(3 * PROCESSORS):
        with pytest.raises(ZeroDivisionError):
            list(together(lambda number: nested(depth, number), [1, 0, 2]))
    test_as_many_at_a_time_as_there_are_processors()


def test_a_caller_that_stops_early_leaves_nothing_running():
    calls = Counter()
    assert next(together(calls, itertools.count())) == 0
    time.sleep(0.01)
    assert calls.running == 0
