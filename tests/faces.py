"""Folders of photos and of faces made of the portrait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from PIL import Image

TINY = ("channels=4,8", "hidden=16", "block_dropout=0.1", "hidden_dropout=0.1")
"""Dimensions of a network that learns in a moment."""

FACE = (205, 90, 325, 230)
"""Where the portrait's face is: x1, y1, x2, y2 in pixels."""


def vary(portrait: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The portrait's face, shifted and lit otherwise each time: uint8 (count, 48, 48)."""
    rng = np.random.default_rng(seed)
    x1, y1, x2, y2 = FACE
    faces = []
    for _ in range(count):
        dx, dy = rng.integers(-20, 21, 2)
        crop = portrait[y1 + dy : y2 + dy, x1 + dx : x2 + dx].mean(axis=2) * rng.uniform(0.6, 1.2)
        faces.append(cv2.resize(crop.clip(0, 255).astype(np.uint8), (48, 48), interpolation=cv2.INTER_AREA))
    return np.stack(faces)


def place(portrait: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """The portrait at another size and place of a larger image each time: (720, 1280, 3) uint8 BGR."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        height = int(rng.integers(420, 700))
        width = round(height * portrait.shape[1] / portrait.shape[0])
        top, left = int(rng.integers(0, 720 - height)), int(rng.integers(0, 1280 - width))
        image = np.full((720, 1280, 3), rng.integers(60, 200, 3), np.uint8)
        image[top : top + height, left : left + width] = cv2.resize(
            portrait, (width, height), interpolation=cv2.INTER_AREA
        )
        yield image


def write_faces(folder: Path, faces: np.ndarray) -> None:
    """Writes faces as PNG files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, face in enumerate(faces):
        assert cv2.imwrite(str(folder / f"{i:03d}.png"), face)


def write_photos_of_phones(folder: Path, portrait: np.ndarray) -> None:
    """Writes the portrait as ``a.heic``, ``b.avif`` and ``c.gif``."""
    folder.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(portrait[:, :, ::-1])
    pillow_heif.from_pillow(image).save(folder / "a.heic")
    image.save(folder / "b.avif")
    image.save(folder / "c.gif")


def write_data(folder: Path, portrait: np.ndarray, train: int = 24, val: int = 6) -> Path:
    """A data folder with two classes that are easy to tell: upright faces, and faces on their heads."""
    for split, count, seed in (("train", train, 1), ("val", val, 2)):
        write_faces(folder / split / "upright", vary(portrait, count, seed))
        write_faces(folder / split / "turned", vary(portrait, count, seed + 10)[:, ::-1])
    return folder


BROWS, MOUTH = ((229, 174), (304, 173)), ((247, 282), (287, 282))
"""Inner ends of the portrait's brows and corners of its mouth: x and y in pixels."""

POSES = {"angry": (16, 18), "happy": (-10, 8), "neutral": (0, 0), "sad": (14, -8)}
"""By how many pixels :func:`pose` pulls the corners of the mouth and the brows down. Without a profile the network that
comes with live-emotion calls the happy and the sad face neutral."""


def pose(portrait: np.ndarray, emotion: str, light: float = 1.0) -> np.ndarray:
    """The portrait with its face pulled into an emotion, lit by a factor: uint8, of the same shape."""
    y, x = np.mgrid[: portrait.shape[0], : portrait.shape[1]].astype(np.float32)
    moved = np.zeros_like(y)
    for points, down in zip((MOUTH, BROWS), POSES[emotion]):
        for at_x, at_y in points:
            moved += down * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * 11**2))
    pulled = cv2.remap(np.ascontiguousarray(portrait), x, y - moved, cv2.INTER_LINEAR)
    return cv2.convertScaleAbs(pulled, alpha=light)
