"""Rows of data read back."""

from __future__ import annotations

import codecs
import csv
import json
import os
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import InputError
from live_emotion.faces.quality import OTHER
from live_emotion.io.files.inputs import lines, open_file
from live_emotion.io.results_writer import FILE_COLUMN, PROBABILITY_PREFIX, check_data_path, columns
from live_emotion.types import EMOTIONS, StrPath

NEEDED = ("time_s", "track_id", "emotion")
"""Columns without which rows say nothing of a person; the box is needed for thumbnails alone."""

BOX = ("x1", "y1", "x2", "y2")
NAME, NOTE, OTHER_PROBABILITY = "name", "note", "other"
"""Columns that rows of earlier versions lack."""

TEXTS = (FILE_COLUMN, NAME, NOTE, "emotion")
"""Columns that hold no numbers."""

DELIMITERS = (",", ";", "\t")
"""Those of a CSV file; with the others, numbers may have a decimal comma."""

LATEST_S = 1e10
"""Either way, in seconds: later than any video, and than the clock of this century."""

ROUNDING = 0.01
"""By so much a probability may lie outside of 0 and 1: rows are rounded, by spreadsheets, too."""

LONGEST_SPAN_S = 366 * 24 * 3600
"""From the first row to the last, in seconds: rows further apart are of different clocks."""


@dataclass(frozen=True)
class FaceTable:
    """Rows, one a face a frame, as columns in order of time.

    Attributes:
        class_names: C names in the order of the probabilities.
        time_s: (N,) float64.
        track_id: (N,) int64.
        name: (N,) str objects, of the enrolled person, or nothing.
        emotion: (N,) int64, index of the emotion that was shown.
        probabilities: (N, C) float32.
        boxes: (N, 4) float32 pixels, ``x1 y1 x2 y2``; NaN where the rows have none.
        note: (N,) str objects, why the emotion is not to be trusted, or nothing.
    """

    class_names: tuple[str, ...]
    time_s: np.ndarray
    track_id: np.ndarray
    name: np.ndarray
    emotion: np.ndarray
    probabilities: np.ndarray
    boxes: np.ndarray
    note: np.ndarray

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def is_other(self) -> np.ndarray:
        """(N,) bool, True where the face was read and shows none of the emotions."""
        return self.note == OTHER

    @property
    def is_unclear(self) -> np.ndarray:
        """(N,) bool, True where the face cannot be read, or no emotion stands out."""
        return (self.note != "") & ~self.is_other

    @property
    def probabilities_and_other(self) -> np.ndarray:
        """(N, C + 1) float32, the last column what the probabilities lack of 1: that of none of the emotions."""
        other = np.maximum(0, 1 - self.probabilities.sum(axis=1, keepdims=True))
        return np.concatenate([self.probabilities, other], axis=1)

    def take(self, which: np.ndarray) -> FaceTable:
        """These rows: (M,) int64 indices, in order of time."""
        given = (self.time_s, self.track_id, self.name, self.emotion, self.probabilities, self.boxes, self.note)
        return FaceTable(self.class_names, *(column[which] for column in given))


def read_table(path: StrPath) -> FaceTable:
    """Reads rows that ``live-emotion`` wrote as CSV, JSON Lines or Parquet.

    Raises:
        InputError: no such file, or it holds something else.
        OutputError: its name does not end as those of such files do.
        MissingExtraError: Parquet without the package for it.
    """
    file = Path(path)
    check_data_path(file)
    if not os.path.isfile(file):
        raise InputError(f"There is no file {file}; check the name.")
    try:
        names, rows = READERS[file.suffix.lower()](file)
        if FILE_COLUMN in names:
            raise InputError(f"{file} holds rows of photos, which have no times; give those of a video or a log.")
        return _to_table(names, rows)
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror or _reason(error)}.") from error
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, csv.Error) as error:
        raise InputError(f"{file} does not hold rows as live-emotion writes them: {_reason(error)}.") from error


def _to_table(names: Sequence[str], rows: Iterator[dict[str, Any]]) -> FaceTable:
    class_names = _class_names(names)
    index = {name: i for i, name in enumerate(class_names)}
    with_boxes = all(name in names for name in BOX)
    times, tracks, emotions = array("d"), array("q"), array("q")
    probabilities, boxes = array("f"), array("f")
    people: list[str] = []
    notes: list[str] = []
    for row in rows:
        times.append(float(row["time_s"]))
        tracks.append(int(row["track_id"]))
        people.append(sys.intern(str(row.get(NAME) or "")))
        emotions.append(index[row["emotion"]])
        probabilities.extend(float(row[PROBABILITY_PREFIX + name]) for name in class_names)
        boxes.extend(float(row[name]) if with_boxes else np.nan for name in BOX)
        notes.append(_note(row, class_names))
    order = np.argsort(np.array(times), kind="stable")
    table = FaceTable(
        class_names,
        np.array(times)[order],
        np.array(tracks)[order],
        np.array(people, object)[order],
        np.array(emotions)[order],
        np.array(probabilities).reshape(-1, len(class_names))[order],
        np.array(boxes).reshape(-1, 4)[order],
        np.array(notes, object)[order],
    )
    if not (np.isfinite(table.time_s).all() and np.isfinite(table.probabilities).all()):
        raise ValueError("a time or a probability is no number")
    if table.probabilities.min(initial=0) < -ROUNDING or table.probabilities.max(initial=0) > 1 + ROUNDING:
        raise ValueError("a probability is not between 0 and 1")
    if np.abs(table.time_s).max(initial=0) > LATEST_S:
        raise ValueError("a time is no time of a video or a log")
    if len(table) and table.time_s[-1] - table.time_s[0] > LONGEST_SPAN_S:
        raise ValueError("its times are more than a year apart")
    if with_boxes and not np.isfinite(table.boxes).all():
        raise ValueError("a box is no number")
    return table


def _note(row: dict[str, Any], class_names: Sequence[str]) -> str:
    """Why the emotion of a row is not to be trusted; rows without a note may still tell that it is another one."""
    note = row.get(NOTE)
    if note is not None:
        return sys.intern(str(note))
    likeliest = max(float(row[PROBABILITY_PREFIX + name]) for name in class_names)
    return OTHER if float(row.get(OTHER_PROBABILITY) or 0) > likeliest else ""


def _class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Of the emotions, in the order of their columns.

    Raises:
        ValueError: columns are missing, named alike, or named with what is no text.
    """
    class_names = tuple(n.removeprefix(PROBABILITY_PREFIX) for n in names if n.startswith(PROBABILITY_PREFIX))
    missing = [name for name in NEEDED if name not in names]
    if missing or not class_names:
        raise ValueError(f"there is no column {missing[0] if missing else PROBABILITY_PREFIX + '<emotion>'}")
    if len(set(names)) < len(names):
        raise ValueError("two columns have one name")
    "".join(names).encode()  # half of a surrogate pair, which JSON can hold, fails here and not when it is written
    return class_names


Read = tuple[Sequence[str], Iterator[dict[str, Any]]]


def _read_csv(path: Path) -> Read:
    """Rows with commas, or as spreadsheets save them: with semicolons or tabs, and a mark of their encoding."""
    encoding = _encoding(path)
    with open_file(path, "r", newline="", encoding=encoding) as file:
        first = next(lines(file), "")
    delimiter = max(DELIMITERS, key=first.count)
    is_decimal_comma = delimiter != DELIMITERS[0]

    def rows() -> Iterator[dict[str, Any]]:
        with open_file(path, "r", newline="", encoding=encoding) as file:
            for row in csv.DictReader(lines(file), delimiter=delimiter):
                yield {n: _with_point(n, text) for n, text in row.items()} if is_decimal_comma else row

    return next(csv.reader([first], delimiter=delimiter), []), rows()


def _with_point(name: str, text: str) -> str:
    """A number as English writes it, of a column of numbers; a line that is too short has None instead."""
    return text.replace(",", ".") if text and name not in TEXTS else text


def _encoding(path: Path) -> str:
    """That of a text, by its first bytes; UTF-8 without any."""
    with path.open("rb") as file:
        begin = file.read(2)
    return "utf-16" if begin in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _read_json_lines(path: Path) -> Read:
    def rows() -> Iterator[dict[str, Any]]:
        with open_file(path, "r", encoding=_encoding(path)) as file:
            for line in lines(file):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError("a line is no object")
                    yield row

    first = next(rows(), None)
    # an empty file is a video without a face and tells no names
    return columns(EMOTIONS) if first is None else list(first), rows()


def _read_parquet(path: Path) -> Read:
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise ValueError(str(error).splitlines()[0].rstrip(".")) from error
    return file.schema_arrow.names, (row for batch in file.iter_batches() for row in batch.to_pylist())


READERS = {".csv": _read_csv, ".jsonl": _read_json_lines, ".parquet": _read_parquet}


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing or not known"
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
