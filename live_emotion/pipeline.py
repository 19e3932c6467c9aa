"""The loop that joins the parts: frames in, faces and annotated frames out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.classifier import EmotionClassifier
from live_emotion.detection import Face, FaceDetector
from live_emotion.film import FilmWriter
from live_emotion.overlay import draw
from live_emotion.preprocess import FACE_SIZE, crop_face
from live_emotion.sinks import DataSink
from live_emotion.sources import Frame
from live_emotion.tracking import TrackedFace, Tracker, with_prediction
from live_emotion.window import Window


class EmotionAnalyser:
    """Finds the faces of a frame, reads their emotions and keeps their identities.

    Args:
        detector: finds faces; closed by :meth:`close`.
        classifier: reads emotions.
        tracker: joins faces over time, for frames of one film or camera in order. None for single pictures:
            every face stands for itself.
    """

    def __init__(self, detector: FaceDetector, classifier: EmotionClassifier, tracker: Tracker | None = None) -> None:
        self.detector = detector
        self.classifier = classifier
        self.tracker = tracker

    @classmethod
    def open(
        cls,
        weights: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        device: str = "auto",
        detector: str = "full",
        min_confidence: float = 0.5,
        max_faces: int = 10,
        track: bool = False,
    ) -> EmotionAnalyser:
        """Loads all parts; the arguments are those of the classifier and the detector.

        Raises:
            WeightsError: a model file is missing or damaged.
            DeviceError: the device is not available.
        """
        classifier = EmotionClassifier(weights or None, device)
        faces = FaceDetector(detector, min_confidence, max_faces)
        return cls(faces, classifier, Tracker(classifier.class_names) if track else None)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.classifier.class_names

    def analyse(self, frame: Frame) -> list[TrackedFace]:
        """The faces of a frame, classified in one batch; a frame without faces costs no network call."""
        faces, crops = find_faces(self.detector, frame.image)
        if self.tracker is None:
            return [with_prediction(f, p) for f, p in zip(faces, self.classifier.classify(crops))]
        return self.tracker.update(faces, self.classifier.predict(crops), frame.time_s)

    def close(self) -> None:
        """Frees the detector."""
        self.detector.close()

    def __enter__(self) -> EmotionAnalyser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find_faces(detector: FaceDetector, image: np.ndarray) -> tuple[list[Face], np.ndarray]:
    """Finds and cuts out the faces of a picture.

    Args:
        detector: finds them.
        image: (H, W, 3) uint8 BGR or (H, W) uint8 grey. One of 48x48 pixels is a face, as in FER2013, and is taken
            as it is: its box is the picture and its keypoints are not known (NaN).

    Returns:
        N faces, and their crops as uint8 (N, 48, 48).
    """
    if image.shape[:2] == (FACE_SIZE, FACE_SIZE):
        side = float(FACE_SIZE)
        faces = [Face((0.0, 0.0, side, side), 1.0, np.full((6, 2), np.nan, np.float32))]
    else:
        faces = detector.detect(image)
    crops = np.empty((len(faces), FACE_SIZE, FACE_SIZE), np.uint8)
    for crop, face in zip(crops, faces):
        crop[:] = crop_face(image, face.box)
    return faces, crops


@dataclass(frozen=True)
class Result:
    """What came of a frame.

    Attributes:
        frame: as it was read.
        faces: that were found in it.
        image: (H, W, 3) uint8 BGR, the annotated copy.
    """

    frame: Frame
    faces: list[TrackedFace]
    image: np.ndarray


def annotate(
    frames: Iterable[Frame], analyser: EmotionAnalyser, lines: Callable[[], Sequence[str]] = tuple
) -> Iterator[Result]:
    """Analyses and annotates frame after frame.

    Args:
        frames: in order.
        analyser: reads them.
        lines: gives the text for the corner of the next frame.
    """
    for frame in frames:
        faces = analyser.analyse(frame)
        yield Result(frame, faces, draw(frame.image, faces, analyser.class_names, lines=lines()))


def deliver(
    results: Iterable[Result],
    film: FilmWriter | None = None,
    sink: DataSink | None = None,
    window: Window | None = None,
) -> None:
    """Writes and shows results until they end or somebody closes the window."""
    for result in results:
        if sink:
            sink.write(result.frame, result.faces)
        if film:
            film.write(result.image, result.frame.time_s)
        if window and not window.show(result.image):
            return
