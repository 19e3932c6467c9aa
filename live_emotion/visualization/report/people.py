"""What the rows of a video say of each person in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.io.results_reader import FaceTable
from live_emotion.visualization.report.names import groups, rows_by_number

LONGEST_ROW = 2.0
"""A row stands for the time up to the next frame that was read, at most for so many times the median of those."""


@dataclass(frozen=True)
class Person:
    """What the rows say of a person.

    Attributes:
        track_ids: the person's numbers in the rows; several where they were merged.
        name: of the person, or ``Person N``.
        first_s: when the person was first seen, in seconds.
        last_s: and last.
        seen_s: for how long altogether, in seconds.
        readable_s: for how long of that the face could be read, in seconds.
        shares: (C + 1,) of the readable time, 0 to 1: in which each emotion was shown, and none of them. They sum to
            1, or are all 0 where the face could never be read.
        rows: of this person alone, one a frame.
    """

    track_ids: tuple[int, ...]
    name: str
    first_s: float
    last_s: float
    seen_s: float
    readable_s: float
    shares: np.ndarray
    rows: FaceTable


def people(table: FaceTable, names: Mapping[int, str] | None = None) -> list[Person]:
    """Everyone in the rows, those first who were seen longest.

    Args:
        table: the rows.
        names: of people by their numbers; numbers of one name are one person.

    Raises:
        InputError: a number is nobody's.
    """
    lengths = row_lengths(table.time_s)
    rows = rows_by_number(table)
    found = [
        _person(table, lengths, np.concatenate([rows[i] for i in ids]), tuple(ids), name)
        for name, ids in groups(table, names or {}).items()
    ]
    return sorted(found, key=lambda person: (-person.seen_s, person.track_ids))


def overall_shares(everyone: Sequence[Person], class_names: Sequence[str]) -> np.ndarray:
    """(C + 1,) parts of the time in which faces could be read, as a :class:`Person` has them; all 0 where none was."""
    read = [person for person in everyone if person.shares.any()]
    if not read:
        return np.zeros(len(class_names) + 1)
    weights = np.array([person.readable_s for person in read])
    return np.average([person.shares for person in read], axis=0, weights=weights if weights.any() else None)


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


def _person(table: FaceTable, lengths: np.ndarray, which: np.ndarray, track_ids: tuple[int, ...], name: str) -> Person:
    """The person of these numbers, whose rows have the indices ``which``."""
    which = np.sort(which)
    # one row a frame, even if two of the numbers are in it: the one that can be read
    which = which[np.lexsort([table.take(which).is_unclear, table.time_s[which]])]
    which = which[np.unique(table.time_s[which], return_index=True)[1]]
    rows, seconds = table.take(which), lengths[which]
    seen_s, readable_s = float(seconds.sum()), float(seconds[~rows.is_unclear].sum())
    shown = np.where(rows.is_other, len(table.class_names), rows.emotion)
    weights = ~rows.is_unclear * (seconds if seen_s else 1.0)
    shares = np.bincount(shown, weights, minlength=len(table.class_names) + 1) / (weights.sum() or 1.0)
    return Person(track_ids, name, float(rows.time_s[0]), float(rows.time_s[-1]), seen_s, readable_s, shares, rows)
