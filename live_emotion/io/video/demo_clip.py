"""A short video made from the public-domain portrait that matplotlib ships: for trying everything with no camera."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from live_emotion.io.images import read_image
from live_emotion.types import Frame

FPS = 25
SECONDS = 8
EMPTY_S = (3.6, 4.6)
"""While nobody is in the frame, in seconds."""

WIDTH, HEIGHT = 960, 540


def read_portrait() -> np.ndarray:
    """The portrait, (600, 512, 3) uint8 BGR."""
    spec = importlib.util.find_spec("matplotlib")  # imports nothing
    assert spec is not None and spec.submodule_search_locations
    return read_image(Path(spec.submodule_search_locations[0], "mpl-data", "sample_data", "grace_hopper.jpg"))


def demo_frames(portrait: np.ndarray) -> Iterator[Frame]:
    """The portrait moved, zoomed and turned a little before a plain wall; away for a while.

    Args:
        portrait: (H, W, 3) uint8 BGR.

    Yields:
        200 frames of 960x540 at 25 a second.
    """
    wall = _wall()
    mask = np.full(portrait.shape[:2], 255, np.uint8)
    for index in range(FPS * SECONDS):
        time_s = index / FPS
        if EMPTY_S[0] <= time_s < EMPTY_S[1]:
            yield Frame(index, time_s, wall.copy())
            continue
        matrix = _motion(time_s, portrait.shape[0], portrait.shape[1])
        moved = cv2.warpAffine(portrait, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
        opacity = cv2.warpAffine(mask, matrix, (WIDTH, HEIGHT))[:, :, None].astype(np.float32) / 255
        yield Frame(index, time_s, (moved * opacity + wall * (1 - opacity)).astype(np.uint8))


def _motion(time_s: float, height: int, width: int) -> np.ndarray:
    """(2, 3) affine matrix from the portrait's pixels to the frame's at a time."""
    turn = 2 * math.pi * time_s / SECONDS
    angle = 9 * math.sin(2 * turn)
    zoom = 0.8 + 0.22 * math.sin(turn)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
    matrix[0, 2] += WIDTH / 2 - width / 2 + 170 * math.sin(turn + 0.6)
    matrix[1, 2] += HEIGHT / 2 - height / 2 + 35 * math.cos(3 * turn)
    return matrix


def _wall() -> np.ndarray:
    """(540, 960, 3) uint8: a wall lit from the left."""
    light = np.linspace(150, 95, WIDTH, dtype=np.float32)[None, :] * np.linspace(1, 0.85, HEIGHT)[:, None]
    return (light[:, :, None] * np.array([1.0, 0.98, 0.94])).astype(np.uint8)
