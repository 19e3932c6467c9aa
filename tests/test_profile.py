"""Profiles of a resting face."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from videos import make_video

from live_emotion import EmotionDetector
from live_emotion.cli.main import cli
from live_emotion.emotions.profile import (
    LARGEST_OFFSET,
    Profile,
    learn_profile,
    load_profile,
    profile_names,
    profile_path,
    save_profile,
)
from live_emotion.errors import InputError
from live_emotion.types import EMOTIONS

SAD_AT_REST = np.array([[0.05, 0.01, 0.34, 0.60], [0.04, 0.02, 0.40, 0.54]])


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / name)


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


@pytest.mark.parametrize("name", ["", "../up", "a b", "x/y", "-", "a" * 65])
def test_names_that_are_none(name):
    with pytest.raises(InputError, match="name is of letters"):
        profile_path(name)


def test_a_missing_profile_says_how_to_make_it():
    with pytest.raises(InputError, match="live-emotion calibrate --profile me"):
        load_profile("me")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "class_names and offsets"),
        ("[" * 100_000, "recursion"),
        ('{"class_names": ["a"]}', "class_names and offsets"),
        ('{"class_names": ["a"], "offsets": [1], "more": 1}', "class_names and offsets"),
        ('{"class_names": "ab", "offsets": [1, 2]}', "list of names"),
        ('{"class_names": [], "offsets": []}', "list of names"),
        ('{"class_names": ["a", 2], "offsets": [1, 2]}', "list of names"),
        ('{"class_names": ["a", ""], "offsets": [1, 2]}', "list of names"),
        ('{"class_names": ["a", "a"], "offsets": [1, 2]}', "twice"),
        ('{"class_names": ["a"], "offsets": [1, 2]}', "one offset for each class"),
        ('{"class_names": ["a", "b"], "offsets": {"a": 1, "b": 2}}', "one offset for each class"),
        ('{"class_names": ["a", "b"], "offsets": [1, NaN]}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, -Infinity]}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, 1e3]}', "a number from -20 to 20"),
        (f'{{"class_names": ["a", "b"], "offsets": [1, {10**400}]}}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, "2"]}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, true]}', "a number from -20 to 20"),
        (b"\xff\xfe", "can't decode"),
    ],
)
def test_a_damaged_profile_is_one_clear_line(text, reason):
    path = profile_path("me")
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=reason) as caught:
        load_profile("me")
    message = str(caught.value)
    assert message.startswith(f"The profile {path} is damaged (")
    assert message.endswith("live-emotion calibrate --profile me --force")
    assert "\n" not in message


def test_a_profile_that_cannot_be_read_is_one_clear_line():
    profile_path("me").mkdir(parents=True)
    with pytest.raises(InputError, match=r"Cannot read the profile .*me\.json: "):
        load_profile("me")


def test_a_profile_of_the_first_release_is_read():
    path = profile_path("old")
    path.parent.mkdir(parents=True)
    path.write_text("""{
  "class_names": [
    "angry",
    "happy",
    "neutral",
    "sad"
  ],
  "offsets": [
    -0.2921,
    0.0,
    0,
    -1.3
  ]
}
""")
    assert load_profile("old") == Profile(EMOTIONS, (-0.2921, 0.0, 0.0, -1.3))


@pytest.mark.parametrize("xdg", [False, True])
def test_profiles_lie_where_the_first_release_stored_them(monkeypatch, tmp_path, xdg):
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if xdg and sys.platform != "darwin":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    # which asked click
    assert profile_path("me") == Path(click.get_app_dir("live-emotion")) / "profiles" / "me.json"


def test_on_macos_they_are_found_though_another_folder_is_set(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    profile = learn_profile(SAD_AT_REST, EMOTIONS)
    new = save_profile(profile, "new")
    monkeypatch.setattr("sys.platform", "darwin")
    library = tmp_path / "Library" / "Application Support" / "live-emotion" / "profiles"
    library.mkdir(parents=True)
    new.rename(library / "old.json")
    assert (profile_names(), load_profile("old")) == (["old"], profile)
    assert save_profile(profile, "old") == library / "old.json", "there is one of each name"
    assert save_profile(profile, "new") == new


def test_other_classes_do_not_fit():
    profile = learn_profile(SAD_AT_REST, EMOTIONS)
    profile.check(EMOTIONS)
    with pytest.raises(InputError, match="make it again"):
        profile.check(("a", "b"))
    with pytest.raises(InputError, match="no class neutral"):
        learn_profile(np.array([[0.5, 0.5]]), ("a", "b"))


def test_a_profile_changes_what_image_video_and_python_read(tmp_path, portrait):
    photo, video = tmp_path / "photo.png", make_video(tmp_path / "video.mp4", [portrait] * 3)
    cv2.imwrite(str(photo), portrait)
    save_profile(Profile(EMOTIONS, (LARGEST_OFFSET, 0, 0, 0)), "angry")

    def read(*options):
        done = CliRunner().invoke(cli, ["image", str(photo), "--json", "-o", str(tmp_path / "photos"), *options])
        rows = tmp_path / "rows.csv"
        command = ["video", str(video), "--data", str(rows), "--force", *options]
        assert CliRunner().invoke(cli, command).exit_code == 0
        with rows.open(newline="") as file:
            in_video = [row["emotion"] for row in csv.DictReader(file)]
        return [json.loads(done.stdout)[0]["faces"][0]["emotion"], *in_video]

    assert "angry" not in read()
    assert read("--profile", "angry") == ["angry"] * 4
    with EmotionDetector(profile="angry") as detector:
        assert [face.emotion for face in detector.detect(portrait)] == ["angry"]
