"""What to tell of pictures with more faces than are read, or with many that are small."""

from __future__ import annotations

from statistics import median

from live_emotion.pipelines.result import Result

MANY = 5
"""So many faces are a crowd, in which there may be more."""

SMALL = 0.05
"""Side of a box as a part of the picture's longer side: the ``full`` detector sees such a face at 10 pixels."""


def crowd_notice(result: Result, detector: str) -> str:
    """What to do where faces of a frame were not read, or were hardly large enough to be found.

    Args:
        result: what came of the frame.
        detector: that looked for them, ``full``, ``short`` or ``tiled``.

    Returns:
        a line that names the options, or nothing.
    """
    read, found = len(result.faces), result.found
    notices = [f"{read} of {found} faces read; --max-faces {found} reads all"] if found > read else []
    smallest_side = SMALL * max(result.frame.image.shape[:2])
    sides = [min(x2 - x1, y2 - y1) for x1, y1, x2, y2 in (face.box for face in result.faces)]
    if found >= MANY and detector != "tiled" and median(sides) < smallest_side:
        notices.append("many are small; --detector tiled may find more")
    return "; ".join(notices)
