"""What a few labelled faces of a person tell about how a network reads that person: pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESTING_ODDS = -2.0
"""Log odds of every other class against neutral that a person's resting face is brought to. Those of FER2013
have about -5; so what the face shows on top of it needs less to be seen. Chosen on JAFFE."""

PRECISION = 0.1
"""Of the Gaussian prior on the offsets, per squared unit of log odds: how much the labels must say to move them."""

MOST_VOTES = 3.0
"""For how many independent images all images of one emotion count together at most: frames of a moment are alike."""

PULL = 5.0
"""Log odds that a whole unit of cosine similarity to an emotion's prototype is worth."""


def resting_offsets(log_probabilities: np.ndarray, neutral: int) -> np.ndarray:
    """Offsets that make a resting face read as neutral, and no surer of it than resting faces are.

    Args:
        log_probabilities: (N, M) float, of N images of the resting face.
        neutral: column of neutral.

    Returns:
        (M,) float, to add to the log probabilities.
    """
    mean = log_probabilities.mean(axis=0)
    offsets = RESTING_ODDS - (mean - mean[neutral])
    offsets[neutral] = 0.0
    return offsets


def fit_offsets(log_probabilities: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Offsets of the largest posterior probability, given labelled faces.

    The likelihood is that of a softmax with an offset for each output, the prior a Gaussian around ``prior``. It is
    convex, and found by Newton's method with a line search.

    Args:
        log_probabilities: (N, M) float.
        labels: (N,) int, columns.
        prior: (M,) float, its mean.

    Returns:
        (M,) float.
    """
    truth = np.eye(log_probabilities.shape[1])[labels]
    counts = truth.sum(axis=0)[labels]
    weights = (np.minimum(counts, MOST_VOTES) / counts)[:, None]

    def loss(offsets: np.ndarray) -> float:
        surprise = -(truth * log_softmax(log_probabilities + offsets)).sum(axis=1, keepdims=True)
        return float((weights * surprise).sum() + PRECISION / 2 * np.square(offsets - prior).sum())

    offsets, before = prior.copy(), loss(prior)
    for _ in range(100):
        p = np.exp(log_softmax(log_probabilities + offsets))
        slope = (weights * (p - truth)).sum(axis=0) + PRECISION * (offsets - prior)
        weighted = weights * p
        curve = np.diag(weighted.sum(axis=0)) - weighted.T @ p + PRECISION * np.eye(len(prior))
        step = np.linalg.solve(curve, slope)
        length = 1.0
        while length > 1e-6 and loss(offsets - length * step) > before - 1e-4 * length * (slope @ step):
            length /= 2
        offsets = offsets - length * step
        before, last = loss(offsets), before
        if last - before < 1e-9:
            break
    return offsets


def are_plausible(log_probabilities: np.ndarray, labels: np.ndarray) -> bool:
    """Whether the faces may show what the labels say: no exchange of the labels among them fits the network better.

    What a network is wrong about in a person is as a rule the offset of an output, and an exchange of labels has the
    same offsets: the test holds for people whom it reads badly, and fails for labels that were mixed up or guessed.

    Args:
        log_probabilities: (N, M) float.
        labels: (N,) int, columns.
    """
    import lap

    there = np.unique(labels)
    fit = np.stack([log_probabilities[labels == label][:, there].mean(axis=0) for label in there])
    _, best, _ = lap.lapjv(-fit.astype(np.float64))
    return bool(np.trace(fit) >= fit[range(len(there)), best].sum() - 1e-9)


def prototypes_of(embeddings: np.ndarray, labels: np.ndarray) -> dict[int, np.ndarray]:
    """The mean direction of each emotion's embeddings: float (N, D) -> a unit vector (D,) for each label there is."""
    directions = unit(embeddings)
    return {int(label): unit(directions[labels == label].mean(axis=0)) for label in np.unique(labels)}


def similarities(embeddings: np.ndarray, prototypes: Sequence[np.ndarray]) -> np.ndarray:
    """Cosines between N embeddings and P prototypes, float (N, P)."""
    return unit(embeddings) @ np.stack(prototypes).T


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., D) at length 1; one of length 0 stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
