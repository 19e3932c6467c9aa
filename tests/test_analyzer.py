"""The one analyzer: real portrait, real detector, the weights that come with live-emotion."""

from __future__ import annotations

import importlib
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from live_emotion.emotions.profile import Profile
from live_emotion.errors import InputError, LiveEmotionError
from live_emotion.faces.boxes import mirrored
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import crop_face
from live_emotion.io.video.demo_clip import read_smile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.result import FoundFaces, looks_of
from live_emotion.types import Frame


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer(AnalysisConfig(device="cpu")) as analyzer:
        yield analyzer


@pytest.fixture(scope="module")
def follower():
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True), workers=2) as analyzer:
        yield analyzer


@pytest.fixture
def batches(analyzer, monkeypatch):
    """Sizes of the batches that reach the network."""
    sizes = []
    (network,) = analyzer.classifier.networks
    logits = network.logits

    def noted(faces):
        sizes.append(len(faces))
        return logits(faces)

    monkeypatch.setattr(network, "logits", noted)
    return sizes


def test_two_faces_are_one_batch_of_two(analyzer, batches, two_faces):
    assert len(analyzer.analyze(Frame(0, 0.0, two_faces)).faces) == 2
    assert batches == [2]


def test_no_face_costs_no_network_call(analyzer, batches, no_face):
    assert analyzer.analyze(Frame(0, 0.0, no_face)).faces == []
    assert batches == []


def test_each_face_has_the_reading_of_its_own_crop(analyzer, two_faces):
    left, right = sorted(analyzer.analyze(Frame(0, 0.0, two_faces)).faces, key=lambda f: f.box[0])
    crops = np.stack([crop_face(two_faces, face.box) for face in (left, right)])
    expected = analyzer.classifier.predict(crops)
    assert np.abs(expected[0] - expected[1]).max() > 0.01, "these two must be told apart"
    np.testing.assert_allclose([left.probabilities, right.probabilities], expected, atol=1e-5)


def test_crops_are_those_of_the_one_preprocessing(portrait):
    with FaceDetector() as detector:
        faces, crops = find_faces(detector, portrait)
    assert len(faces) == 1
    assert np.array_equal(crops[0], crop_face(portrait, faces[0].box))


def test_results_keep_frames_and_are_drawn_on_copies(analyzer, portrait, no_face):
    frames = [Frame(0, 0.0, portrait), Frame(1, 0.04, no_face)]
    results = [analyzer.analyze(frame) for frame in frames]
    assert [r.frame for r in results] == frames
    assert [len(r.faces) for r in results] == [1, 0]
    annotated = results[0].draw()
    assert annotated.shape == portrait.shape
    assert not np.array_equal(annotated, portrait)
    assert np.array_equal(results[1].draw(), no_face)
    x1, y1, x2, y2 = (round(v) for v in results[0].faces[0].box)
    middle = slice(y1 + 20, y2 - 20), slice(x1 + 20, x2 - 20)
    assert np.array_equal(annotated[middle], portrait[middle]), "the face itself stays free"


def moving(portrait, count):
    """Frames in which the portrait goes to the right, 25 a second."""
    for i in range(count):
        yield Frame(i, i / 25, np.roll(portrait, 3 * i, axis=1))


def test_several_frames_at_once_give_what_one_after_the_other_gives(follower, portrait, no_face):
    frames = [*moving(portrait, 9), Frame(9, 9 / 25, no_face), Frame(10, 10 / 25, np.roll(portrait, 30, axis=1))]
    follower.restart()
    expected = [follower.analyze(frame) for frame in frames]
    follower.restart()
    found = list(follower.analyze_many((frame, True) for frame in frames))
    assert [frame for frame, _ in found] == frames
    for (_, result), wanted in zip(found, expected):
        assert [face.track_id for face in result.faces] == [face.track_id for face in wanted.faces]
        assert [face.box for face in result.faces] == [face.box for face in wanted.faces]
        for face, other in zip(result.faces, wanted.faces):
            np.testing.assert_allclose(face.probabilities, other.probabilities, atol=0.02)


def test_frames_that_are_not_due_are_handed_on_unread(follower, portrait):
    follower.restart()
    marked = [(frame, frame.index % 3 == 0) for frame in moving(portrait, 7)]
    assert [result is not None for _, result in follower.analyze_many(marked)] == [due for _, due in marked]


def test_whoever_was_seen_before_a_restart_is_forgotten(follower, portrait):
    follower.restart()
    assert follower.analyze(Frame(0, 5.0, portrait)).faces[0].track_id == 1
    follower.restart()
    assert follower.analyze(Frame(0, 5.1, portrait)).faces[0].track_id == 1


def test_people_keep_their_identities_when_mirroring_goes_on_and_off(follower, portrait):
    """Two people of whom the left one is larger: the numbers go with the people, not with the places."""
    picture = np.full((600, 1024, 3), 110, np.uint8)
    picture[:, :512] = portrait
    picture[180:, 640:998] = cv2.resize(portrait, (358, 420), interpolation=cv2.INTER_AREA)
    follower.restart()
    numbers = []
    for i in range(9):
        is_mirrored = i in (3, 4, 5)
        image = np.ascontiguousarray(picture[:, ::-1]) if is_mirrored else picture
        (result,) = follower.read([follower.find(Frame(i, i / 25, image), is_mirrored)])
        numbers.append([face.track_id for face in sorted(result.faces, key=lambda f: f.box[0] - f.box[2])])
    assert numbers == [numbers[0]] * 9
    assert len(numbers[0]) == 2


def test_a_known_face_is_not_taken_for_a_new_one_when_mirroring_goes_on(follower, portrait):
    picture = np.full((600, 1024, 3), 110, np.uint8)
    picture[:, :512] = portrait
    follower.restart()
    for i in range(8):
        follower.find(Frame(i, i / 25, picture))
    (before,) = follower._memory.faces
    follower.find(Frame(8, 8 / 25, np.ascontiguousarray(picture[:, ::-1])), is_mirrored=True)
    (after,) = follower._memory.faces
    assert before.checks > 1
    assert (after.checks, after.checked_s) == (before.checks, before.checked_s), "it went on, without another look"
    np.testing.assert_allclose(after.seen.box, mirrored(before.seen, 1024).box, atol=15)


def test_a_configuration_takes_weights_in_any_form_and_cannot_be_changed(tmp_path):
    assert AnalysisConfig().weights == AnalysisConfig(weights=None).weights == ()
    assert AnalysisConfig(weights="a.pth").weights == ("a.pth",)
    assert AnalysisConfig(weights=tmp_path).weights == (tmp_path,)
    assert AnalysisConfig(weights=["a.pth", tmp_path]).weights == ("a.pth", tmp_path)
    with pytest.raises(FrozenInstanceError):
        AnalysisConfig().device = "cuda"


@pytest.mark.parametrize(
    "change", [{"detector": "best"}, {"min_confidence": 1.5}, {"min_confidence": float("nan")}, {"max_faces": 0}]
)
def test_a_configuration_that_makes_no_sense_is_one_line(change):
    with pytest.raises(LiveEmotionError, match=next(iter(change))):
        replace(AnalysisConfig(), **change)


def test_who_is_at_the_same_place_before_another_camera_is_somebody_else(follower, portrait):
    follower.restart()
    (one,) = follower.analyze(Frame(0, 0.0, portrait)).faces
    (same,) = follower.analyze(Frame(1, 0.1, portrait)).faces
    follower.forget()
    (other,) = follower.analyze(Frame(2, 0.2, portrait)).faces
    assert (one.track_id, same.track_id, other.track_id) == (1, 1, 2)


def test_a_profile_can_be_added(portrait, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with EmotionAnalyzer(AnalysisConfig(device="cpu")) as analyzer:
        (before,) = analyzer.analyze(Frame(0, 0.0, portrait)).faces
        with pytest.raises(InputError, match="nobody"):
            analyzer.add_profile("nobody")
        assert analyzer.config.profiles == ()
        crops = np.repeat(analyzer.find(Frame(0, 0.0, portrait)).crops, 4, axis=0)
        Profile.fit(crops, ["neutral"] * 4, analyzer.classifier).save("anna")
        analyzer.add_profile("anna")
        (after,) = analyzer.analyze(Frame(0, 0.0, portrait)).faces
        assert analyzer.config.profiles == ("anna",)
        Profile(analyzer.class_names, (0.0,) * 4).save("anna")
        analyzer.add_profile("anna")
        (again,) = analyzer.analyze(Frame(0, 0.0, portrait)).faces
        assert analyzer.config.profiles == ("anna",), "one that was made again takes the place of the other"
        np.testing.assert_allclose(again.probabilities, before.probabilities, atol=1e-3)
    assert (before.name, after.name) == ("", "anna")
    assert after.probabilities != before.probabilities


@pytest.fixture(scope="module")
def clutter():
    """Pictures without faces, in which the detector sees some where it may be in doubt: (720, 1280, 3) uint8 BGR."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
        ghosts = importlib.import_module("ghosts")
    return [frame.image for frame in ghosts.clutter([], 12, 0.25, seed=7)]


def test_what_the_network_sees_as_no_face_is_none_and_a_face_among_it_stays(clutter, portrait):
    with EmotionAnalyzer(AnalysisConfig(device="cpu", min_confidence=0.3, max_faces=50)) as analyzer:
        found = [analyzer.find(Frame(i, 0.0, image)) for i, image in enumerate(clutter)]
        assert sum(len(each.faces) for each in found) >= 10
        assert [len(result.faces) for result in analyzer.read(found)] == [0] * len(clutter)
        assert all(result.found == 0 for result in analyzer.read(found))
        for image in clutter[:4]:
            with_her = image.copy()
            with_her[60:660, 400:912] = portrait
            (face,) = analyzer.analyze(Frame(0, 0.0, with_her)).faces
            assert 600 < (face.box[0] + face.box[2]) / 2 < 720
    kept = found[0].only(np.array([], int))
    assert (kept.faces, len(kept.crops), kept.found) == ([], 0, found[0].found - len(found[0].faces))


def test_a_followed_face_stays_one_when_nothing_can_be_seen_in_it(follower, portrait):
    follower.restart()
    sharp = [portrait] * 6
    blurred = [cv2.GaussianBlur(portrait, (0, 0), 9)] * 6
    faces = [follower.analyze(Frame(i, i / 15, image)).faces for i, image in enumerate(sharp + blurred)]
    assert [len(each) for each in faces[1:]] == [1] * 11


def test_a_followed_face_in_which_nothing_can_be_seen_stays_one_when_mirroring_goes_on(follower, portrait):
    picture = np.full((600, 1536, 3), 110, np.uint8)
    picture[:, :512] = portrait
    follower.restart()
    found = follower.find(Frame(0, 0.0, picture))
    follower.read([found])
    in_doubt = replace(mirrored(found.faces[0], 1536), score=0.5)
    turned = np.ascontiguousarray(picture[:, ::-1])
    nothing = np.full((1, 48, 48), 110, np.uint8)
    (result,) = follower.read([FoundFaces(Frame(1, 0.1, turned), [in_doubt], nothing, True, 1)])
    assert len(result.faces) == 1


def test_an_enrolled_person_is_known_beside_another(portrait, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    collins = cv2.resize(read_smile(), (600, 600))
    with EmotionAnalyzer(AnalysisConfig(device="cpu")) as analyzer:
        found = analyzer.find(Frame(0, 0.0, portrait))
        Profile.fit(found.crops, ["neutral"], analyzer.classifier, looks_of(found)).save("grace")
        analyzer.add_profile("grace")
        darker = cv2.convertScaleAbs(portrait, alpha=0.7)
        for image, names in (
            (np.hstack([portrait, collins]), ["grace", ""]),
            (np.hstack([collins, darker]), ["", "grace"]),
            (collins, [""]),
        ):
            faces = analyzer.analyze(Frame(0, 0.0, np.ascontiguousarray(image))).faces
            assert [face.name for face in sorted(faces, key=lambda face: face.box[0])] == names
