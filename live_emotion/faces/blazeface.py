"""Google's BlazeFace models in MediaPipe, the one place that imports mediapipe."""

from __future__ import annotations

import contextlib
import os
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from live_emotion.errors import ArgumentError
from live_emotion.faces.preprocessing import flatten_alpha
from live_emotion.resources import weights_file
from live_emotion.types import Box, Face

MODELS = {
    "full": "face_detection_full_range_sparse.tflite",
    "short": "face_detection_short_range.tflite",
}
"""Files by the range of distances that a model is for: it sees a picture at 192 (full) or 128 (short) pixels."""

SMALLEST_FACE = 16
"""Faces, and pictures, with a shorter side in pixels are not looked at: a third of what the network reads."""


class BlazeFace:
    """One of the two models. Opening it takes a moment, since it also runs it once.

    Args:
        name: ``full`` or ``short``.
        min_confidence: lowest score of a face, 0 to 1.

    Raises:
        WeightsError: the model's file is missing.
    """

    def __init__(self, name: str, min_confidence: float) -> None:
        self._model = _open(name, min_confidence)
        # An unclosed detector raises in its __del__ when the interpreter ends; this runs before that.
        self._close = weakref.finalize(self, _close, self._model)

    def find(self, image: np.ndarray, area: Box | None = None) -> list[Face]:
        """Finds faces.

        Args:
            image: (H, W, 3) uint8 BGR, (H, W, 4) BGRA or (H, W) grey.
            area: look in this part of it alone; it may leave the image.

        Returns:
            faces in the pixels of the whole image.

        Raises:
            ArgumentError: another shape or dtype, or the model is closed.
        """
        if not self._close.alive:
            raise ArgumentError("this face detector is closed; make another")
        check_image(image)
        if area is None:
            return _run(self._model, to_rgb(image)) if min(image.shape[:2]) >= SMALLEST_FACE else []
        height, width = image.shape[:2]
        left, top = max(0, round(area[0])), max(0, round(area[1]))
        part = image[top : min(height, round(area[3])), left : min(width, round(area[2]))]
        if min(part.shape[:2]) < SMALLEST_FACE:
            return []
        return [_moved(face, left, top) for face in _run(self._model, to_rgb(part))]

    def close(self) -> None:
        """Frees the model; closing twice does nothing."""
        self._close()


def check_image(image: object) -> None:
    """Looks whether something is an image at all.

    Raises:
        ArgumentError: it is no uint8 array of (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) pixels, or has none.
    """
    if not isinstance(image, np.ndarray):
        hint = "; could the file be read?" if image is None else ""
        raise ArgumentError(f"an image must be a uint8 array (H, W, 3) in BGR, not {type(image).__name__}{hint}")
    is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3, 4))
    if image.dtype != np.uint8 or not is_image or image.size == 0:
        raise ArgumentError(f"an image must be uint8 (H, W, 3) in BGR and not empty, not {image.dtype} {image.shape}")


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Any image that :func:`check_image` takes as (H, W, 3) uint8 RGB."""
    import cv2

    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(flatten_alpha(image) if image.shape[2] == 4 else image, cv2.COLOR_BGR2RGB)


def _moved(face: Face, left: int, top: int) -> Face:
    x1, y1, x2, y2 = face.box
    points = face.keypoints + np.array([left, top], np.float32)
    return Face((x1 + left, y1 + top, x2 + left, y2 + top), face.score, points)


def _run(model: Any, rgb: np.ndarray) -> list[Face]:
    """What a model finds in (H, W, 3) uint8 RGB."""
    import mediapipe

    height, width = rgb.shape[:2]
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
    faces = []
    for found in model.detect(image).detections:
        box = found.bounding_box
        x1, y1 = float(box.origin_x), float(box.origin_y)
        if min(box.width, box.height) >= SMALLEST_FACE:
            points = np.array([(k.x * width, k.y * height) for k in found.keypoints], np.float32)
            faces.append(Face((x1, y1, x1 + box.width, y1 + box.height), float(found.categories[0].score), points))
    return faces


def _open(name: str, min_confidence: float) -> Any:
    """Opens a model and runs it once, since its first run is slow and writes to the log."""
    path = weights_file(MODELS[name])
    with _quiet_stderr():
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_path=str(path)), min_detection_confidence=min_confidence
        )
        model = vision.FaceDetector.create_from_options(options)
        _run(model, np.zeros((64, 64, 3), np.uint8))
    return model


def _close(model: Any) -> None:
    try:
        model.close()
    except RuntimeError:  # the interpreter ends and MediaPipe's own thread has gone: keep __del__ from trying
        model._handle = None


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hides what C++ writes to file descriptor 2, which no log level of MediaPipe's silences.

    It is process-wide, so it is held only while a model opens.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
