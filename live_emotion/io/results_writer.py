"""Rows of data, one a face a frame: CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from live_emotion.errors import MissingExtraError, OutputError, encodable
from live_emotion.io.files.atomic import (
    ESCAPED,
    discard_temporary,
    keep_temporary,
    may_replace,
    publish,
    temporary_beside,
    write_error,
)
from live_emotion.io.spreadsheets import as_text, from_text
from live_emotion.types import Frame, Row, TrackedFace

STANDARD_OUTPUT = "-"

FACE_COLUMNS = (
    "frame",
    "time_s",
    "track_id",
    "name",
    "x1",
    "y1",
    "x2",
    "y2",
    "detection_score",
    "emotion",
    "confidence",
    "other",
    "note",
)
"""The columns before those of the probabilities. ``name`` is an enrolled person's, or nothing; ``other`` is the
probability that the face shows none of the emotions; ``note`` says why an emotion is not to be trusted, or nothing."""

FILE_COLUMN = "file"
"""Before all others, in rows of photos: which one."""

PROBABILITY_PREFIX = "p_"

LINE_BY_LINE = 1
"""Buffering of text files: what was written is on the disk even if the program is killed."""

ROW_GROUP = 5_000
"""How many rows of Parquet are written at once; more are never held."""


def columns(class_names: Sequence[str]) -> list[str]:
    """Names of the columns: the frame, the face, its emotion, and ``p_<emotion>`` for each class."""
    return [*FACE_COLUMNS, *(PROBABILITY_PREFIX + name for name in class_names)]


def rows(frame: Frame, faces: Sequence[TrackedFace], class_names: Sequence[str]) -> Iterator[Row]:
    """One row for each face: times in seconds, boxes in pixels, probabilities 0 to 1."""
    for face in faces:
        values = (
            frame.index,
            round(frame.time_s, 6),
            face.track_id,
            face.name,
            *(round(float(v), 1) for v in face.box),
            round(float(face.score), 4),
            face.emotion,
            round(face.confidence, 4),
            round(face.other, 4),
            face.note,
            *(round(p, 4) for p in face.probabilities),
        )
        yield dict(zip(columns(class_names), values))


class ResultsWriter(ABC):
    """Writes rows to a file as they come. It appears under its name once it is closed, with all rows so far.

    Args:
        path: the file.
        class_names: in the order of the faces' probabilities.
        live: what is logged cannot be seen again. Should the program be killed, or the disk be full, its rows are in
            the file that :func:`live_emotion.io.files.atomic.temporary_beside` made; Parquet cannot be read from there.
        of_photos: whether the rows have :data:`FILE_COLUMN`, too.

    Attributes:
        is_complete: whether the file has its name.

    Raises:
        OutputError: the file cannot be written.
    """

    is_complete = False

    def __init__(
        self, path: str | os.PathLike[str], class_names: Sequence[str], live: bool = False, of_photos: bool = False
    ) -> None:
        self.path = Path(path)
        self.class_names = tuple(class_names)
        self.of_photos = of_photos
        self._file: Any = None
        self._live, self._failed = live, False
        self._replaces = may_replace(self.path)
        self._temporary: Path | None = temporary_beside(self.path, visible=live)
        try:
            self._open(self._temporary)
        except BaseException as error:
            self.discard()
            if isinstance(error, OSError):
                raise write_error(self.path, error) from error
            raise

    @property
    def _columns(self) -> list[str]:
        return [*([FILE_COLUMN] if self.of_photos else []), *columns(self.class_names)]

    @abstractmethod
    def _open(self, path: Path) -> None:
        """Begins a file: ``_file``, which is closed whatever goes wrong."""

    @abstractmethod
    def _write(self, row: Row) -> None:
        """Adds a row."""

    def _complete(self) -> None:  # noqa: B027  most hold nothing back
        """Writes what is held back."""

    def write(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Adds the faces of a frame.

        Raises:
            OutputError: the disk is full.
        """
        self.write_rows(rows(frame, faces, self.class_names))

    def write_rows(self, rows: Iterable[Row]) -> None:
        """Adds rows that have the writer's columns.

        Raises:
            OutputError: the disk is full.
        """
        try:
            for row in rows:
                self._write(row)
        except OSError as error:
            self._failed = True
            raise write_error(self.path, error, self._kept) from error

    @property
    def _kept(self) -> Path | None:
        """Where what was written stays after a failure; None where it is thrown away."""
        return self._temporary if self._live and self._temporary and self._has_rows(self._temporary) else None

    def _has_rows(self, path: Path) -> bool:
        """Whether a file that was broken off holds a row."""
        try:
            return next(self._read(path), None) is not None
        except (OSError, ValueError):  # not even its beginning is there
            return False

    def renumber(self, numbers: Mapping[int, int]) -> None:
        """Gives the rows so far other numbers, in a new file that takes the place of this one.

        Args:
            numbers: new ``track_id`` by old ones; others stay.

        Raises:
            OutputError: the file cannot be written.
        """
        if not numbers or self._temporary is None:
            return
        old, visible = self._temporary, not self._temporary.name.startswith(".")
        new = temporary_beside(self.path, visible)
        try:
            self._complete()
            self._file.close()
            self._temporary = new
            self._open(new)
            for row in self._read(old):
                number = int(row["track_id"])
                self._write({**row, "track_id": numbers.get(number, number)})
        except OSError as error:
            raise write_error(self.path, error) from error
        finally:
            discard_temporary(old if self._temporary == new else new)

    @abstractmethod
    def _read(self, path: Path) -> Iterator[Row]:
        """The rows of a file that was written; values that are not changed are written again as they were."""

    def close(self) -> None:
        """Completes the file and gives it its name, unless writing failed before. Closing twice does nothing.

        Raises:
            OutputError: it cannot be completed.
        """
        self._finish(keep=not self._failed)

    def discard(self) -> None:
        """Throws the file away, but for rows of a live one that could not be completed. Does nothing after a close."""
        self._finish(keep=False)

    def _finish(self, keep: bool) -> None:
        if self._temporary is None:
            return
        kept, temporary, self._temporary = self._kept, self._temporary, None
        try:
            try:
                if keep:
                    self._complete()
            finally:
                if self._file is not None:
                    self._file.close()
            if keep:
                publish(temporary, self.path, self._replaces)
                self.is_complete = True
        except OSError as error:
            self._failed = True
            if keep:
                raise write_error(self.path, error, kept) from error
        finally:
            if self._failed and kept:
                keep_temporary(temporary)
            else:
                discard_temporary(temporary)

    def __enter__(self) -> ResultsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class CsvWriter(ResultsWriter):
    """Rows as comma-separated values with a line of names, as pandas and spreadsheets read them.

    A person's name that begins like a formula is marked as text.
    """

    def _open(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8", errors=ESCAPED, buffering=LINE_BY_LINE)
        self._table = csv.DictWriter(self._file, self._columns, lineterminator="\n")
        self._table.writeheader()

    def _write(self, row: Row) -> None:
        self._table.writerow({**row, "name": as_text(row["name"])} if row.get("name") else row)

    def _read(self, path: Path) -> Iterator[Row]:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield {**row, "name": from_text(row["name"])} if row.get("name") else row


class JsonLinesWriter(ResultsWriter):
    """Rows as JSON Lines."""

    def _open(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=LINE_BY_LINE)

    def _write(self, row: Row) -> None:
        self._file.write(json.dumps(row) + "\n")

    def _read(self, path: Path) -> Iterator[Row]:
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


class ParquetResultsWriter(ResultsWriter):
    """Rows as Parquet; needs the extra ``parquet``."""

    def _open(self, path: Path) -> None:
        import pyarrow
        from pyarrow import parquet

        kinds = {
            FILE_COLUMN: "string",
            "frame": "int64",
            "track_id": "int32",
            "emotion": "string",
            "note": "string",
            "name": "string",
            "time_s": "float64",
        }
        fields = [(name, kinds.get(name, "float32")) for name in self._columns]
        self._schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in fields])
        self._rows: list[Row] = []
        self._file = parquet.ParquetWriter(path, self._schema)

    def _write(self, row: Row) -> None:
        self._rows.append({n: encodable(v) if isinstance(v, str) else v for n, v in row.items()})
        if len(self._rows) >= ROW_GROUP:
            self._complete()

    def _complete(self) -> None:
        import pyarrow

        if self._rows:
            self._file.write_table(pyarrow.Table.from_pylist(self._rows, self._schema))
            self._rows.clear()

    def _read(self, path: Path) -> Iterator[Row]:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(ROW_GROUP):
                yield from batch.to_pylist()


class StandardOutputWriter(JsonLinesWriter):
    """Rows as JSON Lines on standard output, each frame's at once, for another program to read; their numbers stay.

    Args:
        class_names: in the order of the faces' probabilities.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        if sys.stdout is None:
            raise OutputError("There is no standard output to print rows on; name a file.")
        self._file, self._temporary, self._failed = sys.stdout, None, False

    def write_rows(self, rows: Iterable[Row]) -> None:
        """Prints rows.

        Raises:
            BrokenPipeError: the reader has gone.
        """
        for row in rows:
            self._write(row)
        self._file.flush()


WRITERS: dict[str, type[ResultsWriter]] = {
    ".csv": CsvWriter,
    ".jsonl": JsonLinesWriter,
    ".parquet": ParquetResultsWriter,
}
"""The formats by a file's suffix."""


def open_results_writer(
    path: str | os.PathLike[str], class_names: Sequence[str], live: bool = False, of_photos: bool = False
) -> ResultsWriter:
    """Opens a file for rows, in the format of its suffix; ``-`` is standard output, as JSON Lines.

    Args:
        path: ending in ``.csv``, ``.jsonl`` or ``.parquet``.
        class_names: in the order of the faces' probabilities.
        live: and ``of_photos`` are those of :class:`ResultsWriter`.

    Raises:
        OutputError: another suffix, or the file cannot be written.
        MissingExtraError: Parquet without the package for it.
    """
    if str(path) == STANDARD_OUTPUT:
        return StandardOutputWriter(class_names)
    check_data_path(path)
    return WRITERS[Path(path).suffix.lower()](path, class_names, live, of_photos)


def check_data_path(path: str | os.PathLike[str]) -> None:
    """Finds out before the work whether rows can be written in the format of a file's name.

    Raises:
        OutputError: its suffix names none.
        MissingExtraError: Parquet without the package for it.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise OutputError(f"Cannot tell the format of {path}; end its name in {', '.join(WRITERS)}.")
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError(
            f"{path} needs pyarrow; install it with: pip install 'live-emotion[parquet]', or use .csv."
        )
