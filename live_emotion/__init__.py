"""live-emotion: faces in, emotions out, everything on this machine.

    >>> from live_emotion import load_model, predict_image  # doctest: +SKIP
    >>> model, class_names = load_model()  # doctest: +SKIP
    >>> emotion, confidence, probabilities = predict_image(model, "photo.jpg", class_names)  # doctest: +SKIP

Names load on first use, so that importing this package is quick and pulls in neither torch nor mediapipe.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from live_emotion.api import EmotionDetector, load_model, predict_image
    from live_emotion.emotions.classifier import EmotionClassifier
    from live_emotion.errors import LiveEmotionError
    from live_emotion.streaming import stream
    from live_emotion.types import EMOTIONS, Prediction, TrackedFace

_HOMES = {
    "EMOTIONS": "types",
    "EmotionClassifier": "emotions.classifier",
    "EmotionDetector": "api",
    "LiveEmotionError": "errors",
    "Prediction": "types",
    "TrackedFace": "types",
    "load_model": "api",
    "predict_image": "api",
    "stream": "streaming",
}

__all__ = [
    "EMOTIONS",
    "EmotionClassifier",
    "EmotionDetector",
    "LiveEmotionError",
    "Prediction",
    "TrackedFace",
    "load_model",
    "predict_image",
    "stream",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
