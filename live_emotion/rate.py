"""How many frames a second."""

from __future__ import annotations

import time
from collections import deque


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
