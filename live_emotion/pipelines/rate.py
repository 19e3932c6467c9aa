"""How many frames a second, and how late they are."""

from __future__ import annotations

import time
from collections import deque

import numpy as np

LONGEST_MS = 5_000
"""Delays beyond this, in milliseconds, count as this."""


class FrameRate:
    """Frames a second over the last few.

    Args:
        frames: how many of them.
    """

    def __init__(self, frames: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=frames)

    def tick(self, time_s: float | None = None) -> float:
        """Counts a frame at ``time_s`` seconds (None: now) and gives the rate; 0 for the first."""
        self._times.append(time.monotonic() if time_s is None else time_s)
        elapsed = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / elapsed if elapsed > 0 else 0.0


class Latencies:
    """Delays counted by the millisecond, in memory that does not grow."""

    def __init__(self) -> None:
        self._counts = np.zeros(LONGEST_MS + 1, np.int64)

    def add(self, seconds: float) -> None:
        """Counts a delay."""
        self._counts[min(max(round(1000 * seconds), 0), LONGEST_MS)] += 1

    def percentile_ms(self, percent: float) -> int:
        """The delay in milliseconds that ``percent`` of 100 stay at or under; 0 where none was counted."""
        total = self._counts.sum()
        return int(np.searchsorted(np.cumsum(self._counts), max(1, total * percent / 100))) if total else 0

    def __str__(self) -> str:
        return f"p50 {self.percentile_ms(50)} ms, p95 {self.percentile_ms(95)} ms"
