"""Folders: what is in one, making one, and holding one against other programs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from live_emotion.errors import InputError, OutputError
from live_emotion.io.files.atomic import is_in_use, write_error
from live_emotion.io.files.locks import can_lock, is_at, lock

LOCK_FILE = ".lock"
"""In a folder that a program holds."""


def expand_folders(paths: Iterable[Path], is_wanted: Callable[[Path], bool], what: str) -> list[Path]:
    """The paths, with each folder replaced by the files in it that are wanted, sorted.

    Args:
        paths: files and folders.
        is_wanted: chooses among a folder's files.
        what: they are, for messages: photos, videos.

    Raises:
        InputError: a folder holds none or cannot be read.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        try:
            inside = sorted(filter(is_wanted, path.iterdir()))
        except OSError as error:
            raise InputError(f"Cannot read the folder {path}: {error.strerror}.") from error
        if not inside:
            raise InputError(f"There are no {what} in the folder {path}; name another.")
        files += inside
    return files


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Makes a folder with its parents, if it is not there yet.

    Raises:
        OutputError: it cannot be made.
    """
    folder = Path(path)
    try:
        missing = [each for each in (*reversed(folder.parents), folder) if not each.exists()]
        _made.extend(missing)
        for each in (*missing, folder):  # mkdir(parents=True) calls itself, and a path may have a thousand parts
            each.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise OutputError(f"Cannot write into {error.filename}: it is no folder; choose another name.") from error
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


_made: list[Path] = []
"""Folders that :func:`make_folder` made, each after its parents."""


@contextlib.contextmanager
def exclusive_folder(folder: Path, name: str = LOCK_FILE) -> Iterator[None]:
    """Holds a folder while a block runs, against other programs that would write into it, too.

    Args:
        folder: to hold.
        name: of the file that is locked in it; it goes at the end.

    Raises:
        OutputError: another one holds it, or it cannot be written.
    """
    path = folder / name
    busy = OutputError(f"Another program is writing into {folder}; wait for its end, or choose another folder.")
    try:
        if not can_lock():
            path.unlink(missing_ok=True)  # Windows deletes no file that somebody has open
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | (os.O_EXCL if not can_lock() else 0), 0o666)
    except FileExistsError as error:
        raise busy from error
    except PermissionError as error:
        raise busy if is_in_use(error) else write_error(path, error) from error
    except OSError as error:
        raise write_error(path, error) from error
    try:
        if lock(descriptor) is False or not is_at(descriptor, path):
            raise busy
        try:
            yield
        finally:
            if can_lock():
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
        if not can_lock():
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def without_empty_folders() -> Iterator[None]:
    """Removes at the end of the block, however it ends, the folders that were made for outputs and got none."""
    before = len(_made)
    try:
        yield
    finally:
        for folder in reversed(_made[before:]):
            with contextlib.suppress(OSError):  # it is not empty, as it should be, or it has gone
                folder.rmdir()
        del _made[before:]
