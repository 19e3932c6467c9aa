"""Figures from predictions; numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.emotions.classifier import softmax

BINS = 15
"""Of the calibration error, equally wide in confidence (Guo et al., ICML 2017)."""

CONFIDENT = 0.8
"""Part of the images that counts as the most confident, and probability from which an emotion is surely named."""


@dataclass(frozen=True)
class ClassScore:
    """How well one class is told from the others; each figure is 0 to 1, and 0 where it has no images.

    Attributes:
        images: how many show it.
        precision: part of what was called so that is so.
        recall: part of what is so that was called so.
        f1: harmonic mean of both.
    """

    images: int
    precision: float
    recall: float
    f1: float


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


def balanced_accuracy(confusion: np.ndarray) -> float:
    """Mean recall of the classes that have images, 0 to 1."""
    counts = confusion.sum(axis=1)
    there = counts > 0
    return float((np.diag(confusion)[there] / counts[there]).mean()) if there.any() else 0.0


def class_scores(confusion: np.ndarray, class_names: Sequence[str]) -> dict[str, ClassScore]:
    """Precision, recall and F1 of each class."""
    scores = {}
    for i, name in enumerate(class_names):
        right, images, called = int(confusion[i, i]), int(confusion[i].sum()), int(confusion[:, i].sum())
        scores[name] = ClassScore(
            images=images,
            precision=right / max(called, 1),
            recall=right / max(images, 1),
            f1=2 * right / max(images + called, 1),
        )
    return scores


def calibration_bins(probabilities: np.ndarray, labels: np.ndarray) -> list[tuple[int, float, float]]:
    """How right predictions are where they are so and so confident.

    Args:
        probabilities: (N, C).
        labels: int (N,).

    Returns:
        for each of ``BINS`` bins of confidence: number of images, mean confidence, accuracy; zeros for none.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = []
    for i in range(BINS):
        there = place == i
        count = int(there.sum())
        bins.append((count, float(confidence[there].mean()), float(right[there].mean())) if count else (0, 0.0, 0.0))
    return bins


def calibration_error(bins: Sequence[tuple[int, float, float]]) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over all images, 0 to 1."""
    total = sum(count for count, _, _ in bins)
    return sum(count * abs(confidence - right) for count, confidence, right in bins) / max(total, 1)


def confident_accuracy(probabilities: np.ndarray, labels: np.ndarray, share: float = CONFIDENT) -> float:
    """Accuracy on the ``share`` of the images that the predictions are most confident of."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")[: max(1, round(share * len(labels)))]
    return float((probabilities[order].argmax(axis=1) == labels[order]).mean())


def other_scores(shown: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """How well faces that show something else than the classes are known as such.

    Args:
        shown: (N, C) probabilities of the classes for faces that show one of them; what rows lack of 1 is that of
            something else.
        others: (M, C), the same for faces that show something else; M at least 1.

    Returns:
        ``images``: M; ``area_under_curve``: how well the probability of something else tells both; ``named``: part of
        the others that a class has with more than :data:`CONFIDENT`; ``lost``: part of the first for which something
        else is more probable than every class.
    """
    something_else = 1 - shown.sum(axis=1)
    return {
        "images": len(others),
        "area_under_curve": area_under_curve(1 - others.sum(axis=1), something_else),
        "named": float((others.max(axis=1) > CONFIDENT).mean()),
        "lost": float((something_else > shown.max(axis=1)).mean()),
    }


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a score of one group lies above one of the other, a tie being half of that (ROC curve), 0 to 1.

    Args:
        positive: (N,) scores that should be high, N at least 1.
        negative: (M,) scores that should be low, M at least 1.
    """
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.mean() - (len(positive) + 1) / 2) / len(negative))


def negative_log_likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -log of the true class's probability."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(own, 1e-12)).mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature under which the softmax of ``logits`` gives ``labels`` the highest likelihood.

    Guo et al., ICML 2017. It lies between 0.05 and 20.

    Args:
        logits: (N, C).
        labels: int (N,).
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(softmax(logits, float(np.exp(log_t))), labels),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return float(np.exp(found.x))
