"""What every room speaks of: emotions, frames, faces and what was read in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

StrPath = str | os.PathLike[str]
"""A path of a file or folder, as text or as an object."""

Box = tuple[float, float, float, float]
"""``(x1, y1, x2, y2)`` in pixels, half-open; it may leave the picture."""

Row = dict[str, Any]
"""A face in a frame with the columns of ``--log`` and ``--data``."""

BEST_WEIGHTS = "best_emotion_model.pth"
"""What a training calls the best weights in its folder."""

EMOTIONS = ("angry", "happy", "neutral", "sad")
"""The default classes, in the order of the network's outputs."""

NO_FACE = "no_face"
"""Name of a network's output that is none of the classes and says that there is no face at all."""

DETECTORS = ("full", "short", "tiled")
"""How faces may be searched for; :class:`live_emotion.faces.detection.detector.FaceDetector` tells them apart."""


@dataclass(frozen=True)
class Frame:
    """A picture in time.

    Attributes:
        index: 0, 1, ... within what is read of its source.
        time_s: seconds on the clock of its source: a video's as a player shows it, a camera's since its first frame.
        image: (H, W, 3) uint8 BGR, upright.
    """

    index: int
    time_s: float
    image: np.ndarray


@dataclass(frozen=True)
class LiveFrame(Frame):
    """A picture that has just been taken.

    Attributes:
        clock_s: when it came, on the monotonic clock.
    """

    clock_s: float = 0.0


@dataclass(frozen=True)
class Face:
    """A detected face.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels, half-open, about from brow to chin; it may leave the picture.
        score: how sure the detector is, 0 to 1.
        keypoints: (6, 2) float32, x and y in pixels of right eye, left eye, nose tip, mouth centre, right ear and
            left ear. Right and left are the person's own.
        note: why it cannot be read, as :mod:`live_emotion.faces.quality` finds; empty where it can, or before it
            looked.
    """

    box: Box
    score: float
    keypoints: np.ndarray
    note: str = ""


@dataclass(frozen=True)
class Prediction:
    """The emotion of one face.

    Attributes:
        emotion: name of the most probable class.
        confidence: its probability, 0 to 1.
        probabilities: one per class, in the order of the classifier's ``class_names``; what they lack of 1 is the
            probability of something else.
    """

    emotion: str
    confidence: float
    probabilities: tuple[float, ...]

    @classmethod
    def from_probabilities(cls, probabilities: Sequence[float] | np.ndarray, class_names: Sequence[str]) -> Prediction:
        """Names the most probable class; of equal ones, the first.

        Args:
            probabilities: (C,) floats, 0 to 1.
            class_names: C names in the same order.

        Example:
            >>> Prediction.from_probabilities([0.25, 0.75], ["sad", "happy"]).emotion
            'happy'
        """
        values = tuple(float(p) for p in probabilities)
        best = max(range(len(values)), key=values.__getitem__)
        return cls(class_names[best], values[best], values)


@dataclass(frozen=True)
class TrackedFace:
    """A face with its emotion and identity.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels, half-open; it may leave the picture.
        score: of the face detector, 0 to 1.
        keypoints: (6, 2) float32 pixels, as :class:`live_emotion.types.Face` has them.
        prediction: smoothed over time, where tracking is on.
        track_id: 1, 2, ... for the same person in every frame; 0 where nothing is tracked.
        note: why the emotion is not to be trusted: ``unsure``, or what :mod:`live_emotion.faces.quality` finds wrong
            with the face; empty where it is.
        name: of the person, where it is known.
    """

    box: Box
    score: float
    keypoints: np.ndarray
    prediction: Prediction
    track_id: int = 0
    note: str = ""
    name: str = ""

    @property
    def emotion(self) -> str:
        """Name of the emotion."""
        return self.prediction.emotion

    @property
    def confidence(self) -> float:
        """Its probability, 0 to 1."""
        return self.prediction.confidence

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Of all emotions, in the order of the class names; what they lack of 1 is that of something else."""
        return self.prediction.probabilities

    @property
    def other(self) -> float:
        """Probability that the face shows none of the emotions, 0 to 1; 0 where the weights know nothing else."""
        return max(0.0, 1.0 - sum(self.probabilities))


class Sink(Protocol):
    """Takes what was read in frames: writes it to a file, sends it elsewhere."""

    def write(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Takes a frame and its faces."""
