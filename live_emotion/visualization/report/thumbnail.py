"""Pictures of the people in a report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.video.reader import VideoFile
from live_emotion.types import Box, StrPath
from live_emotion.visualization.report.people import Person

SIDE = 192
"""Of a thumbnail, in pixels."""

AROUND_FACE = 1.7
"""Side of a thumbnail in sides of the face's box."""

LARGE_VIEW = 0.7
"""Views of a face from this part of its largest side on may become its thumbnail."""

LEAST_SHARE = 0.02
"""Emotions that a person showed for less than this part of the time have no picture, 0 to 1."""

Explain = Callable[[np.ndarray, Box, str, str], str]
"""An image, a face's box in it, its emotion, and the person's name or nothing -> why it was read so, in words."""


def thumbnail(video: StrPath, person: Person, start_s: float = 0.0) -> bytes | None:
    """A person's face in the video as a square JPEG file; None where the video does not show it.

    Of the large and clear views of the face it is the one that shows the person's commonest emotion best.

    Args:
        video: the file.
        person: whose rows say where the face is.
        start_s: the time in the rows at which the video begins, in seconds.
    """
    if (row := _typical_row(person, person.shares.argmax(), np.ones(len(person.rows), bool))) is None:
        return None
    frame = _frame(video, float(person.rows.time_s[row]) - start_s)
    return None if frame is None else _cut(frame, person.rows.boxes[row].astype(float))


@dataclass(frozen=True)
class Moment:
    """When a person showed an emotion most typically.

    Attributes:
        emotion: its name.
        index: of the class.
        time_s: by the clock of the rows, in seconds.
        picture: of the face then, a JPEG file.
        why: it was read so, in words; empty where nobody was asked.
    """

    emotion: str
    index: int
    time_s: float
    picture: bytes
    why: str = ""


def moments(video: StrPath, person: Person, start_s: float = 0.0, explain: Explain | None = None) -> list[Moment]:
    """One for each emotion that a person showed for :data:`LEAST_SHARE` of the time or longer and the video shows.

    The other arguments are those of :func:`thumbnail`; ``explain`` says why.
    """
    rows, found = person.rows, []
    for index, emotion in enumerate(rows.class_names):
        shown = (rows.emotion == index) & ~rows.is_unclear & ~rows.is_other
        if person.shares[index] < LEAST_SHARE or (row := _typical_row(person, index, shown)) is None:
            continue
        time_s, box = float(rows.time_s[row]), rows.boxes[row].astype(float)
        frame = _frame(video, time_s - start_s)
        picture = None if frame is None else _cut(frame, box)
        if frame is not None and picture is not None:
            x1, y1, x2, y2 = box.tolist()
            why = explain(frame, (x1, y1, x2, y2), emotion, str(rows.name[row])) if explain else ""
            found.append(Moment(emotion, index, time_s, picture, why))
    return found


def _typical_row(person: Person, index: int | np.integer, chosen: np.ndarray) -> int | None:
    """Of the large and clear views of a face among the chosen rows, (N,) bool, the one that shows a class best."""
    rows = person.rows
    sides = np.where(chosen, np.nan_to_num(rows.boxes[:, 2] - rows.boxes[:, 0]), 0)
    if sides.max(initial=0) <= 0:
        return None
    typical = rows.probabilities_and_other[:, index] + ~rows.is_unclear
    return int(np.where(sides >= LARGE_VIEW * sides.max(), typical, -1).argmax())


def _frame(video: StrPath, time_s: float) -> np.ndarray | None:
    """The video's image at a time, (H, W, 3) uint8 BGR; None where there is none."""
    rounding_s = 1e-5  # of times in rows
    with contextlib.suppress(InputError), VideoFile(video, max(0.0, time_s - rounding_s)) as opened:
        frame = next(iter(opened), None)
        return None if frame is None else frame.image
    return None


def _cut(image: np.ndarray, box: np.ndarray) -> bytes | None:
    """A face and what is around it as a square JPEG file; None where the box cannot be one of this image."""
    import cv2

    x1, y1, x2, y2 = box
    (height, width), centre = image.shape[:2], ((x1 + x2) / 2, (y1 + y2) / 2)
    side = max(2, round(AROUND_FACE * max(x2 - x1, y2 - y1)))
    if not (0 <= centre[0] <= width and 0 <= centre[1] <= height and side <= AROUND_FACE * 2 * max(height, width)):
        return None  # these are not the rows of this video
    square = cv2.getRectSubPix(image, (side, side), centre)
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    _, encoded = cv2.imencode(".jpg", cv2.resize(square, (SIDE, SIDE), interpolation=method))
    return encoded.tobytes()
