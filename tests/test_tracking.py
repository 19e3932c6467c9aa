"""Identities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from live_emotion.faces.tracker import Tracker, intersection_over_union
from live_emotion.types import EMOTIONS, Face

SURE = np.array([[0.97, 0.01, 0.01, 0.01]])


def face(x, y=100, side=100):
    return Face((x, y, x + side, y + side), 0.9, np.zeros((6, 2), np.float32))


def probabilities(*rows):
    return np.array(rows, np.float32)


def test_a_moving_face_keeps_its_identity():
    tracker = Tracker(EMOTIONS)
    ids = {tracker.update([face(10 * i)], SURE, i / 30)[0].track_id for i in range(30)}
    assert ids == {1}


def test_faces_that_cross_keep_their_identities():
    """Each goes on as it went, though in the middle they overlap and the detector's order changes."""
    tracker = Tracker(EMOTIONS)
    seen = []
    for i in range(21):
        a, b = face(20 * i, y=100), face(400 - 20 * i, y=130)
        order = [a, b] if i % 2 else [b, a]
        found = tracker.update(order, np.repeat(SURE, 2, axis=0), i / 30)
        seen.append({f.box[1]: f.track_id for f in found})
    assert all(ids == seen[0] for ids in seen)


def test_a_face_lost_for_a_moment_comes_back_as_itself_and_later_as_another():
    tracker = Tracker(EMOTIONS, lost_s=0.5)
    tracker.update([face(100)], SURE, 0.0)
    tracker.update([], SURE[:0], 0.2)
    assert tracker.update([face(105)], SURE, 0.4)[0].track_id == 1
    assert tracker.update([face(105)], SURE, 1.0)[0].track_id == 2


def test_a_face_elsewhere_is_another():
    tracker = Tracker(EMOTIONS)
    tracker.update([face(0)], SURE, 0.0)
    assert tracker.update([face(500)], SURE, 0.03)[0].track_id == 2


def test_assignment_is_the_best_for_all_together():
    tracker = Tracker(EMOTIONS)
    tracker.update([face(0), face(60)], np.repeat(SURE, 2, axis=0), 0.0)
    # the first new box overlaps the second track most, yet pairing them would leave the other box alone
    found = tracker.update([face(35), face(95)], np.repeat(SURE, 2, axis=0), 0.03)
    assert [f.track_id for f in found] == [1, 2]


def test_each_face_is_smoothed_by_itself():
    tracker = Tracker(EMOTIONS)
    both = probabilities([1, 0, 0, 0], [0, 0, 0, 1])
    for i in range(5):
        left, right = tracker.update([face(0), face(400)], both, i / 30)
    assert (left.emotion, right.emotion) == ("angry", "sad")
    assert left.confidence == right.confidence == pytest.approx(1)


def test_a_passing_blur_is_not_written_at_a_face():
    tracker = Tracker(EMOTIONS)
    tracker.update([face(0)], SURE, 0.0)
    blurred = replace(face(0), note="blurred")
    notes = [tracker.update([blurred], SURE, 0.1 * i)[0].note for i in range(1, 6)]
    assert notes == ["", "", "", "blurred", "blurred"]


def test_time_that_jumps_back_starts_anew():
    tracker = Tracker(EMOTIONS)
    tracker.update([face(0)], SURE, 10.0)
    assert tracker.update([face(0)], SURE, 0.0)[0].track_id == 2


def test_intersection_over_union():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(intersection_over_union(boxes[:1], boxes), [[1, 1 / 3, 0]], atol=1e-9)
