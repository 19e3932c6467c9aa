"""What somebody sees who is shown how to enrol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.visualization.palette import LIGHT, emotion_colours
from live_emotion.visualization.pictogram import draw_face, draw_ring, draw_thumb
from live_emotion.visualization.text import darken, put_text, text_scale, text_size

TITLE_TEXT, COUNT_TEXT = 1.4, 5.0
"""Scales of the text of the title and of the countdown, in parts of that of the image."""


@dataclass(frozen=True)
class Scene:
    """What is shown at a moment.

    Attributes:
        title: what to do.
        emotion: that is to be shown; empty: none at the moment.
        count: seconds until the recording begins; 0: no countdown.
        progress: share of the recording that is done, 0 to 1; None: nothing is recorded.
        is_good: whether enough was recorded; None: it is not the time to say.
        note: what is wrong with the picture; empty: nothing.
        keys: what can be pressed.
    """

    title: str
    emotion: str = ""
    count: int = 0
    progress: float | None = None
    is_good: bool | None = None
    note: str = ""
    keys: str = ""


def draw_scene(image: np.ndarray, scene: Scene, class_names: Sequence[str]) -> np.ndarray:
    """Draws a scene over a copy of the camera's image.

    Args:
        image: (H, W, 3) uint8 BGR.
        scene: what to show.
        class_names: all emotions, in the order of the weights, for their colours.
    """
    canvas = image.copy()
    height, width = image.shape[:2]
    scale = text_scale(height, width)
    colours = dict(zip(class_names, emotion_colours(class_names)))
    colour = colours.get(scene.emotion, LIGHT)
    radius = min(height, width) // 9
    band = _draw_lines(canvas, [scene.title], TITLE_TEXT * scale, top=True)
    _draw_lines(canvas, [line for line in (scene.note, scene.keys) if line], scale, top=False)
    draw_face(canvas, scene.emotion, (width - radius * 5 // 4, band + radius * 5 // 4), radius, colour)
    middle = radius * 5 // 4, band + radius * 5 // 4
    if scene.count:
        text, size = str(scene.count), COUNT_TEXT * scale
        across, high = text_size(text, size)
        corner = middle[0] - across // 2 - high // 4, middle[1] - high * 3 // 4
        darken(canvas, (max(0, corner[0]), corner[1]), (across + high // 2, high * 3 // 2))
        put_text(canvas, text, (middle[0] - across // 2, middle[1] + high // 2), size, LIGHT)
    if scene.progress is not None:
        draw_ring(canvas, scene.progress, middle, radius, colour)
    if scene.is_good:
        draw_thumb(canvas, middle, radius, colour)
    return canvas


def _draw_lines(canvas: np.ndarray, lines: Sequence[str], scale: float, top: bool) -> int:
    """Lines of text in the middle of a dark band along the upper or lower edge; gives the band's height in pixels."""
    if not lines:
        return 0
    height, width = canvas.shape[:2]
    widest = max(text_size(line, scale)[0] for line in lines)
    scale *= min(1.0, 0.96 * width / widest)
    sizes = [text_size(line, scale) for line in lines]
    pad = max(high for _, high in sizes)
    band = sum(high + pad for _, high in sizes) + pad
    y = 0 if top else height - band
    darken(canvas, (0, y), (width, band))
    for line, (across, high) in zip(lines, sizes):
        y += pad + high
        put_text(canvas, line, ((width - across) // 2, y), scale, LIGHT)
    return band
