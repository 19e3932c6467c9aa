"""Pictures of the people in a report."""

from __future__ import annotations

import contextlib

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.video.reader import VideoFile
from live_emotion.types import StrPath
from live_emotion.visualization.report.people import Person

SIDE = 192
"""Of a thumbnail, in pixels."""

AROUND_FACE = 1.7
"""Side of a thumbnail in sides of the face's box."""

LARGE_VIEW = 0.7
"""Views of a face from this part of its largest side on may become its thumbnail."""


def thumbnail(video: StrPath, person: Person, start_s: float = 0.0) -> bytes | None:
    """A person's face in the video as a square JPEG file; None where the video does not show it.

    Of the large and clear views of the face it is the one that shows the person's commonest emotion best.

    Args:
        video: the file.
        person: whose rows say where the face is.
        start_s: the time in the rows at which the video begins, in seconds.
    """
    import cv2

    rows = person.rows
    boxes = rows.boxes
    sides = np.nan_to_num(boxes[:, 2] - boxes[:, 0])
    if sides.max() <= 0:
        return None
    typical = rows.probabilities_and_other[:, person.shares.argmax()] + ~rows.is_unclear
    best = int(np.where(sides >= LARGE_VIEW * sides.max(), typical, -1).argmax())
    rounding_s = 1e-5  # of times in rows
    frame = None
    with (
        contextlib.suppress(InputError),
        VideoFile(video, max(0.0, rows.time_s[best] - start_s - rounding_s)) as opened,
    ):
        frame = next(iter(opened), None)
    if frame is None:
        return None
    x1, y1, x2, y2 = boxes[best].astype(float)
    (height, width), centre = frame.image.shape[:2], ((x1 + x2) / 2, (y1 + y2) / 2)
    side = max(2, round(AROUND_FACE * max(x2 - x1, y2 - y1)))
    if not (0 <= centre[0] <= width and 0 <= centre[1] <= height and side <= AROUND_FACE * 2 * max(height, width)):
        return None  # these are not the rows of this video
    square = cv2.getRectSubPix(frame.image, (side, side), centre)
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    _, encoded = cv2.imencode(".jpg", cv2.resize(square, (SIDE, SIDE), interpolation=method))
    return encoded.tobytes()
