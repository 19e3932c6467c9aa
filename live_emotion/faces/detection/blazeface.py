"""Google's BlazeFace models in MediaPipe, the one place that imports mediapipe."""

from __future__ import annotations

import contextlib
import sys
import threading
import weakref
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

import numpy as np

from live_emotion.concurrency.quiet import quiet_stderr
from live_emotion.errors import ArgumentError
from live_emotion.faces.boxes import mirrored
from live_emotion.faces.preprocessing import flatten_alpha, shrunk
from live_emotion.resources import check_intact, weights_file
from live_emotion.types import Box, Face

MODELS = {
    "full": "face_detection_full_range_sparse.tflite",
    "short": "face_detection_short_range.tflite",
}
"""Files by the range of distances that a model is for: it sees a picture at 192 (full) or 128 (short) pixels."""

SMALLEST_FACE = 16
"""Faces, and pictures, with a shorter side in pixels are not looked at: a third of what the network reads."""


LARGEST_SIDE = 1920
"""Images with a longer side in pixels are shrunk to this first: the models see at most 192 pixels, and MediaPipe takes
no side beyond 32,766."""

OUTSIDE_GREY = 128
"""Grey level of what lies outside of an image; on black, or stretched edges, more faces that fill it are missed."""

PLOTTING = frozenset(f"mediapipe.tasks.python.vision.{name}" for name in ("drawing_styles", "drawing_utils"))
"""Modules of MediaPipe that nothing here uses."""


class BlazeFace:
    """One of the two models. Opening it takes a moment, since it also runs it once.

    Args:
        name: ``full`` or ``short``.
        min_confidence: lowest score of a face, 0 to 1.

    Raises:
        WeightsError: the model's file is missing or damaged.
    """

    def __init__(self, name: str, min_confidence: float) -> None:
        self._model = _open(name, min_confidence)
        # An unclosed detector raises in its __del__ when the interpreter ends; this runs before that.
        self._close = weakref.finalize(self, _close, self._model)

    def find(self, image: np.ndarray, area: Box | None = None, is_mirrored: bool = False) -> list[Face]:
        """Finds faces.

        Args:
            image: (H, W, 3) uint8 BGR, (H, W, 4) BGRA or (H, W) grey.
            area: look at this part of it alone; where it leaves the image, there is grey.
            is_mirrored: look at it turned left to right; the faces come back as they are in the image.

        Returns:
            faces in the pixels of the whole image.

        Raises:
            ArgumentError: another shape or dtype, or the model is closed.
        """
        if not self._close.alive:
            raise ArgumentError("this face detector is closed; make another")
        check_image(image)
        height, width = image.shape[:2]
        left, top, right, bottom = (round(side) for side in area or (0, 0, width, height))
        part = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if min(part.shape[:2]) < SMALLEST_FACE:
            return []
        beyond = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
        scale = min(1.0, LARGEST_SIDE / max(bottom - top, right - left))
        part = shrunk(part, max(1, round(scale * max(part.shape[:2]))))  # before anything copies it
        if any(beyond):
            part = _bordered(part, *(round(scale * more) for more in beyond))
        seen = (left, top, right, bottom)
        if not is_mirrored:
            return _run(self._model, part, seen)
        turned = _run(self._model, np.ascontiguousarray(part[:, ::-1]), seen)
        return [mirrored(face, left + right) for face in turned]

    def close(self) -> None:
        """Frees the model; closing twice does nothing."""
        self._close()


def _bordered(image: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """An image with so many grey pixels more on each side."""
    import cv2

    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(OUTSIDE_GREY,) * 4)


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


def _run(model: Any, image: np.ndarray, area: tuple[int, int, int, int]) -> list[Face]:
    """What a model finds in an image that shows an area of a larger one, in the pixels of that."""
    import mediapipe

    left, top, right, bottom = area
    width, height = right - left, bottom - top
    rgb = to_rgb(image)
    scale_x, scale_y = width / rgb.shape[1], height / rgb.shape[0]
    faces = []
    for found in model.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)).detections:
        box = found.bounding_box
        x1, y1 = left + scale_x * box.origin_x, top + scale_y * box.origin_y
        x2, y2 = x1 + scale_x * box.width, y1 + scale_y * box.height
        if min(x2 - x1, y2 - y1) >= SMALLEST_FACE:
            points = np.array([(left + k.x * width, top + k.y * height) for k in found.keypoints], np.float32)
            faces.append(Face((x1, y1, x2, y2), float(found.categories[0].score), points))
    return faces


_opening = threading.Lock()
"""What opening a model changes, for a moment, is the whole process's."""


def _open(name: str, min_confidence: float) -> Any:
    """Opens a model and runs it once, since its first run is slow and writes to the log."""
    path = weights_file(MODELS[name])
    check_intact(path)
    with _opening, quiet_stderr():
        with _lazy_plotting():
            from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_path=str(path)), min_detection_confidence=min_confidence
        )
        model = vision.FaceDetector.create_from_options(options)
        _run(model, np.zeros((64, 64, 3), np.uint8), (0, 0, 64, 64))
    return model


def _close(model: Any) -> None:
    try:
        model.close()
    except RuntimeError:  # the interpreter ends and MediaPipe's own thread has gone: keep __del__ from trying
        model._handle = None


class _LazyPlotting(MetaPathFinder):
    """Lets MediaPipe's plotting, which nothing here uses, load when somebody plots and not when MediaPipe does.

    With it comes matplotlib's pyplot, which takes half a second and writes a list of the machine's fonts into the
    user's home.
    """

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """That of the plotting's modules; None for any other."""
        spec = PathFinder.find_spec(name, path) if name in PLOTTING else None
        if spec and spec.loader:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def _lazy_plotting() -> Iterator[None]:
    finder = _LazyPlotting()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
