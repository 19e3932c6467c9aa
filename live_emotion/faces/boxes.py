"""Detected faces and their boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAME_FACE = 0.5
"""Boxes that share this part of the smaller one are the same face."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Face:
    """A detected face.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels, half-open, about from brow to chin; it may leave the picture.
        score: how sure the detector is, 0 to 1.
        keypoints: (6, 2) float32, x and y in pixels of right eye, left eye, nose tip, mouth centre, right ear and
            left ear. Right and left are the person's own.
        note: why it cannot be read, as :mod:`live_emotion.faces.quality` finds; empty where it can, or before it
            looked.
    """

    box: Box
    score: float
    keypoints: np.ndarray
    note: str = ""


def merge(faces: list[Face]) -> list[Face]:
    """Leaves one of each face that was found several times, the one with the highest score; sorted by score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.score):
        if all(shared(face.box, other.box) < SAME_FACE for other in kept):
            kept.append(face)
    return kept


def shared(a: Box, b: Box) -> float:
    """Intersection of two boxes over the area of the smaller, 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(width, 0) * max(height, 0) / smaller if smaller > 0 else 0.0
