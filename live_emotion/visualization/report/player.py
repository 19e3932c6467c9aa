"""The video that a page plays: found beside it, also after both have moved together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import quote

from live_emotion.types import StrPath

PLAYED = frozenset((".m4v", ".mov", ".mp4", ".webm"))
"""What browsers play, by a file's suffix."""

FURTHEST = 2
"""A video lies beside a page up to so many folders above it."""


@dataclass(frozen=True)
class Player:
    """A video to be played.

    Attributes:
        source: its address, relative to the page.
        name: of its file.
        start_s: the time in the rows at which it begins, in seconds.
    """

    source: str
    name: str
    start_s: float


def player(video: StrPath, folder: StrPath, start_s: float = 0.0) -> Player | None:
    """How a page in a folder plays a video; None where the video does not lie beside it, or browsers don't play it.

    Args:
        video: the file.
        folder: of the page.
        start_s: the time in the rows at which the video begins, in seconds.
    """
    file = Path(video)
    if file.suffix.lower() not in PLAYED or not file.is_file():
        return None
    try:
        relative = PurePath(os.path.relpath(file.resolve(), Path(folder).resolve()))
    except ValueError:  # on another drive
        return None
    if relative.parts.count(os.pardir) > FURTHEST:
        return None
    return Player("./" + quote(os.fsencode(relative.as_posix())), file.name, start_s)
