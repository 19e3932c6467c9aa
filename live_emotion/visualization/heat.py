"""Lays the map of where an emotion is seen over a face."""

from __future__ import annotations

import numpy as np

from live_emotion.faces.preprocessing import crop_box
from live_emotion.types import Box

STRONGEST = 0.65
"""How much of the image the map's colours cover where it is 1."""

EDGE = 6.0
"""Of the map's outermost pixels so many fade, or one would see the square that the network reads."""


def lay_heat(image: np.ndarray, box: Box, heat: np.ndarray) -> np.ndarray:
    """A copy of an image with a map over one of its faces: the brighter and warmer, the more speaks for the emotion.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: the face's, in pixels.
        heat: float32 (48, 48), 0 to 1, over the crop that the network reads.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    import cv2

    height, width = image.shape[:2]
    left, top, right, bottom = (round(v) for v in crop_box(box))
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    canvas = image.copy()
    if x1 >= x2 or y1 >= y2:
        return canvas
    # only what is in the image is enlarged, however near a face is
    x, y = (np.arange(a, b, dtype=np.float32) + 0.5 for a, b in ((x1, x2), (y1, y2)))
    side = heat.shape[0] / (right - left)
    at_x, at_y = (each.astype(np.float32) for each in np.meshgrid((x - left) * side - 0.5, (y - top) * side - 0.5))
    part = cv2.remap(heat, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colours = cv2.applyColorMap(np.rint(255 * part).astype(np.uint8), cv2.COLORMAP_INFERNO)
    fade_x, fade_y = (np.clip(np.minimum(at, heat.shape[0] - 1 - at) / EDGE, 0, 1) for at in (at_x, at_y))
    cover = (STRONGEST * part * fade_x * fade_y)[:, :, None]
    area = canvas[y1:y2, x1:x2]
    area[:] = np.rint((1 - cover) * area + cover * colours)
    return canvas
