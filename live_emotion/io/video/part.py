"""The note by which a part that was cut out of a video says where in it it began: a comment in the file."""

from __future__ import annotations

import re

NOTE = "live-emotion: the part of a video from {:.6f} s on"

NOTED = re.compile(r"live-emotion: the part of a video from (\d{1,9}\.\d{6}) s on")


def note(start_s: float) -> str:
    """The comment of a part that begins at this time of the whole, in seconds."""
    return NOTE.format(start_s)


def noted_start(comment: str) -> float:
    """The time that a comment notes, in seconds; 0 where it notes none."""
    found = NOTED.fullmatch(comment)
    return float(found[1]) if found else 0.0
