"""Figures from predictions; numpy in, numpy out."""

from __future__ import annotations

import numpy as np


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts of pairs.

    Args:
        labels: int (N,), the truth.
        predicted: int (N,).
        classes: how many there are.

    Returns:
        int64 (classes, classes): row the truth, column the prediction.
    """
    flat = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes)


def accuracy(confusion: np.ndarray) -> float:
    """Part of all that is right, 0 to 1; 0 of none."""
    return float(np.trace(confusion) / max(confusion.sum(), 1))
