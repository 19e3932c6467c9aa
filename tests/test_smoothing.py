"""What is shown over time: calm, prompt, and the same at any frame rate."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from live_emotion.emotions.smoothing import EmotionSmoother, Smoother, Smoothing, unsmoothed
from live_emotion.faces.quality import doubt
from live_emotion.types import EMOTIONS, Face

ANGRY, HAPPY, NEUTRAL = 0, 1, 2
AT_ONCE = Smoothing(0, 0, 0)


def one(index, probability=0.97):
    """Probabilities of four classes, of which one is this likely."""
    values = np.full(4, (1 - probability) / 3)
    values[index] = probability
    return values


def seconds_to_change(before, after, fps):
    """How long after a change another class is shown."""
    smoother = Smoother(Smoothing(), before, "")
    for i in range(10 * fps):
        smoother.update(after, "", 1 / fps)
        if smoother.shown == after.argmax():
            return i / fps
    return float("inf")


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_probabilities_follow_the_same_at_any_frame_rate(fps):
    smoother = Smoother(Smoothing(time_s=0.5), np.eye(4)[ANGRY], "")
    for _ in range(fps):
        smoother.update(np.eye(4)[HAPPY], "", 1 / fps)
    assert smoother.probabilities[HAPPY] == pytest.approx(1 - np.exp(-1 / 0.5), abs=1e-6)
    assert smoother.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_a_clear_change_shows_at_once_and_a_mild_one_soon(fps):
    assert seconds_to_change(one(NEUTRAL), one(HAPPY), fps) <= 0.2
    mild = np.array([0.1, 0.1, 0.6, 0.2]), np.array([0.1, 0.6, 0.2, 0.1])
    assert 0.2 < seconds_to_change(*mild, fps) <= 0.4


def test_single_other_frames_do_not_add_up():
    smoother = Smoother(Smoothing(), one(NEUTRAL, 0.7), "")
    for i in range(600):
        smoother.update(one(ANGRY if i % 4 == 3 else NEUTRAL, 0.7), "", 1 / 30)
        assert smoother.shown == NEUTRAL


def test_a_tie_that_wavers_is_not_passed_on():
    rng = np.random.default_rng(0)
    waver = np.clip(rng.normal(0, 0.1, 900), -0.3, 0.3)
    raw, calm = [Smoother(settings, np.array([0.1, 0.1, 0.4, 0.4]), "") for settings in (AT_ONCE, Smoothing())]
    changes = {raw: 0, calm: 0}
    for shift in waver:
        for smoother in changes:
            before = smoother.shown
            smoother.update(np.array([0.1, 0.1, 0.4 + shift, 0.4 - shift]), "", 1 / 30)
            changes[smoother] += smoother.shown != before
    assert changes[raw] > 300
    assert changes[calm] <= 3


def test_without_smoothing_each_frame_speaks_for_itself():
    smoother = Smoother(AT_ONCE, one(ANGRY), "")
    for index in (3, 1, 2, 2, 0):
        smoother.update(one(index), "", 1 / 30)
        assert smoother.shown == index
        np.testing.assert_array_equal(smoother.probabilities, one(index))
    smoother.update(one(ANGRY), "blurred", 1 / 30)
    assert smoother.note == "blurred"


def test_what_cannot_be_read_changes_no_emotion():
    smoother = Smoother(Smoothing(), one(NEUTRAL), "")
    for _ in range(60):
        smoother.update(one(ANGRY), "turned away", 1 / 30)
    assert (smoother.shown, smoother.note) == (NEUTRAL, "turned away")


def test_the_first_frame_that_can_be_read_counts_where_none_could_before():
    smoother = Smoother(Smoothing(), one(ANGRY), "too dark")
    smoother.update(one(HAPPY), "", 1 / 30)
    assert smoother.shown == HAPPY
    assert smoother.probabilities[HAPPY] == pytest.approx(0.97)


def test_another_emotion_is_shown_with_its_own_doubt_at_once():
    smoother = Smoother(Smoothing(), one(NEUTRAL, 0.4), "")
    assert smoother.note == "unsure"
    while smoother.shown == NEUTRAL:
        smoother.update(one(HAPPY), "", 1 / 30)
    assert (smoother.shown, smoother.note) == (HAPPY, "")


def test_doubt_comes_at_once_and_goes_when_it_is_gone_for_a_while():
    smoother = Smoother(Smoothing(time_s=0), one(NEUTRAL, 0.8), "")
    notes = []
    for probability in [0.8] * 3 + [0.45] + [0.8] * 3 + [0.45] * 3 + [0.8] * 15:
        smoother.update(one(NEUTRAL, probability), "", 1 / 30)
        notes.append(smoother.note)
    assert notes[2:4] == ["", "unsure"], "what is under 50 % is never shown as if it were sure"
    assert notes[-1] == ""
    assert sum(a != b for a, b in itertools.pairwise(notes)) == 2


def test_a_face_that_most_likely_shows_something_else_is_called_other():
    surprised = np.array([0.05, 0.15, 0.1, 0.1])
    assert Smoother(Smoothing(), surprised, "").note == "other"
    assert Smoother(Smoothing(), surprised, "too dark").note == "too dark"
    seen = unsmoothed(face(), surprised, EMOTIONS)
    assert (seen.note, seen.emotion, seen.confidence) == ("other", "happy", 0.15)
    assert seen.other == pytest.approx(0.6)
    assert unsmoothed(face(), np.array([0.1, 0.45, 0.1, 0.1]), EMOTIONS).note == "unsure"
    assert doubt("", np.array([0.0, 0.0, 0.4, 0.25]), shown=3) == "unsure", "neutral is likelier than something else"


def face(note=""):
    return Face((0, 0, 100, 100), 0.9, np.zeros((6, 2), np.float32), note)


def test_each_face_is_smoothed_by_itself():
    smoother = EmotionSmoother(EMOTIONS)
    both = np.array([[1, 0, 0, 0], [0, 0, 0, 1]], np.float32)
    for i in range(5):
        left, right = smoother.update([face(), face()], [1, 2], both, i / 30, {1, 2})
    assert (left.track_id, right.track_id) == (1, 2)
    assert (left.emotion, right.emotion) == ("angry", "sad")
    assert left.confidence == right.confidence == pytest.approx(1)


def test_a_passing_blur_is_not_written_at_a_face():
    smoother = EmotionSmoother(EMOTIONS)
    sure = np.array([[0.97, 0.01, 0.01, 0.01]])
    smoother.update([face()], [1], sure, 0.0, {1})
    notes = [smoother.update([face("blurred")], [1], sure, 0.1 * i, {1})[0].note for i in range(1, 6)]
    assert notes == ["", "", "", "blurred", "blurred"]


def test_what_somebody_showed_who_is_gone_for_good_is_forgotten():
    smoother = EmotionSmoother(EMOTIONS)
    angry, happy = np.array([[1.0, 0, 0, 0]]), np.array([[0, 1.0, 0, 0]])
    smoother.update([face()], [1], angry, 0.0, {1})
    smoother.update([], [], angry[:0], 0.5, set())
    (shown,) = smoother.update([face()], [1], happy, 0.6, {1})
    assert shown.probabilities == (0, 1, 0, 0)
