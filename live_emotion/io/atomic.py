"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from live_emotion.errors import InputError, OutputError


class Unfinished(Protocol):
    """A file that is being written, and gets its name at the end."""

    def close(self) -> None:
        """Completes it."""

    def discard(self) -> None:
        """Throws it away."""


Output = TypeVar("Output", bound=Unfinished)

PART = ".part"
"""In the names of files that hold the first part of what they were to hold."""


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` and renames it to ``path`` when the block ends well.

    If the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, or ``path`` is a folder.
    """
    target = Path(path)
    temporary = temporary_beside(target)
    try:
        yield temporary
        publish(temporary, target)
    except OSError as error:
        raise write_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(target: Path, visible: bool = False) -> Path:
    """Makes an empty file in the folder of ``target``, of a unique name, with its suffix.

    Args:
        target: the name that the file will get once it is complete.
        visible: for what cannot be made again: should the program be killed, people find the part that was written
            as ``NAME.part-xxxxxxxx.suffix``. Others are hidden.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        prefix = f"{target.stem}{PART}-" if visible else f".{target.stem}."
        while True:
            path = target.with_name(f"{prefix}{secrets.token_hex(4)}{target.suffix}")
            with contextlib.suppress(FileExistsError):
                # Not by tempfile, whose files are private: what others may do with it, the system decides as ever.
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
                return path
    except OSError as error:
        raise write_error(target, error) from error


def check_writable(target: str | os.PathLike[str]) -> None:
    """Finds out whether a file can be written, and leaves nothing behind.

    Raises:
        OutputError: it cannot.
    """
    temporary_beside(Path(target)).unlink()


def kept_if_whole(stack: contextlib.ExitStack, output: Output) -> Output:
    """Sees to it that an output is completed when all goes well in ``stack``, and thrown away when not."""
    stack.push(lambda kind, *_: output.discard() if kind else output.close())
    return output


def publish(temporary: Path, target: Path) -> None:
    """Flushes a complete temporary file to the disk and gives it its name.

    Raises:
        OSError: it cannot be done.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, target)


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes ``text`` as UTF-8 by :func:`atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def refuse_existing(path: str | os.PathLike[str], force: bool = False) -> None:
    """Protects a file from being overwritten.

    Raises:
        OutputError: there is one at ``path``, and ``force`` is not set.
    """
    if not force and Path(path).exists():
        raise OutputError(f"{path} exists already; choose another name, or overwrite it with --force.")


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
        _made.extend(each for each in (*reversed(folder.parents), folder) if not each.exists())
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


_made: list[Path] = []
"""Folders that :func:`make_folder` made, each after its parents."""


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


def write_error(path: Path, error: OSError) -> OutputError:
    """The one line for an operating system error while writing ``path``."""
    if isinstance(error, FileNotFoundError):
        hint = f"there is no folder {path.parent}; make it first"
    else:
        hint = error.strerror or str(error)
    return OutputError(f"Cannot write {path}: {hint}.")
