"""Stages of work that overlap in time and keep their order."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_END = object()


def prefetch(items: Iterable[T], depth: int) -> Generator[T]:
    """Takes items in a thread of its own, while earlier ones are in use.

    An error in taking them is raised here. Closing the iterator ends the thread and waits for it.

    Args:
        items: any iterable; only that thread touches it.
        depth: how many items may wait to be used.
    """
    waiting: queue.Queue[Any] = queue.Queue(depth)
    stop = threading.Event()
    errors: list[BaseException] = []

    def take() -> None:
        try:
            for item in items:
                if stop.is_set():
                    return
                waiting.put(item)
        except BaseException as error:
            errors.append(error)
        finally:
            waiting.put(_END)

    thread = threading.Thread(target=take, name="ahead", daemon=True)
    thread.start()
    item = None
    try:
        while (item := waiting.get()) is not _END:
            yield item
    finally:
        stop.set()
        while item is not _END:  # the thread may wait for room
            item = waiting.get()
        thread.join()
    if errors:
        raise errors[0]


def map_in_order(function: Callable[[T], R], items: Iterable[T], workers: int) -> Generator[R]:
    """Applies a function to several items at once and gives the results in order.

    Args:
        function: called in threads.
        items: taken in the caller's thread, a little ahead of the results.
        workers: how many threads.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
