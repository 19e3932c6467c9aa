"""The emotions and what a classifier says of one face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EMOTIONS = ("angry", "happy", "neutral", "sad")
"""The default classes, in the order of the network's outputs."""


@dataclass(frozen=True)
class Prediction:
    """The emotion of one face.

    Attributes:
        emotion: name of the most probable class.
        confidence: its probability, 0 to 1.
        probabilities: one per class, in the order of the classifier's ``class_names``; their sum is 1.
    """

    emotion: str
    confidence: float
    probabilities: tuple[float, ...]

    @classmethod
    def from_probabilities(cls, probabilities: Sequence[float], class_names: Sequence[str]) -> Prediction:
        """Names the most probable class; of equal ones, the first.

        Args:
            probabilities: (C,) floats, 0 to 1.
            class_names: C names in the same order.

        Example:
            >>> Prediction.from_probabilities([0.25, 0.75], ["sad", "happy"]).emotion
            'happy'
        """
        values = tuple(float(p) for p in probabilities)
        best = max(range(len(values)), key=values.__getitem__)
        return cls(class_names[best], values[best], values)
