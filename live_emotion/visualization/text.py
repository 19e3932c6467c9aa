"""Text on images: how large, and how it is drawn."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from live_emotion.visualization.palette import DARK, LIGHT, Colour

SMALLEST_TEXT = 0.38
"""OpenCV's font scale under which text cannot be read."""

PANEL_OPACITY = 0.72

STEP = 0.05
"""In which the scale of the text at a face changes."""

FACE_SIDE = 210
"""Side in pixels of a face at which a text of scale 1 has about its width."""


def text_scale(height: int, width: int) -> float:
    """OpenCV's font scale that is legible on an image of this size."""
    return min(max(min(height, width * 0.75) / 900, SMALLEST_TEXT), 3.0)


def face_scale(height: float, scale: float) -> float:
    """Font scale of the text at a face: in proportion to it, as far as that can be read.

    Args:
        height: of the face in pixels.
        scale: that of the image, which is the largest.
    """
    steps = round(height / FACE_SIDE / STEP)  # so that text does not breathe with every pixel of the box
    return min(max(steps * STEP, 0.55 * scale, SMALLEST_TEXT), scale)


@functools.lru_cache(maxsize=4096)
def text_size(text: str, scale: float) -> tuple[int, int]:
    """Width and height of a line in pixels."""
    import cv2

    (width, height), _ = cv2.getTextSize(_safe(text), cv2.FONT_HERSHEY_SIMPLEX, scale, _stroke(scale))
    return width, height


def put_text(canvas: np.ndarray, text: str, origin: tuple[int, int], scale: float, colour: Colour) -> None:
    """Draws a line whose lower left corner is at ``origin``."""
    import cv2

    cv2.putText(canvas, _safe(text), origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, _stroke(scale), cv2.LINE_AA)


def _safe(text: str) -> str:
    """A text without what is none, such as bytes of a file's name, at which OpenCV ends the process."""
    return text.encode(errors="replace").decode()


def panel_size(lines: Sequence[str], scale: float) -> tuple[int, int]:
    """Width and height in pixels of lines of text with a margin."""
    widths, heights = zip(*(text_size(line, scale) for line in lines))
    pad = max(heights) // 2
    return max(widths) + 2 * pad, (max(heights) + pad) * len(lines) + pad


def draw_panel(canvas: np.ndarray, lines: Sequence[str], corner: tuple[int, int], scale: float) -> None:
    """Draws lines of text on a dark ground whose top left corner is at ``corner``."""
    height = max(text_size(line, scale)[1] for line in lines)
    pad = height // 2
    darken(canvas, corner, panel_size(lines, scale))
    for i, line in enumerate(lines, start=1):
        put_text(canvas, line, (corner[0] + pad, corner[1] + i * (height + pad)), scale, LIGHT)


def darken(canvas: np.ndarray, corner: tuple[int, int], size: tuple[int, int]) -> None:
    """Lays a dark pane over an area of this width and height."""
    import cv2

    (left, top), (width, height) = corner, size
    area = canvas[top : top + height, left : left + width]
    area[:] = cv2.convertScaleAbs(area, alpha=1 - PANEL_OPACITY, beta=PANEL_OPACITY * DARK[0])


def _stroke(scale: float) -> int:
    return max(1, round(1.6 * scale))
