"""Which faces go through the second stage, and where they go meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from live_emotion.faces.refinement import LONGEST_RECHECK_S, WEAK_TURN_S, RefinedFace, RefinementMemory
from live_emotion.types import Face


def face(x, y, side):
    return Face((x, y, x + side, y + side), 0.9, np.array([[x, y]] * 6, np.float32))


def checks_of(fps, seconds=4.0):
    """Times at which a face that stays where it is goes through the second stage."""
    refined = RefinedFace(face(0, 0, 100), face(10, 10, 80), 0.0)
    times = []
    for index in range(1, round(seconds * fps)):
        time_s = index / fps
        if refined.is_due(time_s):
            refined = RefinedFace(refined.proposed, refined.seen, time_s, refined.checks + 1)
            times.append(time_s)
        else:
            refined = refined.carried_to(refined.proposed)
    return np.array(times)


@pytest.mark.parametrize("fps", [15, 30, 60, 120])
def test_a_new_face_is_checked_soon_and_then_less_and_less_whatever_the_frame_rate(fps):
    times = checks_of(fps)
    gaps = np.diff([0, *times])
    assert times[0] <= 1 / 15
    assert (np.diff(gaps) >= -1 / fps - 1e-6).all()
    assert LONGEST_RECHECK_S - 1e-6 <= gaps[-1] <= LONGEST_RECHECK_S + 1 / fps


def test_frames_far_apart_are_all_checked():
    assert len(checks_of(2, seconds=5)) == 9


def test_a_clock_that_jumps_back_makes_a_check_due():
    assert RefinedFace(face(0, 0, 100), face(0, 0, 100), checked_s=10.0, checks=5).is_due(2.0)


def test_weak_proposals_take_turns_by_time():
    memory = RefinementMemory()
    turns = [memory.take_turn([3, 8], i * WEAK_TURN_S / 2) for i in range(8)]
    assert [len(turn) for turn in turns] == [1, 0] * 4
    assert turns[0] | turns[2] == {3, 8} == turns[4] | turns[6]
    assert memory.take_turn([], 10.0) == set()


def test_a_face_goes_along_with_its_proposal():
    refined = RefinedFace(face(100, 200, 100), face(110, 215, 80), 0.5)
    moved = refined.carried_to(face(150, 180, 110))
    assert moved.seen.box == pytest.approx((161, 196.5, 249, 284.5))
    np.testing.assert_allclose(moved.seen.keypoints, [[161, 196.5]] * 6)
    assert (moved.checked_s, moved.checks) == (0.5, 1)


@pytest.mark.parametrize(
    ("other", "continues"), [(face(5, 5, 100), True), (face(40, 40, 100), False), (face(20, 20, 40), False)]
)
def test_a_proposal_of_another_place_or_size_is_another_face(other, continues):
    assert RefinedFace(face(0, 0, 100), face(0, 0, 100), 0.0).continues_in(other) == continues
