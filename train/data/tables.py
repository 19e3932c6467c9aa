"""Tables in CSV that people give to training: votes, weights and groups of images, fer2013.csv."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from live_emotion.errors import DataError
from live_emotion.io.files.inputs import lines, open_file


class Table:
    """A table that is open.

    Attributes:
        columns: names of the columns, without those that have none.
        line: in which the row that was read last ends, from 1.
        size: of the file, in bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.line = 1
        self._reader = csv.reader(self._lines(io.TextIOWrapper(file, newline="", encoding="utf-8-sig")))
        self._names = [name.strip() for name in next(self._reader, [])]
        self.columns = [name for name in self._names if name]
        if twice := [name for i, name in enumerate(self.columns) if name in self.columns[:i]]:
            raise ValueError(f"two columns are named {twice[0]}")

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Each row that is not empty, by the names of the columns; what it lacks is an empty text."""
        for values in self._reader:
            if values:
                yield dict(zip(self._names, values + [""] * (len(self._names) - len(values))))

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self._file.tell()

    def _lines(self, text: IO[str]) -> Iterator[str]:
        for line in lines(text):
            if "\0" in line:
                raise ValueError("it holds a NUL character")
            yield line
            self.line += 1


@contextlib.contextmanager
def open_table(path: Path, what: str) -> Iterator[Table]:
    """Opens a table. What is wrong with it is one clear error, also a ``ValueError`` that the block raises of a row.

    Args:
        path: CSV in UTF-8 with the names of the columns in the first line.
        what: it is a table of, for messages.

    Raises:
        DataError: it cannot be read, is no such table, or the block refuses a row.
    """
    table = None
    try:
        with open_file(path) as file:
            table = Table(file)
            yield table
    except OSError as error:
        raise DataError(f"Cannot read the {what} in {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a table of {what}: it is no text in UTF-8.") from error
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} is not a table of {what}; line {table.line if table else 1}: {error}.") from error
