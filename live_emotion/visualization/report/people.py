"""What the rows of a video say of each person in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.io.results_reader import FaceTable

LONGEST_ROW = 2.0
"""A row stands for the time up to the next frame that was read, at most for so many times the median of those."""


@dataclass(frozen=True)
class Person:
    """What the rows say of a person.

    Attributes:
        track_id: the person's number.
        first_s: when the person was first seen, in seconds.
        last_s: and last.
        seen_s: for how long altogether, in seconds.
        shares: (C,) of that time in which each emotion was clearly shown, 0 to 1; what they lack to 1 was unclear.
        rows: of this person alone.
    """

    track_id: int
    first_s: float
    last_s: float
    seen_s: float
    shares: np.ndarray
    rows: FaceTable


def people(table: FaceTable) -> list[Person]:
    """Everyone in the rows, those first who were seen longest."""
    lengths = row_lengths(table.time_s)
    found = []
    for track_id in np.unique(table.track_id):
        rows, seconds = table.of(int(track_id)), lengths[table.track_id == track_id]
        total = float(seconds.sum())
        weights = rows.is_clear * (seconds / total if total else 1 / len(rows))
        shares = np.bincount(rows.emotion, weights, minlength=len(table.class_names))
        first, last = float(rows.time_s[0]), float(rows.time_s[-1])
        found.append(Person(int(track_id), first, last, total, shares, rows))
    return sorted(found, key=lambda person: (-person.seen_s, person.track_id))


def overall_shares(everyone: Sequence[Person], class_names: Sequence[str]) -> np.ndarray:
    """(C,) parts of the time that all people were seen, in which each emotion was clear; 0 where nobody was."""
    if not everyone:
        return np.zeros(len(class_names))
    seen_s = np.array([person.seen_s for person in everyone])
    return np.average([person.shares for person in everyone], axis=0, weights=seen_s if seen_s.any() else None)


def row_lengths(time_s: np.ndarray) -> np.ndarray:
    """(N,) seconds for which each row stands: up to the next time in the rows, and not much longer than most.

    Args:
        time_s: (N,) in order; rows of one frame have equal times.
    """
    times, which = np.unique(time_s, return_inverse=True)
    if len(times) < 2:
        return np.zeros(len(time_s))
    steps = np.diff(times)
    longest = LONGEST_ROW * np.median(steps)
    return np.minimum(np.append(steps, np.median(steps)), longest)[which]
