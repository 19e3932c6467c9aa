"""The guided enrolment: what it asks, when, and what it takes; on real pixels and clocks that are handed in."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from faces import pose
from screens import missing, screen
from videos import make_video

from live_emotion.cli.main import cli
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.enrolment import FEWEST, Enrolment
from live_emotion.pipelines.guide import COUNTDOWN_S, PRAISE_S, RECORDING_S, WORDS, Guide, Phase
from live_emotion.types import EMOTIONS, Frame
from live_emotion.visualization.guide import Scene, draw_scene
from live_emotion.visualization.pictogram import LOOKS, draw_face

STEP_S = 0.25


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer(AnalysisConfig(device="cpu", detector="short")) as analyzer:
        yield analyzer


@pytest.fixture(scope="module")
def images(portrait):
    return {name: pose(portrait, name) for name in EMOTIONS}


class Session:
    """Somebody before the camera, and the time that passes."""

    def __init__(self, analyzer, images, emotions=EMOTIONS):
        self.guide = Guide(Enrolment(analyzer), emotions)
        self.images, self.time_s, self.frames = images, 100.0, 0

    def press(self, key):
        return self.guide.step(None, self.time_s, key)

    def look(self, seconds, image=None):
        """Looks as it was asked to, or as the image does; gives what was shown."""
        scenes = []
        for _ in range(round(seconds / STEP_S)):
            self.time_s += STEP_S
            shown = self.images[self.guide.emotion] if image is None else image
            scenes.append(self.guide.step(Frame(self.frames, self.time_s, shown), self.time_s))
            self.frames += 1
        return scenes


def test_it_leads_through_all_emotions_with_the_resting_face_first(analyzer, images, monkeypatch):
    monkeypatch.setattr("live_emotion.pipelines.guide.CLOSE", 0.95)  # the portrait cannot be pulled further
    session = Session(analyzer, images)
    assert session.look(1)[-1] == Scene("Look into the camera", keys="space: begin   q: quit"), (
        "for as long as one likes"
    )
    assert session.press(" ").title == f"1/4  {WORDS['neutral']}"
    asked = []
    for number in range(4):
        emotion = session.guide.emotion
        asked.append(emotion)
        counting = [scene.count for scene in session.look(COUNTDOWN_S - STEP_S)]
        assert sorted(set(counting), reverse=True) == [3, 2, 1]
        assert session.guide.enrolment.labels.count(emotion) == 0, "nothing is taken before the recording"
        recorded = session.look(RECORDING_S)
        shares = [scene.progress for scene in recorded]
        assert shares == sorted(shares) and shares[0] == 0 and max(shares) < 1
        assert session.look(STEP_S)[-1].is_good
        assert session.guide.enrolment.labels.count(emotion) == round(RECORDING_S / STEP_S)
        session.look(PRAISE_S) if number % 2 else session.press(" ")
    assert session.guide.phase is Phase.DONE
    assert asked == ["neutral", "angry", "happy", "sad"]
    trial = session.guide.enrolment.learn()
    assert trial.is_worth_it
    assert trial.before.recall < trial.after.recall


def begin(session):
    """Up to the first frame that is recorded."""
    session.press(" ")
    session.look(COUNTDOWN_S - STEP_S)


def test_frames_that_cannot_be_used_are_not_taken_and_it_says_why(analyzer, images, portrait, no_face):
    session = Session(analyzer, images)
    assert "Found no face in the picture" in session.look(STEP_S, no_face)[-1].note, "in the preview, too"
    begin(session)
    assert "too dark" in session.look(STEP_S, portrait // 12)[-1].note
    assert "several people" in session.look(STEP_S, np.hstack([portrait, portrait]))[-1].note
    assert session.guide.enrolment.labels == []
    assert session.look(STEP_S)[-1].note == "", "as soon as it is right"
    assert session.guide.enrolment.labels == ["neutral"]
    scene = session.look(RECORDING_S, no_face)[-1]
    assert scene.is_good is False
    assert scene.title.startswith("Again")
    session.look(10 * PRAISE_S)
    assert session.guide.phase is Phase.VERDICT, "it waits for a key"


def test_it_says_how_well_a_recording_differs_from_those_before(analyzer, images):
    session = Session(analyzer, images)
    begin(session)
    assert session.look(RECORDING_S + STEP_S)[-1].title == "Good", "there is nothing to compare it with"
    session.press(" ")
    for _ in range(2):  # whoever is asked to look angry and does not
        session.look(COUNTDOWN_S - STEP_S)
        scene = session.look(RECORDING_S + STEP_S, images["neutral"])[-1]
        assert (scene.title, scene.is_good) == ("Again? That looked the same as your resting face", False)
        session.look(2 * PRAISE_S)
        assert session.guide.phase is Phase.VERDICT, "it waits for a key"
        session.press("r")
    session.look(COUNTDOWN_S - STEP_S)
    scene = session.look(RECORDING_S + STEP_S)[-1]
    assert (scene.title, scene.is_good) == ("Good: clearly other than your resting face", True)
    session.press(" ")
    session.look(COUNTDOWN_S - STEP_S)
    assert session.look(RECORDING_S + STEP_S, images["angry"])[-1].title == "Again? That looked the same as angry"


def test_an_angry_face_is_no_resting_face(analyzer, images, monkeypatch):
    session = Session(analyzer, images)
    begin(session)
    monkeypatch.setattr("live_emotion.emotions.profile.LEAST_REST", 0.5)  # the portrait cannot be pulled further
    scene = session.look(RECORDING_S + STEP_S, images["angry"])[-1]
    assert (scene.title, scene.is_good) == ("Again? That looked angry", False)
    session.press(" ")
    assert session.guide.enrolment.labels, "it can be kept all the same"


def test_again_forgets_what_was_recorded(analyzer, images):
    session = Session(analyzer, images)
    begin(session)
    session.look(RECORDING_S / 2)
    assert session.guide.enrolment.labels
    assert session.press("r").count == 3
    assert session.guide.enrolment.labels == []
    session.look(COUNTDOWN_S + RECORDING_S)
    assert session.guide.enrolment.labels.count("neutral") >= FEWEST
    session.press("r")
    assert session.guide.enrolment.labels == []


def test_skipping_leaves_an_emotion_out(analyzer, images):
    session = Session(analyzer, images)
    begin(session)
    session.look(1)
    for emotion in ("neutral", "angry", "happy", "sad"):
        assert session.guide.emotion == emotion
        session.press("n")
    assert session.guide.phase is Phase.DONE
    assert session.guide.enrolment.labels == []


def test_keys_that_mean_nothing_at_the_moment_do_nothing(analyzer, images):
    session = Session(analyzer, images)
    for key in ("r", "n", "x", ""):
        session.press(key)
    assert session.guide.phase is Phase.PREVIEW
    begin(session)
    session.press(" ")
    assert session.guide.phase is Phase.COUNTDOWN


def test_an_emotion_that_cannot_be_drawn_is_asked_for_in_words(analyzer, images):
    guide = Guide(Enrolment(analyzer), ("disgust",))
    scene = guide.step(None, 0.0, " ")
    assert (scene.title, scene.emotion) == ("1/1  Show this: disgust", "disgust")
    canvas = np.zeros((200, 200, 3), np.uint8)
    draw_face(canvas, "disgust", (100, 100), 50, (255, 255, 255))
    assert not canvas.any()


def test_the_drawn_faces_differ_where_faces_do():
    drawn = {}
    for emotion in LOOKS:
        canvas = np.zeros((200, 200, 3), np.uint8)
        draw_face(canvas, emotion, (100, 100), 80, (200, 200, 200))
        drawn[emotion] = canvas
    mouth = {name: np.argwhere(canvas[120:165, 60:140].max(axis=2) < 60) for name, canvas in drawn.items()}
    middle = {name: p[abs(p[:, 1] - 40) < 4, 0].mean() for name, p in mouth.items()}
    corners = {name: p[abs(p[:, 1] - 40) > 30, 0].mean() for name, p in mouth.items()}
    assert corners["happy"] < middle["happy"] - 5, "up"
    assert corners["sad"] > middle["sad"] + 5, "down"
    assert abs(corners["neutral"] - middle["neutral"]) < 2
    assert (drawn["angry"] != drawn["neutral"]).any()


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (640, 360), (96, 128)])
@pytest.mark.parametrize(
    "scene",
    [
        Scene("Look into the camera", note="Found no face in the picture; come closer.", keys="space: begin"),
        Scene("Smile", "happy", count=3, keys="q: quit"),
        Scene("Smile", "happy", progress=0.6),
        Scene("Good", "happy", is_good=True),
    ],
)
def test_scenes_are_drawn_over_a_copy_at_any_size(size, scene):
    image = np.full((*size, 3), 128, np.uint8)
    drawn = draw_scene(image, scene, EMOTIONS)
    assert (image == 128).all()
    assert drawn.shape == image.shape
    assert (drawn != image).any(axis=2).mean() > 0.02


def test_the_ring_fills():
    filled = []
    for share in (0.0, 0.5, 1.0):
        drawn = draw_scene(np.zeros((480, 640, 3), np.uint8), Scene("Smile", "happy", progress=share), EMOTIONS)
        filled.append(int((drawn[:, :320] == (66, 228, 240)).all(axis=2).sum()))
    assert filled[0] == 0
    assert filled[2] == pytest.approx(2 * filled[1], rel=0.1)


def test_without_a_display_it_names_the_other_ways(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    done = CliRunner().invoke(cli, ["enrol", "nobody"])
    assert done.exit_code == 1
    assert "--photos DIR" in str(done.exception)


@pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")
def test_in_a_window_quitting_saves_nothing(tmp_path, portrait):
    video = make_video(tmp_path / "me.mp4", [portrait] * 2, [0.0, 60.0])
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    with screen(1280, 800) as display:
        command = [sys.executable, "-m", "live_emotion", "enrol", "--camera", str(video), "--device", "cpu"]
        process = subprocess.Popen(
            command, env={**display.environment, **environment}, stderr=subprocess.PIPE, text=True
        )
        try:
            window = display.find_window()
            while process.poll() is None:  # a key is lost while the window is still being opened
                with contextlib.suppress(subprocess.CalledProcessError):  # it may be gone by now
                    display.xdotool("key", "--window", window, "q")
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 1
    assert (
        errors.strip().splitlines()[-1]
        == "Error: The enrolment ended before all emotions were shown; nothing was saved."
    )
    assert not (tmp_path / "home" / "live-emotion").exists()
