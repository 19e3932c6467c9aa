"""What a live session was like: the emotions that were seen."""

from __future__ import annotations

import numpy as np

from live_emotion.pipelines.live.statistics import EmotionTimes
from live_emotion.types import EMOTIONS, Prediction, TrackedFace


def face(track_id, emotion, note=""):
    prediction = Prediction.from_probabilities([float(each == emotion) for each in EMOTIONS], EMOTIONS)
    return TrackedFace((0, 0, 50, 50), 0.9, np.zeros((6, 2), np.float32), prediction, track_id, note)


def test_shares_are_of_the_time_that_people_were_seen():
    times = EmotionTimes()
    for i in range(61):
        seen = [face(1, "happy" if i <= 30 else "sad")]
        seen += [face(2, "angry", "blurred")] if i > 40 else []
        times.count(seen, 100 + i / 10)
    assert times.seconds["happy"] == times.seconds["sad"] or abs(times.seconds["happy"] - 3) < 1e-6
    assert str(times) == "6.0 s, 2 people: happy 38%, sad 38%, unclear 25%"


def test_a_frame_after_a_gap_stands_for_a_second_at_most():
    times = EmotionTimes()
    for time_s in (0.0, 0.5, 60.0):
        times.count([face(1, "happy")], time_s)
    assert times.seconds["happy"] == 1.5
    assert times.length_s == 60.0


def test_what_flashes_up_is_no_person():
    times = EmotionTimes()
    for i in range(21):
        times.count([face(1, "happy"), *([face(2, "sad")] if i == 7 else [])], i / 10)
    assert times.people == 1


def test_nobody():
    times = EmotionTimes()
    assert str(times) == "0.0 s, nobody was seen"
    for i in range(100):
        times.count([], i)
    assert str(times) == "1:39, nobody was seen"
