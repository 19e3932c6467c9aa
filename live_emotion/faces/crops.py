"""The faces of a picture, judged and cut out as the network reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.detection.refinement import RefinementMemory
from live_emotion.faces.preprocessing import FACE_SIZE, crop_face
from live_emotion.faces.quality import assess
from live_emotion.types import Face


def find_faces(
    detector: FaceDetector,
    image: np.ndarray,
    proposed: list[Face] | None = None,
    memory: RefinementMemory | None = None,
    time_s: float = 0.0,
) -> tuple[list[Face], np.ndarray]:
    """Finds and cuts out the faces of a picture.

    Args:
        detector: finds them.
        image: (H, W, 3) uint8 BGR or (H, W) uint8 grey. One of 48x48 pixels is a face, as in FER2013, and is taken
            as it is: its box is the picture and its keypoints are not known (NaN).
        proposed: and ``memory`` and ``time_s`` are those of :meth:`FaceDetector.detect`.

    Returns:
        N faces, the largest first, with a note where one cannot be read, and their crops as uint8 (N, 48, 48).

    Raises:
        ArgumentError: ``image`` has another shape or dtype.
    """
    if getattr(image, "shape", ())[:2] == (FACE_SIZE, FACE_SIZE):
        side = float(FACE_SIZE)
        faces = [Face((0.0, 0.0, side, side), 1.0, np.full((6, 2), np.nan, np.float32))]
    else:
        faces = detector.detect(image, proposed, memory, time_s)
    crops = np.empty((len(faces), FACE_SIZE, FACE_SIZE), np.uint8)
    for crop, face in zip(crops, faces):
        crop[:] = crop_face(image, face.box)
    return [replace(f, note=assess(f.box, f.keypoints, crop)) for f, crop in zip(faces, crops)], crops
