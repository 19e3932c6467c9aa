"""Detected faces and their boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from live_emotion.types import Box, Face, TrackedFace

AnyFace = TypeVar("AnyFace", Face, TrackedFace)

SAME_FACE = 0.5
"""Boxes that share this part of the smaller one are the same face."""


def merge(faces: list[Face]) -> list[Face]:
    """Leaves one of each face that was found several times, the one with the highest score; sorted by score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.score):
        if all(overlap(face.box, other.box) < SAME_FACE for other in kept):
            kept.append(face)
    return kept


def area(box: Box) -> float:
    """Of a box, in square pixels: the one meaning of a face's size."""
    return (box[2] - box[0]) * (box[3] - box[1])


def by_size(faces: Iterable[AnyFace]) -> list[AnyFace]:
    """The faces with the largest first; of equal ones, the first stays first."""
    return sorted(faces, key=lambda face: -area(face.box))


def overlap(a: Box, b: Box) -> float:
    """Intersection of two boxes over the area of the smaller, 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min(area(a), area(b))
    return max(width, 0) * max(height, 0) / smaller if smaller > 0 else 0.0


def mirrored(face: Face, width: int) -> Face:
    """The face as it is in the same picture, ``width`` pixels wide, turned left to right.

    What was the right eye or ear is the left one then, as for a detector that looks at the mirrored picture.
    """
    x1, y1, x2, y2 = face.box
    points = face.keypoints[[1, 0, 2, 3, 5, 4]] * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32)
    return replace(face, box=(width - x2, y1, width - x1, y2), keypoints=points)


def mirrored_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    """Boxes (..., 4) as they are in the same picture, ``width`` pixels wide, turned left to right."""
    return boxes[..., [2, 1, 0, 3]] * (-1, 1, -1, 1) + (width, 0, width, 0)


def intersection_over_union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Overlap of each box of ``a`` with each of ``b``: (N, 4) and (M, 4) ``x1 y1 x2 y2`` -> (N, M), 0 to 1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b))
    return shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)
