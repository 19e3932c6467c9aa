"""What a Python program calls."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from torch import nn

from live_emotion.emotions.classifier import EmotionClassifier, default_weights, load_network
from live_emotion.errors import InputError
from live_emotion.faces.boxes import area
from live_emotion.faces.detector import FaceDetector
from live_emotion.io.images import read_image
from live_emotion.pipelines.analyzer import EmotionAnalyzer, find_faces
from live_emotion.types import Frame, StrPath, TrackedFace


def load_model(weights: StrPath | None = None, device: str = "auto") -> tuple[nn.Module, tuple[str, ...]]:
    """Loads a trained network.

    Args:
        weights: a ``.pth`` checkpoint or an ``.onnx`` model; None for the one that comes with live-emotion.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns:
        the network in evaluation mode, and its class names in the order of its outputs. It maps float32
        (N, 1, 48, 48) in [-1, 1] to logits (N, C), which its ``temperature`` attribute is to divide.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
        MissingExtraError: an ONNX model needs onnxruntime.
    """
    model = load_network(weights if weights is not None else default_weights(), device)
    return model, model.class_names


def predict_image(
    model: nn.Module, image: StrPath | np.ndarray, class_names: Sequence[str]
) -> tuple[str, float, np.ndarray]:
    """Reads the emotion of the largest face in a picture.

    Args:
        model: from :func:`load_model`.
        image: a file, or (H, W, 3) uint8 BGR or (H, W) uint8 grey. One of 48x48 pixels is taken as a face as it is.
        class_names: from :func:`load_model`.

    Returns:
        the emotion, its confidence in percent (0 to 100), and the probabilities of all classes, float32 (C,).

    Raises:
        InputError: no such file, not an image, or no face in it.
    """
    pixels = image if isinstance(image, np.ndarray) else read_image(image)
    with FaceDetector() as detector:
        faces, crops = find_faces(detector, pixels)
    if not faces:
        name = "the picture" if isinstance(image, np.ndarray) else str(image)
        raise InputError(f"Found no face in {name}; use a picture with a larger, brighter face seen from the front.")
    _, crop = max(zip(faces, crops), key=lambda pair: area(pair[0].box))
    best = EmotionClassifier.of(model, class_names).classify(crop[None])[0]
    return best.emotion, 100 * best.confidence, np.array(best.probabilities, np.float32)


class EmotionDetector:
    """Finds faces and reads their emotions, frame by frame.

    Args:
        weights: a checkpoint, several to average, or None for the one that comes with live-emotion.
        detector: ``full``, ``short`` or ``tiled``, as ``--detector``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        min_confidence: of the face detector, 0 to 1.
        max_faces: most faces to read in a frame.
        track: keep identities and smooth probabilities from frame to frame. Leave it off for unrelated pictures.

    Attributes:
        class_names: in the order of each face's ``probabilities``.

    Raises:
        WeightsError: a weights file is missing or damaged.
        DeviceError: the device is not available.

    Example:
        >>> with EmotionDetector() as detector:  # doctest: +SKIP
        ...     for face in detector.detect(frame):
        ...         print(face.box, face.emotion, face.confidence)
    """

    def __init__(
        self,
        weights: StrPath | Sequence[StrPath] | None = None,
        detector: str = "full",
        device: str = "auto",
        min_confidence: float = 0.5,
        max_faces: int = 10,
        track: bool = False,
    ) -> None:
        self._analyser = EmotionAnalyzer.open(weights, device, detector, min_confidence, max_faces, track)
        self._count = 0
        self.class_names = self._analyser.class_names

    def detect(self, image: np.ndarray, time_s: float | None = None) -> list[TrackedFace]:
        """The faces of a picture.

        Args:
            image: (H, W, 3) uint8 BGR, as OpenCV gives it.
            time_s: when it was taken, in seconds, for tracking; None: the clock's time now.

        Returns:
            faces with ``box`` (x1, y1, x2, y2 in pixels), ``emotion``, ``confidence`` (0 to 1), ``probabilities``
            (in the order of ``class_names``) and, where tracking is on, ``track_id``.
        """
        frame = Frame(self._count, time.monotonic() if time_s is None else time_s, image)
        self._count += 1
        return self._analyser.analyze(frame)

    def close(self) -> None:
        """Frees the face detector."""
        self._analyser.close()

    def __enter__(self) -> EmotionDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
