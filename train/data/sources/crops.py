"""Faces for training out of whole images, cut as live use cuts them."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from live_emotion.faces.boxes import area
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.video.demo_clip import demo_frames
from live_emotion.types import Box


class Crop(NamedTuple):
    """The largest face of an image.

    Attributes:
        face: (48, 48) uint8 grey.
        box: the detector's, ``x1 y1 x2 y2`` in pixels.
        faces: how many there were.
    """

    face: np.ndarray
    box: Box
    faces: int


def crop_largest(detector: FaceDetector, image: np.ndarray) -> Crop | None:
    """Finds and cuts out the largest face of an image, (H, W, 3) uint8 BGR; None where there is none.

    An image of 48x48 pixels is a face already and is taken whole.
    """
    faces, crops = find_faces(detector, image)
    if not faces:
        return None
    face, crop = max(zip(faces, crops), key=lambda pair: area(pair[0].box))
    return Crop(crop, face.box, len(faces))


def portrait_faces() -> np.ndarray:
    """A real face in some sizes and poses, from the portrait that the demo shows: uint8 (N, 48, 48)."""
    with FaceDetector() as detector:
        frames = itertools.islice(demo_frames(), 0, None, 10)
        crops = [crop_largest(detector, frame.image) for frame in frames]
    return np.stack([crop.face for crop in crops if crop])
