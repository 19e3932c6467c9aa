"""Stages that overlap: order, errors, and an end without a thread left behind."""

from __future__ import annotations

import contextlib
import threading

import pytest

from live_emotion.concurrency.prefetch import map_in_order, prefetch


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def failing(count):
    yield from range(count)
    raise RuntimeError("the video broke")


def test_ahead_keeps_order_and_works_in_another_thread():
    threads = set()

    def items():
        for i in range(20):
            threads.add(threading.current_thread())
            yield i

    assert list(prefetch(items(), 3)) == list(range(20))
    assert threading.current_thread() not in threads
    assert len(threads) == 1


def test_ahead_takes_no_more_than_its_depth():
    taken = []
    reached = threading.Event()

    def items():
        for i in range(100):
            taken.append(i)
            if i == 4:
                reached.set()
            yield i

    with contextlib.closing(prefetch(items(), 3)) as waiting:
        assert next(waiting) == 0
        assert reached.wait(10)  # one is in use, three wait, and one is in the thread's hand
        assert len(taken) == 5


def test_ahead_gives_what_came_before_an_error_and_then_the_error():
    got = []
    with pytest.raises(RuntimeError, match="the video broke"):
        for item in prefetch(failing(4), 2):
            got.append(item)
    assert got == [0, 1, 2, 3]


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_ahead_can_be_closed_at_any_time(taken):
    waiting = prefetch(iter(range(1000)), 2)
    for _ in range(taken):
        next(waiting)
    waiting.close()


def test_map_in_order_keeps_order_whoever_is_first():
    first_may_go = threading.Event()

    def slow_first(i):
        if i == 0:
            assert first_may_go.wait(10)
        elif i == 1:
            first_may_go.set()  # so the second is done before the first
        return i * i

    assert list(map_in_order(slow_first, range(10), 2)) == [i * i for i in range(10)]


def test_map_in_order_raises_at_the_place_of_the_error():
    def fail_at_3(i):
        if i == 3:
            raise ValueError("three")
        return i

    got = []
    with pytest.raises(ValueError, match="three"):
        for item in map_in_order(fail_at_3, range(100), 2):
            got.append(item)
    assert got == [0, 1, 2]


def test_both_can_be_left_in_the_middle():
    with (
        contextlib.closing(prefetch(iter(range(1000)), 2)) as items,
        contextlib.closing(map_in_order(str, items, 3)) as results,
    ):
        assert next(results) == "0"
