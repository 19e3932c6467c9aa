"""Draws boxes, emotions and probabilities over an image. Pure: a new image comes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from live_emotion.faces.boxes import by_size
from live_emotion.faces.quality import UNSURE
from live_emotion.types import TrackedFace
from live_emotion.visualization.palette import DARK, LIGHT, QUIET, Colour, emotion_colours

Pixels = tuple[int, int, int, int]

PANEL_OPACITY = 0.72


def draw(
    image: np.ndarray,
    faces: Sequence[TrackedFace],
    class_names: Sequence[str],
    bars: bool = True,
    lines: Sequence[str] = (),
) -> np.ndarray:
    """Draws what was read in an image.

    Args:
        image: (H, W, 3) uint8 BGR; it is not changed.
        faces: with a box, the emotion and its confidence in percent each.
        class_names: C names in the order of the probabilities.
        bars: also a small chart of the probabilities beside each face, where it covers no other face.
        lines: of text for the top left corner.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    canvas = image.copy()
    scale = text_scale(*image.shape[:2])
    colours = dict(zip(class_names, emotion_colours(class_names)))
    ordered = by_size(faces)
    # the nearest, largest face is drawn last and comes out on top
    taken = [area for face in reversed(ordered) for area in _draw_face(canvas, face, colours[face.emotion], scale)]
    if bars:
        for face in filter(is_readable, ordered):
            panel = _draw_bars(canvas, face, colours, scale, taken)
            if panel:
                taken.append(panel)
    _draw_lines(canvas, lines, scale)
    return canvas


def with_lines(image: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """A copy of (H, W, 3) uint8 BGR with lines of text in the top left corner."""
    canvas = image.copy()
    _draw_lines(canvas, lines, text_scale(*image.shape[:2]))
    return canvas


def is_readable(face: TrackedFace) -> bool:
    """Whether there is something to be read in a face, be it with doubts."""
    return face.note in ("", UNSURE)


def label(face: TrackedFace) -> str:
    """What is written at a face: its emotion with the confidence, or why there is none."""
    if not is_readable(face):
        return face.note
    return f"{UNSURE}: {face.emotion}?" if face.note else f"{face.emotion} {face.confidence:.0%}"


def text_scale(height: int, width: int) -> float:
    """OpenCV's font scale that is legible on an image of this size."""
    return min(max(min(height, width * 0.75) / 900, 0.38), 3.0)


def _draw_face(canvas: np.ndarray, face: TrackedFace, colour: Colour, scale: float) -> tuple[Pixels, Pixels]:
    """Box and label; gives the areas of both."""
    import cv2

    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = _rounded(face.box)
    thickness = max(1, round(3 * scale))
    if face.note:
        colour, thickness = QUIET, max(1, thickness // 2)
    # the dark rim keeps the box visible on a background of its own colour
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), DARK, thickness + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), colour, thickness, cv2.LINE_AA)
    text = label(face)
    text_width, text_height = _text_size(text, scale)
    pad = max(2, text_height // 3)
    tab_height = text_height + 2 * pad
    top = y1 - tab_height if y1 >= tab_height else min(y2, height - tab_height)
    left = min(max(x1, 0), max(0, width - text_width - 2 * pad))
    right, bottom = left + text_width + 2 * pad, top + tab_height
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, cv2.FILLED)
    _put_text(canvas, text, (left + pad, top + pad + text_height), scale, DARK)
    return (x1, y1, x2, y2), (left, top, right, bottom)


def _draw_bars(
    canvas: np.ndarray, face: TrackedFace, colours: dict[str, Colour], scale: float, taken: Sequence[Pixels]
) -> Pixels | None:
    """A chart on a dark panel beside the box; gives the panel, or None where there is no room."""
    import cv2

    names = list(colours)
    name_width, text_height = (max(v) for v in zip(*(_text_size(name, 0.7 * scale) for name in names)))
    pad = max(2, text_height // 2)
    row, length = text_height + pad, 4 * text_height
    size = (name_width + length + 3 * pad, row * len(names) + pad)
    panel = place_panel(_rounded(face.box), size, max(2, round(6 * scale)), canvas.shape, taken)
    if panel is None:
        return None
    left, top = panel[:2]
    _darken(canvas, left, top, *size)
    for i, (name, probability) in enumerate(zip(names, face.probabilities)):
        base = top + pad + i * row + text_height
        _put_text(canvas, name, (left + pad, base), 0.7 * scale, LIGHT)
        start = left + 2 * pad + name_width
        end = start + max(1, round(length * probability))
        cv2.rectangle(canvas, (start, base - text_height), (start + length, base), (90, 90, 90), 1)
        cv2.rectangle(canvas, (start, base - text_height), (end, base), colours[name], cv2.FILLED)
    return panel


def place_panel(
    box: Pixels, size: tuple[int, int], gap: int, shape: tuple[int, ...], taken: Sequence[Pixels]
) -> Pixels | None:
    """Finds room for a panel right of a box, left of it or below it.

    Args:
        box: the face's.
        size: width and height of the panel.
        gap: between box and panel.
        shape: of the image, height first; the panel lies inside it.
        taken: areas that it must not cover.

    Returns:
        the panel's area, or None. All in pixels, ``x1 y1 x2 y2``.
    """
    height, width = shape[:2]
    x1, y1, x2, y2 = box
    beside = min(max(0, y1), height - size[1])
    below = min(max(0, x1), width - size[0])
    for left, top in ((x2 + gap, beside), (x1 - gap - size[0], beside), (below, y2 + gap)):
        panel = (left, top, left + size[0], top + size[1])
        inside = left >= 0 and top >= 0 and panel[2] <= width and panel[3] <= height
        if inside and not any(_overlap(panel, other) for other in taken):
            return panel
    return None


def _overlap(a: Pixels, b: Pixels) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _rounded(box: tuple[float, float, float, float]) -> Pixels:
    x1, y1, x2, y2 = (round(v) for v in box)
    return x1, y1, x2, y2


def _draw_lines(canvas: np.ndarray, lines: Sequence[str], scale: float) -> None:
    if not lines:
        return
    widths, heights = zip(*(_text_size(line, scale) for line in lines))
    pad = max(heights) // 2
    row = max(heights) + pad
    _darken(canvas, 0, 0, max(widths) + 2 * pad, row * len(lines) + pad)
    for i, line in enumerate(lines):
        _put_text(canvas, line, (pad, (i + 1) * row), scale, LIGHT)


def _darken(canvas: np.ndarray, left: int, top: int, width: int, height: int) -> None:
    import cv2

    area = canvas[top : top + height, left : left + width]
    area[:] = cv2.convertScaleAbs(area, alpha=1 - PANEL_OPACITY, beta=PANEL_OPACITY * DARK[0])


def _text_size(text: str, scale: float) -> tuple[int, int]:
    """Width and height of a line in pixels."""
    import cv2

    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, _stroke(scale))
    return width, height


def _put_text(canvas: np.ndarray, text: str, origin: tuple[int, int], scale: float, colour: Colour) -> None:
    import cv2

    cv2.putText(canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, _stroke(scale), cv2.LINE_AA)


def _stroke(scale: float) -> int:
    return max(1, round(1.6 * scale))
