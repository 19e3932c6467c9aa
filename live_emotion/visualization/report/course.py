"""Emotions over time in equal steps, as the charts draw them: read, unclear, or not in view."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from live_emotion.io.results_reader import FaceTable
from live_emotion.visualization.report.people import row_lengths

MOST_STEPS = 400
"""How many values of a person over time are drawn at most; more are averaged."""


@dataclass(frozen=True)
class Course:
    """What a person, or several together, showed in each of S steps.

    Attributes:
        probabilities: (S, C + 1) means over the rows that could be read, the last that of none of the emotions; they
            sum to 1, or are all 0 where nothing was read.
        notes: S texts that say why the emotion was unclear; empty where it was read or nobody was in view.
    """

    probabilities: np.ndarray
    notes: tuple[str, ...]

    @property
    def is_read(self) -> np.ndarray:
        """(S,) bool."""
        return np.asarray(self.probabilities.any(axis=1))

    @property
    def is_unclear(self) -> np.ndarray:
        """(S,) bool."""
        return np.array([bool(note) for note in self.notes])


def step_edges(table: FaceTable, span_s: tuple[float, float] | None = None, most: int = MOST_STEPS) -> np.ndarray:
    """(S + 1,) times in seconds between which the steps lie.

    Args:
        table: all rows, at least one.
        span_s: from when to when faces were looked for; None: where there are rows.
        most: how many steps there are at most.
    """
    # twice the usual length, so that frames at uneven times leave no gaps
    length = float(np.median(row_lengths(table.time_s)))
    step = max(2 * length, 1e-3)
    first, last = float(table.time_s[0]), float(table.time_s[-1]) + max(length, step / 2)
    if span_s is not None:
        first, last = min(first, span_s[0]), max(last, span_s[1])
    return np.linspace(first, last, 1 + int(min(most, max(1, (last - first) / step + 1e-6))))


def course(rows: FaceTable, edges: np.ndarray) -> Course:
    """What rows, of a person or of several, show in the steps between the edges; unclear where most of a step's are."""
    steps = len(edges) - 1
    which = np.clip(np.searchsorted(edges, rows.time_s, side="right") - 1, 0, steps - 1)
    read = ~rows.is_unclear
    counts = np.bincount(which[read], minlength=steps)
    unclear = np.bincount(which[~read], minlength=steps)
    sums = [np.bincount(which[read], p, minlength=steps) for p in rows.probabilities_and_other[read].T]
    means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
    means[unclear > counts] = 0
    notes = [""] * steps
    reasons = Counter(zip(which[~read].tolist(), rows.note[~read].tolist()))
    for (step, note), _ in sorted(reasons.items(), key=lambda item: item[1]):  # the commonest comes last and stays
        if unclear[step] > counts[step]:
            notes[step] = note
    return Course(means, tuple(notes))


def runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """Where a (S,) bool is true: the first step of each run and the one after its last.

    Example:
        >>> runs(np.array([True, True, False, True]))
        [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
