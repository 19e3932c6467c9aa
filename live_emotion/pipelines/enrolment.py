"""Faces of one person, from photos or the camera, for a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from live_emotion.errors import InputError
from live_emotion.faces.boxes import area
from live_emotion.io.images import read_image
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.types import Frame, LiveFrame

FEWEST = 5
"""Faces that the camera must give."""

ALONE = 0.25
"""Part of the largest face's area from which another one is somebody else in view rather than in the background."""


def face_of(frame: Frame, analyzer: EmotionAnalyzer, name: str) -> np.ndarray:
    """The one face of a frame, as the network reads it: uint8 (48, 48).

    Args:
        frame: uint8 BGR.
        analyzer: finds it.
        name: of the image, for the message.

    Raises:
        InputError: there is none, it cannot be read, or several people are in view.
    """
    found = analyzer.find(frame)
    if not found.faces:
        raise InputError(f"Found no face in {name}; come closer, or put light on your face.")
    areas = [area(face.box) for face in found.faces]
    largest = int(np.argmax(areas))
    if sum(size >= ALONE * areas[largest] for size in areas) > 1:
        raise InputError(f"There are several people in {name}; a profile is of one person alone.")
    note = found.faces[largest].note
    if note:
        raise InputError(f"The face in {name} is {note}; use a larger, sharper and brighter one from the front.")
    return found.crops[largest]


def photo_faces(photos: Sequence[Path], analyzer: EmotionAnalyzer) -> np.ndarray:
    """The face of each photo: uint8 (N, 48, 48).

    Raises:
        InputError: a photo is missing, no image, or :func:`face_of` takes no face from it.
    """
    return np.stack([face_of(Frame(0, 0.0, read_image(photo)), analyzer, str(photo)) for photo in photos])


def camera_faces(
    frames: Iterable[LiveFrame],
    analyzer: EmotionAnalyzer,
    seconds: float,
    progress: Callable[[float], object] = lambda _: None,
) -> np.ndarray:
    """The faces of a camera's frames within so many seconds: uint8 (N, 48, 48).

    Args:
        frames: as they come.
        analyzer: finds the faces.
        seconds: how long, from the first frame on.
        progress: is told how many seconds have passed.

    Raises:
        InputError: hardly any frame shows one face that can be read.
        CameraError: the camera gives no frames.
    """
    faces, total, problem = [], 0, ""
    for frame in _first(frames, seconds, progress):
        total += 1
        try:
            faces.append(face_of(frame, analyzer, "the camera's frames"))
        except InputError as error:
            problem = str(error)
    if len(faces) < min(FEWEST, max(total, 1)):
        raise InputError(problem or "The camera gave no frame; try again.")
    return np.stack(faces)


def _first(frames: Iterable[LiveFrame], seconds: float, progress: Callable[[float], object]) -> Iterator[LiveFrame]:
    start_s = None
    for frame in frames:
        start_s = frame.clock_s if start_s is None else start_s
        if frame.clock_s - start_s > seconds:
            return
        progress(frame.clock_s - start_s)
        yield frame
