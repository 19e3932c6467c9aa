"""Faces that cannot be read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.quality import BLURRED, TOO_DARK, TOO_SMALL, TURNED_AWAY, assess, sharpness, turn

BOX = (0.0, 0.0, 100.0, 100.0)
FRONT = np.array([[30, 40], [70, 40], [50, 60], [50, 80], [10, 45], [90, 45]], np.float32)


@pytest.fixture(scope="module")
def crop(portrait):
    with FaceDetector() as detector:
        _, crops = find_faces(detector, portrait)
    return crops[0]


def test_a_good_portrait_has_no_note(portrait):
    with FaceDetector() as detector:
        faces, _ = find_faces(detector, portrait)
    assert [face.note for face in faces] == [""]


def test_too_small(crop):
    assert assess((0, 0, 20, 20), FRONT, crop) == TOO_SMALL


def test_too_dark_or_flat(crop):
    assert assess(BOX, FRONT, (crop * 0.05).astype(np.uint8)) == TOO_DARK
    assert assess(BOX, FRONT, np.full((48, 48), 128, np.uint8)) == TOO_DARK
    assert assess(BOX, FRONT, (crop * 0.4).astype(np.uint8)) == "", "half light is no hindrance"


def test_blurred_in_any_contrast(crop):
    blurred = cv2.GaussianBlur(crop, (0, 0), 4)
    assert assess(BOX, FRONT, crop) == ""
    assert assess(BOX, FRONT, blurred) == BLURRED
    assert sharpness(crop) == pytest.approx(sharpness((crop // 2).astype(np.uint8)), rel=0.1)


def test_turned_away_however_the_head_is_tilted(crop):
    turned = FRONT.copy()
    turned[2, 0] = 72
    assert assess(BOX, turned, crop) == TURNED_AWAY
    angle = np.radians(30)
    tilt = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    assert turn(FRONT @ tilt.T) == pytest.approx(0, abs=1e-5)
    assert turn(turned @ tilt.T) == pytest.approx(turn(turned), abs=1e-5)


def test_unknown_keypoints_are_no_reason(crop):
    assert assess(BOX, np.full((6, 2), np.nan, np.float32), crop) == ""
