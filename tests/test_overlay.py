"""What is drawn over an image."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from live_emotion.types import EMOTIONS, Prediction, TrackedFace
from live_emotion.visualization.overlay import Overlay, draw, tag
from live_emotion.visualization.palette import DARK, LIGHT, PALETTE, emotion_colours
from live_emotion.visualization.text import face_scale, put_text, text_scale, text_size


def face(box=(100, 100, 200, 200), probabilities=(0.7, 0.1, 0.1, 0.1), class_names=EMOTIONS):
    return TrackedFace(
        box, 0.9, np.zeros((6, 2), np.float32), Prediction.from_probabilities(probabilities, class_names), 1
    )


def test_the_image_itself_is_not_changed(portrait):
    before = portrait.copy()
    drawn = draw(portrait, [face()], EMOTIONS, lines=["30 FPS"])
    assert np.array_equal(portrait, before)
    assert drawn.shape == portrait.shape
    assert drawn.dtype == np.uint8


def test_nothing_to_draw_gives_an_equal_copy(portrait):
    drawn = draw(portrait, [], EMOTIONS)
    assert np.array_equal(drawn, portrait)
    assert drawn is not portrait


@pytest.mark.parametrize("background", [0, 128, 255])
@pytest.mark.parametrize("index", range(4))
def test_each_emotion_has_its_colour_on_any_background(background, index):
    probabilities = np.full(4, 0.1)
    probabilities[index] = 0.7
    image = np.full((480, 640, 3), background, np.uint8)
    drawn = draw(image, [face(probabilities=tuple(probabilities))], EMOTIONS, bars=False)
    colour = PALETTE[EMOTIONS[index]]
    assert (drawn == colour).all(axis=2).sum() > 500
    changed = (drawn != background).any(axis=2)
    assert changed[100:200, 95:106].any(axis=1).all(), "the box's left edge is unbroken"


def test_bars_are_as_long_as_their_probabilities():
    image = np.zeros((480, 640, 3), np.uint8)
    without = draw(image, [face()], EMOTIONS, bars=False)
    drawn = draw(image, [face(probabilities=(0.75, 0.25, 0.0, 0.0))], EMOTIONS)
    added = drawn[:, 210:]
    lengths = [int((added == PALETTE[name]).all(axis=2).any(axis=0).sum()) for name in ("angry", "happy")]
    assert lengths[0] == pytest.approx(3 * lengths[1], rel=0.2)
    assert (without[:, 210:] == 0).all()


@pytest.mark.parametrize(
    "box", [(-30, -30, 40, 40), (600, 440, 700, 520), (0, 0, 640, 480), (-5, 200, 645, 300), (300, 0, 340, 8)]
)
def test_boxes_at_the_edges_show_their_label(box):
    image = np.zeros((480, 640, 3), np.uint8)
    drawn = draw(image, [face(box)], EMOTIONS)
    assert drawn.shape == image.shape
    assert (drawn == PALETTE["angry"]).all(axis=2).sum() > 200


@pytest.mark.parametrize("size", [(8, 8), (60, 80), (2160, 3840)])
def test_any_size_of_image(size):
    image = np.zeros((*size, 3), np.uint8)
    drawn = draw(image, [face((1, 1, size[1] - 1, size[0] - 1))], EMOTIONS, lines=["9 FPS"])
    assert drawn.shape == image.shape
    assert drawn.any()


@pytest.mark.parametrize("turn", [1, -1])
def test_the_larger_face_by_area_comes_out_on_top(turn):
    wide = face((100, 200, 400, 260), (0.7, 0.1, 0.1, 0.1))
    tall = face((200, 60, 320, 400), (0.1, 0.1, 0.1, 0.7))
    drawn = draw(np.zeros((480, 640, 3), np.uint8), [wide, tall][::turn], EMOTIONS, bars=False)
    assert (drawn[201:259, 200] == PALETTE["sad"]).all(), "the tall face's left edge crosses the wide face unbroken"
    assert (drawn[200, 200] == PALETTE["sad"]).all() and (drawn[200, 150] == PALETTE["angry"]).all()


def test_text_grows_with_the_image():
    scales = [text_scale(*size) for size in ((240, 320), (480, 640), (1080, 1920), (2160, 3840))]
    assert scales == sorted(scales)
    assert scales[0] >= 0.38


def test_classes_of_other_names_get_colours_of_their_own():
    colours = emotion_colours(("awake", "asleep", "happy"))
    assert len(set(colours)) == 3
    assert colours[2] == PALETTE["happy"]
    names = ("awake", "asleep")
    drawn = draw(np.zeros((480, 640, 3), np.uint8), [face(probabilities=(0.8, 0.2), class_names=names)], names)
    assert (drawn == emotion_colours(names)[0]).all(axis=2).any()


def test_the_panel_covers_neither_a_face_nor_its_label_where_that_can_be_avoided():
    image = np.full((480, 640, 3), 90, np.uint8)
    near = face((20, 60, 160, 200))
    alone = draw(image, [near], EMOTIONS, bars=False)
    drawn = draw(image, [near], EMOTIONS, bars=False, lines=["30 FPS", "120 frames captured, 118 shown, 2 dropped"])
    assert np.array_equal(drawn[:210, :200], alone[:210, :200])
    assert not np.array_equal(drawn, alone)


def test_no_box_strikes_the_text_of_the_panel_through():
    image, lines = np.full((480, 640, 3), 90, np.uint8), ["30 FPS", "a line", "another line", "the last line"]
    filling = replace(face((8, 8, 632, 472)), track_id=0)  # no corner is free of its lines
    alone, drawn = (draw(image, faces, EMOTIONS, bars=False, lines=lines) for faces in ([], [filling]))
    letters = [(each == LIGHT).all(axis=2).sum() for each in (alone, drawn)]
    assert letters[0] == letters[1] > 100


def test_whose_face_it_is_stands_at_the_label():
    image = np.full((480, 640, 3), 90, np.uint8)
    nobody, first, second = (replace(face(), track_id=number) for number in (0, 1, 2))
    named = replace(first, name="Zoë")
    assert [tag(each) for each in (nobody, first, second, named)] == ["", "1", "2", "Zoë"]
    drawn = [draw(image, [each], EMOTIONS, bars=False) for each in (nobody, first, second, named)]
    assert all(not np.array_equal(a, b) for a, b in itertools.combinations(drawn, 2))


def test_text_is_in_proportion_to_the_face_as_far_as_it_can_be_read():
    scales = [face_scale(height, 1.2) for height in (10, 100, 200, 240, 400)]
    assert scales == sorted(scales)
    assert scales[0] == scales[1] == 0.66 and scales[-1] == 1.2
    assert scales[1] < scales[2] < scales[3]


def test_labels_stay_where_they_are_while_faces_shake():
    overlay, image = Overlay(EMOTIONS), np.full((480, 640, 3), 90, np.uint8)
    is_above = set()
    for shift in (0, 12, -12, 20, -5, 6):
        upper, lower = face((100, 60, 180, 160)), face((104, 190 + shift, 184, 270 + shift), (0.1, 0.7, 0.1, 0.1))
        drawn = overlay.draw(image, [upper, replace(lower, track_id=2)], bars=False)
        above = drawn[190 + shift - 20 : 190 + shift - 4, 104:184]
        is_above.add(bool((above == PALETTE["happy"]).all(axis=2).sum() > 100))
    assert len(is_above) == 1


SIGHTS = (
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)
"""How linear red, green and blue look to most people, and without red and green cones (Machado et al., 2009)."""

XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ.sum(axis=1)


def as_linear(colours):
    """Blue, green, red of 0 to 255 -> red, green, blue of 0 to 1, linear (sRGB)."""
    values = np.array(colours, float)[:, ::-1] / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def as_lab(linear):
    relative = linear @ XYZ.T / WHITE
    cubic = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = cubic.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize(
    "names",
    [
        (*EMOTIONS, "surprise", "fear", "disgust", "contempt", "bored", "awake"),
        tuple("abcdefghij"),
        ("happy", "awake", "asleep", "fear"),
    ],
)
def test_up_to_ten_classes_have_colours_that_everybody_can_tell_and_read(names):
    linear = as_linear(emotion_colours(names))
    for sight in SIGHTS:
        seen = as_lab((linear @ sight.T).clip(0, 1))
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)[~np.eye(len(names), dtype=bool)]
        assert apart.min() > 14
    luminance, dark = linear @ XYZ[1], as_linear([DARK]) @ XYZ[1]
    assert ((luminance + 0.05) / (dark + 0.05)).min() >= 4.5, "dark text on it"


def test_a_class_keeps_its_colour_whatever_others_there_are():
    for name, colour in PALETTE.items():
        assert emotion_colours(("bored", name, "awake"))[1] == colour
    assert len(emotion_colours([f"class {i}" for i in range(30)])) == 30, "more than ten share some"


@pytest.mark.parametrize("count", [1, 2, 10])
def test_any_number_of_classes_is_drawn(portrait, count):
    names = tuple(f"class {i}" for i in range(count))
    values = np.full(count, 1 / count)
    drawn = Overlay(names).draw(portrait, [face((205, 90, 325, 230), values, names)])
    for colour in emotion_colours(names):
        assert (drawn == colour).all(axis=2).sum() > 10, "each has its bar"


def test_text_may_be_any_bytes():
    canvas = np.zeros((40, 200, 3), np.uint8)
    put_text(canvas, "a\udcffb", (4, 30), 1.0, (255, 255, 255))
    assert canvas.any() and text_size("a\udcffb", 1.0) == text_size("a?b", 1.0)
