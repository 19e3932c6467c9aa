"""The newest item of a stream, and work in the background."""

from __future__ import annotations

import threading

import pytest

from live_emotion.concurrency.latest import Latest
from live_emotion.concurrency.worker import BackgroundWorker


def test_a_slow_reader_gets_the_newest_item_and_the_others_are_dropped():
    taken, more = threading.Event(), threading.Event()

    def source():
        yield 0
        taken.wait(10)
        yield from range(1, 10)
        more.set()

    with Latest(source()) as newest:
        items = iter(newest)
        assert next(items) == 0
        taken.set()
        more.wait(10)
        assert next(items) == 9
        assert list(items) == []
    assert (newest.received, newest.taken) == (10, 2)


def test_an_error_of_the_stream_is_raised_to_the_reader():
    def source():
        yield 0
        raise ValueError("pulled out")

    with Latest(source()) as newest, pytest.raises(ValueError, match="pulled out"):
        list(newest)


def test_nothing_new_within_the_time_is_none():
    end = threading.Event()

    def source():
        end.wait(10)
        yield 0

    with Latest(source()) as newest:
        assert newest.take(0.001) is None
        assert not newest.ended
        end.set()
        assert list(newest) == [0]
        assert newest.ended


def test_closing_ends_the_waits_of_the_stream_and_the_thread_closes_it():
    stop, closed_by = threading.Event(), []

    def source():
        try:
            yield 0
            stop.wait()
            yield 1
        finally:
            closed_by.append(threading.current_thread())

    newest = Latest(source(), stop)
    assert next(iter(newest)) == 0
    newest.close()
    assert closed_by == [newest._thread]
    assert not newest._thread.is_alive()
    assert newest.take(0.0) is None


def test_reading_begins_when_the_first_item_is_asked_for():
    begun = []

    def source():
        begun.append(True)
        yield 0

    with Latest(source()):
        pass
    with Latest(source()) as newest:
        assert begun == []
        assert list(newest) == [0]
    assert begun == [True]


def test_idle_time_is_counted_from_the_last_item_on_the_clock_that_was_given():
    now = [100.0]
    with Latest(iter([0]), clock=lambda: now[0]) as newest:
        now[0] += 7
        assert list(newest) == [0]
        now[0] += 3
        assert newest.idle_s == 3


def test_background_calls_come_in_order():
    done = []
    with BackgroundWorker(100) as work:
        for i in range(100):
            work.call(done.append, i)
    assert done == list(range(100))
    assert work.dropped == 0


def test_background_drops_what_does_not_fit_and_never_waits():
    go, started, done = threading.Event(), threading.Event(), []
    with BackgroundWorker(2) as work:
        work.call(lambda: (started.set(), go.wait(10)))
        started.wait(10)
        for i in range(5):
            work.call(done.append, i)
        go.set()
    assert done == [0, 1]
    assert work.dropped == 3


def test_an_error_in_the_background_comes_back_and_what_must_be_done_is_done():
    finished = []

    def fail():
        raise OSError("the disk is full")

    work = BackgroundWorker(10)
    work.call(fail)
    work.call(finished.append, "skipped")
    work.finish(lambda: finished.append("closed"))
    work.close()
    assert finished == ["closed"]
    with pytest.raises(OSError, match="disk is full"):
        work.call(finished.append, 1)


def test_what_comes_between_taking_and_looking_for_the_end_is_not_lost():
    asked, stop = threading.Event(), threading.Event()

    def source():
        asked.wait(10)
        yield 0
        raise ValueError("pulled out")

    newest = Latest(source(), stop)
    assert newest.take(0) is None
    asked.set()
    assert stop.wait(10), "the stream has ended"
    assert not newest.ended
    assert newest.take(0) == 0
    assert not newest.ended
    with pytest.raises(ValueError, match="pulled out"):
        newest.take(0)
    assert newest.ended
