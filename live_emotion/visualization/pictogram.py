"""Simple drawings: a face that shows an emotion, a thumb, a ring that fills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from live_emotion.visualization.palette import DARK, LIGHT, Colour

FRACTION = 4
"""Bits of the fraction of a pixel in what OpenCV draws."""


@dataclass(frozen=True)
class _Look:
    """Of a drawn face, in parts of its radius; positive is down.

    Attributes:
        corners: how far the corners of the mouth are from its middle.
        inner: how far the inner ends of the brows are from where a resting face has them.
        outer: how far the outer ends are.
    """

    corners: float
    inner: float
    outer: float


LOOKS = {
    "angry": _Look(0.10, 0.16, -0.10),
    "happy": _Look(-0.26, -0.04, 0.0),
    "neutral": _Look(0.0, 0.0, 0.0),
    "sad": _Look(0.22, -0.14, 0.06),
}
"""Of the emotions that can be drawn."""


Line = list[tuple[float, float]]
"""Places in parts of a face's radius, from its middle; positive is right and down."""


def face_outline(emotion: str) -> dict[str, list[Line]] | None:
    """The lines of a face that shows an emotion of :data:`LOOKS`, in a circle: its ``brows``, ``eyes``, each a point,
    and ``mouth``; of another emotion, None."""
    look = LOOKS.get(emotion)
    if look is None:
        return None
    sides = (-1, 1)
    along = [i / 8 for i in range(-8, 9)]
    return {
        "brows": [[(0.16 * side, -0.42 + look.inner), (0.56 * side, -0.42 + look.outer)] for side in sides],
        "eyes": [[(0.36 * side, -0.16)] for side in sides],
        "mouth": [[(0.45 * x, 0.46 + look.corners * (x * x - 0.5)) for x in along]],
    }


def draw_face(canvas: np.ndarray, emotion: str, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    """Draws a face that shows an emotion of :data:`LOOKS`; of another one, nothing."""
    import cv2

    outline = face_outline(emotion)
    if outline is None:
        return
    stroke = max(2, radius // 14)
    cv2.circle(canvas, centre, radius, colour, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(canvas, centre, radius, DARK, stroke, cv2.LINE_AA)
    for eye in outline["eyes"]:
        place = _points(centre, radius, eye)[0]
        cv2.circle(canvas, tuple(map(int, place >> FRACTION)), max(2, radius // 10), DARK, cv2.FILLED, cv2.LINE_AA)
    for line in (*outline["brows"], *outline["mouth"]):
        _line(canvas, centre, radius, line, stroke)


def draw_thumb(canvas: np.ndarray, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    """Draws a hand with its thumb up."""
    import cv2

    hand = [
        (-0.25, -0.1),
        (0.1, -0.35),
        (0.2, -0.95),
        (0.45, -0.9),
        (0.42, -0.2),
        (0.9, -0.2),
        (0.75, 0.75),
        (-0.25, 0.7),
    ]
    cuff = [(-0.85, -0.15), (-0.4, -0.15), (-0.4, 0.8), (-0.85, 0.8)]
    for shape in (hand, cuff):
        points = _points(centre, radius, shape)
        cv2.fillPoly(canvas, [points], colour, cv2.LINE_AA, FRACTION)
        cv2.polylines(canvas, [points], True, DARK, max(2, radius // 14), cv2.LINE_AA, FRACTION)


def draw_ring(canvas: np.ndarray, share: float, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    """Draws a ring of which a share, 0 to 1, is filled, from the top on and clockwise."""
    import cv2

    stroke = max(3, radius // 6)
    cv2.circle(canvas, centre, radius, DARK, stroke + 4, cv2.LINE_AA)
    cv2.circle(canvas, centre, radius, LIGHT, max(1, stroke // 4), cv2.LINE_AA)
    if share > 0:
        end = -90 + round(360 * min(share, 1.0))
        cv2.ellipse(canvas, centre, (radius, radius), 0, -90, end, colour, stroke, cv2.LINE_AA)


def _line(
    canvas: np.ndarray, centre: tuple[int, int], radius: int, places: list[tuple[float, float]], stroke: int
) -> None:
    import cv2

    cv2.polylines(canvas, [_points(centre, radius, places)], False, DARK, stroke, cv2.LINE_AA, FRACTION)


def _points(centre: tuple[int, int], radius: int, places: list[tuple[float, float]]) -> np.ndarray:
    """Places in parts of the radius -> (N, 2) int32 in fractions of pixels."""
    return np.round((np.array(centre) + radius * np.array(places)) * 2**FRACTION).astype(np.int32)
