"""Tracks that are one person, told once a video is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAME_PERSON = 0.72
"""Likeness of two tracks' means from which they are one person, as ``benchmarks/identities.py`` says."""


@dataclass(frozen=True)
class Presence:
    """When somebody was in view, and how they looked.

    Attributes:
        numbers: of the tracks.
        stretches: first and last time of each presence, in seconds.
        mean: (D,) of the looks, of length 1.
        looks: how many these were.
        name: where it is known.
    """

    numbers: tuple[int, ...]
    stretches: tuple[tuple[float, float], ...]
    mean: np.ndarray
    looks: int
    name: str = ""

    def likeness(self, other: Presence) -> float:
        """How alike they are, at most 1; -1 where they have two names or were in view at once, and so are two."""
        if self.name and other.name and self.name != other.name:
            return -1.0
        if any(a <= d and c <= b for a, b in self.stretches for c, d in other.stretches):
            return -1.0
        return float(self.mean @ other.mean)

    def joined(self, other: Presence) -> Presence:
        """Both as one."""
        mean = unit(self.mean * self.looks + other.mean * other.looks)
        numbers, stretches = self.numbers + other.numbers, self.stretches + other.stretches
        return Presence(numbers, stretches, mean, self.looks + other.looks, self.name or other.name)


def one_person(presences: Sequence[Presence]) -> list[Presence]:
    """Joins those who are one person, the most alike first (agglomerative clustering)."""
    left = list(presences)
    likeness = np.array([[-1.0 if a is b else a.likeness(b) for b in left] for a in left])
    while likeness.size and likeness.max() >= SAME_PERSON:
        a, b = sorted(int(i) for i in np.unravel_index(likeness.argmax(), likeness.shape))
        left[a] = left[a].joined(left.pop(b))
        likeness = np.delete(np.delete(likeness, b, axis=0), b, axis=1)
        likeness[a] = likeness[:, a] = [-1.0 if i == a else left[a].likeness(each) for i, each in enumerate(left)]
    return left


def unit(vector: np.ndarray) -> np.ndarray:
    """(D,) at length 1; nothing but zeros stays as it is."""
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
