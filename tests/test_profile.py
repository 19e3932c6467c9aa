"""Profiles of a resting face."""

from __future__ import annotations

import numpy as np
import pytest

from live_emotion.emotions.profile import learn_profile, load_profile, profile_names, profile_path, save_profile
from live_emotion.errors import InputError
from live_emotion.types import EMOTIONS

SAD_AT_REST = np.array([[0.05, 0.01, 0.34, 0.60], [0.04, 0.02, 0.40, 0.54]])


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("live_emotion.emotions.profile.click.get_app_dir", lambda name: str(tmp_path / name))


def test_a_resting_face_becomes_neutral_and_a_smile_stays_happy():
    profile = learn_profile(SAD_AT_REST, EMOTIONS)
    corrected = profile.correct(np.array([[0.05, 0.01, 0.34, 0.60], [0.01, 0.95, 0.03, 0.01]], np.float32))
    assert [EMOTIONS[i] for i in corrected.argmax(axis=1)] == ["neutral", "happy"]
    np.testing.assert_allclose(corrected.sum(axis=1), 1, atol=1e-6)
    assert profile.offsets[EMOTIONS.index("happy")] == 0, "what the resting face shows no trace of is left alone"


def test_real_sadness_still_shows():
    profile = learn_profile(SAD_AT_REST, EMOTIONS)
    assert profile.correct(np.array([[0.02, 0.0, 0.04, 0.94]]))[0].argmax() == EMOTIONS.index("sad")


def test_a_face_that_reads_as_neutral_is_left_alone():
    assert learn_profile(np.array([[0.03, 0.03, 0.91, 0.03]]), EMOTIONS).offsets == (0, 0, 0, 0)


def test_stored_and_read_again():
    profile = learn_profile(SAD_AT_REST, EMOTIONS)
    save_profile(profile, "anna-2")
    assert load_profile("anna-2") == profile
    assert profile_names() == ["anna-2"]


@pytest.mark.parametrize("name", ["", "../up", "a b", "x/y"])
def test_names_that_are_none(name):
    with pytest.raises(InputError, match="name is of letters"):
        profile_path(name)


def test_a_missing_profile_says_how_to_make_it():
    with pytest.raises(InputError, match="live-emotion calibrate --profile me"):
        load_profile("me")


@pytest.mark.parametrize("text", ["", "[]", '{"class_names": ["a"]}', '{"class_names": ["a"], "offsets": [1, 2]}'])
def test_a_damaged_profile_is_one_clear_line(text):
    path = profile_path("me")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InputError, match="damaged"):
        load_profile("me")


def test_other_classes_do_not_fit():
    profile = learn_profile(SAD_AT_REST, EMOTIONS)
    profile.check(EMOTIONS)
    with pytest.raises(InputError, match="make it anew"):
        profile.check(("a", "b"))
    with pytest.raises(InputError, match="no class neutral"):
        learn_profile(np.array([[0.5, 0.5]]), ("a", "b"))
