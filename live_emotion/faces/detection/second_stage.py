"""The second stage of detection: what may be a face is looked at in its own pixels, confirmed and refined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from live_emotion.faces.boxes import SAME_FACE, overlap
from live_emotion.faces.detection.blazeface import BlazeFace
from live_emotion.types import Box, Face

CLEAR_SCORE = 0.8
"""One look with this score is enough: of 10,000 proposals in pictures without faces (textures, things, clothes) 5 come
to it, and nearly all sharp faces do."""

LIKELY_SCORE = 0.65
"""Mean score that the best two of three looks need else, each at another view. Of what one look with 0.5 to 0.6 takes
for a face where there is none, that leaves half; of the faces, all."""

CERTAIN_SCORE = 0.75
"""Score of the first stage from which a face counts even if the second finds none, as in profile."""


OTHER_SIZE = 1.4
"""A box so many times as large as another, or less, is of another size."""


class FaceView(NamedTuple):
    """How the second stage looks at a face.

    Attributes:
        side: of the square around it, in sides of the box.
        is_mirrored: turned left to right, so that it is not the same pixels again.
    """

    side: float
    is_mirrored: bool


VIEWS = (FaceView(2.0, False), FaceView(2.6, True), FaceView(2.0, True))
"""In the order in which they are taken. A wider square gives a rougher box, but finds more of what is hard to see."""


def look(model: BlazeFace, image: np.ndarray, face: Face, view: FaceView) -> Face | None:
    """What the short-range model sees at the place of a face: the surest of what is nearly there, or None.

    If that has quite another size, as where an eye was proposed, it is looked at in its turn.
    """
    seen = _seen_around(model, image, face, view)
    if seen is None or 1 / OTHER_SIZE <= _side(seen.box) / _side(face.box) <= OTHER_SIZE:
        return seen
    return _seen_around(model, image, seen, view)


def _seen_around(model: BlazeFace, image: np.ndarray, face: Face, view: FaceView) -> Face | None:
    x1, y1, x2, y2 = face.box
    reach = view.side * _side(face.box) / 2
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    square = (centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach)
    near = (f for f in model.find(image, square, view.is_mirrored) if overlap(f.box, face.box) >= SAME_FACE)
    return max(near, key=lambda f: f.score, default=None)


def _side(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def confirm(model: BlazeFace, image: np.ndarray, face: Face, likely: float) -> Face | None:
    """A proposed face as it is seen close up, at once: by one clear look, or else by two of three.

    Args:
        model: the short-range one.
        image: as :meth:`BlazeFace.find` takes it.
        face: as the first stage proposes it.
        likely: mean score that the best two looks need, as :data:`LIKELY_SCORE`.

    Returns:
        the face with the truer box, or None where there is none.
    """
    first = look(model, image, face, VIEWS[0])
    if first and first.score >= CLEAR_SCORE:
        return first
    if face.score >= CERTAIN_SCORE:
        return first or face
    second = look(model, image, face, VIEWS[1])
    third = look(model, image, face, VIEWS[2]) if first or second else None
    looks = [seen for seen in (first, second, third) if seen]
    return looks[0] if is_enough([seen.score for seen in looks], likely) else None


def is_enough(scores: Sequence[float], likely: float) -> bool:
    """Whether the scores of up to three looks make a face: one that is clear, or two that are likely on average."""
    best = sorted(scores)[-2:]
    return best[-1:] >= [CLEAR_SCORE] or (len(best) == 2 and sum(best) / 2 >= likely)
