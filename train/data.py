"""Labelled faces in memory: read from folders of images, by the folders' names or by people's votes."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from live_emotion.errors import DataError
from live_emotion.preprocess import FACE_SIZE, face_pixels

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff", ".webp"})

VOTE_COLUMNS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
"""FER+'s column names where they differ from the emotions' names here."""

NOT_VOTES = frozenset({"split", "file", "fer_label", "label"})


@dataclass(frozen=True)
class FaceSet:
    """Faces with their targets.

    Attributes:
        faces: uint8 (N, 48, 48).
        targets: float32 (N, C), each row a distribution over the classes.
        files: N paths as they were read.
        broken: files that could not be decoded.
    """

    faces: np.ndarray
    targets: np.ndarray
    files: tuple[Path, ...]
    broken: tuple[Path, ...] = ()

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,), the most probable class of each target."""
        return self.targets.argmax(axis=1)

    def __len__(self) -> int:
        return len(self.files)

    def take(self, index: np.ndarray) -> FaceSet:
        """The faces at ``index``, in that order."""
        return FaceSet(self.faces[index], self.targets[index], tuple(self.files[i] for i in index))


def list_labelled(folder: Path, classes: Sequence[str]) -> list[tuple[Path, np.ndarray]]:
    """Image files of ``folder/<class>/`` with one-hot targets of C values, in a stable order."""
    eye = np.eye(len(classes), dtype=np.float32)
    return [(path, eye[i]) for i, name in enumerate(classes) for path in image_files(folder / name)]


def list_voted(folder: Path, classes: Sequence[str], votes: Path, majority: bool) -> list[tuple[Path, np.ndarray]]:
    """Image files below ``folder`` that a votes file names, with targets made of the votes for ``classes``.

    Args:
        folder: a split's folder; its name is matched with the file's ``split`` column where it has one.
        classes: C class names; a column counts for a class if it has its name or FER+'s word for it.
        votes: CSV with the columns ``file`` (below the split's folder), optionally ``split``, and one column of
            whole numbers for each answer that people could give.
        majority: for evaluation: keep the images whose most frequent answer (of equal ones the first column) is
            one of the classes, with one-hot targets. Otherwise, for training: keep those where at least half of
            all votes are for the classes, with their shares as targets (Barsoum et al., ICMI 2016).

    Raises:
        DataError: the file is missing, is no such table, or has no column for a class.
    """
    eye = np.eye(len(classes), dtype=np.float32)
    chosen = []
    for name, answers, counts in _read_votes(votes, folder.name):
        own = np.array([sum(c for a, c in zip(answers, counts) if a == wanted) for wanted in classes], np.float32)
        winner = answers[int(np.argmax(counts))]
        if majority and winner in classes and max(counts) > 0:
            chosen.append((folder / name, eye[list(classes).index(winner)]))
        elif not majority and own.sum() > 0 and own.sum() * 2 >= sum(counts):
            chosen.append((folder / name, own / own.sum()))
    missing = [c for c in classes if c not in answers] if chosen else []
    if missing:
        raise DataError(f"{votes} has no column for the class {missing[0]}; its answers are {', '.join(answers)}.")
    return chosen


def _read_votes(votes: Path, split: str) -> Iterator[tuple[str, list[str], list[int]]]:
    """Yields file name, answers and counts of each row that belongs to ``split``."""
    try:
        with votes.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            columns = [c for c in table.fieldnames or () if c not in NOT_VOTES]
            answers = [VOTE_COLUMNS.get(c, c) for c in columns]
            if "file" not in (table.fieldnames or ()) or not columns:
                raise DataError(f"{votes} needs a column named file and one column of votes for each answer.")
            for row in table:
                if row.get("split", split) == split:
                    yield row["file"], answers, [int(row[c]) for c in columns]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"Cannot read the votes in {votes}: {error}.") from error


def image_files(folder: Path) -> list[Path]:
    """The image files in ``folder``, by suffix, sorted; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)


def find_classes(folder: Path) -> tuple[str, ...]:
    """Names of the subfolders that hold images, sorted."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and image_files(p)))


def read_faces(listed: Sequence[tuple[Path, np.ndarray]], description: str = "Reading") -> FaceSet:
    """Decodes image files into memory; what can't be decoded is set aside and named in ``broken``.

    Args:
        listed: files with targets of C values each.
        description: of the progress bar.
    """
    import cv2

    faces, targets, files, broken = [], [], [], []
    for path, target in tqdm(listed, desc=description, unit="img", leave=False, disable=None):
        encoded = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
        if image is None:
            broken.append(path)
            continue
        faces.append(face_pixels(image))
        targets.append(target)
        files.append(path)
    stacked = np.stack(faces) if faces else np.empty((0, FACE_SIZE, FACE_SIZE), np.uint8)
    return FaceSet(stacked, np.array(targets, np.float32), tuple(files), tuple(broken))


def limit_per_class(listed: list[tuple[Path, np.ndarray]], per_class: int, seed: int) -> list[tuple[Path, np.ndarray]]:
    """At most ``per_class`` files of each class, drawn at random with ``seed``; 0 takes all."""
    if not per_class:
        return listed
    labels = np.array([target.argmax() for _, target in listed])
    order = np.random.default_rng(seed).permutation(len(listed))
    kept = [i for label in np.unique(labels) for i in order[labels[order] == label][:per_class]]
    return [listed[i] for i in sorted(kept)]


def split_off(data: FaceSet, fraction: float, seed: int) -> tuple[FaceSet, FaceSet]:
    """Splits at random into training and validation, alike in classes; equal pictures stay on one side.

    Args:
        data: all faces.
        fraction: part of each class that goes to validation, 0 to 1.
        seed: of the choice.
    """
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, face in enumerate(data.faces):
        groups[hashlib.sha256(face.tobytes()).digest()].append(i)
    by_label: dict[int, list[list[int]]] = defaultdict(list)
    for members in groups.values():
        by_label[int(data.labels[members[0]])].append(members)
    rng = np.random.default_rng(seed)
    held: list[int] = []
    for label in sorted(by_label):
        wanted = round(fraction * sum(map(len, by_label[label])))
        chosen: list[int] = []
        for k in rng.permutation(len(by_label[label])):
            if len(chosen) >= wanted:
                break
            chosen += by_label[label][k]
        held += chosen
    is_held = np.zeros(len(data), bool)
    is_held[held] = True
    return data.take(np.flatnonzero(~is_held)), data.take(np.flatnonzero(is_held))
