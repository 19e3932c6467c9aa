"""Draws boxes, emotions and probabilities over an image. A new image comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.faces.boxes import by_size
from live_emotion.faces.quality import UNSURE, is_readable
from live_emotion.types import TrackedFace
from live_emotion.visualization.history import Band, bands_height, draw_bands
from live_emotion.visualization.layout import Rect, Size, head, place_chart, place_labels, place_panel
from live_emotion.visualization.palette import DARK, LIGHT, QUIET, Colour, emotion_colours
from live_emotion.visualization.text import darken, draw_panel, face_scale, panel_size, put_text, text_scale, text_size

CHART_TEXT = 0.75
"""Scale of the text in a chart, in parts of that of the label."""

PANEL_TEXT = 0.85
"""Scale of the text of lines, in parts of that of the image."""


def draw(
    image: np.ndarray,
    faces: Sequence[TrackedFace],
    class_names: Sequence[str],
    bars: bool = True,
    lines: Sequence[str] = (),
) -> np.ndarray:
    """Draws what was read in an image that stands alone; the arguments are those of :class:`Overlay`."""
    return Overlay(class_names).draw(image, faces, bars, lines)


class Overlay:
    """Draws what was read in one frame after the other, and lets labels and charts stay where they were.

    Args:
        class_names: C names in the order of the probabilities.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._colours = dict(zip(class_names, emotion_colours(class_names)))
        self._labels: dict[int, int] = {}  # numbers of places, by track id
        self._charts: dict[int, int] = {}
        self._panel: int | None = None

    def draw(
        self,
        image: np.ndarray,
        faces: Sequence[TrackedFace],
        bars: bool = True,
        lines: Sequence[str] = (),
        bands: Sequence[Band] = (),
    ) -> np.ndarray:
        """Draws what was read in an image.

        Args:
            image: (H, W, 3) uint8 BGR; it is not changed.
            faces: with a box, the emotion and its confidence in percent, and whose face it is, as far as known.
            bars: also a small chart of the probabilities beside each face, where there is room, largest faces first.
            lines: of text for a corner, the top left one unless a face is there.
            bands: of the last seconds, for the lower edge.

        Returns:
            (H, W, 3) uint8 BGR.
        """
        canvas = image.copy()
        height, width = image.shape[:2]
        scale = text_scale(height, width)
        marks = [_Mark.of(face, scale, self._colours) for face in by_size(faces)]
        taken = [draw_bands(canvas, bands, self._colours, scale)] if bands else []
        if lines:
            room = width, height - bands_height(bands, scale)
            text = PANEL_TEXT * scale
            panel, self._panel = place_panel(panel_size(lines, text), room, [m.box for m in marks], self._panel)
            taken.append(panel)
        labels = self._place_labels(marks, (width, height), taken)
        # the nearest, largest face is drawn last and comes out on top
        for mark in reversed(marks):
            _draw_box(canvas, mark)
        if lines:  # over the boxes, whose lines would strike its text through
            draw_panel(canvas, lines, panel[:2], text)
        for mark, label_area in zip(reversed(marks), reversed(labels)):
            _draw_label(canvas, mark, label_area[:2])
        if bars:
            self._draw_charts(canvas, marks, [*taken, *labels])
        return canvas

    def _place_labels(self, marks: Sequence[_Mark], canvas: Size, taken: Sequence[Rect]) -> list[Rect]:
        before = [self._labels.get(mark.track_id) for mark in marks]
        placed = place_labels([m.box for m in marks], [m.label_size for m in marks], canvas, taken, before)
        self._labels = {mark.track_id: place for mark, (_, place) in zip(marks, placed) if mark.track_id}
        return [rect for rect, _ in placed]

    def _draw_charts(self, canvas: np.ndarray, marks: Sequence[_Mark], taken: Sequence[Rect]) -> None:
        taken = [*taken, *(head(mark.box) for mark in marks)]
        size = canvas.shape[1], canvas.shape[0]
        charts = {}
        for mark in marks:
            if is_readable(mark.face.note):
                chart_size, gap = _chart_size(list(self._colours), mark.scale), max(2, round(6 * mark.scale))
                before = self._charts.get(mark.track_id)
                if placed := place_chart(head(mark.box), chart_size, gap, size, taken, before):
                    _draw_chart(canvas, mark, self._colours, placed[0])
                    taken.append(placed[0])
                    charts[mark.track_id] = placed[1]
        self._charts = charts


@dataclass(frozen=True)
class _Mark:
    """What is drawn at a face."""

    face: TrackedFace
    box: Rect
    tag: str  # whose face it is; empty where nobody knows
    text: str
    scale: float  # of the text
    stroke: int  # of the box, in pixels
    colour: Colour

    @classmethod
    def of(cls, face: TrackedFace, scale: float, colours: dict[str, Colour]) -> _Mark:
        x1, y1, x2, y2 = (round(v) for v in face.box)
        stroke, colour = (1.5, QUIET) if face.note else (3, colours[face.emotion])
        own_scale, stroke = face_scale(y2 - y1, scale), max(1, round(stroke * scale))
        return cls(face, (x1, y1, x2, y2), tag(face), label(face), own_scale, stroke, colour)

    @property
    def track_id(self) -> int:
        return self.face.track_id

    @property
    def tag_width(self) -> int:
        return text_size(self.tag, self.scale)[0] + 2 * self.pad if self.tag else 0

    @property
    def pad(self) -> int:
        return max(2, text_size(self.text, self.scale)[1] // 3)

    @property
    def label_size(self) -> Size:
        width, height = text_size(self.text, self.scale)
        return self.tag_width + width + 2 * self.pad, height + 2 * self.pad


def label(face: TrackedFace) -> str:
    """What is written at a face: its emotion with the confidence, or why there is none."""
    if not is_readable(face.note):
        return face.note
    return f"{UNSURE}: {face.emotion}?" if face.note else f"{face.emotion} {face.confidence:.0%}"


def tag(face: TrackedFace) -> str:
    """Whose face it is: the name, or else the number; empty where faces are not followed."""
    return face.name or (str(face.track_id) if face.track_id else "")


def _draw_box(canvas: np.ndarray, mark: _Mark) -> None:
    import cv2

    x1, y1, x2, y2 = mark.box
    # the dark rim keeps the box visible on a background of its own colour
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), DARK, mark.stroke + 2)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), mark.colour, mark.stroke)


def _draw_label(canvas: np.ndarray, mark: _Mark, corner: tuple[int, int]) -> None:
    """A dark tab that says whose face it is, and one in the emotion's colour that says which."""
    import cv2

    (left, top), (width, height) = corner, mark.label_size
    middle, base = left + mark.tag_width, top + height - mark.pad
    cv2.rectangle(canvas, (left, top), (left + width - 1, top + height - 1), mark.colour, cv2.FILLED)
    if mark.tag:
        cv2.rectangle(canvas, (left, top), (middle - 1, top + height - 1), DARK, cv2.FILLED)
        put_text(canvas, mark.tag, (left + mark.pad, base), mark.scale, LIGHT)
    put_text(canvas, mark.text, (middle + mark.pad, base), mark.scale, DARK)


def _chart_grid(names: Sequence[str], scale: float) -> tuple[int, int, int, int]:
    """Of a chart, in pixels: width of the names, height of the text, margin, and height of a row."""
    widths, heights = zip(*(text_size(name, CHART_TEXT * scale) for name in names))
    pad = max(2, max(heights) // 2)
    return max(widths), max(heights), pad, max(heights) + pad


def _chart_size(names: Sequence[str], scale: float) -> Size:
    name_width, text_height, pad, row = _chart_grid(names, scale)
    return name_width + 4 * text_height + 3 * pad, row * len(names) + pad


def _draw_chart(canvas: np.ndarray, mark: _Mark, colours: dict[str, Colour], area: Rect) -> None:
    """A bar for each probability, on a dark panel."""
    import cv2

    left, top = area[:2]
    name_width, text_height, pad, row = _chart_grid(list(colours), mark.scale)
    length = 4 * text_height
    darken(canvas, (left, top), (area[2] - left, area[3] - top))
    for i, ((name, colour), probability) in enumerate(zip(colours.items(), mark.face.probabilities)):
        base = top + pad + i * row + text_height
        put_text(canvas, name, (left + pad, base), CHART_TEXT * mark.scale, LIGHT)
        start = left + 2 * pad + name_width
        end = start + max(1, round(length * probability))
        cv2.rectangle(canvas, (start, base - text_height), (start + length, base), (90, 90, 90), 1)
        cv2.rectangle(canvas, (start, base - text_height), (end, base), colour, cv2.FILLED)
