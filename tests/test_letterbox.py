"""An image in a window of another shape."""

from __future__ import annotations

import numpy as np
import pytest

from live_emotion.io.display.letterbox import BORDER, Letterbox, opening_size
from live_emotion.types import EMOTIONS, Prediction, TrackedFace


@pytest.mark.parametrize(
    ("window", "area"),
    [
        ((640, 640), (0, 140, 640, 500)),
        ((1280, 360), (320, 0, 960, 360)),
        ((1280, 720), (0, 0, 1280, 720)),
        ((320, 180), (0, 0, 320, 180)),
    ],
)
def test_the_whole_image_is_there_in_its_ratio_on_dark_borders(window, area):
    image = np.full((360, 640, 3), 200, np.uint8)
    shown = Letterbox((640, 360), window).apply(image)
    assert shown.shape == (window[1], window[0], 3)
    x1, y1, x2, y2 = area
    assert (shown[y1:y2, x1:x2] == 200).all()
    assert (shown == 200).all(axis=2).sum() == (x2 - x1) * (y2 - y1)
    assert set(np.unique(shown)) <= {BORDER, 200}


def test_an_image_of_the_windows_size_is_shown_as_it_is():
    image = np.zeros((360, 640, 3), np.uint8)
    assert Letterbox((640, 360), (640, 360)).apply(image) is image


def test_faces_move_with_the_image():
    prediction = Prediction.from_probabilities((0.7, 0.1, 0.1, 0.1), EMOTIONS)
    face = TrackedFace((100, 50, 200, 150), 0.9, np.full((6, 2), 100, np.float32), prediction, 3)
    placed = Letterbox((640, 360), (1280, 800)).place(face)
    assert placed.box == (200, 140, 400, 340)
    assert (placed.keypoints == [200, 240]).all()
    assert placed.track_id == 3


@pytest.mark.parametrize("window", [(1, 1), (3000, 2), (2, 3000)])
def test_any_window(window):
    assert Letterbox((640, 360), window).apply(np.zeros((360, 640, 3), np.uint8)).shape[:2] == window[::-1]


@pytest.mark.parametrize("image", [(640, 360), (1920, 1080), (720, 1280), (3840, 2160), (2, 2)])
def test_a_window_opens_within_the_screen_and_not_as_a_stamp(image):
    width, height = opening_size(image, (1280, 720), 0.85, 1.25)
    assert width <= 1280 * 0.85 and height <= 720 * 0.85
    assert max(width / 1280, height / 720) > 0.85 / 1.25 - 0.01
    assert width / height == pytest.approx(image[0] / image[1], rel=0.01)
