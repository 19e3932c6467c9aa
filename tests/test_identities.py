"""People who leave and come back, pass each other, are cut between, or make room for a coat: real pixels."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest
from videos import make_video

from live_emotion.faces import tracker as tracking
from live_emotion.faces.appearance import appearance
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.scene import Scene
from live_emotion.faces.tracker import Tracker
from live_emotion.io.files import atomic
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import open_results_writer
from live_emotion.io.video.demo_clip import read_smile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.video import annotate_video
from live_emotion.types import Face, Frame, Prediction, TrackedFace

FPS = 15


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True), workers=2) as analyzer:
        yield analyzer


@pytest.fixture(scope="module")
def people(portrait):
    """Grace Hopper and Eileen Collins, 300 pixels high each."""
    return tuple(cv2.resize(p, (300 * p.shape[1] // p.shape[0], 300)) for p in (portrait, read_smile()))


def scene(*placed, grey=110):
    """People at x (and y, and scale): (480, 960, 3) uint8 BGR."""
    image = np.full((480, 960, 3), grey, np.uint8)
    for person, x, y, scale in placed:
        small = cv2.resize(person, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x1, x2 = max(x, 0), min(x + small.shape[1], 960)
        if x1 < x2:
            image[y : y + small.shape[0], x1:x2] = small[:, x1 - x : x2 - x]
    return image


def numbers(analyzer, images):
    """Of everyone from left to right, frame by frame."""
    analyzer.restart()
    found = []
    for i, image in enumerate(images):
        faces = analyzer.analyze(Frame(i, i / FPS, image)).faces
        found.append([face.track_id for face in sorted(faces, key=lambda face: face.box[0])])
    return found


def test_whoever_leaves_for_seconds_and_comes_back_elsewhere_keeps_the_number(analyzer, people):
    hopper, collins = people
    both = scene((hopper, 40, 60, 1), (collins, 600, 80, 1))
    one = scene((collins, 600, 80, 1))
    back = scene((collins, 600, 80, 1), (hopper, 330, 40, 0.8))
    found = numbers(analyzer, [both] * 15 + [one] * 45 + [back] * 10)
    assert found[14] == [1, 2]
    assert found[59] == [2]
    assert found[60:] == [[1, 2]] * 10


def test_after_a_cut_the_numbers_go_with_the_people_and_not_with_the_places(analyzer, people):
    hopper, collins = people
    a = scene((hopper, 60, 60, 1), (collins, 560, 60, 1))
    b = scene((collins, 60, 60, 1), (hopper, 560, 60, 1), grey=190)
    assert numbers(analyzer, ([a] * 6 + [b] * 6) * 2) == ([[1, 2]] * 6 + [[2, 1]] * 6) * 2


def test_who_turns_round_behind_somebody_keeps_the_number(analyzer, people):
    """Both walk towards each other, one hides the other, and both go back: their courses say that they have passed."""
    hopper, collins = people
    steps = [*range(0, 300, 20), *range(300, -1, -20)]
    images = [scene((hopper, 20 + x, 60, 0.8), (collins, 620 - x, 60, 1)) for x in steps]
    found = numbers(analyzer, images)
    assert found[5] == found[-5] == [1, 2] or found[5] == found[-5] == [2, 1]


def test_a_number_does_not_slide_onto_a_coat(portrait):
    with FaceDetector() as detector:
        (face,) = detector.detect(portrait)
    x1, y1, x2, y2 = face.box
    down = np.array([0, 0.6 * (y2 - y1)])
    coat = Face((x1, y1 + down[1], x2, y2 + down[1]), 0.6, (face.keypoints + down).astype(np.float32))
    tracker = Tracker()
    for i in range(10):
        assert tracker.update([face], i / FPS, lambda index: appearance(portrait, face)) == [1]
    assert tracker.update([coat], 11 / FPS, lambda index: appearance(portrait, coat)) == [2]
    assert tracker.update([face], 12 / FPS, lambda index: appearance(portrait, face)) == [1]


def test_mirroring_changes_nothing_of_who_is_known_again(analyzer, people):
    hopper, collins = people
    analyzer.restart()
    before, there, back = scene((hopper, 60, 60, 1)), scene(), scene((collins, 40, 60, 1), (hopper, 500, 30, 0.8))
    found = []
    for i, image in enumerate([before] * 10 + [there] * 30 + [back] * 5):
        turned = np.ascontiguousarray(image[:, ::-1]) if i >= 20 else image
        (result,) = analyzer.read([analyzer.find(Frame(i, i / FPS, turned), i >= 20)])
        found.append([face.track_id for face in sorted(result.faces, key=lambda face: face.box[0])])
    assert found[9] == [1]
    assert found[-1] == [1, 2]


def test_faces_are_looked_at_no_more_than_needed(portrait):
    with FaceDetector() as detector:
        (face,) = detector.detect(portrait)
    looked = []

    def look(index):
        looked.append(index)
        return appearance(portrait, face)

    tracker = Tracker()
    for i in range(120):
        tracker.update([face], i / 30, look)
    assert len(looked) <= 4 / tracking.LOOK_S + tracking.YOUNG_LOOKS + 2


def test_an_appearance_is_of_length_one_and_the_same_in_the_mirror(portrait):
    flipped = np.ascontiguousarray(portrait[:, ::-1])
    with FaceDetector() as detector:
        (face,), (other,) = detector.detect(portrait), detector.detect(flipped)
    a, b = appearance(portrait, face), appearance(flipped, other, is_mirrored=True)
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-5)
    assert a @ b > 0.9 > a @ appearance(flipped, other)
    grey = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    assert a @ appearance(grey, face) > 0.9
    assert appearance(portrait, Face(face.box, 0.9, np.full((6, 2), np.nan, np.float32))) is None
    far = Face((900, 900, 1000, 1000), 0.9, face.keypoints + 2000)
    assert appearance(portrait, far) is None


def test_cuts_are_noticed_and_movement_is_not(people, portrait):
    watched = Scene()
    hopper, collins = people
    images = [scene((hopper, 20 * i, 60, 1)) for i in range(20)] + [scene((collins, 600, 60, 1), grey=190)] * 2
    assert [watched.is_cut(image) for image in images] == [False] * 20 + [True, False]
    assert Scene().is_cut(portrait) is False


def known(track_id, mean):
    """A look that is mostly this axis."""
    look = np.full(8, 0.05)
    look[mean] = 1
    return (look / np.linalg.norm(look)).astype(np.float32)


def appear(tracker, when, axis, x=0):
    """Somebody who looks like this is there at these times."""
    face = Face((x, 0, x + 100, 100), 0.9, np.zeros((6, 2), np.float32))
    return {tracker.update([face], time_s, lambda index: known(0, axis))[0] for time_s in when}


def test_at_the_end_tracks_of_one_person_are_merged_unless_they_have_two_names(monkeypatch):
    monkeypatch.setattr(tracking, "SAME", 2.0)  # nobody is known again meanwhile
    tracker = Tracker()
    spans = [np.arange(start, start + 1, 0.1) for start in (0, 10, 20)]
    assert [appear(tracker, span, axis) for span, axis in zip(spans, (0, 1, 0))] == [{1}, {2}, {3}]
    assert tracker.merged() == {3: 1}
    assert tracker.merged({1: "anna", 3: "anna"}) == {3: 1}
    assert tracker.merged({1: "anna", 3: "ben"}) == {}


def test_two_who_were_in_view_at_once_are_never_merged():
    tracker = Tracker()
    twins = [Face((x, 0, x + 100, 100), 0.9, np.zeros((6, 2), np.float32)) for x in (0, 400)]
    for i in range(20):
        assert tracker.update(twins, i / 10, lambda index: known(0, 0)) == [1, 2]
    assert tracker.merged() == {}


def test_what_is_remembered_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(tracking, "MOST_TRACKS", 20)
    tracker = Tracker()
    for i in range(100):
        appear(tracker, [10.0 * i], i % 8, 200 * (i % 5))
    assert len(tracker._away) + len(tracker._tracks) <= 21


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rows_get_other_numbers_and_stay_else_as_they_are(tmp_path, suffix):
    prediction = Prediction("sad", 0.7, (0.1, 0.1, 0.1, 0.7))
    names = ("angry", "happy", "neutral", "sad")

    def write(path, tracks, numbers):
        with open_results_writer(path, names) as writer:
            for i, track_id in enumerate(tracks):
                face = TrackedFace(
                    (1.5, 2, 30, 40), 0.91234, np.zeros((6, 2)), prediction, track_id, "blurred", "Zoë, x"
                )
                writer.write(Frame(i, i / 30, np.zeros((2, 2, 3), np.uint8)), [face])
            writer.renumber(numbers)
        return path

    changed = write(tmp_path / f"a{suffix}", [1, 2, 3, 2], {2: 1, 9: 4})
    expected = write(tmp_path / f"b{suffix}", [1, 1, 3, 1], {})
    assert read_table(changed).track_id.tolist() == [1, 1, 3, 1]
    if suffix != ".parquet":
        assert changed.read_bytes() == expected.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]
    assert not [path for path in atomic._locks if path.parent == tmp_path], "no file is left open"


def test_rows_of_a_video_have_the_merged_numbers(analyzer, people, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "SAME", 2.0)  # nobody is known again meanwhile
    hopper, collins = people
    a, b = scene((hopper, 60, 60, 1)), scene((collins, 560, 60, 1), grey=190)
    source = make_video(tmp_path / "in.mp4", [a] * 8 + [b] * 8 + [a] * 8, audio=())
    data = [tmp_path / "out.csv", tmp_path / "out.jsonl"]
    summary = annotate_video(source, analyzer, None, data)
    assert summary.people == {1, 2}
    with data[0].open(newline="") as file:
        rows = [int(row["track_id"]) for row in csv.DictReader(file)]
    assert rows == [1] * 8 + [2] * 8 + [1] * 8
    assert [json.loads(line)["track_id"] for line in data[1].read_text().splitlines()] == rows
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.csv", "out.jsonl"]
