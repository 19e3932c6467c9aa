"""Faces and their emotions in many frames at once, for videos."""

from __future__ import annotations

import contextlib
import itertools
import queue
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from live_emotion.concurrency.cpu import cores
from live_emotion.concurrency.prefetch import map_in_order
from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.faces.detector import FaceDetector
from live_emotion.faces.refinement import Following
from live_emotion.pipelines.analyzer import find_faces
from live_emotion.types import Face, Frame, StrPath

FRAMES_AT_ONCE = 4
"""Of so many frames the faces are read in one batch: one face alone costs half of what four do."""


@dataclass(frozen=True)
class ReaderOptions:
    """How faces are found and read.

    Attributes:
        weights: checkpoints, averaged; none: the one that comes with live-emotion.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        detector: ``full``, ``short`` or ``tiled``.
        min_confidence: of the detector, 0 to 1.
        max_faces: most faces to read in a frame.
        threads: how many frames at once; 0: as many as there are processor cores.
    """

    weights: tuple[StrPath, ...] = ()
    device: str = "auto"
    detector: str = "full"
    min_confidence: float = 0.5
    max_faces: int = 10
    threads: int = 0


class FaceReader:
    """Finds faces and reads their emotions in several frames at once; each thread has a detector of its own.

    Args:
        options: say how.

    Raises:
        WeightsError: a model file is missing or damaged.
        DeviceError: the device is not available.
    """

    def __init__(self, options: ReaderOptions = ReaderOptions()) -> None:
        self.threads = options.threads or cores()
        self.classifier = EmotionClassifier(options.weights, options.device)
        self._detectors = [
            FaceDetector(options.detector, options.min_confidence, options.max_faces) for _ in range(self.threads)
        ]
        self._idle: queue.SimpleQueue[FaceDetector] = queue.SimpleQueue()
        for each in self._detectors:
            self._idle.put(each)

    def read(
        self, frames: Iterable[tuple[Frame, bool]], following: Following | None
    ) -> Iterator[tuple[Frame, tuple[list[Face], np.ndarray] | None]]:
        """Reads the faces of a video.

        The full-range detector looks at several frames at once, the closer looks follow each other, since what they
        find depends on the frame before, and the network reads the faces of several frames in one batch.

        Args:
            frames: in order, each with whether it is due.
            following: the video's memory, where all frames are due.

        Yields:
            each frame with its N faces and their probabilities, float32 (N, C), or with None where it is not due.
        """

        def propose(marked: tuple[Frame, bool]) -> tuple[Frame, list[Face] | None]:
            frame, is_due = marked
            if not is_due:
                return frame, None
            with self._borrowed() as detector:
                return frame, detector.propose(frame.image)

        with contextlib.closing(map_in_order(propose, frames, self.threads)) as proposals:
            while group := list(itertools.islice(proposals, FRAMES_AT_ONCE)):
                found = [
                    (frame, None if proposed is None else self._find(frame.image, proposed, following))
                    for frame, proposed in group
                ]
                crops = [cut for _, faces in found if faces for cut in faces[1]]
                probabilities = self.classifier.predict(np.array(crops))
                for frame, faces in found:
                    if faces:
                        own, probabilities = np.split(probabilities, [len(faces[0])])
                    yield frame, (faces[0], own) if faces else None

    def _find(
        self, image: np.ndarray, proposed: list[Face], following: Following | None
    ) -> tuple[list[Face], np.ndarray]:
        """The N faces among what was proposed, and their crops, uint8 (N, 48, 48)."""
        with self._borrowed() as detector:
            return find_faces(detector, image, proposed, following)

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[FaceDetector]:
        detector = self._idle.get()
        try:
            yield detector
        finally:
            self._idle.put(detector)

    def close(self) -> None:
        """Frees the detectors."""
        for detector in self._detectors:
            detector.close()

    def __enter__(self) -> FaceReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
