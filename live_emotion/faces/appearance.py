"""What somebody looks like, in numbers: by these a tracker knows people again within a video, and nothing else does."""

from __future__ import annotations

import numpy as np

from live_emotion.faces.merging import unit
from live_emotion.faces.preprocessing import to_grey
from live_emotion.types import Face

SIDE = 48
"""Of the upright face that is described, in pixels."""

EYES, MOUTH = ((0.37, 0.42), (0.63, 0.42)), (0.5, 0.71)
"""Where the eyes and the mouth come to lie in it, in sides: so far apart that hair and chin are in it, too, which tells
people apart better than the face alone."""

CELL, BLOCK, DIRECTIONS = 8, 16, 9
"""Of the histograms of gradients (Dalal and Triggs, CVPR 2005), in pixels."""

CLOTHES = 0.3
"""Weight of the clothes' colours against the face, whose weight is 1."""

CHEST = (-0.45, 1.1, 0.45, 2.0)
"""What is looked at of the clothes: ``x1 y1 x2 y2`` from the middle of the face, in sides of its box."""

SHADES, HUES = 4, 10
"""In how many steps lightness and the two axes of colour of CIELAB are counted."""


LOOK_SIZE = 900
"""Of what :func:`look` gives: 9 directions in 4 cells of each of 25 blocks."""


def look(image: np.ndarray, face: Face, is_mirrored: bool = False) -> np.ndarray | None:
    """Describes a face with its hair by the directions of its edges, which an expression hardly changes.

    Args:
        image: (H, W, 3) uint8 BGR.
        face: a face in it.
        is_mirrored: whether the image was turned left to right; the description is that of the image before.

    Returns:
        (LOOK_SIZE,) float32 of length 1; the product of two is how alike they are, at most 1. None where it's not known
        where the eyes are.
    """
    import cv2

    upright = _upright(image, face, is_mirrored)
    if upright is None:
        return None
    gradients = cv2.HOGDescriptor((SIDE, SIDE), (BLOCK, BLOCK), (CELL, CELL), (CELL, CELL), DIRECTIONS)
    described = np.asarray(gradients.compute(upright), np.float32).ravel()
    return unit(described - described.mean())


def mean_direction(looks: np.ndarray) -> np.ndarray:
    """Of looks (N, D) with N at least 1: (D,) of length 1."""
    return unit(looks.mean(axis=0))


def appearance(image: np.ndarray, face: Face, is_mirrored: bool = False) -> np.ndarray | None:
    """Describes a face with its hair, and the clothes below it.

    Args:
        image: (H, W, 3) uint8 BGR.
        face: a face in it.
        is_mirrored: whether the image was turned left to right; the description is that of the image before.

    Returns:
        (D,) float32 of length 1; the product of two is how alike they are, at most 1. None where it's not known where
        the eyes are.
    """
    described = look(image, face, is_mirrored)
    return None if described is None else unit(np.concatenate([described, CLOTHES * _clothes(image, face)]))


def _upright(image: np.ndarray, face: Face, is_mirrored: bool) -> np.ndarray | None:
    """The face with eyes and mouth where they belong: (SIDE, SIDE) uint8 grey."""
    import cv2

    places = face.keypoints[[0, 1, 3]]  # eyes and mouth
    if not np.isfinite(places).all():
        return None
    wanted = np.array([*EYES, MOUTH], np.float32) * SIDE
    matrix = _similarity(places.astype(np.float64), wanted.astype(np.float64))
    # cut out first: the rest need not become grey
    corners = cv2.invertAffineTransform(matrix) @ np.array([[0, SIDE, 0, SIDE], [0, 0, SIDE, SIDE], [1, 1, 1, 1]])
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(axis=1)) - 1, 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=1)) + 2, 0, [width, height]).astype(int)
    inside = image[low[1] : high[1], low[0] : high[0]]
    if inside.size == 0:
        return None
    matrix[:, 2] += matrix[:, :2] @ low
    grey = to_grey(inside)
    shrink = int(1 / max(np.hypot(*matrix[0, :2]), 1e-6))
    if shrink > 1:  # so that fine patterns of large faces do not alias
        small = max(1, grey.shape[1] // shrink), max(1, grey.shape[0] // shrink)
        matrix[:, :2] *= np.array([grey.shape[1] / small[0], grey.shape[0] / small[1]])
        grey = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
    upright = cv2.warpAffine(grey, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(upright[:, ::-1]) if is_mirrored else upright


def _similarity(points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(2, 3) matrix that moves, turns and scales points (N, 2) to where they are wanted, by least squares."""
    a, b = (p @ np.array([1, 1j]) for p in (points, wanted))
    from_a, from_b = a - a.mean(), b - b.mean()
    turn = (from_a.conj() @ from_b) / max((from_a.conj() @ from_a).real, 1e-9)
    shift = b.mean() - turn * a.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _clothes(image: np.ndarray, face: Face) -> np.ndarray:
    """Which colours the clothes have: (SHADES * HUES * HUES,) float32 of length 1, or 0 where they are out of view."""
    import cv2

    x1, y1, x2, y2 = face.box
    side = max(x2 - x1, y2 - y1)
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2] * 2)
    height, width = image.shape[:2]
    left, top, right, bottom = np.clip(np.round(middle + side * np.array(CHEST)), 0, [width, height] * 2).astype(int)
    area = image[top:bottom, left:right]
    if area.ndim != 3 or area.shape[2] != 3 or min(area.shape[:2]) < side / 4:
        return np.zeros(SHADES * HUES * HUES, np.float32)
    lab = cv2.cvtColor(cv2.resize(area, (16, 16), interpolation=cv2.INTER_NEAREST), cv2.COLOR_BGR2LAB).reshape(-1, 3)
    light = lab[:, 0].astype(int) * SHADES // 256
    # the middle of the axes is where colours are: 70 to 190 of 256
    hue = np.clip((lab[:, 1:].astype(int) - 70) * HUES // 120, 0, HUES - 1)
    counts = np.bincount((light * HUES + hue[:, 0]) * HUES + hue[:, 1], minlength=SHADES * HUES * HUES)
    return unit(np.sqrt(counts).astype(np.float32))
