"""From face pixels to the network's input."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from live_emotion.faces.preprocessing import crop_box, crop_face, face_pixels, flatten_alpha, normalize_faces, to_grey


def test_crop_box_is_the_measured_square():
    x1, y1, x2, y2 = crop_box((100, 200, 184, 284))
    assert x2 - x1 == pytest.approx(100)
    assert y2 - y1 == pytest.approx(100)
    assert (x1 + x2) / 2 == pytest.approx(142)
    assert (y1 + y2) / 2 == pytest.approx(242 - 7)


def test_crop_box_of_an_oblong_box_is_square_around_it():
    x1, y1, x2, y2 = crop_box((0, 0, 84, 42))
    assert x2 - x1 == pytest.approx(y2 - y1) == pytest.approx(100)


def test_a_training_image_and_the_same_pixels_met_live_give_equal_tensors(portrait, tmp_path):
    """The training image's pixels, placed in a frame where the live crop falls on them exactly."""
    face = face_pixels(portrait[100:400, 150:450])
    file = tmp_path / "face.png"
    cv2.imwrite(str(file), face)
    read_for_training = face_pixels(cv2.imread(str(file), cv2.IMREAD_COLOR))

    frame = np.full((200, 300, 3), 90, np.uint8)
    frame[50:98, 60:108] = face[:, :, None]
    side = 0.84 * 48
    centre_x, centre_y = 60 + 24, 50 + 24 + 0.07 * 48
    box = (centre_x - side / 2, centre_y - side / 2, centre_x + side / 2, centre_y + side / 2)
    met_live = crop_face(frame, box)

    assert np.array_equal(normalize_faces(read_for_training[None]), normalize_faces(met_live[None]))


def test_a_face_image_stays_as_it_is(portrait):
    face = cv2.cvtColor(portrait[100:148, 200:248], cv2.COLOR_BGR2GRAY)
    assert np.array_equal(face_pixels(face), face)
    assert np.array_equal(crop_face(face, (0, 0, 48, 48)), face)


def test_a_crop_over_the_border_repeats_it_and_keeps_proportions():
    image = np.zeros((100, 100), np.uint8)
    image[:, 50:] = 200
    crop = crop_face(image, (58, 30, 142, 114))  # the crop reaches from x 50 to 150
    assert crop.shape == (48, 48)
    assert (crop == 200).all()
    crop = crop_face(image, (8, 30, 92, 114))  # and here from 0 to 100: the edge stays in the middle
    assert (crop[:, :23] == 0).all()
    assert (crop[:, 25:] == 200).all()


@pytest.mark.parametrize("box", [(-50, -50, 20, 20), (90, 90, 300, 300), (-500, -500, 600, 600), (10, 10, 11, 11)])
def test_crops_at_the_edges_have_the_networks_size(box, portrait):
    assert crop_face(portrait[:100, :100], box).shape == (48, 48)


def test_a_box_outside_is_an_error():
    with pytest.raises(ValueError, match="outside"):
        crop_face(np.zeros((60, 50, 3), np.uint8), (500, 500, 600, 600))


def test_scaling_does_not_depend_on_the_picture():
    dark, bright = np.full((1, 48, 48), 10, np.uint8), np.full((1, 48, 48), 240, np.uint8)
    both = np.concatenate([normalize_faces(dark), normalize_faces(bright)])
    assert np.array_equal(both, normalize_faces(np.concatenate([dark, bright])))
    assert both[0, 0, 0, 0] == pytest.approx((10 - 127.5) / 127.5)


def test_normalized_range_shape_and_type():
    faces = np.stack([np.zeros((48, 48), np.uint8), np.full((48, 48), 255, np.uint8)])
    normalized = normalize_faces(faces)
    assert normalized.shape == (2, 1, 48, 48)
    assert normalized.dtype == np.float32
    assert normalized.min() == -1
    assert normalized.max() == 1


def test_arrays_and_tensors_are_normalized_to_the_same_numbers():
    faces = np.arange(48 * 48, dtype=np.uint8).reshape(1, 48, 48)  # every value
    tensor = normalize_faces(torch.from_numpy(faces))
    assert tensor.dtype == torch.float32
    assert np.array_equal(tensor.numpy(), normalize_faces(faces))


@pytest.mark.parametrize(
    "faces", [np.zeros((48, 48), np.uint8), np.zeros((1, 48, 47), np.uint8), np.zeros((1, 48, 48), np.float32)]
)
def test_other_faces_are_an_error(faces):
    for kind in (np.asarray, torch.from_numpy):
        with pytest.raises(ValueError, match="faces must be uint8"):
            normalize_faces(kind(faces))


def test_shrinking_averages_rather_than_skips():
    checks = np.indices((480, 480)).sum(0) % 2 * 255
    assert np.abs(face_pixels(checks.astype(np.uint8)).astype(int) - 127).max() <= 1


def test_grey_of_every_form(portrait):
    grey = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    opaque = np.dstack([portrait, np.full(portrait.shape[:2], 255, np.uint8)])
    for form in (grey, grey[:, :, None], portrait, opaque):
        assert np.array_equal(to_grey(form), grey)
    with pytest.raises(ValueError, match="uint8"):
        to_grey(portrait.astype(np.float32))
    with pytest.raises(ValueError, match="must be"):
        to_grey(np.zeros((4, 4, 2), np.uint8))


def test_transparency_is_shown_on_grey():
    clear = np.zeros((2, 2, 4), np.uint8)
    assert (flatten_alpha(clear) == 128).all()
    assert (to_grey(clear) == 128).all()
