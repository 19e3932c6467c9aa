"""Faces of one person and what they show, from photos, a recording or the camera, for a profile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live_emotion.emotions.personalization import prototypes_of, similarities
from live_emotion.emotions.profile import NEUTRAL, resting_doubt
from live_emotion.emotions.trial import Trial, try_out
from live_emotion.errors import InputError
from live_emotion.faces.appearance import mean_direction
from live_emotion.faces.boxes import area
from live_emotion.io.images import read_image, skipped
from live_emotion.io.video.reader import VideoFile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.photos import list_photos
from live_emotion.pipelines.result import looks_of
from live_emotion.types import Frame, LiveFrame
from live_emotion.visualization.times import time_text

FEWEST = 5
"""Faces that the camera must give."""

ALONE = 0.25
"""Part of the largest face's area from which another one is somebody else in view rather than in the background."""

ROUNDED_S = 1.0
"""By so much a part may go on after the end of a recording, in seconds: people round."""

SAME_PERSON = 0.75
"""Likeness of a face to the mean of those before from which it may be the same person's. Of pairs of JAFFE's portraits
0.4 % of one person's lie below, whatever they show, and 71 % of two people's, who are alike in age, sex and light."""


@dataclass(frozen=True)
class Shown:
    """A frame of a person and the emotion that it is said to show.

    Attributes:
        frame: the picture.
        label: name of the emotion.
        source: where it is from, for messages.
    """

    frame: Frame
    label: str
    source: str


Offered = Shown | InputError
"""A frame, or why there is none, such as a photo that is damaged."""


class Enrolment:
    """Takes the faces of one person, frame by frame, and learns from them.

    Args:
        analyzer: finds them; its classifier's weights are those that the profile will fit.

    Attributes:
        labels: what the faces show that were taken.
    """

    def __init__(self, analyzer: EmotionAnalyzer) -> None:
        self.analyzer = analyzer
        self.labels: list[str] = []
        self._faces: list[np.ndarray] = []
        self._probabilities: list[np.ndarray] = []
        self._embeddings: list[np.ndarray] = []
        self._looks: list[np.ndarray] = []

    @property
    def faces(self) -> np.ndarray:
        """uint8 (N, 48, 48), in the order in which they were taken."""
        return np.stack(self._faces) if self._faces else np.empty((0, 48, 48), np.uint8)

    def take(self, shown: Shown) -> None:
        """Takes the face of a frame.

        Raises:
            InputError: it doesn't, and this is why: :func:`face_of` takes none, or it is another person's.
        """
        crop, look = face_of(shown.frame, self.analyzer, shown.source)
        if self._looks and look @ mean_direction(np.stack(self._looks)) < SAME_PERSON:
            raise InputError(f"The face in {shown.source} is another person's than those before.")
        probabilities, embedding = (each[0] for each in self.analyzer.classifier.read(crop[None]))
        self.labels.append(shown.label)
        self._faces.append(crop)
        self._looks.append(look)
        self._probabilities.append(probabilities)
        self._embeddings.append(embedding)

    def forget(self, label: str) -> None:
        """Drops what was taken of an emotion."""
        kept = [i for i, other in enumerate(self.labels) if other != label]
        self.labels = [self.labels[i] for i in kept]
        self._faces = [self._faces[i] for i in kept]
        self._probabilities = [self._probabilities[i] for i in kept]
        self._embeddings = [self._embeddings[i] for i in kept]
        self._looks = [self._looks[i] for i in kept]

    def nearest(self, label: str) -> tuple[str, float]:
        """Which other emotion that was taken looks most like this one, and how much: the cosine of the two's means.

        Nothing and -1 where no other was taken, or this was not.
        """
        names = list(dict.fromkeys(self.labels))
        if label not in names or len(names) < 2:
            return "", -1.0
        means = prototypes_of(np.stack(self._embeddings), np.array([names.index(each) for each in self.labels]))
        likeness = similarities(means.pop(names.index(label))[None], list(means.values()))[0]
        return names[list(means)[int(likeness.argmax())]], float(likeness.max())

    def resting_doubt(self) -> str:
        """What the faces that were taken as resting look like instead; nothing where they may be, or none was taken."""
        rows = [row for label, row in zip(self.labels, self._probabilities) if label == NEUTRAL]
        return resting_doubt(np.stack(rows), self.analyzer.class_names) if rows else ""

    def learn(self) -> Trial:
        """The profile of what was taken, and what it is worth.

        Raises:
            InputError: the faces do not show what they are said to show.
        """
        return try_out(self.faces, self.labels, self.analyzer.classifier, np.stack(self._looks))


def collect(
    frames: Iterable[Offered],
    analyzer: EmotionAnalyzer,
    refused: Callable[[InputError], object] | None = None,
    fewest: int = 1,
) -> Enrolment:
    """Takes the faces of all frames that give one.

    Args:
        frames: of one person, or why there is none.
        analyzer: finds the faces.
        refused: is told why a frame gives none; None: each must.
        fewest: faces that are needed, of as many frames; of fewer frames each must give one.

    Raises:
        InputError: hardly any frame gives a face.
    """
    enrolment, problem, total = Enrolment(analyzer), None, 0
    for shown in frames:
        total += 1
        try:
            if isinstance(shown, InputError):
                raise shown
            enrolment.take(shown)
        except InputError as error:
            if refused is None:
                raise
            problem = error
            refused(error)
    if len(enrolment.labels) < min(fewest, max(total, 1)):
        raise problem or InputError("The camera gave no frame; try again.")
    return enrolment


def face_of(frame: Frame, analyzer: EmotionAnalyzer, source: str) -> tuple[np.ndarray, np.ndarray]:
    """The one face of a frame, as the network reads it: uint8 (48, 48), and its look, float32 (LOOK_SIZE,).

    Args:
        frame: uint8 BGR.
        analyzer: finds it.
        source: where it is from, for the message.

    Raises:
        InputError: there is none, it cannot be read, or several people are in view.
    """
    found = analyzer.find(frame)
    if not found.faces:
        raise InputError(f"Found no face in {source}; come closer, or put light on your face.")
    largest, *others = found.faces
    if any(area(face.box) >= ALONE * area(largest.box) for face in others):
        raise InputError(f"There are several people in {source}; a profile is of one person alone.")
    if largest.note:
        raise InputError(
            f"The face in {source} is {largest.note}; use a larger, sharper and brighter one from the front."
        )
    return found.crops[0], looks_of(found)[0]


def photos_of(photos: Sequence[Path], label: str) -> Iterator[Offered]:
    """Photos that show one emotion; of one that is missing or no image, why."""
    for photo in photos:
        try:
            yield Shown(Frame(0, 0.0, read_image(photo)), label, str(photo))
        except InputError as error:
            yield error


def folder_of(folder: Path, class_names: Sequence[str]) -> Iterator[Offered]:
    """The photos of a folder with a folder for each emotion; one that is missing was not shown.

    Raises:
        InputError: there is no such folder, or none in it is an emotion's.
    """
    found = [name for name in class_names if (folder / name).is_dir()]
    if not found:
        state = "holds no folder of an emotion" if folder.is_dir() else "is no folder"
        raise InputError(f"{folder} {state}; put photos into folders in it named {', '.join(class_names)}.")
    for name in found:
        try:
            photos = list_photos([folder / name])
        except InputError as error:  # it holds none
            yield error
        else:
            yield from photos_of(photos, name)


def other_folders(folder: Path, class_names: Sequence[str]) -> str:
    """Says in a line what of a folder is no folder of an emotion, hidden files aside; nothing where all are.

    Raises:
        InputError: it cannot be read.
    """
    return skipped(folder, lambda path: path.is_dir() and path.name in class_names, "no folders of an emotion")


def recording_of(video: Path, parts: Sequence[tuple[float, float, str]]) -> Iterator[Shown]:
    """The frames of parts of a video, each of which shows an emotion from one time to another, in seconds.

    Raises:
        InputError: it is no video, a part goes on after its end, or it has no frame within a part.
    """
    with VideoFile(video) as opened:
        length_s = math.inf if opened.duration_s is None else opened.duration_s
    for _, end_s, label in parts:
        if length_s + ROUNDED_S < end_s < math.inf:
            raise InputError(
                f"The part for {label} goes on to {time_text(end_s)}, but {video} ends at {time_text(length_s)}."
            )
    for start_s, end_s, label in parts:
        with VideoFile(video, start_s, end_s) as frames:
            for frame in frames:
                yield Shown(frame, label, str(video))


def camera_of(
    frames: Iterable[LiveFrame], label: str, seconds: float, progress: Callable[[float], object] = lambda _: None
) -> Iterator[Shown]:
    """The frames that a camera gives within so many seconds.

    Args:
        frames: as they come.
        label: what they show.
        seconds: how long, from the first frame on.
        progress: is told how many seconds have passed.

    Raises:
        CameraError: the camera gives no frames.
    """
    start_s = None
    for frame in frames:
        start_s = frame.clock_s if start_s is None else start_s
        if frame.clock_s - start_s > seconds:
            return
        progress(frame.clock_s - start_s)
        yield Shown(frame, label, "the camera's frames")
