"""The newest item of a stream: late ones are dropped, never queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

CLOSING_S = 10.0
"""How long closing waits for a source that hangs, in seconds."""


class Latest(Generic[T]):
    """Reads a stream in a thread of its own and hands on the newest item only.

    Args:
        items: the stream; it is read at its own pace, by that thread alone.

    Attributes:
        received: how many items came.
        taken: how many were handed on; the others were dropped, since newer ones had come.
        ended: whether no more will come.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self.received = 0
        self.taken = 0
        self.ended = False
        self._newest: T | None = None
        self._last_s = time.monotonic()
        self._error: BaseException | None = None
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(items,), name="newest", daemon=True)
        self._thread.start()

    def _read(self, items: Iterator[T]) -> None:
        try:
            for item in items:
                with self._change:
                    if self.ended:
                        return
                    self._newest = item
                    self.received += 1
                    self._last_s = time.monotonic()
                    self._change.notify()
        except BaseException as error:  # raised again where the items are used
            self._error = error
        finally:
            with self._change:
                self.ended = True
                self._change.notify()

    @property
    def idle_s(self) -> float:
        """How long ago the last item came, or the reading began, in seconds."""
        return time.monotonic() - self._last_s

    def take(self, timeout_s: float) -> T | None:
        """An item newer than the last; None if there is none within ``timeout_s`` seconds, or ever.

        Raises:
            what the stream raised, once everything before it was taken.
        """
        with self._change:
            if self._newest is None and not self.ended:
                self._change.wait(timeout_s)
            item, self._newest = self._newest, None
        if item is not None:
            self.taken += 1
        elif self._error is not None:
            raise self._error
        return item

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self.take(0.2)  # in short waits, so that Ctrl-C comes through on every system
            if item is not None:
                yield item
            elif self.ended:
                return

    def stop(self) -> None:
        """Ends it for whoever takes from it, without waiting for the thread."""
        with self._change:
            self.ended = True
            self._change.notify()

    def close(self) -> None:
        """Stops reading and waits for the thread, so that what it reads can be closed."""
        self.stop()
        self._thread.join(timeout=CLOSING_S)

    def __enter__(self) -> Latest[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
