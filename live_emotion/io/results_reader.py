"""Rows of data read back."""

from __future__ import annotations

import codecs
import csv
import json
import math
import os
import re
import reprlib
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import InputError
from live_emotion.faces.quality import OTHER
from live_emotion.io.files.inputs import lines, open_file
from live_emotion.io.results_writer import FILE_COLUMN, PROBABILITY_PREFIX, check_data_path, columns
from live_emotion.io.spreadsheets import from_text
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

SEPARATOR = re.compile(r"sep=([^\w\s\"]|\t)\s*", re.IGNORECASE)
"""The line before the names of the columns in which Excel is told the delimiter."""

LARGEST_FLOAT32, LARGEST_INT64 = float(np.finfo(np.float32).max), 2**63 - 1
"""Either way; larger numbers than the columns hold are none."""

LATEST_S = 1e10
"""Either way, in seconds: later than any video, and than the clock of this century."""

ROUNDING = 0.01
"""By so much a probability may lie outside of 0 and 1: rows are rounded, by spreadsheets, too."""

LONGEST_SPAN_S = 366 * 24 * 3600
"""From the first row to the last, in seconds: rows further apart are of different clocks."""

MOST_ROWS = 5_000_000
"""Of a table: ten hours of a video in which four people are seen in each frame."""

TOO_MANY = f"it has more than {MOST_ROWS:,} rows; give it in parts"

LONGEST_TEXT = 10_000
"""Of a value, in characters."""

PARQUET_ROWS = 1000
"""Of a Parquet file, that are unpacked at once."""

MOST_UNPACKED = 1_000_000_000
"""Of a column in a part of a Parquet file, in bytes."""


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


Row = tuple[int, Mapping[str, Any], bool]
"""A row's number as people see it in the file, its values by the names of their columns, and whether the file ends
without ending its line."""

Read = tuple[Sequence[str], Iterator[Row]]
"""The names of the columns, and the rows."""


class _Fault(ValueError):
    """What is wrong with the value of a row's column."""

    def __init__(self, row: Mapping[str, Any], column: str, reason: str) -> None:
        value = row.get(column)
        super().__init__(
            f"{column}: {'it is missing' if value is None or value == '' else f'{reprlib.repr(value)} {reason}'}"
        )
        self.column = column


def read_table(path: StrPath, notice: Callable[[str], object] = lambda _: None) -> FaceTable:
    """Reads rows that ``live-emotion`` wrote as CSV, JSON Lines or Parquet.

    Args:
        path: the file.
        notice: is told in a line of a last row that is cut off, as a full disk leaves one; it is left out.

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
        return _to_table(names, rows, lambda number: notice(f"{file}: row {number} is cut off; it is left out."))
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror or error}.") from error
    except ValueError as error:
        reason = "it is no text in UTF-8" if isinstance(error, UnicodeError) else error
        raise InputError(f"{file} does not hold rows as live-emotion writes them: {reason}.") from error


def _to_table(names: Sequence[str], rows: Iterator[Row], cut: Callable[[int], object]) -> FaceTable:
    class_names = _class_names(names)
    index = {name: i for i, name in enumerate(class_names)}
    with_boxes = all(name in names for name in BOX)
    times, tracks, emotions = array("d"), array("q"), array("q")
    probabilities, boxes = array("f"), array("f")
    people: list[str] = []
    notes: list[str] = []
    for number, row, is_unended in rows:
        try:
            time_s, track, emotion = _time(row), _whole(row, "track_id"), _emotion(row, index)
            shares = [_share(row, PROBABILITY_PREFIX + name) for name in class_names]
            box = [_corner(row, name) if with_boxes else np.nan for name in BOX]
            person, note = _text(row, NAME), _note(row, max(shares))
        except _Fault as fault:
            if is_unended and (fault.column == names[-1] or None in row.values()):
                cut(number)
                break
            raise ValueError(f"row {number}, {fault}") from fault
        if len(times) == MOST_ROWS:
            raise ValueError(TOO_MANY)
        times.append(time_s)
        tracks.append(track)
        people.append(person)
        emotions.append(emotion)
        probabilities.extend(shares)
        boxes.extend(box)
        notes.append(note)
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
    if len(table) and table.time_s[-1] - table.time_s[0] > LONGEST_SPAN_S:
        raise ValueError("its times are more than a year apart")
    return table


def _number(row: Mapping[str, Any], column: str) -> float:
    try:
        number = float(row[column])
    except (KeyError, TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _Fault(row, column, "is no number")
    return number


def _time(row: Mapping[str, Any]) -> float:
    time_s = _number(row, "time_s")
    if abs(time_s) > LATEST_S:
        raise _Fault(row, "time_s", "is no time of a video or a log")
    return time_s


def _corner(row: Mapping[str, Any], column: str) -> float:
    corner = _number(row, column)
    if abs(corner) > LARGEST_FLOAT32:
        raise _Fault(row, column, "is too large")
    return corner


def _share(row: Mapping[str, Any], column: str) -> float:
    share = _number(row, column)
    if not -ROUNDING <= share <= 1 + ROUNDING:
        raise _Fault(row, column, "is not between 0 and 1")
    return share


def _whole(row: Mapping[str, Any], column: str) -> int:
    value = row.get(column)
    try:
        number = int(value)  # type: ignore[arg-type]  # what has none raises
    except (TypeError, ValueError, OverflowError):
        raise _Fault(row, column, "is no whole number") from None
    if (isinstance(value, float) and value != number) or abs(number) > LARGEST_INT64:
        raise _Fault(row, column, "is no whole number" if abs(number) <= LARGEST_INT64 else "is too large")
    return number


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        raise _Fault(row, column, "is no text")
    if value and len(value) > LONGEST_TEXT:
        raise _Fault(row, column, f"has more than {LONGEST_TEXT:,} characters")
    return sys.intern(value or "")


def _emotion(row: Mapping[str, Any], index: Mapping[str, int]) -> int:
    name = row.get("emotion")
    if not isinstance(name, str) or name not in index:
        raise _Fault(row, "emotion", f"is none of {', '.join(index)}")
    return index[name]


def _note(row: Mapping[str, Any], likeliest: float) -> str:
    """Why the emotion of a row is not to be trusted; rows without a note may still tell that it is another one."""
    if row.get(NOTE) is not None or not row.get(OTHER_PROBABILITY):
        return _text(row, NOTE)
    return OTHER if _share(row, OTHER_PROBABILITY) > likeliest else ""


def _class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Of the emotions, in the order of their columns.

    Raises:
        ValueError: columns are missing, named alike, or named with what is no text.
    """
    class_names = tuple(n.removeprefix(PROBABILITY_PREFIX) for n in names if n.startswith(PROBABILITY_PREFIX))
    if not names:
        raise ValueError("it is empty")
    missing = [name for name in NEEDED if name not in names]
    if missing or not class_names:
        raise ValueError(f"there is no column {missing[0] if missing else PROBABILITY_PREFIX + '<emotion>'}")
    if len(set(names)) < len(names):
        raise ValueError("two columns have one name")
    try:
        "".join(names).encode()  # half of a surrogate pair, which JSON can hold, fails here and not when it is written
    except UnicodeEncodeError as error:
        raise ValueError("the name of a column is no text") from error
    return class_names


def _read_csv(path: Path) -> Read:
    """Rows with commas, or as spreadsheets save them: with semicolons or tabs, a mark of their encoding, and perhaps
    the delimiter in a line of its own before all others.
    """
    encoding = _encoding(path)
    with open_file(path, "r", newline="", encoding=encoding) as file:
        text = lines(file)
        first = next(text, "")
        told = SEPARATOR.fullmatch(first)
        first = next(text, "") if told else first
    delimiter = told[1] if told else max(DELIMITERS, key=first.count)
    is_decimal_comma = delimiter != DELIMITERS[0]

    def rows() -> Iterator[Row]:
        line = ""

        def remembered() -> Iterator[str]:
            nonlocal line
            yield from (line := each for each in lines(file))

        with open_file(path, "r", newline="", encoding=encoding) as file:
            before = len([next(file)]) if told else 0
            reader = csv.DictReader(remembered(), delimiter=delimiter)
            try:
                for row in reader:
                    number, more = before + reader.line_num, row.pop(None, ())
                    if any(more):
                        raise ValueError(f"row {number} has more values than there are columns")
                    if row.get(NAME):
                        row[NAME] = from_text(row[NAME])
                    values = {n: _with_point(n, text) for n, text in row.items()} if is_decimal_comma else row
                    yield number, values, not line.endswith(("\n", "\r"))
            except csv.Error as error:
                raise ValueError(f"row {before + reader.line_num} is no row of a table") from error

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
    def rows() -> Iterator[Row]:
        with open_file(path, "r", encoding=_encoding(path)) as file:
            names: dict[str, None] = {}
            for number, line in enumerate(lines(file), start=1):
                if not line.strip():
                    continue
                is_unended = not line.endswith("\n")
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    if not (names and is_unended and line.startswith("{")):
                        raise ValueError(f"row {number} is no JSON") from error
                    row = names  # without any value
                if not isinstance(row, dict):
                    raise ValueError(f"row {number} is no object of JSON")
                names = names or dict.fromkeys(row)
                yield number, row, is_unended

    first = next(rows(), None)
    # an empty file is a video without a face and tells no names
    return columns(EMOTIONS) if first is None else list(first[1]), rows()


def _read_parquet(path: Path) -> Read:
    """Rows of the columns that are needed, in bounded memory: a small file of this format can unpack to any size.

    Texts stay in their dictionaries until the longest of a batch is known.
    """
    import pyarrow
    from pyarrow import compute, parquet

    def holds_texts(kind: Any) -> bool:
        return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)

    try:
        schema = parquet.read_schema(path)
    except pyarrow.ArrowException as error:
        raise ValueError("it is no Parquet file") from error
    known = (*NEEDED, *BOX, NAME, NOTE, OTHER_PROBABILITY)
    used = {n: kind for n, kind in zip(schema.names, schema.types) if n in known or n.startswith(PROBABILITY_PREFIX)}
    for name, kind in used.items():
        if pyarrow.types.is_nested(kind) or "binary" in str(kind):
            raise ValueError(f"its column {name} holds neither numbers nor texts")
    file = parquet.ParquetFile(path, read_dictionary=[name for name, kind in used.items() if holds_texts(kind)])
    if file.metadata.num_rows > MOST_ROWS:
        raise ValueError(TOO_MANY)
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in used and column.total_uncompressed_size > MOST_UNPACKED:
                raise ValueError(f"its column {column.path_in_schema} unpacks to more than {MOST_UNPACKED / 1e9:g} GB")

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in file.iter_batches(PARQUET_ROWS, columns=list(used)):
                for name, column in zip(batch.schema.names, batch.columns):
                    texts = column.dictionary if pyarrow.types.is_dictionary(column.type) else column
                    if (
                        holds_texts(texts.type)
                        and (compute.max(compute.binary_length(texts)).as_py() or 0) > LONGEST_TEXT
                    ):
                        raise ValueError(f"{name}: a text has more than {LONGEST_TEXT:,} bytes")
                for row in batch.to_pylist():
                    number += 1
                    yield number, row, False
        except pyarrow.ArrowException as error:
            raise ValueError(f"it is damaged behind row {number}") from error

    return schema.names, rows()


READERS = {".csv": _read_csv, ".jsonl": _read_json_lines, ".parquet": _read_parquet}
