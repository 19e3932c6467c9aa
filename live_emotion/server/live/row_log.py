"""What a session saw, in memory alone and compressed: an hour of one face takes a few megabytes."""

from __future__ import annotations

import json
import threading
import zlib
from collections import deque
from collections.abc import Iterable, Iterator

from live_emotion.types import Row

BLOCK = 500
"""How many rows are compressed at once."""

MOST_BYTES = 64_000_000
"""Of compressed rows; beyond, the oldest are forgotten."""


class RowLog:
    """Rows in the order in which they came. Threads may add and read at the same time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._size = 0
        self._blocks: deque[bytes] = deque()
        self._open: list[str] = []
        self._lock = threading.Lock()

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        lines = [json.dumps(row) for row in rows]
        with self._lock:
            self._open += lines
            if len(self._open) < BLOCK:
                return
            self._blocks.append(zlib.compress("\n".join(self._open).encode()))
            self._open = []
            self._size += len(self._blocks[-1])
            while self._size > self._most and len(self._blocks) > 1:
                self._size -= len(self._blocks.popleft())

    def __iter__(self) -> Iterator[Row]:
        """The rows that are there now."""
        with self._lock:
            blocks, lines = [*self._blocks], [*self._open]
        for block in blocks:
            yield from map(json.loads, zlib.decompress(block).decode().splitlines())
        yield from map(json.loads, lines)
