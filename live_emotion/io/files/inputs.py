"""Files that somebody gives to be read: neither pipes, which may never begin, nor larger than the memory bears."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import IO, Any

MOST_BYTES = 1_000_000_000
"""Of a file that is read into memory as a whole."""

LONGEST_LINE = 1_000_000
"""Of a table, in characters."""


def open_file(path: str | os.PathLike[str], mode: str = "rb", **options: Any) -> IO[Any]:
    """What ``open`` does, for files alone.

    Raises:
        OSError: it cannot be opened, no file can have its name, or it is a device, a pipe or a socket.
    """
    try:
        kind = os.stat(path).st_mode
    except ValueError as error:  # a NUL, or what the system's encoding of names lacks
        raise OSError(errno.EINVAL, "no file can have this name") from error
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # of folders the system says it
        raise OSError(errno.EINVAL, "it is no file, but a device or a pipe")
    return open(path, mode, **options)


def read_file(path: str | os.PathLike[str], most_bytes: int = MOST_BYTES) -> bytes:
    """The content of a file.

    Raises:
        OSError: as :func:`open_file` does, or it is larger.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most_bytes:
            raise OSError(errno.EFBIG, f"it has more than {most_bytes / 1e6:,g} MB")
        return file.read(size)


def lines(text: IO[str]) -> Iterator[str]:
    """The lines of an open table.

    Raises:
        ValueError: one is longer than a line of a table is.
    """
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line has more than {LONGEST_LINE:,} characters")
        yield line
