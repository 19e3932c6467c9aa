"""How near an exported network is to the one that it was made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from live_emotion.emotions.classifier import softmax
from live_emotion.errors import LiveEmotionError

TOLERANCE = 1e-4
"""Largest difference of a probability between float32 forms of one network."""


@dataclass(frozen=True)
class Agreement:
    """How near two networks are.

    Attributes:
        difference: of a probability, the largest, 0 to 1.
        same: part of the faces with the same emotion.
    """

    difference: float
    same: float


def compare(logits: np.ndarray, other: np.ndarray) -> Agreement:
    """How near two networks' answers to the same faces are; logits (N, C) each, of which no temperature is taken."""
    same = logits.argmax(axis=1) == other.argmax(axis=1)
    return Agreement(difference=float(np.abs(softmax(logits) - softmax(other)).max()), same=float(same.mean()))


def check(agreement: Agreement) -> None:
    """Refuses an export that should be the same network and is not.

    Raises:
        LiveEmotionError: it differs by more than :data:`TOLERANCE`.
    """
    if not agreement.difference < TOLERANCE:  # also for NaN
        raise LiveEmotionError(
            f"The exported network is not the same: a probability differs by {agreement.difference:.2g}; not kept."
        )
