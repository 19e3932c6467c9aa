"""Calls of the public API with arguments that make no sense: each is answered, or is a ``LiveEmotionError``."""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mutate import NUMBERS, TEXTS

import live_emotion
from live_emotion import AnalysisConfig, CameraMode, EmotionClassifier, EmotionDetector, LiveEmotionError
from live_emotion.emotions.profile import Profile
from live_emotion.faces.preprocessing import crop_face, normalize_faces

CALLS = 12
"""In a process."""

DTYPES = ("uint8", "uint8", "uint8", "int8", "uint16", "int64", "float16", "float32", "float64", "bool", "complex64")

SHAPES = (
    *((48, 48), (48, 48, 1), (48, 48, 3), (48, 48, 4), (48, 48, 2), (48, 48, 48), (300, 200, 3), (300, 200)),
    *((300, 200, 4), (300, 200, 5), (300, 200, 2), (300, 200, 0), (0, 0, 3), (1, 1, 3), (1, 5000, 3), (2, 300, 200, 3)),
    *(
        (),
        (0,),
        (5,),
        (3, 300, 200),
        (33_000, 2, 3),
        (2, 33_000),
        (1, 48, 48),
        (3, 48, 48),
        (0, 48, 48),
        (2, 1, 48, 48),
    ),
)


class Odd:
    """An object that fails at whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return -1

    def __bool__(self) -> bool:
        raise ValueError("no")


def array(chance: random.Random) -> np.ndarray:
    """One of any shape, type, strides and content."""
    made = np.zeros(chance.choice(SHAPES), chance.choice(DTYPES))
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        made[...] = chance.choice([0, 1, 200, np.nan, np.inf, -1])
    if made.ndim and chance.random() < 0.3:
        made = made[chance.choice([slice(None, None, -1), slice(None, None, 2), slice(1, None)])]
    if made.ndim and chance.random() < 0.1:
        made = np.asfortranarray(made)
    return made


def anything(chance: random.Random, root: Path) -> Any:
    """A value of any type."""
    return chance.choice(
        [
            *(None, True, [], {}, (), b"", object(), Odd(), print, int, "me", "cpu", "full", root, {"a": 1}, range(3)),
            *(array(chance), array(chance), [array(chance)] * 2, array(chance).tolist(), {1, 2}, iter([1]), 1j),
            *(chance.choice(NUMBERS), chance.choice(NUMBERS), chance.choice(TEXTS), chance.choice(TEXTS)),
            *(np.float32("nan"), np.int8(-3), np.str_("a"), np.ma.masked, np.datetime64("now"), memoryview(b"ab")),
            *(str(root / "pictures" / "a.jpg"), str(root / "weights" / "small.onnx"), root / "weights" / "small.pth"),
        ]
    )


def call(chance: random.Random, root: Path) -> Any:
    """One call; what it gives."""

    def some() -> Any:
        return anything(chance, root)

    detector_fields = ("weights", "device", "detector", "min_confidence", "max_faces", "profile", "track", "other")
    changes = {name: some() for name in chance.sample(detector_fields, chance.choice([1, 1, 2]))}
    network, names = live_emotion.load_model(root / "weights" / chance.choice(["small.pth", "small.onnx"]))
    faces = np.zeros((3, 48, 48), np.uint8)
    kind = chance.randrange(16)
    if kind == 0:
        changes.pop("other", None)  # an argument that there is not is Python's own TypeError
        return AnalysisConfig(**changes)
    if kind == 1:
        return EmotionDetector(**changes)
    if kind <= 4:
        with EmotionDetector(track=chance.random() < 0.5) as detector:
            detector.detect(chance.choice([array(chance), array(chance), some()]))
            return detector.detect(array(chance), some())
    if kind == 5:
        return live_emotion.predict_image(network, chance.choice([array(chance), some()]), names)
    if kind == 6:
        return live_emotion.predict_image(some(), faces[0], names)
    if kind == 7:
        return live_emotion.predict_image(network, faces[0], some())
    if kind == 8:
        return live_emotion.load_model(some(), some())
    if kind == 9:
        source = chance.choice([str(root / "videos" / "a.mp4"), some(), "missing.mp4", 77])
        stream = live_emotion.stream(source, **chance.choice([{}, {"mirror": some()}, {"mode": some()}, changes]))
        return [result.rows() for _, result in zip(range(3), stream)]
    if kind == 10:
        return CameraMode(*(some() for _ in range(chance.randrange(4))))
    if kind == 11:
        return EmotionClassifier(some(), some(), some())
    classifier = EmotionClassifier(root / "weights" / "small.onnx", profile=None)
    if kind == 12:
        method = chance.choice([classifier.predict, classifier.classify, classifier.read, classifier.predict_all])
        return method(chance.choice([array(chance), some(), faces[::-1], faces.transpose(0, 2, 1)]))
    if kind == 13:
        return EmotionClassifier.of(some(), some())
    if kind == 14:
        labels = chance.choice([["neutral", "happy", "sad"], some(), [some()] * 3])
        return Profile.fit(chance.choice([faces, array(chance), some()]), labels, classifier)
    return chance.choice([crop_face, lambda image, box: normalize_faces(image)])(
        array(chance), tuple(chance.choice([0, 10, 50, -5, 1e9, np.nan, 48]) for _ in range(4))
    )


def find_no_number(value: Any) -> bool:
    """Whether something that was given holds NaN or an infinite number."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc" and not np.isfinite(value).all()
    if isinstance(value, float):
        return not np.isfinite(value)
    if isinstance(value, dict):
        return any(map(find_no_number, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(find_no_number, value))
    probabilities = getattr(value, "probabilities", None)
    return probabilities is not None and find_no_number(probabilities)


def main() -> None:
    """Makes calls from the seed in ``sys.argv``; the first error that is none of live-emotion's ends it."""
    chance, root = random.Random(sys.argv[1]), Path(sys.argv[2])
    for _ in range(CALLS):
        try:
            given = call(chance, root)
        except LiveEmotionError as error:
            if str(error).count("\n"):
                raise RuntimeError("a message of several lines") from error
            continue
        if not isinstance(given, AnalysisConfig) and find_no_number(given):
            print("NaN")
