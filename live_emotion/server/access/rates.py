"""How often somebody may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MOST_CLIENTS = 10_000
"""Whose counts are kept; beyond, the oldest are forgotten."""


class RateLimit:
    """A bucket of requests for each client, that fills up steadily.

    Args:
        per_s: how many a second fill it.
        burst: how many it holds.
        clock: gives seconds.
    """

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._buckets: dict[str, tuple[float, float]] = {}  # by client: what is left, and when that was

    def wait_s(self, client: str) -> int:
        """Takes one; 0 where there was one, else how many seconds to wait for the next."""
        now = self._clock()
        left, then = self._buckets.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_s)
        is_free = left >= 1
        self._buckets[client] = (left - is_free, now)
        if len(self._buckets) > MOST_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        return 0 if is_free else math.ceil((1 - left) / self._per_s)
