"""Work that others must not wait for, such as writing to a disk, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class BackgroundWorker:
    """Makes calls in a thread of its own, in order. Leaving its block raises what one of them raised.

    Args:
        limit: how many may wait; further ones are dropped until there is room.

    Attributes:
        dropped: how many were.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._error: BaseException | None = None
        self._calls: queue.Queue[tuple[Callable[..., object], tuple[object, ...] | None] | None] = queue.Queue(limit)
        self._thread = threading.Thread(target=self._work, name="background", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            function, arguments = call
            try:
                if arguments is None:
                    function()
                elif self._error is None:
                    function(*arguments)
            except BaseException as error:  # raised again where the calls come from
                self._error = self._error or error

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Calls it soon.

        Raises:
            what an earlier call raised.
        """
        if self._error is not None:
            raise self._error
        try:
            self._calls.put_nowait((function, arguments))
        except queue.Full:
            self.dropped += 1

    def finish(self, function: Callable[..., object]) -> None:
        """Calls it after all that was asked before, whatever went wrong with that; it is never dropped."""
        self._calls.put((function, None))

    def close(self) -> None:
        """Waits until all calls are made. Closing twice does nothing."""
        if self._thread.is_alive():
            self._calls.put(None)
            self._thread.join()

    def __enter__(self) -> BackgroundWorker:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if self._error is not None and kind is None:
            raise self._error
