"""The band of the last half minute."""

from __future__ import annotations

import numpy as np

from live_emotion.types import EMOTIONS, Prediction, TrackedFace
from live_emotion.visualization.history import LENGTH_S, MOST_BANDS, STEP_S, STEPS, History
from live_emotion.visualization.overlay import Overlay
from live_emotion.visualization.palette import PALETTE


def face(track_id=1, emotion="happy", note="", name=""):
    probabilities = [0.9 if each == emotion else 0.1 / 3 for each in EMOTIONS]
    prediction = Prediction.from_probabilities(probabilities, EMOTIONS)
    return TrackedFace((100, 20, 200, 120), 0.9, np.zeros((6, 2), np.float32), prediction, track_id, note, name)


def remembered(*faces_at):
    history = History(len(EMOTIONS))
    for time_s, faces in faces_at:
        history.add(faces, time_s)
    return history.bands()


def test_each_moment_has_the_mean_of_what_was_read_then():
    (band,) = remembered((10.0, [face()]), (10.1, [face(emotion="sad")]), (12.0, [face(emotion="sad")]))
    assert band.probabilities.shape == (STEPS, 4)
    assert np.allclose(band.probabilities[-1], face(emotion="sad").probabilities)
    steps = round(2 / STEP_S)
    both = np.mean([face().probabilities, face(emotion="sad").probabilities], axis=0)
    assert np.allclose(band.probabilities[-1 - steps], both)
    assert (band.probabilities[-steps:-1] == 0).all(), "nobody was there in between"


def test_a_slow_machine_leaves_no_gaps():
    (band,) = remembered(*((i * 0.8, [face()]) for i in range(10)))
    assert (band.probabilities[-round(7 / STEP_S) :].sum(axis=1) > 0.99).all()


def test_what_could_not_be_read_is_a_gap():
    (band,) = remembered((0.0, [face(note="too dark")]), (1.0, [face(note="unsure")]))
    assert (band.probabilities[:-1] == 0).all()
    assert band.probabilities[-1].sum() > 0.99, "a guess is shown as what it is, a mixture"


def test_the_past_and_those_who_left_are_forgotten():
    assert remembered((0.0, [face()]), (LENGTH_S + 1, [])) == []
    (band,) = remembered((0.0, [face(1)]), (LENGTH_S + 1, [face(2)]))
    assert band.tag == "2"


def test_people_are_called_by_name_or_number_and_those_who_are_there_come_first():
    bands = remembered((0.0, [face(n) for n in range(1, 8)]), (1.0, [face(6), face(7, name="Zoë")]))
    assert [band.tag for band in bands] == ["1", "2", "6", "Zoë"]
    assert len(bands) == MOST_BANDS


def test_a_face_without_an_identity_has_no_history():
    assert remembered((0.0, [face(track_id=0)])) == []


def test_a_band_shows_the_emotions_one_after_the_other_along_the_lower_edge():
    bands = remembered(*((i / 10, [face(emotion="happy" if i < 150 else "sad")]) for i in range(300)))
    image = np.full((480, 640, 3), 90, np.uint8)
    drawn = Overlay(EMOTIONS).draw(image, [], bands=bands)
    where = {name: np.argwhere((drawn == PALETTE[name]).all(axis=2)) for name in ("happy", "sad")}
    assert where["happy"][:, 0].min() > 440 and where["sad"][:, 0].min() > 440
    assert len(where["happy"]) > 1000 and len(where["sad"]) > 1000
    assert where["happy"][:, 1].mean() < 320 < where["sad"][:, 1].mean(), "the newest on the right"


def test_labels_keep_off_the_bands():
    low = face()
    low = TrackedFace((100, 350, 200, 460), 0.9, low.keypoints, low.prediction, 1)
    bands = remembered((0.0, [face(n) for n in (1, 2, 3, 4)]))
    image = np.zeros((480, 640, 3), np.uint8)
    with_bands, without = (Overlay(EMOTIONS).draw(image, [low], bars=False, bands=b) for b in (bands, []))
    assert np.array_equal(with_bands[300:345], without[300:345])
