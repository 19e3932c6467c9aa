"""Writing files so that a crash leaves the old one or the new one, never half of one.

A file that is being written has a temporary name, by which the next one to write the same file sweeps what a killed
program left of it. On systems with ``flock`` its writer holds it locked; Windows deletes no file that is in use.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from live_emotion.errors import OutputError
from live_emotion.io.files.locks import can_lock, is_at, lock
from live_emotion.io.files.names import cut


class Unfinished(Protocol):
    """A file that is being written, and gets its name at the end."""

    def close(self) -> None:
        """Completes it; one that could not be written is thrown away."""

    def discard(self) -> None:
        """Throws it away."""


Output = TypeVar("Output", bound=Unfinished)

PART = ".part"
"""In the names of files that hold the first part of what they were to hold."""

UNIQUE = 8
"""Characters of a temporary file's name that no other has."""

ESCAPED = "backslashreplace"
"""How texts are written in which a file's name stands whose bytes are no text: those as ``\\udcff``."""

SWEPT_AFTER_S = 60
"""Where there are no locks, a temporary file is left to its writer for so long, in seconds."""

LONGEST_FILE_NAME = 255
"""Of a file, in bytes of UTF-8: what file systems take."""

LONGEST_PATH = 259
"""That Windows takes, in characters, unless its long paths are enabled."""

IN_USE = (5, 32, 33)
"""What Windows says of a file that somebody has open: access denied, sharing violation, lock violation."""

PATIENCE_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Between tries to rename or remove a file that is in use, in seconds: virus scanners look at each new one."""

_locks: dict[Path, int] = {}
"""Descriptors by which temporary files are held."""

_free: set[str] = set()
"""Names that no file had when :func:`refuse_existing` looked: what is there by now, another program wrote."""


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` and renames it to ``path`` when the block ends well.

    If the block raises, the temporary file is removed and ``path`` stays as it was.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, ``path`` is a folder, or another program
            wrote it meanwhile.
    """
    target = Path(path)
    replaces = may_replace(target)
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
        if target.exists() and not target.is_file():  # an administrator would put a file in its place
            raise OSError(errno.EINVAL, "it is a device or a pipe; name a file")
        sweep(target)
        while True:
            path = target.with_name(_temporary_name(target, secrets.token_hex(UNIQUE // 2), visible))
            with contextlib.suppress(FileExistsError):
                # Not by tempfile, whose files are private: what others may do with it, the system decides as ever.
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
                is_locked = lock(descriptor)
                if is_locked:
                    _locks[path] = descriptor
                else:
                    os.close(descriptor)
                # Else another one swept it before it was locked.
                if is_locked is None or (is_locked and is_at(descriptor, path)):
                    return path
                keep_temporary(path)
    except (OSError, ValueError) as error:
        raise write_error(target, error) from error


def _temporary_name(target: Path, unique: str, visible: bool = False) -> str:
    """Of a file that gets the name of ``target``; like that one it is no longer than file systems take."""
    begin, end = ("", f"{PART}-") if visible else (".", ".")
    rest = f"{end}{unique}{target.suffix}"
    return begin + cut(target.stem, LONGEST_FILE_NAME - len(begin) - len(os.fsencode(rest))) + rest


def _hidden_beside(target: Path) -> Iterator[Path]:
    """The hidden temporary files of ``target`` that are there, whoever made them."""
    begin, end = _temporary_name(target, "?" * UNIQUE).rsplit("?" * UNIQUE, 1)
    return target.parent.glob(glob.escape(begin) + "[0-9a-f]" * UNIQUE + glob.escape(end))


def sweep(target: Path) -> None:
    """Removes the hidden temporary files of ``target`` that nobody is writing: killed programs left them."""
    for left in _hidden_beside(target):
        with contextlib.suppress(OSError):
            if can_lock():
                with _held(left) as is_ours:
                    if is_ours:
                        left.unlink()
            elif time.time() - left.stat().st_mtime > SWEPT_AFTER_S:
                left.unlink()


def _is_written(temporary: Path) -> bool:
    """Whether another program is writing a temporary file; False where the system has no locks."""
    try:
        with _held(temporary) as is_ours:
            return is_ours is False
    except OSError:  # it has just gone
        return False


@contextlib.contextmanager
def _held(temporary: Path) -> Iterator[bool | None]:
    """Holds a temporary file for a moment, and says as :func:`lock` does whether it could."""
    descriptor = os.open(temporary, os.O_RDWR)
    try:
        yield lock(descriptor)
    finally:
        os.close(descriptor)


def discard_temporary(path: Path) -> None:
    """Removes a file that :func:`temporary_beside` made, if it is there and can be removed."""
    with contextlib.suppress(OSError):  # the next one to write the same file sweeps it
        patiently(lambda: path.unlink(missing_ok=True))
    keep_temporary(path)


def keep_temporary(path: Path) -> None:
    """Leaves a file that :func:`temporary_beside` made as it is, for people to find."""
    if path in _locks:
        os.close(_locks.pop(path))


def check_writable(target: str | os.PathLike[str]) -> None:
    """Finds out whether a file can be written, and leaves nothing behind.

    Raises:
        OutputError: it cannot, or another program is writing it.
    """
    path = Path(target)
    discard_temporary(temporary_beside(path))
    if any(left not in _locks and _is_written(left) for left in _hidden_beside(path)):
        raise OutputError(f"Another program is writing {path}; wait for its end, or choose another name.")


def kept_if_whole(stack: contextlib.ExitStack, output: Output) -> Output:
    """Sees to it that an output is completed when all goes well in ``stack``, and thrown away when not.

    Where another output cannot be written, this one is completed, too: what is in it so far is right.
    """

    def end(kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, OutputError):
            output.close()
        else:
            output.discard()

    stack.push(end)
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
        patiently(lambda: os.replace(temporary, target))
    else:
        _move_to_new(temporary, target)
    keep_temporary(temporary)
    _free.discard(os.path.abspath(target))  # it is ours now


def may_replace(target: Path) -> bool:
    """Whether what is to be written takes the place of a file that there is; to be asked before the work."""
    return os.path.abspath(target) not in _free and os.path.lexists(target)


@contextlib.contextmanager
def names_kept_free() -> Iterator[None]:
    """Lets what :func:`refuse_existing` finds hold to the end of the block, which is a command."""
    try:
        yield
    finally:
        _free.clear()


def patiently(change: Callable[[], object], waits_s: Sequence[float] = PATIENCE_S) -> None:
    """Renames or removes a file, again and again for a moment where Windows says that somebody has it open.

    Args:
        change: does it.
        waits_s: what to wait after each try that failed, in seconds; the last one is not waited for.

    Raises:
        OSError: it cannot be done.
    """
    for wait_s in waits_s:
        try:
            change()
            return
        except PermissionError as error:
            if not is_in_use(error):
                raise
        time.sleep(wait_s)
    change()


def is_in_use(error: BaseException) -> bool:
    """Whether Windows says that somebody has a file open."""
    return getattr(error, "winerror", None) in IN_USE


def _move_to_new(temporary: Path, target: Path) -> None:
    """Gives a file a name that no other has.

    Raises:
        FileExistsError: one has.
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise FileExistsError(17, "another program wrote it meanwhile; its file stays") from None
    except OSError:  # a file system without links
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        patiently(lambda: os.replace(temporary, target))
    else:
        discard_temporary(temporary)


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes ``text`` as UTF-8 by :func:`atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=ESCAPED)


def atomic_write_together(contents: Mapping[Path, bytes]) -> None:
    """Writes several files: all of them, or none, and then those that were there before stay.

    Those come back by a second name, so where the file system has none, one that was replaced stays so.

    Raises:
        OutputError: one of them cannot be written, as by :func:`atomic_path`.
    """
    with contextlib.ExitStack() as stack:
        replaces = {target: may_replace(target) for target in contents}
        written = {}
        for target, content in contents.items():
            written[target] = temporary = temporary_beside(target)
            stack.callback(discard_temporary, temporary)
            try:
                _write_through(temporary, content)
            except OSError as error:
                raise write_error(target, error) from error
        before = {target: _second_name(target) for target in contents if replaces[target]}
        for second in filter(None, before.values()):
            stack.callback(discard_temporary, second)
        with contextlib.ExitStack() as undo:
            for target, temporary in written.items():
                try:
                    publish(temporary, target, replaces[target])
                except OSError as error:
                    raise write_error(target, error) from error
                if name := before.get(target):
                    undo.callback(os.replace, name, target)
                elif not replaces[target]:
                    undo.callback(target.unlink, missing_ok=True)
            undo.pop_all()


def _write_through(path: Path, content: bytes) -> None:
    """Fills a file, and sees to it that the disk has all of it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _second_name(target: Path) -> Path | None:
    """Gives a file one more name, a temporary one; None where the file system has no second names."""
    name = target.with_name(_temporary_name(target, secrets.token_hex(UNIQUE // 2)))
    try:
        os.link(target, name)
    except OSError:
        return None
    return name


def refuse_existing(path: str | os.PathLike[str], force: bool = False, instead: str = "choose another name") -> None:
    """Protects a file from being overwritten, now and by what is written later in this command.

    Args:
        path: of what is to be written.
        force: lets it be overwritten.
        instead: what to do, for the message.

    Raises:
        OutputError: there is one at ``path``, and ``force`` is not set.
    """
    if force:
        return
    if Path(path).exists():
        raise OutputError(f"{path} exists already; {instead}, or overwrite it with --force.")
    _free.add(os.path.abspath(path))


def write_error(path: Path, error: Exception, kept: Path | None = None) -> OutputError:
    """The one line for an error while writing ``path``; ``kept`` is where what was written of it stays."""
    if is_in_use(error) and path.exists():
        hint = "another program has it open, or it is read-only; close that program, or choose another name"
    elif isinstance(error, FileNotFoundError):
        hint = missing(path)
    else:
        hint = getattr(error, "strerror", None) or str(error)
    stays = f"; what was written until then stays in {kept}" if kept else ""
    return OutputError(f"Cannot write {path}: {hint}{stays}.")


def missing(path: Path, is_windows: bool = os.name == "nt") -> str:
    """Why a file is not found that was to be made, and what to do."""
    length = len(os.path.abspath(path))
    if is_windows and length > LONGEST_PATH:
        return (
            f"with its folders its name has {length} characters, and Windows takes {LONGEST_PATH} unless long paths "
            "are enabled; choose a shorter one"
        )
    return f"there is no folder {path.parent}; make it first"
