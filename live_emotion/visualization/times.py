"""Moments and durations as people write them, and round times for the marks of an axis."""

from __future__ import annotations

import math
from datetime import datetime, timezone

MARKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Steps between marks, in seconds; longer ones are whole hours."""


EPOCH_FROM_S = 1e8
"""From three years on, seconds are those of a clock since 1970, as no video's are."""


def time_text(seconds: float, tenths: bool = False) -> str:
    """A moment, as players show it, or as a date where it is one of the world's clock (UTC).

    Example:
        >>> time_text(3723.5), time_text(3723.5, tenths=True)
        ('1:02:04', '1:02:03.5')
        >>> time_text(1.8e9)
        '2027-01-15 08:00:00'
    """
    if seconds >= EPOCH_FROM_S:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    units = round(seconds * 10) if tenths else 10 * round(seconds)
    minutes, rest = divmod(units, 600)
    hours, minutes = divmod(minutes, 60)
    last = f"{rest / 10:04.1f}" if tenths else f"{rest // 10:02}"
    return f"{hours}:{minutes:02}:{last}" if hours else f"{minutes}:{last}"


def duration_text(seconds: float) -> str:
    """A length of time: seconds with tenths below a minute, then minutes and hours.

    Example:
        >>> duration_text(12.42), duration_text(65), duration_text(59.97)
        ('12.4 s', '1:05', '1:00')
    """
    tenths = round(seconds * 10)
    return f"{tenths / 10:.1f} s" if tenths < 600 else time_text(tenths / 10)


def marks(first_s: float, last_s: float, most: int) -> tuple[list[float], float]:
    """At most ``most`` round times from the first to the last, in seconds, and the step between them."""
    room_s = (last_s - first_s) / most
    step = next((step for step in MARKS_S if step >= room_s), MARKS_S[-1] * math.ceil(room_s / MARKS_S[-1]))
    begin = math.ceil(first_s / step - 1e-9)
    end = math.floor(last_s / step + 1e-9)
    return [step * i for i in range(begin, end + 1)][:most], step
