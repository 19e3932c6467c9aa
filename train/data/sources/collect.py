"""Own faces from a camera, as files of a training folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import crop_box
from live_emotion.io.files.folders import make_folder
from live_emotion.io.images import write_image
from live_emotion.types import Frame
from live_emotion.visualization.overlay import draw
from train.data.sources.crops import Crop, crop_largest

GREEN = (115, 158, 0)
"""BGR of the frame around what is stored."""


@dataclass
class Tally:
    """What a recording has come to.

    Attributes:
        stored: faces.
        frames: that were looked at.
        faceless: frames without a face.
    """

    stored: int = 0
    frames: int = 0
    faceless: int = 0


def collect(
    frames: Iterable[Frame],
    detector: FaceDetector,
    folder: Path,
    count: int,
    every: int,
    show: Callable[[np.ndarray], bool] = lambda _: True,
) -> Iterator[Tally]:
    """Stores the largest face of every N-th frame; no more than its 48x48 grey pixels.

    Args:
        frames: in order.
        detector: finds the faces.
        folder: of the class; made if it is missing. The files in it stay, new ones get higher numbers.
        count: how many faces to store.
        every: N; where a frame shows no face, the next one that does takes its place.
        show: gets each frame with what was found drawn in, (H, W, 3) uint8 BGR; False ends it.

    Yields:
        the tally so far, one and the same, after each frame.

    Raises:
        OutputError: a face can't be written.
    """
    names = _new_names(make_folder(folder))
    tally, due = Tally(), 0
    for frame in frames:
        crop = crop_largest(detector, frame.image)
        if crop is not None and tally.frames >= due:
            write_image(folder / next(names), crop.face)
            tally.stored += 1
            due = tally.frames + every
        tally.frames += 1
        tally.faceless += crop is None
        yield tally
        if not show(_annotate(frame.image, crop, f"{folder.name}: {tally.stored} of {count}")) or tally.stored >= count:
            return


def _new_names(folder: Path) -> Iterator[str]:
    """``happy_00001.png`` and on, above the numbers that are there."""
    pattern = re.compile(re.escape(folder.name) + r"_(\d+)\.png")
    number = max((int(m[1]) for p in folder.iterdir() if (m := pattern.fullmatch(p.name))), default=0)
    while True:
        number += 1
        yield f"{folder.name}_{number:05d}.png"


def _annotate(image: np.ndarray, crop: Crop | None, text: str) -> np.ndarray:
    """A copy of a frame with the square that is stored, and how far the recording is."""
    import cv2

    annotated = draw(image, [], [], lines=[text if crop else f"{text} (no face found)"])
    if crop:
        x1, y1, x2, y2 = (round(v) for v in crop_box(crop.box))
        cv2.rectangle(annotated, (x1, y1), (x2 - 1, y2 - 1), GREEN, 2)
    return annotated
