"""Overlapping tiles of a picture, in which faces far away are seen larger."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from live_emotion.faces.detection.blazeface import SMALLEST_FACE
from live_emotion.types import Box, Face

TILE = 0.6
"""Side of a tile as a part of the picture's shorter side: the models see a frame at 192 pixels at most, so a face
in a tile is seen 1.7 times (in 16:9: 3 times) as large."""

TILE_STRIDE = 0.6
"""Distance between tiles as a part of their side; a face up to 0.4 of a tile lies whole in one of them."""

LONGEST_SHAPE = 25
"""Longer side over shorter one. Of a picture that is longer, as no panorama is, no parts are looked at."""

CUT_SCORE = 0.3
"""Score that a face over the edge of a tile has at most: a weak proposal."""


def tiles(width: int, height: int) -> list[Box]:
    """Overlapping squares that cover a picture of this size in pixels, as boxes in whole pixels."""
    if max(width, height) > LONGEST_SHAPE * min(width, height):
        return []
    side = max(SMALLEST_FACE, round(TILE * min(width, height)))

    def starts(length: int) -> list[int]:
        count = int(np.ceil((length - side) / (TILE_STRIDE * side))) + 1
        return [round(start) for start in np.linspace(0, length - side, count)]

    return [(x, y, x + side, y + side) for y in starts(height) for x in starts(width)]


def doubt_cut(face: Face, tile: Box, width: int, height: int) -> Face:
    """A face found in a tile of a picture; where it reaches over an edge that is not the picture's, half of it may be
    missing, and only the second stage can tell: its score becomes that of a weak proposal.
    """
    box = face.box
    is_cut = (
        (box[0] <= tile[0] and tile[0] > 0)
        or (box[1] <= tile[1] and tile[1] > 0)
        or (box[2] >= tile[2] and tile[2] < width)
        or (box[3] >= tile[3] and tile[3] < height)
    )
    return replace(face, score=min(face.score, CUT_SCORE)) if is_cut else face
