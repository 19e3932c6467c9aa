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
        data: N faces, labelled with the classes, and maybe with the others behind them.
        class_names: C names.
        probabilities: float32 (N, C + K), rows that sum to 1.
        other_names: K names of what is none of the classes.
    """

    data: FaceSet
    class_names: tuple[str, ...]
    probabilities: np.ndarray
    other_names: tuple[str, ...] = ()

    @property
    def of_classes(self) -> Evaluation:
        """The part of it whose faces show one of the classes, with their probabilities alone: (N, C)."""
        count = len(self.class_names)
        shown = self.take(np.flatnonzero(self.data.labels < count))
        data = replace(shown.data, targets=shown.data.targets[:, :count])
        return Evaluation(data, self.class_names, shown.probabilities[:, :count])

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
        """All figures as plain values: of the faces that show a class, and under ``others`` of those that don't."""
        shown = self.of_classes
        labels, confusion = shown.data.labels, shown.confusion
        figures = {
            "images": len(shown.data),
            "accuracy": metrics.accuracy(confusion),
            "balanced_accuracy": metrics.balanced_accuracy(confusion),
            "most_confident_accuracy": metrics.confident_accuracy(shown.probabilities, labels),
            "expected_calibration_error": metrics.calibration_error(shown.bins),
            "negative_log_likelihood": metrics.negative_log_likelihood(shown.probabilities, labels),
            "classes": {n: asdict(s) for n, s in metrics.class_scores(confusion, self.class_names).items()},
            "confusion": confusion.tolist(),
        }
        others = self.probabilities[self.data.labels >= len(self.class_names), : len(self.class_names)]
        return figures | ({"others": metrics.other_scores(shown.probabilities, others)} if len(others) else {})


def evaluate(classifier: EmotionClassifier, data: FaceSet) -> Evaluation:
    """Predicts all faces of a set, labelled with the classifier's classes, and maybe its others behind them."""
    parts = [classifier.predict_all(data.faces[i : i + BATCH]) for i in range(0, len(data), BATCH)]
    return Evaluation(data, classifier.class_names, np.concatenate(parts), classifier.other_names)
