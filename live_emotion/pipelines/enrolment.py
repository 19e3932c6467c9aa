"""Pictures of a resting face, from photos or the camera, for a profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from live_emotion.errors import InputError
from live_emotion.faces.boxes import by_size
from live_emotion.io.images import read_image
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.types import Frame, LiveFrame
from live_emotion.visualization.overlay import is_readable

FEWEST = 5
"""Faces that the camera must give."""


def read_photos(photos: Sequence[Path], analyzer: EmotionAnalyzer) -> np.ndarray:
    """Probabilities of the largest face of each photo, float32 (N, C).

    Raises:
        InputError: a photo is missing, no image, or shows no face that can be read.
    """
    return np.stack([_largest(Frame(0, 0.0, read_image(photo)), analyzer, str(photo)) for photo in photos])


def read_camera(frames: Iterable[LiveFrame], analyzer: EmotionAnalyzer, seconds: float) -> np.ndarray:
    """Probabilities of the largest face of each frame within so many seconds, float32 (N, C).

    Raises:
        InputError: hardly any frame shows a face that can be read.
        CameraError: the camera gives no frames.
    """
    seen, total, problem = [], 0, ""
    with tqdm(total=round(seconds, 1), unit="s", disable=None) as bar:
        start = None
        for frame in frames:
            start = frame.clock_s if start is None else start
            if frame.clock_s - start > seconds:
                break
            total += 1
            bar.update(round(frame.clock_s - start - bar.n, 2))
            try:
                seen.append(_largest(frame, analyzer, "the camera's picture"))
            except InputError as error:
                problem = str(error)
    if len(seen) < min(FEWEST, max(total, 1)):
        raise InputError(problem or "The camera gave no picture; try again.")
    return np.stack(seen)


def _largest(frame: Frame, analyzer: EmotionAnalyzer, name: str) -> np.ndarray:
    faces = analyzer.analyze(frame).faces
    if not faces:
        raise InputError(f"Found no face in {name}; come closer, or put light on your face.")
    face = by_size(faces)[0]
    if not is_readable(face):
        raise InputError(f"The face in {name} is {face.note}; use a larger, sharper and brighter one from the front.")
    return np.array(face.probabilities, np.float32)
