"""How a live session goes: frames a second, how late they are, how many were dropped; and what was seen."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from live_emotion.types import TrackedFace
from live_emotion.visualization.times import duration_text

LONGEST_MS = 5_000
"""Delays beyond this, in milliseconds, count as this."""

LONGEST_S = 1.0
"""A frame stands for the time since the one before, in seconds, and for no more than this."""

PERSON_S = 1.0
"""Who was seen for less, in seconds, does not count as a person: detectors err."""

UNCLEAR = "unclear"


class FrameRate:
    """Frames a second over the last few.

    Args:
        frames: how many of them.
    """

    def __init__(self, frames: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=frames)

    def tick(self, time_s: float) -> float:
        """Counts a frame at ``time_s`` seconds and gives the rate; 0 for the first."""
        self._times.append(time_s)
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


@dataclass
class Statistics:
    """How a live session went.

    Attributes:
        captured: frames that came from the camera.
        shown: of them, those that were read and shown, or handed on where there is no window.
        held: of them, those that came while it was paused.
        latency: from the moment a frame came to the moment it was on the screen.
        unrecorded: frames that came faster than they could be encoded.
        unlogged: frames whose rows came faster than they could be written.
    """

    captured: int = 0
    shown: int = 0
    held: int = 0
    latency: Latencies = field(default_factory=Latencies)
    unrecorded: int = 0
    unlogged: int = 0
    _last_index: int | None = None

    def count(self, index: int, paused: bool) -> None:
        """Counts the frame of this index, which is shown, or not, since it is paused."""
        before = index - 1 if self._last_index is None else self._last_index
        self.shown += not paused
        self.held += index - before if paused else 0  # with those that newer ones had overtaken
        self._last_index = index

    @property
    def dropped(self) -> int:
        """Frames that were captured and not shown, since newer ones had come before their turn."""
        return self.captured - self.shown - self.held

    def lines(self) -> list[str]:
        """The figures, a few to a line."""
        frames = f"{self.captured} frames captured, {self.shown} shown, {self.dropped} dropped"
        lines = [frames + (f", {self.held} while paused" if self.held else ""), f"capture to screen {self.latency}"]
        lines += [f"{self.unrecorded} not recorded"] if self.unrecorded else []
        return lines + ([f"{self.unlogged} not logged"] if self.unlogged else [])

    def __str__(self) -> str:
        return "; ".join(self.lines())


class EmotionTimes:
    """For how long each emotion was shown, over everyone who was seen.

    Attributes:
        seconds: by emotion, and under :data:`UNCLEAR` what could not be trusted.
        length_s: from the first frame to the last, in seconds.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.length_s = 0.0
        self._people: defaultdict[int, float] = defaultdict(float)
        self._first_s: float | None = None
        self._last_s = 0.0

    def count(self, faces: Sequence[TrackedFace], time_s: float) -> None:
        """Takes in the frame of this time."""
        if self._first_s is None:
            self._first_s = self._last_s = time_s
        elapsed = min(time_s - self._last_s, LONGEST_S)
        self._last_s, self.length_s = time_s, time_s - self._first_s
        for face in faces:
            self.seconds[UNCLEAR if face.note else face.emotion] += elapsed
            self._people[face.track_id] += elapsed

    @property
    def people(self) -> int:
        """How many were seen for :data:`PERSON_S` or longer."""
        return sum(seconds >= PERSON_S for seconds in self._people.values())

    def __str__(self) -> str:
        total = sum(self.seconds.values())
        if not total:
            return f"{duration_text(self.length_s)}, nobody was seen"
        count = f"{self.people} {'person' if self.people == 1 else 'people'}"
        names = sorted(self.seconds, key=lambda name: (name == UNCLEAR, -self.seconds[name]))
        shares = [f"{name} {self.seconds[name] / total:.0%}" for name in names]
        return f"{duration_text(self.length_s)}, {count}: {', '.join(shares)}"
