"""Which faces go through the second stage, and where they go meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from live_emotion.faces.detection.refinement import (
    LONGEST_RECHECK_S,
    SEARCH_TURN_S,
    WEAK_TURN_S,
    RefinedFace,
    RefinementMemory,
)
from live_emotion.faces.detection.second_stage import LIKELY_SCORE, VIEWS
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


def looks(*scores, first_proposal=0.3):
    """What is known of a new face after looks with these scores, 0 for nothing seen; None where it was dropped."""
    proposal = replace(face(0, 0, 100), score=first_proposal)
    seen = [replace(face(10, 10, 80), score=score) if score else None for score in scores]
    known = RefinedFace.first_seen(proposal, seen[0], 0.0)
    for i, each in enumerate(seen[1:], 1):
        known = known and known.seen_again(each, i / 30, LIKELY_SCORE)
    return known


def test_one_clear_look_confirms_a_face_and_likely_ones_do_in_several_frames():
    assert looks(0.85).is_confirmed
    assert not looks(0.7).is_confirmed
    assert looks(0.7, 0.7).is_confirmed
    assert not looks(0.55, 0.6).is_confirmed
    assert looks(0.6, 0.0, 0.75).is_confirmed
    assert looks(0.55, 0.6, 0.6) is None, "three looks and never likely"
    assert looks(0.0) is None


def test_a_face_in_profile_that_only_the_first_stage_sees_is_confirmed_in_several_frames():
    assert not looks(0.0, 0.0, first_proposal=0.8).is_confirmed
    assert looks(0.0, 0.0, 0.0, first_proposal=0.8).is_confirmed


def test_a_confirmed_face_that_is_not_seen_again_is_gone():
    assert looks(0.9, 0.0) is None
    assert looks(0.9, 0.55).is_confirmed


def test_a_new_face_is_looked_at_in_other_ways_each_time():
    first = looks(0.7)
    assert len({first.view, looks(0.6, 0.6).view, VIEWS[0]}) == 3


def test_searches_take_turns_by_time():
    memory = RefinementMemory()
    turns = [memory.take_search(i * SEARCH_TURN_S / 2) for i in range(6)]
    assert turns == [0, None, 1, None, 2, None]
    assert memory.take_search(0.0) == 3, "a clock that jumps back"


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
