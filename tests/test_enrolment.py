"""Learning a person's face from photos and recordings, and what becomes of profiles."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from faces import POSES, pose
from videos import make_video

import live_emotion
from live_emotion import EmotionClassifier
from live_emotion.cli.main import cli
from live_emotion.emotions.profile import Profile, profile_names, profile_path
from live_emotion.emotions.trial import try_out
from live_emotion.errors import InputError
from live_emotion.io.images import read_image
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.enrolment import Enrolment, Shown, collect, photos_of
from live_emotion.types import EMOTIONS, Frame

LIGHTS = (0.8, 0.9, 1.0, 1.1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / "home" / name)


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer(AnalysisConfig(device="cpu")) as analyzer:
        yield analyzer


@pytest.fixture(scope="module")
def shown(portrait):
    """Four frames of each emotion."""
    return [Shown(Frame(0, 0.0, pose(portrait, name, light)), name, name) for name in POSES for light in LIGHTS]


def write_photos(folder, portrait, lights=LIGHTS, labels=POSES):
    """Photos of the poses, each in the folder of a label."""
    for label, emotion in zip(labels, POSES):
        (folder / label).mkdir(parents=True)
        for i, light in enumerate(lights):
            cv2.imwrite(str(folder / label / f"{i}.png"), pose(portrait, emotion, light))
    return folder


def enrol(*options):
    return CliRunner().invoke(cli, ["enrol", *map(str, options), "--device", "cpu"])


def says(done, text):
    """Whether a command that failed said so in one line."""
    assert done.exit_code == 1, done.output
    message = str(done.exception)
    assert "\n" not in message
    return text in message


def test_half_of_the_faces_test_what_the_other_half_teaches(analyzer, shown):
    trial = collect(shown, analyzer).learn()
    assert trial.tested == EMOTIONS
    assert trial.after.recall >= max(0.85, trial.before.recall + 0.3)
    assert trial.is_worth_it
    assert set(trial.profile.prototypes) == set(EMOTIONS)


def test_with_one_face_of_each_emotion_nothing_is_tested(analyzer, shown):
    trial = collect(shown[::4], analyzer).learn()
    assert (trial.tested, trial.before, trial.after) == ((), None, None)
    assert trial.is_worth_it


def test_the_profile_is_of_all_faces_and_the_figures_of_faces_that_it_never_saw(analyzer, shown):
    enrolment = collect(shown, analyzer)
    trial = enrolment.learn()
    assert replace(trial.profile, look=()) == Profile.fit(enrolment.faces, enrolment.labels, analyzer.classifier)
    learnt = [i for i in range(16) if i % 4 < 2]
    tested = [i for i in range(16) if i % 4 >= 2]
    half = Profile.fit(enrolment.faces[learnt], [enrolment.labels[i] for i in learnt], analyzer.classifier)
    read = EmotionClassifier(device="cpu", profile=half).classify(enrolment.faces[tested])
    right = [prediction.emotion == enrolment.labels[i] for prediction, i in zip(read, tested)]
    assert trial.after.recall == np.mean(right), "as many faces of each"


def test_faces_that_are_all_alike_are_worth_no_profile(analyzer, shown):
    """What is called angry and what is called happy is one and the same face."""
    faces = np.repeat(collect(shown[8:9], analyzer).faces, 8, axis=0)
    labels = ["angry"] * 4 + ["neutral"] * 4
    try:
        trial = try_out(faces, labels, analyzer.classifier)
    except InputError as error:
        assert "do not show" in str(error)
    else:
        assert not trial.is_worth_it


def test_another_persons_face_is_not_taken_whatever_it_shows(analyzer, portrait):
    enrolment = Enrolment(analyzer)
    enrolment.take(Shown(Frame(0, 0.0, portrait), "neutral", "a"))
    enrolment.take(Shown(Frame(0, 0.0, pose(portrait, "neutral", 0.8)), "neutral", "b"))
    enrolment.take(Shown(Frame(0, 0.0, pose(portrait, "angry")), "angry", "c"))
    collins = read_image(Path(live_emotion.__file__).parent / "io" / "video" / "eileen_collins.jpg")
    for label in ("neutral", "happy"):
        with pytest.raises(InputError, match="The face in d is another person's than those before"):
            enrolment.take(Shown(Frame(0, 0.0, collins), label, "d"))
    assert enrolment.labels == ["neutral", "neutral", "angry"]
    enrolment.forget("angry")
    enrolment.forget("neutral")
    assert enrolment.labels == []
    assert enrolment.faces.shape == (0, 48, 48)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda image: image // 12, "too dark"),
        (lambda image: np.hstack([image, image]), "several people"),
        (lambda image: np.full_like(image, 90), "no face"),
    ],
)
def test_frames_that_are_not_taken_say_why(analyzer, portrait, make, reason):
    with pytest.raises(InputError, match=reason):
        Enrolment(analyzer).take(Shown(Frame(0, 0.0, make(portrait)), "happy", "x.png"))


def test_photos_make_a_profile_that_is_used(tmp_path, portrait):
    photos = write_photos(tmp_path / "anna", portrait)
    done = enrol("anna", "--photos", photos)
    assert done.exit_code == 0, done.output
    read = "Read 4 images of angry, 4 of happy, 4 of the resting face, 4 of sad"
    assert re.match(read + r": recognised [2-6]\d% before, (8\d|9\d|100)% now\n", done.stdout)
    assert f"Saved {profile_path('anna')}" in done.stdout
    assert "png" not in profile_path("anna").read_text()
    again = enrol("anna", "--photos", photos)
    assert says(again, "--force")
    assert enrol("anna", "--photos", photos, "--force").exit_code == 0

    smile = tmp_path / "smile.png"
    cv2.imwrite(str(smile), pose(portrait, "happy", 0.95))
    CliRunner().invoke(cli, ["enrol", "bert", "--photos", str(photos), "--device", "cpu"])
    read = ["image", str(smile), "--json", "-o", str(tmp_path / "out"), "--profile", "anna", "--profile", "bert"]
    faces = json.loads(CliRunner().invoke(cli, read).stdout)[0]["faces"]
    assert [face["emotion"] for face in faces] == ["happy"]


def test_one_photo_each_is_saved_and_said_to_be_untested(tmp_path, portrait):
    done = enrol("--photos", write_photos(tmp_path / "me", portrait, lights=(1.0,)))
    assert done.exit_code == 0, done.output
    assert "saved, not tested" in done.stdout
    assert profile_names() == ["me"]


def test_folders_that_are_missing_are_emotions_that_were_not_shown(tmp_path, portrait):
    photos = write_photos(tmp_path / "me", portrait)
    for name in ("sad", "happy"):
        for file in (photos / name).iterdir():
            file.unlink()
        (photos / name).rmdir()
    assert enrol("--photos", photos).exit_code == 0
    assert set(Profile.load("me").prototypes) == {"angry", "neutral"}


def test_photos_that_show_nothing_are_left_out_and_named(tmp_path, portrait, no_face):
    photos = write_photos(tmp_path / "me", portrait)
    cv2.imwrite(str(photos / "happy" / "gradient.png"), no_face)
    (photos / "happy" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = enrol("--photos", photos)
    assert done.exit_code == 0, done.output
    assert f"Not taken: Found no face in {photos / 'happy' / 'gradient.png'}" in done.stderr
    assert f"Not taken: {photos / 'happy' / '0.png'} cannot be read: this PNG image is damaged" in done.stderr


def test_what_is_no_folder_of_an_emotion_is_named(tmp_path, portrait):
    photos = write_photos(tmp_path / "me", portrait)
    for name in ("Smiling", "sad2", ".hidden"):
        (photos / name).mkdir()
    cv2.imwrite(str(photos / "a.png"), portrait)
    done = enrol("--photos", photos)
    assert done.exit_code == 0, done.output
    named = ", ".join(sorted([f"Smiling{os.sep}", "a.png", f"sad2{os.sep}"]))
    assert f"Skipped 3 of 7 in {photos}, no folders of an emotion: {named}" in done.stderr


def test_mixed_up_folders_are_refused(tmp_path, portrait):
    done = enrol("--photos", write_photos(tmp_path / "me", portrait, labels=("sad", "neutral", "happy", "angry")))
    assert says(done, "")
    assert profile_names() == []


def test_folders_that_are_none(tmp_path, portrait, no_face):
    assert says(enrol("--photos", tmp_path / "gone"), "is no folder")
    (tmp_path / "happy").mkdir()
    assert says(enrol("--photos", tmp_path), "There are no photos in the folder")
    cv2.imwrite(str(tmp_path / "happy" / "a.png"), no_face)
    assert says(enrol("--photos", tmp_path), "Found no face")
    (tmp_path / "empty").mkdir()
    assert says(enrol("--photos", tmp_path / "empty"), "holds no folder of an emotion")
    assert profile_names() == []


def test_a_recording_and_what_its_parts_show_make_a_profile(tmp_path, portrait):
    images = [pose(portrait, name, light) for name in ("neutral", "sad") for light in LIGHTS]
    video = make_video(tmp_path / "me.mp4", images, [0.5 * i for i in range(8)])
    done = enrol("--video", video, "--label", "-0:02=neutral", "--label", "0:02-0:04=sad")
    assert done.exit_code == 0, done.output
    assert re.search(r"Read 4 images of the resting face, 4 of sad: recognised 50% before, (75|100)% now", done.stdout)
    assert set(Profile.load("me").prototypes) == {"neutral", "sad"}
    assert says(enrol("she", "--video", video, "--label", "1-2=disgust"), "do not know disgust; they know angry")
    late = enrol("she", "--video", video, "--label", "0:02-0:10=sad")
    assert says(late, f"The part for sad goes on to 0:10, but {video} ends at 0:04.")
    assert says(enrol("she", "--video", video, "--label", "9-=sad"), "has no frame from 9.00")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--video", "a.mp4"], "belong together"),
        (["--label", "1-2=sad"], "belong together"),
        (["--photos", "a", "--video", "a.mp4", "--label", "1-2=sad"], "give one of them"),
        (["--video", "a.mp4", "--label", "1-2"], "names no emotion"),
        (["--video", "a.mp4", "--label", "2-1=sad"], "ends before it begins"),
        (["--video", "a.mp4", "--label", "1-3=sad", "--label", "2-4=happy"], "overlap"),
    ],
)
def test_wrong_usage(options, reason):
    done = enrol(*options)
    assert done.exit_code == 2
    assert reason in " ".join(done.stderr.split())


def test_calibrate_refuses_what_is_no_resting_face(tmp_path, portrait, no_face, two_faces, monkeypatch):
    def calibrate(image):
        cv2.imwrite(str(tmp_path / "a.png"), image)
        return CliRunner().invoke(cli, ["calibrate", "--photo", str(tmp_path / "a.png"), "--device", "cpu"])

    assert says(calibrate(no_face), "Found no face")
    assert says(calibrate(two_faces), "several people")
    monkeypatch.setattr("live_emotion.emotions.profile.LEAST_REST", 0.5)  # the portrait cannot be pulled further
    assert says(calibrate(pose(portrait, "angry")), "This is no resting face, it looks angry")
    collins = Path(__file__).parent.parent / "live_emotion" / "io" / "video" / "eileen_collins.jpg"
    assert says(calibrate(cv2.imread(str(collins))), "This is no resting face, it looks happy; relax your face")
    assert profile_names() == []
    assert calibrate(portrait).exit_code == 0


def test_profiles_are_listed_shown_and_deleted(tmp_path, analyzer, shown):
    def profiles(*arguments):
        return CliRunner().invoke(cli, ["profiles", *arguments])

    assert "There is no profile yet" in profiles().stdout
    enrolment = collect(shown, analyzer)
    profile = enrolment.learn().profile
    profile.save("anna")
    Profile(EMOTIONS, (7.0, 0.5, 0.0, 0.0)).save("old")
    Profile(EMOTIONS, (0.0,) * 4, profile.prototypes, "0" * 64).save("other")
    profile_path("torn").write_text("{")
    lines = profiles().stdout.splitlines()
    assert lines[0] == "anna: angry, happy, neutral, sad; fits the weights"
    assert lines[1] == "old: resting face; fits the weights"
    assert lines[2].startswith("other: angry, happy, neutral, sad; This profile was made with other weights")
    assert lines[3].startswith("torn: The profile ")
    text = profiles("show", "anna").stdout
    assert "; its look is known" in text
    assert str(profile_path("anna")) in text
    assert "angry: odds times 1097; not shown\n  happy: odds times 1.6; " in profiles("show", "old").stdout
    assert "Deleted" in profiles("delete", "anna").stdout
    assert not profile_path("anna").exists()
    assert says(profiles("delete", "anna"), "There is no profile anna")
    assert says(profiles("show", "anna"), "There is no profile anna")
    assert profile_names() == ["old", "other", "torn"]


def test_photos_that_must_all_give_a_face(tmp_path, analyzer, portrait, no_face):
    for name, image in (("a.png", portrait), ("b.png", no_face)):
        cv2.imwrite(str(tmp_path / name), image)
    with pytest.raises(InputError, match=r"Found no face in .*b\.png"):
        collect(photos_of([tmp_path / "a.png", tmp_path / "b.png"], "neutral"), analyzer)
