"""People's votes for each image, in place of the folders' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from live_emotion.errors import DataError
from live_emotion.types import NO_FACE
from train.data.dataset import Listed
from train.data.tables import open_table
from train.settings import shorten

VOTE_COLUMNS = {"anger": "angry", "happiness": "happy", "sadness": "sad", "NF": NO_FACE}
"""FER+'s column names where they differ from the emotions' names here."""

MOST_VOTES = 1_000_000
"""That an answer may have."""

NOT_VOTES = frozenset({"split", "file", "fer_label", "label"})


def list_shares(folder: Path, classes: Sequence[str], votes: Path, power: float = 1) -> Listed:
    """For training: images with at least half of their votes for the classes, and the shares of those as targets.

    Barsoum et al., ICMI 2016.

    Args:
        folder: a split's folder; its name is matched with the file's ``split`` column where it has one.
        classes: C class names; a column counts for a class if it has its name or FER+'s word for it.
        votes: CSV with the columns ``file`` (below the split's folder), optionally ``split``, and one column of
            whole numbers for each answer that people could give.
        power: of the shares; above 1 the targets are sharper than the votes.

    Raises:
        DataError: the file is missing, is no such table, or has no column for a class.
    """
    answers, rows = _read(votes, folder.name, classes)
    chosen = []
    for name, counts in rows:
        own = np.array([sum(c for a, c in zip(answers, counts) if a == wanted) for wanted in classes])
        if own.any() and own.sum() * 2 >= sum(counts):
            shares = (own / own.max()) ** power  # of the largest, so that no power is too large
            chosen.append((folder / name, (shares / shares.sum()).astype(np.float32)))
    return chosen


def list_majority(folder: Path, classes: Sequence[str], votes: Path, agreement: int = 1, ties: bool = True) -> Listed:
    """For evaluation: images whose most frequent answer is one of the classes, with one-hot targets.

    Of equally frequent answers the first column counts, or, without ties, none.

    Args:
        folder: as in :func:`list_shares`, like ``classes`` and ``votes``.
        agreement: fewest votes for the winner.
        ties: whether images of which two answers are the most frequent count.

    Raises:
        DataError: as in :func:`list_shares`.
    """
    answers, rows = _read(votes, folder.name, classes)
    eye = np.eye(len(classes), dtype=np.float32)
    chosen = []
    for name, counts in rows:
        winner = answers[int(np.argmax(counts))]
        tied = counts.count(max(counts)) > 1
        if winner in classes and max(counts) >= agreement and (ties or not tied):
            chosen.append((folder / name, eye[list(classes).index(winner)]))
    return chosen


def _read(votes: Path, split: str, classes: Sequence[str]) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """The answers that people could give, and file name and counts of each row that belongs to ``split``."""
    with open_table(votes, "votes") as table:
        columns = [column for column in table.columns if column not in NOT_VOTES]
        if "file" not in table.columns or not columns:
            raise DataError(f"{votes} needs a column named file and one column of votes for each answer.")
        rows = []
        for row in table:
            if row.get("split", split) == split:
                if not row["file"]:
                    raise ValueError("it names no file")
                rows.append((row["file"], [read_count(row[column]) for column in columns]))
    answers = [VOTE_COLUMNS.get(c, c) for c in columns]
    if missing := [c for c in classes if c not in answers]:
        raise DataError(f"{votes} has no column for the class {missing[0]}; its answers are {', '.join(answers)}.")
    return answers, rows


def read_count(text: str) -> int:
    """How many people gave an answer.

    Raises:
        ValueError: it is no whole number from 0 to :data:`MOST_VOTES`.
    """
    if re.fullmatch(r"\s*[0-9]{1,7}\s*", text) and int(text) <= MOST_VOTES:
        return int(text)
    raise ValueError(f"votes are whole numbers from 0 to {MOST_VOTES:,}, not {shorten(text)}")
