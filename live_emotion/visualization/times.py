"""Moments and durations as people write them, and round times for the marks of an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone

MARKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Steps between marks, in seconds; longer ones are whole hours."""


EPOCH_FROM_S = 1e8
"""From three years on, seconds are those of a clock since 1970, as no video's are."""


def time_text(seconds: float, tenths: bool = False) -> str:
    """A moment, as players show it, or with its date where it is one of the world's clock.

    Example:
        >>> time_text(3723.5), time_text(3723.5, tenths=True)
        ('1:02:04', '1:02:03.5')
        >>> time_text(1.8e9)
        '2027-01-15 08:00:00 UTC'
    """
    if seconds >= EPOCH_FROM_S:
        return f"{_utc(seconds):%Y-%m-%d %H:%M:%S} UTC"
    units = round(seconds * 10) if tenths else 10 * round(seconds)
    minutes, rest = divmod(units, 600)
    hours, minutes = divmod(minutes, 60)
    last = f"{rest / 10:04.1f}" if tenths else f"{rest // 10:02}"
    return f"{hours}:{minutes:02}:{last}" if hours else f"{minutes}:{last}"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


@dataclass(frozen=True)
class Clock:
    """Writes the moments of a stretch of time; what they have in common is said once, beside them.

    Attributes:
        first_s: where it begins, in seconds.
        last_s: where it ends.
    """

    first_s: float
    last_s: float

    @property
    def common(self) -> str:
        """What goes for all moments: the date and UTC where they are the world's; nothing of a video's.

        Example:
            >>> Clock(0, 9).common, Clock(1.8e9, 1.8e9 + 9).common, Clock(1.8e9, 1.8e9 + 1e5).common
            ('', '2027-01-15, UTC', '2027-01-15 to 2027-01-16, UTC')
        """
        if not self._is_of_the_world:
            return ""
        days = dict.fromkeys(f"{_utc(seconds):%Y-%m-%d}" for seconds in (self.first_s, self.last_s))
        return f"{' to '.join(days)}, UTC"

    @property
    def is_short(self) -> bool:
        """Whether moments need no day to be told apart."""
        return not self._is_of_the_world or _utc(self.first_s).date() == _utc(self.last_s).date()

    def text(self, seconds: float, tenths: bool = False) -> str:
        """A moment, as :func:`time_text` writes it of a video.

        Example:
            >>> Clock(1.8e9, 1.8e9 + 9).text(1.8e9 + 2), Clock(1.8e9, 1.8e9 + 1e5).text(1.8e9 + 2)
            ('08:00:02', '01-15 08:00:02')
        """
        if not self._is_of_the_world:
            return time_text(seconds, tenths)
        units = round(seconds * 10) if tenths else 10 * round(seconds)
        moment = f"{_utc(units // 10):{'%H:%M:%S' if self.is_short else '%m-%d %H:%M:%S'}}"
        return f"{moment}.{units % 10}" if tenths else moment

    def mark(self, seconds: float, step_s: float) -> str:
        """A moment at an axis whose marks are ``step_s`` apart; whole minutes of the world's clock lack the seconds."""
        text = self.text(seconds, tenths=step_s < 1)
        return text.removesuffix(":00") if self._is_of_the_world and step_s % 60 == 0 else text

    @property
    def _is_of_the_world(self) -> bool:
        return self.first_s >= EPOCH_FROM_S


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
