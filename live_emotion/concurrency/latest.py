"""The newest item of a stream: late ones are dropped, never queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Self = TypeVar("Self", bound="Latest[Any]")

CLOSING_S = 2.0
"""How long closing waits for a source that hangs, in seconds; then it is left alone."""

SIGNAL_S = 0.2
"""How long a wait lasts at most before Ctrl-C comes through, in seconds; some systems need it."""


class Latest(Generic[T]):
    """Reads a stream in a thread of its own and hands on the newest item only.

    Reading begins with :meth:`start`, or when the first item is asked for. The thread closes the stream in the end,
    if it is a generator: what that opened, the same thread frees.

    Args:
        items: the stream; it is read at its own pace, by that thread alone.
        stop: set once no more items are wanted; the stream's own waits may listen to it.
        clock: gives seconds.

    Attributes:
        received: how many items came.
        taken: how many were handed on; the others were dropped, since newer ones had come.
    """

    def __init__(
        self,
        items: Iterator[T],
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.received = 0
        self.taken = 0
        self._is_over = False
        self._stop, self._clock = stop or threading.Event(), clock
        self._newest: T | None = None
        self._last_s = clock()
        self._error: BaseException | None = None
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(items,), name="latest", daemon=True)

    def start(self) -> None:
        """Begins to read. Starting twice does nothing."""
        if self._thread.ident is None and not self._is_over:
            self._last_s = self._clock()
            self._thread.start()

    def _read(self, items: Iterator[T]) -> None:
        try:
            try:
                self._keep_newest(items)
            finally:
                if isinstance(items, Generator):
                    items.close()
        except BaseException as error:  # raised again where the items are used
            self._error = error
        finally:
            self.stop()

    def _keep_newest(self, items: Iterator[T]) -> None:
        for item in items:
            with self._change:
                if self._is_over:
                    return
                self._newest = item
                self.received += 1
                self._last_s = self._clock()
                self._change.notify()

    @property
    def ended(self) -> bool:
        """Whether no more will come: all was taken, and an error of the stream was raised."""
        with self._change:
            return self._is_over and self._newest is None and self._error is None

    @property
    def idle_s(self) -> float:
        """How long ago the last item came, or the reading began, in seconds."""
        return self._clock() - self._last_s

    def take(self, timeout_s: float) -> T | None:
        """An item newer than the last; None if there is none within ``timeout_s`` seconds, or ever.

        Raises:
            what the stream raised, once everything before it was taken.
        """
        self.start()
        with self._change:
            if self._newest is None and not self._is_over:
                self._change.wait(timeout_s)
            item, self._newest = self._newest, None
            self.taken += item is not None
            if item is None and self._error is not None:
                error, self._error = self._error, None
                raise error
        return item

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self.take(SIGNAL_S)
            if item is not None:
                yield item
            elif self.ended:
                return

    def stop(self) -> None:
        """Ends it for whoever takes from it, without waiting for the thread."""
        self._stop.set()
        with self._change:
            self._is_over = True
            self._change.notify()

    def close(self) -> None:
        """Stops reading and waits for the thread, which frees what it reads; not for long, should it hang."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(CLOSING_S)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
