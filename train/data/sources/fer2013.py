"""Kaggle's fer2013.csv, with the votes of Microsoft's fer2013new.csv, as a training folder."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from live_emotion.errors import DataError
from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.io.few_lines import FewLines
from train.console import progress, say
from train.data.folders import SPLITS, publish_folder
from train.data.tables import open_table
from train.data.votes import read_count
from train.settings import shorten

EMOTION_NAMES = dict(zip("0123456", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")))
"""By the numbers of the column ``emotion``."""

SPLIT_NAMES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
"""By the words of the column ``Usage``; a table without it is all for training."""

VOTES = "votes.csv"
VOTES_TABLE = "fer2013new.csv"

Row = dict[str, str]


@dataclass(frozen=True)
class Vote:
    """A row of fer2013new.csv.

    Attributes:
        usage: as in fer2013.csv.
        image: its name; empty where it shows no face.
        counts: how many people gave which answer.
    """

    usage: str
    image: str
    counts: tuple[int, ...]


def prepare_table(
    table: Path, output: Path, votes: Path | None = None, force: bool = False
) -> Counter[tuple[str, str]]:
    """Makes ``output`` a training folder of fer2013.csv, with ``votes.csv`` in it if there are votes.

    Args:
        table: fer2013.csv.
        output: appears when all is done.
        votes: fer2013new.csv.
        force: put it in place of what is there already.

    Returns:
        how many images each split and emotion has.

    Raises:
        DataError: a table can't be read, is another one, or the two don't belong together.
        OutputError: the folder can't be written, or is there already.
    """
    origin = {"table": str(table.resolve()), "votes": str(votes.resolve()) if votes else None}
    with publish_folder(output, (*SPLITS, VOTES), origin, force) as folder:
        return unpack(table, votes, folder)


def unpack(table: Path, votes: Path | None, folder: Path) -> Counter[tuple[str, str]]:
    """Writes each row's face to ``folder/<split>/<emotion>/fer<row>.png``, and the votes to ``folder/votes.csv``.

    Rows that are broken are named and left out, and with votes those that show no face.

    Args:
        table: fer2013.csv, with the columns ``emotion``, ``pixels`` and ``Usage``.
        votes: fer2013new.csv, of as many rows in the same order.
        folder: exists.

    Returns:
        how many images each split and emotion has.

    Raises:
        DataError: a table can't be read, is another one, or the two don't belong together.
        OSError: the folder can't be written.
    """
    answers, rated = _read_votes(votes) if votes else ((), None)
    counts: Counter[tuple[str, str]] = Counter()
    broken = faceless = 0
    skipped = FewLines(say)
    listed: list[list[object]] = []
    for number, (row, vote) in enumerate(_pair(_rows(table), rated, f"{votes} does not belong to {table}")):
        if vote and not vote.image:
            faceless += 1
            continue
        try:
            split, emotion, face = _parse(row)
        except ValueError as error:
            skipped.say(f"Skipped row {number} of {table}: {error}.")
            broken += 1
            continue
        file = f"{emotion}/fer{number:07d}.png"
        _write(folder / split / file, face)
        counts[split, emotion] += 1
        listed += [[split, file, emotion, *vote.counts]] if vote else []
    if not counts:
        raise DataError(f"{table} has no images; it should have the columns emotion, pixels and Usage.")
    for count, reason in ((broken, "are broken"), (faceless, "show no face")):
        if count:
            say(f"{count} images {reason} and are left out.")
    if votes:
        with (folder / VOTES).open("w", newline="", encoding="utf-8") as text:
            csv.writer(text).writerows([["split", "file", "fer_label", *answers], *listed])
    return counts


def _pair(rows: Iterable[Row], rated: list[Vote] | None, differ: str) -> Iterator[tuple[Row, Vote | None]]:
    """Each row with its votes."""
    if rated is None:
        yield from ((row, None) for row in rows)
        return
    for number, (row, vote) in enumerate(itertools.zip_longest(rows, rated)):
        if row is None or vote is None or row.get("Usage", vote.usage) != vote.usage:
            raise DataError(f"{differ}: they differ in row {number}, counted from 0.")
        yield row, vote


def _parse(row: Row) -> tuple[str, str, np.ndarray]:
    """Split, emotion and face, uint8 (48, 48), of a row.

    Raises:
        ValueError: something in it is wrong.
    """
    usage, number = row.get("Usage", "Training"), row.get("emotion") or ""
    if usage not in SPLIT_NAMES:
        raise ValueError(f"unknown usage {shorten(usage)}")
    if number not in EMOTION_NAMES:
        raise ValueError(f"unknown emotion {shorten(number)}")
    try:
        pixels = np.array((row.get("pixels") or "").split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise ValueError("its pixels are no numbers") from error
    if len(pixels) != FACE_SIZE**2 or pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"{FACE_SIZE**2} pixels from 0 to 255 are expected, it has {len(pixels)}")
    return SPLIT_NAMES[usage], EMOTION_NAMES[number], pixels.astype(np.uint8).reshape(FACE_SIZE, FACE_SIZE)


def _write(path: Path, face: np.ndarray) -> None:
    # no flush to the disk for each of 36,000 files: what is unfinished is written anew
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", face)[1].tobytes())


def _rows(path: Path) -> Iterator[Row]:
    """The rows of fer2013.csv, by the names of the columns, with a progress bar in bytes."""
    with open_table(path, "faces") as table:
        if not {"emotion", "pixels"} <= set(table.columns):
            raise DataError(f"{path} is not fer2013.csv; it should have the columns emotion, pixels and Usage.")
        with progress(total=table.size, desc=path.name, unit="B", unit_scale=True, leave=False) as bar:
            for row in table:
                bar.update(table.position - bar.n)
                yield row


def _read_votes(path: Path) -> tuple[tuple[str, ...], list[Vote]]:
    """The answers that people could give, and the rows of fer2013new.csv."""
    with open_table(path, "votes") as table:
        if table.columns[:2] != ["Usage", "Image name"] or len(table.columns) < 4:
            raise DataError(f"{path} is not fer2013new.csv; it should start with the columns Usage and Image name.")
        answers = tuple(table.columns[2:])
        rows = [
            Vote(row["Usage"], row["Image name"].strip(), tuple(read_count(row[answer]) for answer in answers))
            for row in table
        ]
    return answers, rows
