"""Rows of data, one a face a frame: CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from live_emotion.errors import OutputError
from live_emotion.files import publish, temporary_beside, write_error
from live_emotion.sources import Frame
from live_emotion.tracking import TrackedFace

SUFFIXES = (".csv", ".jsonl")


def columns(class_names: Sequence[str]) -> list[str]:
    """Names of the columns: the frame, the face, its emotion, and ``p_<emotion>`` for each class."""
    fixed = ["frame", "time_s", "track_id", "x1", "y1", "x2", "y2", "detection_score", "emotion", "confidence"]
    return fixed + [f"p_{name}" for name in class_names]


def rows(frame: Frame, faces: Sequence[TrackedFace], class_names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One row for each face: times in seconds, boxes in pixels, probabilities 0 to 1."""
    for face in faces:
        values = (
            frame.index,
            round(frame.time_s, 6),
            face.track_id,
            *(round(v, 1) for v in face.box),
            round(face.score, 4),
            face.emotion,
            round(face.confidence, 4),
            *(round(p, 4) for p in face.probabilities),
        )
        yield dict(zip(columns(class_names), values))


class DataSink:
    """Writes rows to a file as they come.

    The file appears under its name when the sink is closed, with all rows so far even if a program stops early.

    Args:
        path: ending in ``.csv`` or ``.jsonl``; ``-`` writes JSON Lines to standard output.
        class_names: in the order of the faces' probabilities.

    Raises:
        OutputError: another suffix, or the file cannot be written.
    """

    def __init__(self, path: str | Path, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self._target = None if str(path) == "-" else Path(path)
        self._file: TextIO | None = sys.stdout
        suffix = ".jsonl"
        if self._target:
            suffix = check_data_path(self._target).suffix.lower()
            self._temporary = temporary_beside(self._target)
            self._file = self._temporary.open("w", newline="", encoding="utf-8")
        self._write_row: Callable[[dict[str, Any]], object] = self._write_json
        if suffix == ".csv":
            table = csv.DictWriter(self._file, columns(class_names))
            table.writeheader()
            self._write_row = table.writerow

    def _write_json(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")

    def write(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Adds the faces of a frame.

        Raises:
            OutputError: the disk is full.
        """
        try:
            for row in rows(frame, faces, self.class_names):
                self._write_row(row)
            if self._target is None:
                self._file.flush()
        except OSError as error:
            if self._target is None:
                raise  # the reader of standard output has gone
            raise write_error(self._target, error) from error

    def close(self) -> None:
        """Completes the file and gives it its name. Closing twice does nothing.

        Raises:
            OutputError: it cannot be completed.
        """
        if self._target is None or self._file is None:
            return
        file, self._file = self._file, None
        try:
            file.close()
            publish(self._temporary, self._target)
        except OSError as error:
            raise write_error(self._target, error) from error
        finally:
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> DataSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_data_path(path: Path) -> Path:
    """``path``, if its suffix names a format of data.

    Raises:
        OutputError: it does not.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"Cannot tell the format of {path}; end its name in {' or '.join(SUFFIXES)}.")
    return path
