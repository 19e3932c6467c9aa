"""A short video made of two public-domain portraits: for trying everything with no camera."""

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

WIDTH, HEIGHT = 960, 540

SWAY_DEG, SWAY_S = 6, 4
"""How far a portrait leans to either side, and how long it takes to and fro."""

Path2D = tuple[tuple[float, float, float, float], ...]
"""Where a portrait is: at a time in seconds x and y of its middle and its height, all three in pixels."""

HOPPER: Path2D = (
    (0.0, 480, 280, 450),
    (2.4, 480, 280, 450),
    (3.2, 270, 285, 400),
    (5.0, 270, 285, 400),
    (5.8, -220, 290, 400),
)

COLLINS: Path2D = (
    (2.4, 1180, 290, 380),
    (3.2, 690, 285, 380),
    (5.0, 690, 285, 380),
    (6.0, 480, 280, 500),
    (7.2, 480, 280, 500),
    (7.8, 480, 840, 500),
)


def read_portrait() -> np.ndarray:
    """Grace Hopper, at rest, as matplotlib ships her portrait: (600, 512, 3) uint8 BGR."""
    spec = importlib.util.find_spec("matplotlib")  # imports nothing
    assert spec is not None and spec.submodule_search_locations
    return read_image(Path(spec.submodule_search_locations[0], "mpl-data", "sample_data", "grace_hopper.jpg"))


def read_smile() -> np.ndarray:
    """Eileen Collins, who smiles: (360, 360, 3) uint8 BGR."""
    return read_image(Path(__file__).with_name("eileen_collins.jpg"))


def demo_frames() -> Iterator[Frame]:
    """Somebody is joined by somebody who smiles, and goes; at the end nobody is there.

    Yields:
        200 frames of 960x540 at 25 a second.
    """
    wall = _wall()
    actors = ((read_portrait(), HOPPER), (read_smile(), COLLINS))
    for index in range(FPS * SECONDS):
        time_s = index / FPS
        image = wall.copy()
        for portrait, path in actors:
            if path[0][0] <= time_s < path[-1][0]:
                _paste(image, portrait, *_place(path, time_s), SWAY_DEG * math.sin(2 * math.pi * time_s / SWAY_S))
        yield Frame(index, time_s, image)


def _place(path: Path2D, time_s: float) -> tuple[float, float, float]:
    """x, y and height at a time, with soft starts and stops."""
    before = max(key for key in path if key[0] <= time_s)
    after = min(key for key in path if key[0] > time_s)
    share = (time_s - before[0]) / (after[0] - before[0])
    eased = share * share * (3 - 2 * share)
    x, y, height = (a + eased * (b - a) for a, b in zip(before[1:], after[1:]))
    return x, y, height


def _paste(image: np.ndarray, portrait: np.ndarray, x: float, y: float, height: float, angle: float) -> None:
    """Draws a portrait into an image, turned by an angle in degrees."""
    rows, columns = portrait.shape[:2]
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, height / rows)
    matrix[:, 2] += x - columns / 2, y - rows / 2
    size = image.shape[1], image.shape[0]
    moved = cv2.warpAffine(portrait, matrix, size, flags=cv2.INTER_AREA)
    opacity = cv2.warpAffine(np.full((rows, columns), 255, np.uint8), matrix, size)[:, :, None].astype(np.float32) / 255
    image[:] = moved * opacity + image * (1 - opacity)


def _wall() -> np.ndarray:
    """(540, 960, 3) uint8: a wall lit from the left."""
    light = np.linspace(150, 95, WIDTH, dtype=np.float32)[None, :] * np.linspace(1, 0.85, HEIGHT)[:, None]
    return (light[:, :, None] * np.array([1.0, 0.98, 0.94])).astype(np.uint8)
