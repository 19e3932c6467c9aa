"""Profiles: what a few faces of a person teach, whose face it is, and how that is stored."""

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
from faces import vary
from videos import make_video

from live_emotion import EmotionClassifier, EmotionDetector
from live_emotion.cli.main import cli
from live_emotion.emotions.personalization import (
    RESTING_ODDS,
    are_plausible,
    fit_offsets,
    log_softmax,
    resting_offsets,
)
from live_emotion.emotions.profile import (
    LARGEST_OFFSET,
    LONGEST_PROFILE_NAME,
    Profile,
    delete_profile,
    profile_names,
    profile_path,
    resting_doubt,
)
from live_emotion.emotions.recognition import Recognizer
from live_emotion.errors import ArgumentError, InputError
from live_emotion.types import EMOTIONS


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / name)


@pytest.fixture(scope="module")
def classifier():
    return EmotionClassifier(device="cpu")


@pytest.fixture(scope="module")
def people(portrait):
    """Eight faces of the portrait, lit and shifted otherwise each: uint8 (8, 48, 48)."""
    return vary(portrait, 8, 0)


def test_a_resting_face_becomes_neutral(classifier, people):
    profile = Profile.fit(people, ["neutral"] * 8, classifier)
    assert EmotionClassifier(device="cpu", profile=profile).predict(people).argmax(axis=1).tolist() == [2] * 8
    assert profile.weights == classifier.fingerprint
    assert len(json.dumps(profile.offsets)) < 200, "numbers, no images"


def test_offsets_bring_a_resting_face_to_where_resting_faces_are():
    known = np.log([[0.05, 0.01, 0.34, 0.60], [0.04, 0.02, 0.40, 0.54]])
    offsets = resting_offsets(known, 2)
    odds = (known + offsets).mean(axis=0)
    np.testing.assert_allclose(odds - odds[2], [RESTING_ODDS, RESTING_ODDS, 0, RESTING_ODDS])


def test_more_faces_of_an_emotion_move_its_offset_further():
    known = log_softmax(np.array([[0.0, 0, 4, 0], [1.0, 0, 4, 0], [1.0, 0, 4, 0], [1.0, 0, 4, 0]]))
    prior = np.zeros(4)
    few, many = (fit_offsets(known[:n], np.array([2, 0, 0, 0])[:n], prior) for n in (2, 4))
    assert 0 < few[0] < many[0]
    assert abs(few).max() < 10, "a few images change little"


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_exchanged_labels_are_not_plausible_whatever_the_offsets(shift):
    rng = np.random.default_rng(shift)
    labels = np.repeat(np.arange(4), 3)
    logits = 2.0 * np.eye(4)[labels] + rng.normal(0, 0.5, (12, 4)) + np.array([-8.0, 0, 3, 1])
    known = log_softmax(logits)
    assert are_plausible(known, labels)
    assert not are_plausible(known, (labels + shift) % 4)


def test_mixed_up_labels_are_refused(classifier, portrait):
    faces = np.concatenate([vary(portrait, 3, 0), vary(portrait, 3, 1)[:, ::-1]])
    known = np.log(classifier.read(faces)[0])[:, : len(classifier.class_names)]
    change = known[3:].mean(axis=0) - known[:3].mean(axis=0)
    first, second = (classifier.class_names[i] for i in (change.argmin(), change.argmax()))
    Profile.fit(faces, [first] * 3 + [second] * 3, classifier)
    with pytest.raises(InputError, match=r"do not show what they are said|no resting face"):
        Profile.fit(faces, [second] * 3 + [first] * 3, classifier)


def test_what_was_learnt_pulls_towards_the_faces_that_were_shown():
    profile = Profile(EMOTIONS, (0.0,) * 4, {"angry": (1.0, 0.0), "neutral": (0.0, 1.0)})
    equal = np.full((2, 4), 0.25)
    corrected = profile.correct(equal, np.array([[2.0, 0.1], [0.1, 2.0]]))
    assert [EMOTIONS[i] for i in corrected.argmax(axis=1)] == ["angry", "neutral"]
    np.testing.assert_allclose(corrected.sum(axis=1), 1, atol=1e-6)


def test_further_outputs_are_corrected_and_kept():
    profile = Profile(EMOTIONS, (1.0, 0, 0, 0, 2.0))
    corrected = profile.correct(np.full((1, 5), 0.2), np.zeros((1, 2)))
    np.testing.assert_allclose(corrected[0] / corrected[0, 1], np.exp([1, 0, 0, 0, 2]), rtol=1e-5)


@pytest.mark.parametrize(
    ("faces", "labels", "reason"),
    [
        (np.zeros((1, 48, 48), np.float32), ["neutral"], "uint8"),
        (np.zeros((2, 48, 48), np.uint8), ["neutral"], "one label for each face"),
        (np.zeros((0, 48, 48), np.uint8), [], "one label for each face"),
        (np.zeros((1, 48, 48), np.uint8), ["bored"], "do not know bored"),
    ],
)
def test_what_makes_no_sense_is_one_line(classifier, faces, labels, reason):
    with pytest.raises(ArgumentError, match=reason):
        Profile.fit(faces, labels, classifier)


def test_profiles_are_stored_listed_and_deleted():
    profile = Profile(EMOTIONS, (0.5, -0.25, 0, 1), {"angry": (0.6, 0.8)}, "abc")
    path = profile.save("anna-2")
    assert Profile.load("anna-2") == profile
    assert profile_names() == ["anna-2"]
    if sys.platform != "win32":
        assert path.parent.stat().st_mode & 0o077 == 0, "nobody else can read by what a face is known"
    delete_profile("anna-2")
    assert (profile_names(), path.exists()) == ([], False)
    with pytest.raises(InputError, match="There is no profile anna-2"):
        delete_profile("anna-2")


def test_a_profile_of_other_weights_or_classes_is_refused():
    profile = Profile(EMOTIONS, (0.0,) * 4, {}, "abc")
    profile.check(EMOTIONS, "abc")
    with pytest.raises(InputError, match="other weights"):
        profile.check(EMOTIONS, "def")
    with pytest.raises(InputError, match="for the classes"):
        profile.check(("awake", "asleep"), "abc")


def test_each_person_gets_the_profile_of_the_face_that_is_most_alike():
    anna = Profile(EMOTIONS, (0.0,) * 4, look=(1.0, 0.0, 0.0))
    ben = Profile(EMOTIONS, (0.0,) * 4, look=(0.0, 1.0, 0.0))
    recognizer = Recognizer([anna, ben])
    faces = np.array([[0.1, 1.0, 0.0], [0.9, 0.1, 0.1], [1.0, 0.05, 0.0], [0.0, 0.0, 1.0]])
    assert recognizer.assign(faces) == [1, None, 0, None], "one face each, and nobody's where none is near"
    # one frame in which a tracked face looks like another person changes nothing
    for _ in range(5):
        assert recognizer.assign(faces[[0, 2]], [1, 2], {1, 2}) == [1, 0]
    assert recognizer.assign(faces[[0, 1]], [1, 2], {1, 2}) == [1, 0]
    for _ in range(40):  # she laughs, say: nobody looks more like her, so that it is she who is followed
        assert recognizer.assign(faces[[0, 3]], [1, 2], {1, 2}) == [1, 0]
    assert recognizer.assign(faces[[2, 3]], [3, 2], {2, 3}) == [0, None], "somebody does"
    assert Recognizer([Profile(EMOTIONS, (0.0,) * 4)]).assign(faces) == [0] * 4, "which knows no look"


@pytest.mark.parametrize("name", ["", "../up", "a b", "x/y", "-", "a" * 61])
def test_names_that_are_none(name):
    with pytest.raises(InputError, match="name is of letters"):
        profile_path(name)


def test_the_longest_name_is_that_of_a_file_whatever_its_letters():
    profile = Profile(EMOTIONS, (0.0,) * 4)
    profile.save("\U00020000" * LONGEST_PROFILE_NAME)
    assert Profile.load("\U00020000" * LONGEST_PROFILE_NAME) == profile


def test_a_profile_of_another_networks_embeddings_is_refused(tmp_path, portrait):
    Profile(EMOTIONS, (0.0,) * 4, {"neutral": (0.6, 0.8)}).save("two")
    for use in (
        lambda: EmotionDetector(profile="two", device="cpu"),
        lambda: EmotionClassifier(profile=Profile.load("two"), device="cpu"),
    ):
        with pytest.raises(InputError, match="made with other weights"):
            use()
    cv2.imwrite(str(tmp_path / "photo.png"), portrait)
    done = CliRunner().invoke(cli, ["image", str(tmp_path / "photo.png"), "-o", str(tmp_path), "--profile", "two"])
    assert isinstance(done.exception, InputError)


def test_a_missing_profile_says_how_to_make_it():
    with pytest.raises(InputError, match="live-emotion enrol me"):
        Profile.load("me")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is no JSON"),
        ("[]", "class_names and offsets"),
        ("[" * 100_000, "it is no JSON"),
        ('{"class_names": ["a"]}', "class_names and offsets"),
        ('{"class_names": ["a"], "offsets": [1], "more": 1}', "class_names and offsets"),
        ('{"class_names": "ab", "offsets": [1, 2]}', "list of names"),
        ('{"class_names": [], "offsets": []}', "list of names"),
        ('{"class_names": ["a", 2], "offsets": [1, 2]}', "list of names"),
        ('{"class_names": ["a", ""], "offsets": [1, 2]}', "list of names"),
        ('{"class_names": ["a", "b\\nc"], "offsets": [1, 2]}', "list of names"),
        ('{"class_names": ["a", "a"], "offsets": [1, 2]}', "twice"),
        ('{"class_names": ["a", "b"], "offsets": [1]}', "one offset for each class"),
        ('{"class_names": ["a", "b"], "offsets": {"a": 1, "b": 2}}', "one offset for each class"),
        ('{"class_names": ["a", "b"], "offsets": [1, NaN]}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, -Infinity]}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, 1e3]}', "a number from -20 to 20"),
        (f'{{"class_names": ["a", "b"], "offsets": [1, {10**400}]}}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, "2"]}', "a number from -20 to 20"),
        ('{"class_names": ["a", "b"], "offsets": [1, true]}', "a number from -20 to 20"),
        ('{"class_names": ["a"], "offsets": [1], "prototypes": [1]}', "prototypes must be"),
        ('{"class_names": ["a"], "offsets": [1], "prototypes": {"b": [1]}}', "prototypes must be"),
        ('{"class_names": ["a"], "offsets": [1], "prototypes": {"a": []}}', "a prototype must be"),
        ('{"class_names": ["a"], "offsets": [1], "prototypes": {"a": [NaN]}}', "a prototype must be"),
        ('{"class_names": ["a", "b"], "offsets": [1, 1], "prototypes": {"a": [1], "b": [0, 1]}}', "of one length"),
        ('{"class_names": ["a"], "offsets": [1], "weights": 5}', "a fingerprint"),
        (b"\xff\xfe", "it is no JSON"),
    ],
)
def test_a_damaged_profile_is_one_clear_line(text, reason):
    path = profile_path("me")
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=reason) as caught:
        Profile.load("me")
    message = str(caught.value)
    assert message.startswith(f"The profile {path} is damaged (")
    assert message.endswith("live-emotion enrol me --force")
    assert "\n" not in message


def test_a_profile_that_cannot_be_read_is_one_clear_line():
    profile_path("me").mkdir(parents=True)
    with pytest.raises(InputError, match=r"Cannot read the profile .*me\.json: "):
        Profile.load("me")


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
    assert Profile.load("old") == Profile(EMOTIONS, (-0.2921, 0.0, 0.0, -1.3))


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
    profile = Profile(EMOTIONS, (-0.5, 0.0, 0.0, -1.5))
    new = profile.save("new")
    monkeypatch.setattr("sys.platform", "darwin")
    library = tmp_path / "Library" / "Application Support" / "live-emotion" / "profiles"
    library.mkdir(parents=True)
    new.rename(library / "old.json")
    assert (profile_names(), Profile.load("old")) == (["old"], profile)
    assert profile.save("old") == library / "old.json", "there is one of each name"
    assert profile.save("new") == new


def test_a_profile_changes_what_image_video_and_python_read(tmp_path, portrait):
    photo, video = tmp_path / "photo.png", make_video(tmp_path / "video.mp4", [portrait] * 3)
    cv2.imwrite(str(photo), portrait)
    Profile(EMOTIONS, (LARGEST_OFFSET, 0, 0, 0)).save("angry")

    def read(*options):
        done = CliRunner().invoke(cli, ["image", str(photo), "--json", "--force", "-o", str(tmp_path), *options])
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


@pytest.mark.parametrize(
    ("probabilities", "looks"),
    [
        ([0.0, 0.0, 0.9, 0.1], ""),
        ([0.0, 0.0, 0.2, 0.8], ""),  # a resting face that the network calls sad: whom it is for
        ([0.0, 0.0, 0.1, 0.9], "sad"),
        ([0.0, 0.4, 0.6, 0.0], "happy"),
        ([0.3, 0.0, 0.1, 0.0, 0.6], "other"),
    ],
)
def test_what_can_be_no_resting_face(probabilities, looks):
    assert resting_doubt(np.array([probabilities, probabilities]), ("angry", "happy", "neutral", "sad")) == looks
