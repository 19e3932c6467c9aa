"""One frame through everything: detect, crop, classify all faces at once, track."""

from __future__ import annotations

import numpy as np

from live_emotion.classifier import EmotionClassifier
from live_emotion.detection import Face, FaceDetector
from live_emotion.preprocess import FACE_SIZE, crop_face
from live_emotion.sources import Frame
from live_emotion.tracking import TrackedFace, Tracker


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

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.classifier.class_names

    def analyse(self, frame: Frame) -> list[TrackedFace]:
        """The faces of a frame, classified in one batch; a frame without faces costs no network call."""
        faces, crops = find_faces(self.detector, frame.image)
        probabilities = self.classifier.predict(crops)
        tracker = self.tracker or Tracker.single(self.class_names)
        return tracker.update(faces, probabilities, frame.time_s)

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
    side = float(FACE_SIZE)
    if image.shape[:2] == (FACE_SIZE, FACE_SIZE):
        faces = [Face((0.0, 0.0, side, side), 1.0, np.full((6, 2), np.nan, np.float32))]
    else:
        faces = detector.detect(image)
    crops = np.empty((len(faces), FACE_SIZE, FACE_SIZE), np.uint8)
    for crop, face in zip(crops, faces):
        crop[:] = crop_face(image, face.box)
    return faces, crops
