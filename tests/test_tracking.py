"""Identities."""

from __future__ import annotations

import numpy as np

from live_emotion.faces.boxes import intersection_over_union
from live_emotion.faces.tracker import Tracker
from live_emotion.types import Face


def face(x, y=100, side=100):
    return Face((x, y, x + side, y + side), 0.9, np.zeros((6, 2), np.float32))


def test_a_moving_face_keeps_its_identity():
    tracker = Tracker()
    ids = {tracker.update([face(10 * i)], i / 30)[0] for i in range(30)}
    assert ids == {1}


def test_faces_that_cross_keep_their_identities():
    """Each goes on as it went, though in the middle they overlap and the detector's order changes."""
    tracker = Tracker()
    seen = []
    for i in range(21):
        a, b = face(20 * i, y=100), face(400 - 20 * i, y=130)
        order = [a, b] if i % 2 else [b, a]
        found = tracker.update(order, i / 30)
        seen.append({f.box[1]: track_id for f, track_id in zip(order, found)})
    assert all(ids == seen[0] for ids in seen)


def test_a_face_lost_for_a_moment_comes_back_as_itself_and_later_as_another():
    tracker = Tracker(lost_s=0.5)
    tracker.update([face(100)], 0.0)
    tracker.update([], 0.2)
    assert tracker.update([face(105)], 0.4)[0] == 1
    assert tracker.update([face(105)], 1.0)[0] == 2


def test_a_face_elsewhere_is_another():
    tracker = Tracker()
    tracker.update([face(0)], 0.0)
    assert tracker.update([face(500)], 0.03)[0] == 2


def test_assignment_is_the_best_for_all_together():
    tracker = Tracker()
    tracker.update([face(0), face(60)], 0.0)
    # the first new box overlaps the second track most, yet pairing them would leave the other box alone
    found = tracker.update([face(35), face(95)], 0.03)
    assert found == [1, 2]


def test_time_that_jumps_back_starts_anew():
    tracker = Tracker()
    tracker.update([face(0)], 10.0)
    assert tracker.update([face(0)], 0.0)[0] == 2


def test_tracks_turn_with_a_mirrored_picture():
    tracker = Tracker()
    for i in range(4):
        assert tracker.update([face(20 + 10 * i), face(500)], i / 30) == [1, 2]
    tracker.mirror(640)
    assert tracker.update([face(640 - 600), face(640 - 160)], 4 / 30) == [2, 1]


def test_those_who_may_come_back_are_known():
    tracker = Tracker(lost_s=0.5)
    tracker.update([face(0), face(400)], 0.0)
    tracker.update([face(0)], 0.4)
    assert tracker.track_ids == {1, 2}
    tracker.update([face(0)], 0.8)
    assert tracker.track_ids == {1}


def test_intersection_over_union():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(intersection_over_union(boxes[:1], boxes), [[1, 1 / 3, 0]], atol=1e-9)


def test_whoever_is_still_there_after_a_wait_is_the_same():
    tracker = Tracker()
    tracker.update([face(0), face(500)], 0.0)
    tracker.update([face(20), face(500)], 0.1)
    tracker.wait()
    assert tracker.update([face(30)], 60.0) == [1]
    assert tracker.update([face(30), face(510)], 60.5) == [1, 2]
    assert tracker.update([face(900)], 60.6) == [3]
    assert tracker.update([face(500)], 62.0) == [4], "it waits once"
