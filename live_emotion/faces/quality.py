"""Whether a face can be read at all: faces that are too small, too dark, blurred or turned away are said to be so, and
emotions that are only a guess."""

from __future__ import annotations

import numpy as np

SMALLEST_SIDE = 24.0
"""Of the box in pixels: half of what the network reads."""

DARKEST = 22.0
"""Mean of the crop in grey levels of 255."""

FLATTEST = 6.0
"""Standard deviation of the crop in grey levels: fog, backlight, or no picture."""

BLUREST = 0.012
"""Power of the finest details over that of the whole crop; both grow with contrast, their ratio does not. PublicTest's
faces have 0.7; blurred so that accuracy falls by 15 points they have 0.011."""

FURTHEST_TURN = 0.45
"""Distance of the nose tip from the middle between the eyes, along their line, in distances of the eyes."""

SURE = 0.5
"""Confidence under which an emotion is only a guess, 0 to 1."""

UNSURE = "unsure"

OTHER = "other"
"""What a face is called that shows none of the emotions, by networks that know others."""

TOO_SMALL, TOO_DARK, BLURRED, TURNED_AWAY = "too small", "too dark", "blurred", "turned away"

RIGHT_EYE, LEFT_EYE, NOSE = 0, 1, 2
"""Rows of a face's keypoints."""


def assess(box: tuple[float, float, float, float], keypoints: np.ndarray, crop: np.ndarray) -> str:
    """Says why a face cannot be read.

    Args:
        box: ``(x1, y1, x2, y2)`` in pixels.
        keypoints: (6, 2) float32 in pixels, as :class:`live_emotion.types.Face` has them; NaN: not known.
        crop: (48, 48) uint8, what the network sees.

    Returns:
        one of :data:`TOO_SMALL`, :data:`TOO_DARK`, :data:`BLURRED`, :data:`TURNED_AWAY`, or nothing.
    """
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SIDE:
        return TOO_SMALL
    if crop.mean() < DARKEST or crop.std() < FLATTEST:
        return TOO_DARK
    if sharpness(crop) < BLUREST:
        return BLURRED
    return TURNED_AWAY if turn(keypoints) > FURTHEST_TURN else ""


def doubt(note: str, probabilities: np.ndarray, shown: int) -> str:
    """Why an emotion is not to be trusted.

    Args:
        note: what :func:`assess` said of its face.
        probabilities: (C,) float; what they lack of 1 is the probability of something else.
        shown: the class that is shown.

    Returns:
        the note, or :data:`OTHER` where something else is likelier than each class, or :data:`UNSURE`, or nothing.
    """
    if note:
        return note
    if 1 - float(probabilities.sum()) > float(probabilities.max()):
        return OTHER
    return UNSURE if float(probabilities[shown]) < SURE else ""


def is_readable(note: str) -> bool:
    """Whether a face of this note shows something to be read, be it with doubts."""
    return note in ("", UNSURE)


def sharpness(crop: np.ndarray) -> float:
    """Mean square of the Laplacian over the variance of (H, W) uint8; 0 for a flat picture."""
    import cv2

    variance = float(crop.var())
    return float((cv2.Laplacian(crop, cv2.CV_32F) ** 2).mean()) / variance if variance else 0.0


def turn(keypoints: np.ndarray) -> float:
    """How far the nose tip lies off the middle between the eyes, in distances of the eyes; 0 where it's not known."""
    right, left, nose = keypoints[RIGHT_EYE], keypoints[LEFT_EYE], keypoints[NOSE]
    between = left - right
    square = float(between @ between)
    if not np.isfinite(keypoints[: NOSE + 1]).all() or square == 0:
        return 0.0
    return abs(float((nose - (left + right) / 2) @ between)) / square
