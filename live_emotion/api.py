"""What a Python program calls."""

from __future__ import annotations

import functools
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from live_emotion.checks import WHOLE, check_device, check_flag, check_number, check_whole, is_path, wrong
from live_emotion.emotions.classifier import (
    EmotionClassifier,
    Network,
    check_class_names,
    check_model,
    import_torch_networks,
    is_module,
    load_network,
)
from live_emotion.emotions.onnx import is_onnx
from live_emotion.emotions.why import Why
from live_emotion.errors import ArgumentError, InputError
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.blazeface import check_image
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.camera import LARGEST_NUMBER, CameraMode
from live_emotion.io.images import read_image
from live_emotion.io.live_source import open_camera
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.live.controls import Settings
from live_emotion.pipelines.live.loop import find_live, read_live
from live_emotion.pipelines.result import Result
from live_emotion.resources import DEFAULT, find_weights
from live_emotion.types import Frame, Prediction, Row, StrPath, TrackedFace

if TYPE_CHECKING:
    from torch import nn


def load_model(weights: StrPath | None = None, device: str = "auto") -> tuple[nn.Module | Network, tuple[str, ...]]:
    """Loads a trained network.

    Args:
        weights: a ``.pth`` checkpoint or an ``.onnx`` model, or the short name of one that comes with live-emotion,
            such as ``cnn``; ``live-emotion weights`` lists them. None is ``default``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns:
        the network, and its class names in the order of its outputs. Of a ``.pth`` it is an ``nn.Module`` in evaluation
        mode, which maps float32 (N, 1, 48, 48) in [-1, 1] to logits (N, C + K); of an ``.onnx`` an object whose method
        ``logits`` maps faces, uint8 (N, 48, 48), to them. Its attribute ``temperature`` is to divide the logits, and
        ``other_names`` names the last K, often none: what is none of the classes.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
        MissingExtraError: a checkpoint needs PyTorch.
        ArgumentError: these are no names of a file and of a device.
    """
    if weights is not None and not is_path(weights):
        raise wrong("weights", "the name of a file or None", weights)
    path = find_weights(DEFAULT if weights is None else weights)
    check_device(device)
    if is_onnx(path):
        network = load_network(path, device)
        return network, network.class_names
    return import_torch_networks().load_module(path, device)


def predict_image(
    model: nn.Module | Network, image: StrPath | np.ndarray, class_names: Sequence[str]
) -> tuple[str, float, np.ndarray]:
    """Reads the emotion of the largest face in an image. The first call takes longer than those that follow.

    Args:
        model: from :func:`load_model`.
        image: a file, or (H, W, 3) uint8 BGR or (H, W) uint8 grey. One of 48x48 pixels is taken as a face as it is.
        class_names: from :func:`load_model`.

    Returns:
        the emotion, its confidence in percent (0 to 100), and the probabilities of all classes, float32 (C,).

    Raises:
        InputError: no such file, not an image, or no face in it.
        ArgumentError: an array of another shape or dtype, no such model, or no names.
        WeightsError: the model has another number of outputs than there are names, or they are no numbers.
    """
    classifier = _classifier(model, class_names)
    pixels: Any = read_image(image) if is_path(image) else image
    with _lock:
        faces, crops = find_faces(_detector(), pixels)
    if not faces:
        name = str(image) if is_path(image) else "the image"
        raise InputError(f"Found no face in {name}; use one with a larger, brighter face seen from the front.")
    best = classifier.classify(crops[:1])[0]
    return best.emotion, 100 * best.confidence, np.array(best.probabilities, np.float32)


_lock = threading.Lock()
"""Held by whoever uses the detector of :func:`predict_image`."""

_detector = functools.cache(FaceDetector)
"""Gives the detector of :func:`predict_image`."""

_classifiers: weakref.WeakKeyDictionary[Any, tuple[object, EmotionClassifier]] = weakref.WeakKeyDictionary()
"""The classifiers of :func:`predict_image` by their ``nn.Module``, each with what that was when it was made."""


def _classifier(model: Any, class_names: Sequence[str]) -> EmotionClassifier:
    """The classifier around a model, made anew when the model was trained on or is named otherwise."""
    names, temperature = check_class_names(class_names), check_model(model)
    if not is_module(model):
        return EmotionClassifier.of(model, names)
    tensors = (*model.parameters(), *model.buffers())
    try:
        versions = tuple((tensor.data_ptr(), tensor.is_inference() or tensor._version) for tensor in tensors)
    except (RuntimeError, ValueError) as error:  # lazy ones, and others without memory
        raise ArgumentError("the model's weights have no numbers yet; load them, or train it first") from error
    state = names, temperature, versions
    known = _classifiers.get(model)
    if known is None or known[0] != state:
        known = _classifiers[model] = (state, EmotionClassifier.of(model, names))
    return known[1]


def _is_face(face: Any) -> bool:
    """Whether something is made as the faces of :meth:`EmotionDetector.detect` are, whatever its numbers."""
    return (
        isinstance(face, TrackedFace)
        and isinstance(face.box, tuple)
        and len(face.box) == 4
        and all(isinstance(side, (*WHOLE, float, np.floating)) for side in face.box)
        and isinstance(face.keypoints, np.ndarray)
        and face.keypoints.shape == (6, 2)
        and face.keypoints.dtype.kind == "f"
        and isinstance(face.prediction, Prediction)
        and isinstance(face.note, str)
    )


def _changed(config: AnalysisConfig, changes: dict[str, Any]) -> AnalysisConfig:
    given: Any = config
    if not isinstance(given, AnalysisConfig):
        raise wrong("config", "an AnalysisConfig; name what else you give, as in device='cpu'", config)
    names = [item.name for item in fields(AnalysisConfig)]
    if unknown := sorted(set(changes) - set(names)):
        raise ArgumentError(f"there is no {unknown[0]} to set; there are {', '.join(names)}")
    return replace(config, **changes)


class EmotionDetector:
    """Finds faces and reads their emotions, frame by frame.

    Args:
        config: how, see :class:`AnalysisConfig`.
        **changes: its fields, for short: ``EmotionDetector(track=True, detector="short")``. With ``track`` it keeps
            identities and smooths the probabilities from frame to frame; leave it off for unrelated images.

    Attributes:
        class_names: in the order of each face's ``probabilities``.

    Raises:
        WeightsError: a weights file is missing or damaged.
        DeviceError: the device is not available.
        InputError: there is no such profile, or it is for other weights.
        ArgumentError: a value makes no sense.

    Example:
        >>> with EmotionDetector() as detector:  # doctest: +SKIP
        ...     for face in detector.detect(frame):
        ...         print(face.box, face.emotion, face.confidence)
    """

    def __init__(self, config: AnalysisConfig = AnalysisConfig(), **changes: Any) -> None:
        self._analyzer = EmotionAnalyzer(_changed(config, changes))
        self._count = 0
        self._is_closed = False
        self.class_names = self._analyzer.class_names

    def detect(self, image: np.ndarray, time_s: float | None = None) -> list[TrackedFace]:
        """The faces of an image.

        Args:
            image: (H, W, 3) uint8 BGR, as OpenCV gives it.
            time_s: when it was taken, in seconds, for tracking; None: the clock's time now.

        Returns:
            faces with ``box`` (x1, y1, x2, y2 in pixels), ``emotion``, ``confidence`` (0 to 1), ``probabilities``
            (in the order of ``class_names``) and, where tracking is on, ``track_id``.

        Raises:
            ArgumentError: ``image`` is no such array, as after a failed ``cv2.imread``, ``time_s`` is not finite, or
                the detector is closed.
        """
        if self._is_closed:
            raise ArgumentError("this EmotionDetector is closed; make another one")
        now_s = check_number("time_s", time.monotonic() if time_s is None else time_s, "a finite number of seconds")
        frame = Frame(self._count, now_s, image)
        self._count += 1
        return self._analyzer.analyze(frame).faces

    def why(self, image: np.ndarray, face: TrackedFace, heat: bool = False) -> Why | None:
        """Why a face is read as it is: what becomes of its emotion when a part of the face is hidden.

        Args:
            image: that :meth:`detect` found it in.
            face: that it gave.
            heat: also a map of where on the face the network sees the emotion.

        Returns:
            as text a line such as ``mostly the mouth: without it 41% happy instead of 96%``; the probabilities are in
            its ``without``, by the region's name, and the map in ``heat``. None where the face cannot be read.

        Raises:
            ArgumentError: these are no such image and face, or the detector is closed.
            LiveEmotionError: the network gives no map.

        Example:
            >>> with EmotionDetector() as detector:  # doctest: +SKIP
            ...     for face in detector.detect(frame):
            ...         print(detector.why(frame, face))
        """
        if self._is_closed:
            raise ArgumentError("this EmotionDetector is closed; make another one")
        check_image(image)
        if not _is_face(face):
            raise wrong("face", "a face that detect gave", face)
        return self._analyzer.explain(image, face, check_flag("heat", heat))

    def close(self) -> None:
        """Frees the face detector."""
        self._is_closed = True
        self._analyzer.close()

    def __enter__(self) -> EmotionDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stream(
    source: int | StrPath = 0,
    config: AnalysisConfig = AnalysisConfig(),
    *,
    mirror: bool = False,
    mode: CameraMode = CameraMode(),
    callback: Callable[[Row], object] | None = None,
    **changes: Any,
) -> Iterator[Result]:
    """Reads a camera, a stream or a video that plays at its own speed. Frames that come while you are busy are dropped.

    Args:
        source: number or name of a camera, a URL such as ``rtsp://...``, or a video file.
        config: how faces are found and read, see :class:`AnalysisConfig`; they are always tracked.
        mirror: turn the frames left to right.
        mode: asked of a camera.
        callback: called with a row, a dictionary with the columns of ``--log``, for each face.
        **changes: fields of ``config``, for short: ``stream(0, detector="short", profile="me")``.

    Yields:
        results with ``frame`` (its ``image`` is (H, W, 3) uint8 BGR), ``faces``, ``rows()`` and ``draw()``. A video
        ends, a camera does not; leaving the loop frees it.

    Raises:
        LiveEmotionError: the camera or a model file is missing, the camera gives no frames any more, or a value makes
            no sense.

    Example:
        >>> for result in stream(0):  # doctest: +SKIP
        ...     for face in result.faces:
        ...         print(face.track_id, face.emotion, face.confidence)
    """
    check_flag("mirror", mirror)
    if not is_path(source):
        source = str(check_whole("source", source, "a camera's number or name, a URL or a file", 0, LARGEST_NUMBER))
    if not isinstance(mode, CameraMode):
        raise wrong("mode", "a CameraMode", mode)
    if callback is not None and not callable(callback):
        raise wrong("callback", "a function or None", callback)
    with (
        EmotionAnalyzer(_changed(config, {**changes, "track": True})) as analyzer,
        open_camera(os.fsdecode(source), mode) as frames,
    ):
        for result in read_live(find_live(frames, analyzer, Settings(mirror=mirror)), analyzer):
            if callback:
                for row in result.rows():
                    callback(row)
            yield result
