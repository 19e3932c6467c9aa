"""Writing files so that a crash leaves the old one or the new one, never half of one.

A file that is being written has a temporary name. On systems with ``flock`` its writer holds it locked, so that the
next one to write the same file can tell what a killed program left from what another one is writing, and sweep it.
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from live_emotion.errors import InputError, OutputError

fcntl: Any = None  # on Windows, which deletes no file that is in use
with contextlib.suppress(ImportError):
    import fcntl


class Unfinished(Protocol):
    """A file that is being written, and gets its name at the end."""

    def close(self) -> None:
        """Completes it."""

    def discard(self) -> None:
        """Throws it away."""


Output = TypeVar("Output", bound=Unfinished)

PART = ".part"
"""In the names of files that hold the first part of what they were to hold."""


ESCAPED = "backslashreplace"
"""How texts are written in which a file's name stands whose bytes are no text: those as ``\\udcff``."""

RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))})
"""What Windows takes for a device, in any case and whatever stands behind a dot."""

LOCK_FILE = ".lock"
"""In a folder that a program holds."""

SWEPT_AFTER_S = 60
"""A temporary file is left to its writer for so long, in seconds, whether it is locked or not."""

_locks: dict[Path, int] = {}
"""Descriptors by which temporary files are held."""


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` and renames it to ``path`` when the block ends well.

    If the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, ``path`` is a folder, or another program
            wrote it meanwhile.
    """
    target = Path(path)
    replaces = os.path.lexists(target)
    temporary = temporary_beside(target)
    try:
        yield temporary
        publish(temporary, target, replaces)
    except OSError as error:
        raise write_error(target, error) from error
    finally:
        discard_temporary(temporary)


def temporary_beside(target: Path, visible: bool = False) -> Path:
    """Makes an empty file in the folder of ``target``, of a unique name, with its suffix.

    It ends by :func:`publish` or :func:`discard_temporary`.

    Args:
        target: the name that the file will get once it is complete. What killed programs left of it is removed.
        visible: for what cannot be made again: should the program be killed, people find the part that was written
            as ``NAME.part-xxxxxxxx.suffix``, and nothing removes it. Others are hidden.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        _sweep(target)
        prefix = f"{target.stem}{PART}-" if visible else f".{target.stem}."
        while True:
            path = target.with_name(f"{prefix}{secrets.token_hex(4)}{target.suffix}")
            with contextlib.suppress(FileExistsError):
                # Not by tempfile, whose files are private: what others may do with it, the system decides as ever.
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
                _locks[path] = descriptor
                if not _lock(descriptor):
                    os.close(_locks.pop(path))
                return path
    except (OSError, ValueError) as error:
        raise write_error(target, error) from error


def _lock(descriptor: int) -> bool | None:
    """Locks an open file; False where somebody else did, None where the system or the file system cannot."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (OSError, AttributeError):
        return None
    return True


def _sweep(target: Path) -> None:
    """Removes hidden temporary files of ``target`` that nobody is writing."""
    hidden = glob.escape(f".{target.stem}.") + "[0-9a-f]" * 8 + glob.escape(target.suffix)
    for left in target.parent.glob(hidden) if fcntl else ():
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > SWEPT_AFTER_S:
                descriptor = os.open(left, os.O_RDWR)
                try:
                    if _lock(descriptor):
                        left.unlink()
                finally:
                    os.close(descriptor)


def discard_temporary(path: Path) -> None:
    """Removes a file that :func:`temporary_beside` made, if it is there."""
    path.unlink(missing_ok=True)
    keep_temporary(path)


def keep_temporary(path: Path) -> None:
    """Leaves a file that :func:`temporary_beside` made as it is, for people to find."""
    if path in _locks:
        os.close(_locks.pop(path))


def is_reserved(name: str) -> bool:
    """Whether Windows takes a file of this name for a device.

    Example:
        >>> is_reserved("Con.mp4"), is_reserved("console.mp4")
        (True, False)
    """
    return name.partition(".")[0].rstrip().lower() in RESERVED


def check_writable(target: str | os.PathLike[str]) -> None:
    """Finds out whether a file can be written, and leaves nothing behind.

    Raises:
        OutputError: it cannot.
    """
    discard_temporary(temporary_beside(Path(target)))


def kept_if_whole(stack: contextlib.ExitStack, output: Output) -> Output:
    """Sees to it that an output is completed when all goes well in ``stack``, and thrown away when not."""
    stack.push(lambda kind, *_: output.discard() if kind else output.close())
    return output


def publish(temporary: Path, target: Path, replaces: bool = True) -> None:
    """Flushes a complete temporary file to the disk and gives it its name.

    Args:
        temporary: made by :func:`temporary_beside`.
        target: the name.
        replaces: take the place of a file of that name. Without, what another program wrote there meanwhile stays.

    Raises:
        FileExistsError: there is one, and it is not to be replaced.
        OSError: it cannot be done.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    if replaces:
        os.replace(temporary, target)
    else:
        _move_to_new(temporary, target)
    keep_temporary(temporary)


def _move_to_new(temporary: Path, target: Path) -> None:
    """Gives a file a name that no other has.

    Raises:
        FileExistsError: one has.
    """
    try:
        os.link(temporary, target)
        temporary.unlink()
    except FileExistsError:
        raise FileExistsError(17, "another program wrote it meanwhile; its file stays") from None
    except OSError:  # a file system without links
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(temporary, target)


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes ``text`` as UTF-8 by :func:`atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=ESCAPED)


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
def exclusive_folder(folder: Path) -> Iterator[None]:
    """Holds a folder while a block runs, against other programs that would write into it, too.

    Raises:
        OutputError: another one holds it, or it cannot be written.
    """
    path = folder / LOCK_FILE
    busy = OutputError(f"Another program is writing into {folder}; wait for its end, or choose another folder.")
    try:
        if fcntl is None:
            path.unlink(missing_ok=True)  # Windows deletes no file that somebody has open
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except PermissionError as error:
        raise busy if fcntl is None else write_error(path, error) from error
    except OSError as error:
        raise write_error(path, error) from error
    try:
        if _lock(descriptor) is False or not _is_at(descriptor, path):
            raise busy
        try:
            yield
        finally:
            if fcntl:
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
        if not fcntl:
            path.unlink(missing_ok=True)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still is the one of a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


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


def write_error(path: Path, error: Exception, kept: Path | None = None) -> OutputError:
    """The one line for an error while writing ``path``; ``kept`` is where what was written of it stays."""
    if isinstance(error, FileNotFoundError):
        hint = f"there is no folder {path.parent}; make it first"
    else:
        hint = getattr(error, "strerror", None) or str(error)
    stays = f"; what was written until then stays in {kept}" if kept else ""
    return OutputError(f"Cannot write {path}: {hint}{stays}.")
