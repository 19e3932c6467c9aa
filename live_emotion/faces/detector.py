"""Frames -> faces, by Google's BlazeFace models in MediaPipe. The only place that imports mediapipe."""

from __future__ import annotations

import contextlib
import os
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from live_emotion.faces.boxes import SAME_FACE, merge, shared
from live_emotion.faces.preprocessing import flatten_alpha
from live_emotion.faces.refinement import Followed, Following
from live_emotion.resources import weights_file
from live_emotion.types import Box, Face

KINDS = ("full", "short", "tiled")

MODELS = {
    "full": "face_detection_full_range_sparse.tflite",
    "short": "face_detection_short_range.tflite",
}

SMALLEST_FACE = 16
"""Faces, and pictures, with a shorter side in pixels are not looked at: a third of what the network reads."""

TILE = 0.6
"""Side of a tile as a part of the picture's shorter side: the models see a frame at 192 pixels at most, so a face
in a tile is seen 1.7 times (in 16:9: 3 times) as large."""

TILE_STRIDE = 0.6
"""Distance between tiles as a part of their side; a face up to 0.4 of a tile lies whole in one of them."""

PROPOSAL_SCORE = 0.07
"""Lowest score at which the full-range model proposes a face for a closer look. Of 240 faces of 96 to 400 pixels in
1280x720 pictures 72 % are found with 0.4, and 93 % with this (``benchmarks/detection.py``)."""

WEAK_SCORE = 0.4
"""Proposals with a lower score must be seen more clearly close up."""

CUT_SCORE = 0.3
"""Score that a face over the edge of a tile has at most: a weak proposal."""

TILE_SCORE = 0.15
"""Lowest score of a proposal within a tile, where there are many."""

CLEAR_SCORE = 0.6
"""Score that these need close up: it halves what is taken for a face and is none."""

CERTAIN_SCORE = 0.75
"""Score of the full-range model from which a face counts even if the closer look finds none, as in profile."""

CLOSER_LOOK = 2.0
"""Side of the square in which the short-range model looks again, in sides of the proposed box."""


class FaceDetector:
    """Finds faces.

    The full-range model sees a frame at 192 pixels. Its boxes are rough, and now and then it takes lettering for a
    face. So what it proposes is looked at again close up by the short-range model, which confirms it and gives the
    truer box.

    Args:
        kind: ``full``: the full-range model on the whole frame. ``tiled``: also on overlapping tiles, for groups and
            faces far away. ``short``: the short-range model alone, quicker, for a face that fills the picture.
        min_confidence: lowest score of a face, 0 to 1.
        max_faces: most faces to give, those with the highest scores.
        follow: the pictures are successive frames. A face where one was seen close up in the last frame gets the
            closer look in some frames only, more often while it is new; between them its box goes along with the
            full-range model's. Of new weak proposals one gets it in every fourth frame.

    Raises:
        WeightsError: a model file is missing.
    """

    def __init__(
        self, kind: str = "full", min_confidence: float = 0.5, max_faces: int = 10, follow: bool = False
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        self.kind = kind
        self.min_confidence = min_confidence
        self.max_faces = max_faces
        self.following = Following() if follow else None
        self._short = _open_model("short", min_confidence)
        self._full = None if kind == "short" else _open_model("full", PROPOSAL_SCORE)
        # An unclosed detector raises in its __del__ when the interpreter ends; this runs before that.
        self._close = weakref.finalize(self, _close_all, [m for m in (self._short, self._full) if m])

    def detect(
        self, image: np.ndarray, proposed: list[Face] | None = None, following: Following | None = None
    ) -> list[Face]:
        """Finds the faces in a picture.

        Args:
            image: (H, W, 3) uint8 BGR, (H, W, 4) BGRA or (H, W) grey.
            proposed: what :meth:`propose` gave for it, if it was asked before.
            following: the memory of a video, for frames in order; by default the detector's own, if it has one.

        Returns:
            at most ``max_faces`` faces, the highest score first.

        Raises:
            ValueError: another shape or dtype, or the detector is closed.
        """
        faces = self.propose(image) if proposed is None else proposed
        if self._full:
            following = following or self.following
            followed = self._look_at(image, faces, following)
            if following:
                following.faces = followed
            faces = merge([face.seen for face in followed])
        return faces[: self.max_faces]

    def propose(self, image: np.ndarray) -> list[Face]:
        """The first half of :meth:`detect`, which depends on this picture alone: what may be a face.

        Another detector of the same kind, in another thread, may do the second half.
        """
        if not self._close.alive:
            raise ValueError("this face detector is closed")
        rgb = _to_rgb(image)
        if min(rgb.shape[:2]) < SMALLEST_FACE:
            return []
        if not self._full:
            return merge(_run(self._short, rgb))
        proposed = _run(self._full, rgb)
        if self.kind == "tiled":
            for tile in tiles(rgb.shape[1], rgb.shape[0]):
                proposed += [
                    _doubt_cut(face, tile, rgb.shape)
                    for face in _look(self._full, image, tile)
                    if face.score >= TILE_SCORE
                ]
        return merge(proposed)

    def _look_at(self, image: np.ndarray, proposed: list[Face], following: Following | None) -> list[Followed]:
        """The proposed faces that are faces; of those that are followed, one at most gets a closer look."""
        known = [following.last(face) if following else None for face in proposed]
        weak = [i for i, face in enumerate(proposed) if known[i] is None and face.score < WEAK_SCORE]
        left_out = set(weak) - following.take_turn(weak) if following else set()
        found: list[Followed] = []
        looked_again = False
        for i, (face, last) in enumerate(zip(proposed, known)):
            if last and (looked_again or not last.is_due):
                found.append(last.carried_to(face))
            elif i not in left_out:
                looked_again = looked_again or last is not None
                seen = self._look_closer(image, face)
                found += [Followed(face, seen, looks=last.looks + 1 if last else 1)] if seen else []
        return found

    def _look_closer(self, image: np.ndarray, face: Face) -> Face | None:
        """A proposed face as the short-range model sees it close up; None if it is doubtful and not seen again."""
        x1, y1, x2, y2 = face.box
        reach = CLOSER_LOOK * max(x2 - x1, y2 - y1) / 2
        centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
        square = (centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach)
        needed = CLEAR_SCORE if face.score < WEAK_SCORE else 0.0
        near = (f for f in _look(self._short, image, square) if f.score >= needed)
        same = [f for f in near if shared(f.box, face.box) >= SAME_FACE]
        if same:
            return max(same, key=lambda f: f.score)
        return face if face.score >= max(CERTAIN_SCORE, self.min_confidence) else None

    def close(self) -> None:
        """Frees the models; closing twice does nothing."""
        self._close()

    def __enter__(self) -> FaceDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def tiles(width: int, height: int) -> list[Box]:
    """Overlapping squares that cover a picture, as boxes in whole pixels."""
    side = max(SMALLEST_FACE, round(TILE * min(width, height)))

    def starts(length: int) -> list[int]:
        count = int(np.ceil((length - side) / (TILE_STRIDE * side))) + 1
        return [round(start) for start in np.linspace(0, length - side, count)]

    return [(x, y, x + side, y + side) for y in starts(height) for x in starts(width)]


def _doubt_cut(face: Face, tile: Box, shape: tuple[int, ...]) -> Face:
    """A face found in a tile; where it reaches over an edge that is not the picture's, half of it may be missing, and
    only the closer look can tell.
    """
    height, width = shape[:2]
    box = face.box
    is_cut = (
        (box[0] <= tile[0] and tile[0] > 0)
        or (box[1] <= tile[1] and tile[1] > 0)
        or (box[2] >= tile[2] and tile[2] < width)
        or (box[3] >= tile[3] and tile[3] < height)
    )
    return replace(face, score=min(face.score, CUT_SCORE)) if is_cut else face


def _look(model: Any, image: np.ndarray, area: Box) -> list[Face]:
    """Faces that a model finds in a part of the picture, in the picture's pixels."""
    height, width = image.shape[:2]
    left, top = max(0, round(area[0])), max(0, round(area[1]))
    part = image[top : min(height, round(area[3])), left : min(width, round(area[2]))]
    if min(part.shape[:2]) < SMALLEST_FACE:
        return []
    offset = np.array([left, top], np.float32)
    return [
        Face((f.box[0] + left, f.box[1] + top, f.box[2] + left, f.box[3] + top), f.score, f.keypoints + offset)
        for f in _run(model, _to_rgb(part))
    ]


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


def _to_rgb(image: np.ndarray) -> np.ndarray:
    """Any picture that :meth:`FaceDetector.detect` takes as (H, W, 3) uint8 RGB."""
    import cv2

    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"a frame must be uint8 (H, W, 3) BGR and not empty, this one is {image.dtype} {image.shape}")
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if image.shape[2] == 4:
        image = flatten_alpha(image)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _open_model(name: str, min_confidence: float) -> Any:
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


def _close_all(models: list[Any]) -> None:
    for model in models:
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
