"""Folders of temporary files, and what programs that were killed left of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from live_emotion.io.files.folders import exclusive_folder
from live_emotion.io.files.locks import can_lock, is_at, lock

PREFIX = "live-emotion-"

MARK = ".live-emotion-temporary"
"""In a folder that is temporary, and locked as long as somebody needs it."""

INSIDE = "files"
"""The part of such a folder that is given away: the mark goes after it, so that no rest is without."""

OWN_MODE = 0o700
"""In which ``tempfile`` makes folders: nobody else gets in."""

FRESH_S = 60.0
"""A mark that is younger may be about to be locked, in seconds."""


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that goes at the block's end with all that is in it; :func:`sweep_temporary` removes it after a kill.

    Raises:
        OSError, OutputError: it cannot be made.
    """
    held = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with exclusive_folder(held, MARK):
            inside = held / INSIDE
            inside.mkdir()
            try:
                yield inside
            finally:
                shutil.rmtree(inside, ignore_errors=True)
    finally:
        shutil.rmtree(held, ignore_errors=True)


def sweep_temporary() -> None:
    """Removes the temporary folders that programs of this user left as they were killed.

    Those are folders in which nobody else could write, with our mark in them, which nobody holds; links are not
    followed. Where files cannot be locked, as on Windows, nothing is removed.
    """
    if not can_lock():
        return
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with contextlib.suppress(OSError):  # it is none of ours, or has just gone
                    _sweep(Path(entry.path))


def _sweep(held: Path) -> None:
    about = held.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) != OWN_MODE:
        return
    descriptor = os.open(held / MARK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        age_s = time.time() - os.fstat(descriptor).st_mtime
        if age_s > FRESH_S and lock(descriptor) and is_at(descriptor, held / MARK):
            shutil.rmtree(held / INSIDE, ignore_errors=True)
            shutil.rmtree(held, ignore_errors=True)
    finally:
        os.close(descriptor)
