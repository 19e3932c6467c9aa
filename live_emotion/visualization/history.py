"""The last half minute of each person's emotions, as a band: remembered while it goes on, and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.faces.quality import is_readable
from live_emotion.types import TrackedFace
from live_emotion.visualization.palette import LIGHT, Colour
from live_emotion.visualization.text import darken, put_text, text_size

LENGTH_S = 30.0
"""How far back a band goes, in seconds."""

STEP_S = 0.25
"""What is averaged to one column of a band, in seconds."""

FILLED = round(1 / STEP_S)
"""In so many steps without a frame a person was there all the same: the machine is slow."""

BAND_TEXT = 0.75
"""Scale of the text at a band, in parts of that of the image."""

STEPS = round(LENGTH_S / STEP_S)

MOST_BANDS = 4
"""People who get a band; of more, those who were seen last."""


@dataclass(frozen=True)
class Band:
    """A person's last half minute.

    Attributes:
        tag: the person's name or number.
        probabilities: float32 (STEPS, C), the newest last; zeros where the person could not be read.
    """

    tag: str
    probabilities: np.ndarray


class History:
    """Remembers the probabilities of everyone for :data:`LENGTH_S`, in memory that does not grow.

    Args:
        classes: how many probabilities a face has, C.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._step = 0  # number of the last one since time 0
        self._sums: dict[int, np.ndarray] = {}  # by track id, float32 (STEPS, C + 1), the last column counts
        self._seen: dict[int, tuple[int, str]] = {}  # by track id, when last, and the tag

    def add(self, faces: Sequence[TrackedFace], time_s: float) -> None:
        """Takes in a frame. Faces without an identity, and those that cannot be read, leave no trace."""
        self._go_on(int(time_s / STEP_S))
        for face in faces:
            if face.track_id:
                passed = self._step - self._seen.get(face.track_id, (self._step, ""))[0]
                self._seen[face.track_id] = self._step, face.name or str(face.track_id)
                empty = np.zeros((STEPS, self._classes + 1), np.float32)
                sums = self._sums.setdefault(face.track_id, empty)
                if is_readable(face.note):
                    sums[-1] += (*face.probabilities, 1)
                    if 1 < passed <= FILLED and sums[-1 - passed, -1]:
                        sums[-passed:-1] = *face.probabilities, 1

    def _go_on(self, step: int) -> None:
        """Moves everything to the left, and forgets who was away for too long."""
        passed = min(max(0, step - self._step), STEPS)
        self._step = step
        self._seen = {who: seen for who, seen in self._seen.items() if step - seen[0] < STEPS}
        self._sums = {who: sums for who, sums in self._sums.items() if who in self._seen}
        for sums in self._sums.values() if passed else ():
            sums[:-passed] = sums[passed:].copy()
            sums[-passed:] = 0

    def bands(self) -> list[Band]:
        """One for each person, in the order of the numbers."""
        latest = sorted(self._seen, key=lambda who: (-self._seen[who][0], who))[:MOST_BANDS]
        return [
            Band(self._seen[who][1], self._sums[who][:, :-1] / np.maximum(1, self._sums[who][:, -1:]))
            for who in sorted(latest)
        ]


def bands_height(bands: Sequence[Band], scale: float) -> int:
    """Height in pixels of what :func:`draw_bands` draws."""
    row, pad = _row(scale)
    return len(bands) * (row + pad) + pad if bands else 0


def draw_bands(
    canvas: np.ndarray, bands: Sequence[Band], colours: dict[str, Colour], scale: float
) -> tuple[int, int, int, int]:
    """Draws bands along the lower edge, the newest at the right: at each time the probabilities, stacked.

    Args:
        canvas: (H, W, 3) uint8 BGR, which is drawn on.
        bands: at least one.
        colours: of the classes, in order.
        scale: of the text.

    Returns:
        the area, ``x1 y1 x2 y2``.
    """
    import cv2

    height, width = canvas.shape[:2]
    row, pad = _row(scale)
    top = max(0, height - bands_height(bands, scale))
    darken(canvas, (0, top), (width, height - top))
    left = 2 * pad + max(text_size(band.tag, BAND_TEXT * scale)[0] for band in bands)
    palette = np.array([*colours.values(), (0, 0, 0)], np.uint8)
    for i, band in enumerate(bands):
        y = top + pad + i * (row + pad)
        put_text(canvas, band.tag, (pad, y + row), BAND_TEXT * scale, LIGHT)
        area = canvas[y : y + row, left : width - pad]
        if area.size:
            which = _classes(band.probabilities, row)
            size = (area.shape[1], area.shape[0])
            painted = cv2.resize(palette[which], size, interpolation=cv2.INTER_NEAREST)
            is_read = cv2.resize((which < len(colours)).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            np.copyto(area, painted, where=is_read[:, :, None].astype(bool))
    return 0, top, width, height


def _classes(probabilities: np.ndarray, height: int) -> np.ndarray:
    """Which class each pixel of a band shows, the first at the bottom: (height, STEPS); C where nothing was read."""
    levels = (np.arange(height)[::-1, None, None] + 0.5) / height
    return (levels > np.cumsum(probabilities, axis=1)[None]).sum(axis=2)


def _row(scale: float) -> tuple[int, int]:
    """Height of a band and of the gap between two, in pixels."""
    height = text_size("0", BAND_TEXT * scale)[1]
    return height, max(2, height // 3)
