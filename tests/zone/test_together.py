"""Calls at the same time: in order, not too many, and none inside of others."""

import os
import threading

import pytest

from orbiphon.zone.together import together


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
    assert taken == 100 and largest <= 2 * (os.cpu_count() or 1) + 1


def test_as_many_at_a_time_as_there_are_processors():
    count = os.cpu_count() or 1
    meeting = threading.Barrier(count)  # passed only if all are there at once
    assert len({*together(lambda _: (meeting.wait(60), threading.get_ident())[1], range(count))}) == count


def test_inside_of_another_it_is_one_after_the_other():
    def outer(_):
        return threading.get_ident(), [*together(lambda _: threading.get_ident(), range(5))]

    for here, inner in together(outer, range(4)):
        assert inner == [here] * 5
    assert threading.get_ident() not in together(lambda _: threading.get_ident(), range(5))


def test_errors_come_out():
    with pytest.raises(ZeroDivisionError):
        list(together(lambda number: 1 / number, [1, 0, 2]))
