"""Labelled faces in memory, read from folders of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from live_emotion.errors import LiveEmotionError
from live_emotion.faces.preprocessing import FACE_SIZE, face_pixels
from live_emotion.io.files.inputs import read_file
from live_emotion.io.images import IMAGE_SUFFIXES, decode_image
from train.console import progress

Listed = list[tuple[Path, np.ndarray]]
"""Image files, each with its target: float32 (C,), a distribution over the classes."""


@dataclass(frozen=True)
class FaceSet:
    """Faces with their targets.

    Attributes:
        faces: uint8 (N, 48, 48).
        targets: float32 (N, C), each row a distribution over the classes.
        files: N paths as they were read.
        broken: files that could not be decoded.
        weights: float64 (N,), 0 or more: how often each face is drawn in training, in proportion; empty where all
            are drawn alike.
    """

    faces: np.ndarray
    targets: np.ndarray
    files: tuple[Path, ...]
    broken: tuple[Path, ...] = ()
    weights: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,), the most probable class of each target."""
        return self.targets.argmax(axis=1)

    def __len__(self) -> int:
        return len(self.files)

    def take(self, index: np.ndarray) -> FaceSet:
        """The faces at ``index``, in that order."""
        files = tuple(self.files[i] for i in index)
        weights = self.weights[index] if len(self.weights) else self.weights
        return FaceSet(self.faces[index], self.targets[index], files, weights=weights)


def image_files(folder: Path) -> list[Path]:
    """The image files in ``folder``, by suffix, sorted; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)


def find_classes(folder: Path) -> tuple[str, ...]:
    """Names of the subfolders, sorted, except for hidden ones; an empty one is a class too, for lack of images."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")))


def list_labelled(folder: Path, classes: Sequence[str]) -> Listed:
    """Image files of ``folder/<class>/`` with one-hot targets of C values, in a stable order."""
    eye = np.eye(len(classes), dtype=np.float32)
    return [(path, eye[i]) for i, name in enumerate(classes) for path in image_files(folder / name)]


def read_faces(listed: Listed, description: str = "Reading") -> FaceSet:
    """Decodes image files into memory; what can't be decoded is set aside and named in ``broken``.

    Args:
        listed: files with targets of C values each.
        description: of the progress bar.
    """
    faces, targets, files, broken = [], [], [], []
    for path, target in progress(listed, desc=description, unit="img", leave=False):
        image = _decode(path)
        if image is None:
            broken.append(path)
            continue
        faces.append(face_pixels(image))
        targets.append(target)
        files.append(path)
    stacked = np.stack(faces) if faces else np.empty((0, FACE_SIZE, FACE_SIZE), np.uint8)
    return FaceSet(stacked, np.array(targets, np.float32), tuple(files), tuple(broken))


def _decode(path: Path) -> np.ndarray | None:
    try:
        return decode_image(np.frombuffer(read_file(path), np.uint8))
    except (OSError, LiveEmotionError):  # the latter of what is too large, or of HEIC without the package for it
        return None
