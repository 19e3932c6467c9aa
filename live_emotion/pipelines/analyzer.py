"""The loop that joins the parts: frames in, faces and annotated frames out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import Profile, load_profile
from live_emotion.faces.detector import FaceDetector
from live_emotion.faces.preprocessing import FACE_SIZE, crop_face
from live_emotion.faces.quality import assess
from live_emotion.faces.refinement import Following
from live_emotion.faces.tracker import Tracker, with_prediction
from live_emotion.io.results_writer import rows
from live_emotion.types import Face, Frame, Prediction, Row, TrackedFace
from live_emotion.visualization.overlay import draw


class EmotionAnalyzer:
    """Finds the faces of a frame, reads their emotions and keeps their identities.

    Args:
        detector: finds faces; closed by :meth:`close`.
        classifier: reads emotions.
        tracker: joins faces over time, for frames of one video or camera in order. None for single pictures:
            every face stands for itself.
        profile: corrects what is read for a person's resting face.
    """

    def __init__(
        self,
        detector: FaceDetector,
        classifier: EmotionClassifier,
        tracker: Tracker | None = None,
        profile: Profile | None = None,
    ) -> None:
        self.detector = detector
        self.classifier = classifier
        self.tracker = tracker
        self.profile = profile

    @classmethod
    def open(
        cls,
        weights: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        device: str = "auto",
        detector: str = "full",
        min_confidence: float = 0.5,
        max_faces: int = 10,
        track: bool = False,
        profile: str | None = None,
    ) -> EmotionAnalyzer:
        """Loads all parts; the arguments are those of the classifier and the detector.

        Raises:
            WeightsError: a model file is missing or damaged.
            DeviceError: the device is not available.
            InputError: there is no such profile, or it is for other classes.
        """
        own = load_profile(profile) if profile else None
        classifier = EmotionClassifier(weights or None, device)
        if own:
            own.check(classifier.class_names)
        faces = FaceDetector(detector, min_confidence, max_faces, follow=track)
        return cls(faces, classifier, Tracker(classifier.class_names) if track else None, own)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.classifier.class_names

    def analyze(self, frame: Frame) -> list[TrackedFace]:
        """The faces of a frame, classified in one batch; a frame without faces costs no network call."""
        return self.read(*find_faces(self.detector, frame.image), frame.time_s)

    def read(self, faces: Sequence[Face], crops: np.ndarray, time_s: float) -> list[TrackedFace]:
        """The second half of :meth:`analyze`: the emotions of faces that :func:`find_faces` found.

        Args:
            faces: N of them.
            crops: theirs, uint8 (N, 48, 48).
            time_s: of the frame, in seconds; frames come in order.
        """
        probabilities = self.classifier.predict(crops)
        if self.profile:
            probabilities = self.profile.correct(probabilities)
        if self.tracker is None:
            predictions = [Prediction.from_probabilities(row, self.class_names) for row in probabilities]
            return [with_prediction(f, p) for f, p in zip(faces, predictions)]
        return self.tracker.update(faces, probabilities, time_s)

    def close(self) -> None:
        """Frees the detector."""
        self.detector.close()

    def __enter__(self) -> EmotionAnalyzer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find_faces(
    detector: FaceDetector, image: np.ndarray, proposed: list[Face] | None = None, following: Following | None = None
) -> tuple[list[Face], np.ndarray]:
    """Finds and cuts out the faces of a picture.

    Args:
        detector: finds them.
        image: (H, W, 3) uint8 BGR or (H, W) uint8 grey. One of 48x48 pixels is a face, as in FER2013, and is taken
            as it is: its box is the picture and its keypoints are not known (NaN).
        proposed: and ``following`` are those of :meth:`FaceDetector.detect`.

    Returns:
        N faces, with a note where one cannot be read, and their crops as uint8 (N, 48, 48).
    """
    if image.shape[:2] == (FACE_SIZE, FACE_SIZE):
        side = float(FACE_SIZE)
        faces = [Face((0.0, 0.0, side, side), 1.0, np.full((6, 2), np.nan, np.float32))]
    else:
        faces = detector.detect(image, proposed, following)
    crops = np.empty((len(faces), FACE_SIZE, FACE_SIZE), np.uint8)
    for crop, face in zip(crops, faces):
        crop[:] = crop_face(image, face.box)
    return [replace(f, note=assess(f.box, f.keypoints, crop)) for f, crop in zip(faces, crops)], crops


@dataclass(frozen=True)
class Result:
    """What came of a frame.

    Attributes:
        frame: as it was read.
        faces: that were found in it.
        class_names: in the order of the faces' probabilities.
    """

    frame: Frame
    faces: list[TrackedFace]
    class_names: tuple[str, ...]

    def draw(self, bars: bool = True, lines: Sequence[str] = ()) -> np.ndarray:
        """An annotated copy of the frame, (H, W, 3) uint8 BGR; the arguments are those of ``overlay.draw``."""
        return draw(self.frame.image, self.faces, self.class_names, bars, lines)

    def rows(self) -> list[Row]:
        """One dictionary a face, with the columns of ``--log`` and ``--data``."""
        return list(rows(self.frame, self.faces, self.class_names))


def read(frames: Iterable[Frame], analyzer: EmotionAnalyzer) -> Iterator[Result]:
    """Analyses frame after frame."""
    for frame in frames:
        yield Result(frame, analyzer.analyze(frame), analyzer.class_names)
