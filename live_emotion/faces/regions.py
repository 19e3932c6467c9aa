"""Five named regions of a face that follow its keypoints, and how one is hidden from a network.

A face has axes of its own, so that the regions tilt and turn with it: ``across`` from the middle between the eyes to
the person's left, in distances of the eyes, and ``down`` to the middle of the mouth, which is at 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live_emotion.faces.preprocessing import FACE_SIZE, crop_box
from live_emotion.types import Box

RIGHT_EYE, LEFT_EYE, MOUTH = 0, 1, 3
"""Rows of a face's keypoints."""


class Region(NamedTuple):
    """A part of a face.

    Attributes:
        name: as people call it.
        top: where it begins, down the face.
        bottom: and ends.
        half_width: how far it goes to either side.
    """

    name: str
    top: float
    bottom: float
    half_width: float


REGIONS = (
    Region("forehead and brows", -0.9, -0.2, 1.0),
    Region("eyes", -0.2, 0.25, 1.0),
    Region("nose and cheeks", 0.25, 0.7, 1.0),
    Region("mouth", 0.7, 1.32, 0.75),
    Region("chin", 1.32, 2.1, 0.85),
)

TYPICAL_KEYPOINTS = np.array(
    [[0.320, 0.403], [0.690, 0.397], [0.512, 0.605], [0.513, 0.781], [0.133, 0.479], [0.874, 0.466]], np.float32
)
"""Where keypoints lie in a crop, in sides of it: medians over 2,942 images of FER2013's training split."""

SMALLEST_AXIS = 2.0
"""In pixels of the crop; eyes that are nearer to each other, or a mouth nearer to them, are no axes of a face."""

FILL_SIGMA = 8.0
"""Of the Gaussian by which a hidden region takes on what is around it, in pixels of the crop."""


def crop_keypoints(keypoints: np.ndarray, box: Box) -> np.ndarray:
    """A face's keypoints in its crop.

    Args:
        keypoints: (6, 2) in pixels of the picture; NaN: not known.
        box: the face's.

    Returns:
        (6, 2) float32 in pixels of the crop; typical ones where they are not known.
    """
    left, top, right, _ = (round(v) for v in crop_box(box))
    found = (keypoints - np.array([left, top])) * (FACE_SIZE / max(1, right - left))
    eyes, mouth = found[[RIGHT_EYE, LEFT_EYE]], found[MOUTH]
    across, down = eyes[1] - eyes[0], mouth - eyes.mean(axis=0)
    area = across[0] * down[1] - across[1] * down[0]
    if np.isfinite(area) and min(np.hypot(*across), np.hypot(*down)) >= SMALLEST_AXIS and area >= SMALLEST_AXIS**2:
        return found.astype(np.float32)
    return TYPICAL_KEYPOINTS * FACE_SIZE


def region_masks(keypoints: np.ndarray) -> np.ndarray:
    """Which pixels of a crop belong to each of :data:`REGIONS`.

    Args:
        keypoints: (6, 2) in pixels of the crop, as :func:`crop_keypoints` gives them.

    Returns:
        bool (R, 48, 48); no two overlap.
    """
    right, left, mouth = keypoints[RIGHT_EYE], keypoints[LEFT_EYE], keypoints[MOUTH]
    middle = (right + left) / 2
    down, across = mouth - middle, left - right
    # of a face that is turned away the eyes are near each other, but it is as wide as it is high
    across = across * max(1.0, float(np.hypot(*down) / np.hypot(*across)))
    places = np.indices((FACE_SIZE, FACE_SIZE)).reshape(2, -1)[::-1] + 0.5 - middle[:, None]
    at_across, at_down = np.linalg.solve(np.stack([across, down], axis=1), places).reshape(2, FACE_SIZE, FACE_SIZE)
    masks = [(r.top <= at_down) & (at_down < r.bottom) & (np.abs(at_across) <= r.half_width) for r in REGIONS]
    return np.stack(masks)


def hide(face: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A face with a part of it hidden: each pixel of that becomes the mean of what is not, the nearer the weightier.

    Of the ways that were tried (mean grey, blur, noise, inpainting; ``benchmarks/why.py``) this one told best what a
    network goes by: it leaves neither the region's features nor edges of its own.

    Args:
        face: uint8 (48, 48).
        mask: bool (48, 48), what to hide.

    Returns:
        uint8 (48, 48); the same where the mask leaves nothing that could be seen instead.
    """
    import cv2

    seen = (~mask).astype(np.float32)
    if not seen.any():
        return face
    sums, weights = (
        cv2.GaussianBlur(each, (0, 0), FILL_SIGMA, borderType=cv2.BORDER_REPLICATE) for each in (face * seen, seen)
    )
    fill = sums / np.maximum(weights, np.finfo(np.float32).tiny)
    return np.where(mask, np.rint(fill).clip(0, 255), face).astype(np.uint8)
