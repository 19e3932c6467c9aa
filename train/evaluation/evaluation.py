"""Predictions for a set of faces, and the figures made of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from train import metrics
from train.data.dataset import FaceSet

BATCH = 256
"""Faces through the network at a time."""


@dataclass(frozen=True)
class Evaluation:
    """Predictions for a set of faces, and the figures made of them.

    Attributes:
        data: N faces.
        class_names: C names.
        probabilities: float32 (N, C).
    """

    data: FaceSet
    class_names: tuple[str, ...]
    probabilities: np.ndarray

    @property
    def confusion(self) -> np.ndarray:
        """int64 (C, C): row the truth, column the prediction."""
        return metrics.confusion_matrix(self.data.labels, self.probabilities.argmax(axis=1), len(self.class_names))

    @property
    def bins(self) -> list[tuple[int, float, float]]:
        """As :func:`train.metrics.calibration_bins` gives them."""
        return metrics.calibration_bins(self.probabilities, self.data.labels)

    def take(self, index: np.ndarray) -> Evaluation:
        """The part of it at ``index``."""
        return replace(self, data=self.data.take(index), probabilities=self.probabilities[index])

    def figures(self) -> dict[str, Any]:
        """All figures as plain values."""
        labels, confusion = self.data.labels, self.confusion
        return {
            "images": len(self.data),
            "accuracy": metrics.accuracy(confusion),
            "balanced_accuracy": metrics.balanced_accuracy(confusion),
            "most_confident_accuracy": metrics.confident_accuracy(self.probabilities, labels),
            "expected_calibration_error": metrics.calibration_error(self.bins),
            "negative_log_likelihood": metrics.negative_log_likelihood(self.probabilities, labels),
            "classes": {n: asdict(s) for n, s in metrics.class_scores(confusion, self.class_names).items()},
            "confusion": confusion.tolist(),
        }


def evaluate(classifier: EmotionClassifier, data: FaceSet) -> Evaluation:
    """Predicts all faces of a set."""
    parts = [classifier.predict(data.faces[i : i + BATCH]) for i in range(0, len(data), BATCH)]
    return Evaluation(data, classifier.class_names, np.concatenate(parts))
