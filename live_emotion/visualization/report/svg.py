"""The timeline of a page as SVG: shapes for the template, whose text keeps its size at any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.visualization.report.course import Course, runs
from live_emotion.visualization.times import Clock, marks

BAND_HEIGHT = 100
"""Of a band, in units of its paths; a step is one unit wide."""

SMALLEST_OTHER = 0.01
"""Up to this part, what the probabilities lack of 1 is rounding."""


@dataclass(frozen=True)
class Stretch:
    """A part of a band or of its width, in percent."""

    begin: float
    length: float


@dataclass(frozen=True)
class Band:
    """A person's emotions over time.

    Attributes:
        steps: how many units it is wide.
        paths: of the emotions, those first that others are painted over.
        read: where the face could be read; what no path covers there is none of the emotions.
        unclear: where it could not.
        values: of each step for the script: percent of each emotion and of none of them, why it was unclear, or 0.
    """

    steps: int
    paths: tuple[str, ...]
    read: tuple[Stretch, ...]
    unclear: tuple[Stretch, ...]
    values: tuple[tuple[int, ...] | str | int, ...]


@dataclass(frozen=True)
class Mark:
    """A time on the axis: where, in percent of the width, and its text."""

    at: float
    text: str


def band(course: Course) -> Band:
    """The shapes of what a person showed."""
    probabilities, is_read = course.probabilities, course.is_read
    tops = probabilities[:, :-1].cumsum(axis=1)  # (S, C)
    tops[is_read & (probabilities[:, -1] <= SMALLEST_OTHER), -1] = 1
    heights = np.rint(BAND_HEIGHT * tops).astype(int)
    read = runs(is_read)
    # from the top one to the lowest, each down to the ground: the next covers what is not its own
    paths = ["".join(_path(heights[begin:end, i], begin) for begin, end in read) for i in range(heights.shape[1])]
    percent = np.rint(100 * probabilities).astype(int).tolist()
    values = [tuple(p) if is_one else note or 0 for p, is_one, note in zip(percent, is_read.tolist(), course.notes)]
    steps = len(values)
    return Band(steps, tuple(paths), _stretches(read, steps), _stretches(runs(course.is_unclear), steps), tuple(values))


def axis(first_s: float, last_s: float, most: int) -> list[Mark]:
    """Round times from the first to the last."""
    times, step = marks(first_s, last_s, most)
    length, clock = last_s - first_s, Clock(first_s, last_s)
    return [Mark(round(100 * (time_s - first_s) / length, 2), clock.mark(time_s, step)) for time_s in times]


def _path(heights: Sequence[int], begin: int) -> str:
    """An area of steps with these heights over the ground."""
    tops = [BAND_HEIGHT - int(height) for height in heights]
    corners = [f"V{top}h1" if i == 0 or top != tops[i - 1] else "h1" for i, top in enumerate(tops)]
    return f"M{begin} {BAND_HEIGHT}{''.join(corners)}V{BAND_HEIGHT}z"


def _stretches(which: Sequence[tuple[int, int]], steps: int) -> tuple[Stretch, ...]:
    return tuple(Stretch(round(100 * a / steps, 3), round(100 * (b - a) / steps, 3)) for a, b in which)
