"""The live loop, driven by scripted cameras, with the real analysis and a window that a script looks at."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest

from live_emotion.concurrency.latest import Latest
from live_emotion.errors import CameraError
from live_emotion.io.camera import CameraMode
from live_emotion.io.live_source import LiveSource
from live_emotion.io.results_writer import open_results_writer
from live_emotion.io.video_reader import VideoFile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.live import STALLED, WAITING_SIZE, LiveLoop, Settings, find_live, read_live
from live_emotion.pipelines.recorder import Recorder
from live_emotion.streaming import stream
from live_emotion.types import LiveFrame


class ScriptedWindow:
    """Stands where the screen would be: keeps what it is shown, and presses a key after so many pictures.

    The one that is shown until the first frame comes is counted apart.
    """

    def __init__(self, keys=None, closes_after=10**9):
        self.waited = 0
        self.keys = dict(keys or {})
        self.closes_after = closes_after
        self.shown = []
        self.key = ""

    def show(self, image):
        if image.shape[:2] == WAITING_SIZE:
            self.waited += 1
            return True
        self.shown.append(image)
        self.key = self.keys.pop(len(self.shown), "")
        return len(self.shown) < self.closes_after


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer.open(device="cpu", track=True) as analyzer:
        yield analyzer


def camera(*images, pause_s=0.05):
    """Frames as a camera gives them, slowly enough that none is dropped in a test."""
    for index, image in enumerate(images):
        time.sleep(pause_s)
        yield LiveFrame(index, index * 0.04, image, time.monotonic())


def run(analyzer, tmp_path, frames, window=None, settings=None, **more):
    with Recorder(tmp_path) as recorder:
        loop = LiveLoop(analyzer, settings or Settings(), recorder, window, **more)
        loop.run(frames if isinstance(frames, LiveSource) else LiveSource(frames))
    return loop, recorder


def test_what_is_read_is_shown_and_counted(analyzer, tmp_path, portrait):
    window = ScriptedWindow()
    loop, _ = run(analyzer, tmp_path, camera(*[portrait] * 4), window)
    assert loop.statistics.captured == 4
    assert 1 <= loop.statistics.shown <= 4
    assert window.waited >= 1
    assert window.shown[0].shape == portrait.shape
    assert not np.array_equal(window.shown[0], portrait)
    assert loop.statistics.latency.percentile_ms(95) > 0
    assert "4 frames captured" in str(loop.statistics)
    assert list(tmp_path.iterdir()) == [], "nothing is stored unless asked for"


def test_black_frames_and_changes_of_size_go_through(analyzer, tmp_path, portrait):
    small = cv2.resize(portrait, (256, 300))
    frames = camera(portrait, np.zeros_like(portrait), small, np.zeros((2, 2, 3), np.uint8), pause_s=0.2)
    loop, _ = run(analyzer, tmp_path, frames, ScriptedWindow())
    assert loop.statistics.shown >= 1


def test_a_camera_that_dies_is_an_error_and_the_files_are_complete(analyzer, tmp_path, portrait):
    def dying():
        yield from camera(*[portrait] * 3, pause_s=0.3)
        raise CameraError("Camera 0 has gone")

    log, video = tmp_path / "log.csv", tmp_path / "video.mp4"
    with (
        pytest.raises(CameraError, match="has gone"),
        open_results_writer(log, analyzer.class_names) as sink,
        Recorder(tmp_path) as recorder,
    ):
        recorder.start(video)
        LiveLoop(analyzer, Settings(), recorder, None, sink).run(LiveSource(dying()))
    assert len(log.read_text().splitlines()) >= 2
    with VideoFile(video) as recorded:
        assert len(list(recorded)) >= 1


def test_the_alarm_is_shown_while_the_camera_is_away(analyzer, tmp_path, portrait):
    source = LiveSource(iter(()))

    def stalling():
        yield from camera(portrait)
        time.sleep(0.5)
        source.announce("Camera 0 gives no picture; waiting for it")
        time.sleep(0.5)

    source.frames = stalling()
    window = ScriptedWindow()
    run(analyzer, tmp_path, source, window)
    first, last = window.shown[0], window.shown[-1]
    assert first.shape == last.shape
    assert not np.array_equal(first[:100], last[:100])


def test_a_camera_that_hangs_is_announced_though_it_says_nothing(analyzer, tmp_path, portrait, monkeypatch):
    monkeypatch.setattr("live_emotion.pipelines.live.STALLED_S", 0.2)
    said = []

    def hanging():
        yield from camera(portrait, portrait)
        time.sleep(1)
        yield from camera(portrait, portrait)

    window = ScriptedWindow()
    run(analyzer, tmp_path, LiveSource(hanging()), window, say=said.append)
    assert set(said) == {STALLED}
    second_lines = {image[25:45, :200].tobytes() for image in window.shown}
    assert len(second_lines) == 2, "it is written while it lasts, and no longer"


def test_closing_the_window_ends_it(analyzer, tmp_path, portrait):
    window = ScriptedWindow(closes_after=3)
    loop, _ = run(analyzer, tmp_path, camera(*[portrait] * 500), window)
    assert loop.statistics.captured < 500
    assert len(window.shown) == 3


def test_the_window_is_there_and_can_be_closed_before_the_camera_gives_a_frame(analyzer, tmp_path):
    closed = threading.Event()
    waiting = []

    def silent():
        closed.wait(30)
        yield from ()

    class Impatient(ScriptedWindow):
        def show(self, image):
            waiting.append(image)
            self.key = "s"  # there is nothing to keep yet
            if len(waiting) == 3:
                closed.set()
            return len(waiting) < 3

    source = LiveSource(silent(), CameraMode(320, 200))
    loop, _ = run(analyzer, tmp_path, source, Impatient())
    assert [image.shape for image in waiting] == [(200, 320, 3)] * 3
    assert waiting[0].std() > 0, "it says what it waits for"
    assert loop.statistics.captured == 0
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_hangs_is_the_only_one_waited_for(analyzer, tmp_path, portrait, monkeypatch):
    monkeypatch.setattr("live_emotion.concurrency.latest.CLOSING_S", 1.0)
    released = threading.Event()
    has_ended = []
    close = Latest.close

    def watched(self):
        close(self)
        has_ended.append(not self._thread.is_alive())

    def hanging():
        yield from camera(portrait)
        released.wait(60)

    monkeypatch.setattr(Latest, "close", watched)
    run(analyzer, tmp_path, hanging(), ScriptedWindow(closes_after=3))
    released.set()
    assert has_ended == [True, True, False]


def test_a_request_to_stop_ends_it(analyzer, tmp_path, portrait):
    with Recorder(tmp_path) as recorder:
        loop = LiveLoop(analyzer, Settings(), recorder)
        loop.run(LiveSource(camera(*[portrait] * 500)), lambda: loop.statistics.shown >= 2)
    assert loop.statistics.captured < 500


def test_keys_store_pictures_and_videos(analyzer, tmp_path, portrait):
    window = ScriptedWindow({2: "s", 3: "r", 20: "r"}, closes_after=40)
    loop, recorder = run(analyzer, tmp_path, camera(*[portrait] * 500), window)
    (picture,) = loop.saved
    assert cv2.imread(str(picture)).shape == portrait.shape
    (video,) = recorder.saved
    with VideoFile(video) as recorded:
        assert len(list(recorded)) >= 1


@pytest.mark.parametrize(
    ("key", "name"), [("p", "paused"), ("m", "mirror"), ("b", "bars"), ("i", "info"), ("h", "help")]
)
def test_keys_switch(analyzer, tmp_path, portrait, key, name):
    settings = Settings()
    before = getattr(settings, name)
    run(analyzer, tmp_path, camera(*[portrait] * 500), ScriptedWindow({1: key}, closes_after=2), settings)
    assert getattr(settings, name) != before


def test_pause_holds_the_picture(analyzer, tmp_path, portrait, no_face):
    window = ScriptedWindow({1: "p"}, closes_after=12)
    frames = camera(portrait, *[np.full_like(portrait, 90)] * 500)
    loop, _ = run(analyzer, tmp_path, frames, window)
    assert loop.statistics.shown == 1
    below = slice(200, None)
    assert np.array_equal(window.shown[0][below], window.shown[-1][below])


def test_mirroring_keeps_identities(analyzer, portrait):
    wide = np.hstack([portrait, np.zeros_like(portrait)])
    settings = Settings()
    results = []
    frames = (LiveFrame(i, 100 + i * 0.04, wide, 0.0) for i in range(6))
    for result in read_live(find_live(frames, analyzer.detector, settings), analyzer):
        results.append(result)
        settings.mirror = len(results) >= 3
    assert len({face.track_id for result in results for face in result.faces}) == 1
    assert results[0].faces[0].box[0] < 512 < results[-1].faces[0].box[0]


def test_streaming_gives_frames_faces_and_rows(tmp_path, portrait):
    from live_emotion.io.video_writer import VideoWriter

    with VideoWriter(tmp_path / "video.mp4") as video:
        for i in range(4):
            video.write(portrait, i * 0.3)
    rows = []
    results = list(stream(tmp_path / "video.mp4", device="cpu", callback=rows.append))
    assert 1 <= len(results) <= 4
    assert results[0].frame.image.shape == portrait.shape
    assert [len(r.faces) for r in results] == [1] * len(results)
    assert len(rows) == len(results)
    assert rows[0]["emotion"] == results[0].faces[0].emotion


def test_a_profile_is_learnt_from_photos_and_used(tmp_path, portrait, monkeypatch):
    from click.testing import CliRunner

    from live_emotion.cli.main import cli
    from live_emotion.emotions.profile import load_profile

    monkeypatch.setattr("live_emotion.emotions.profile.click.get_app_dir", lambda name: str(tmp_path / name))
    photo = tmp_path / "rest.png"
    cv2.imwrite(str(photo), portrait)
    done = CliRunner().invoke(cli, ["calibrate", "--photo", str(photo), "--profile", "anna", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "Read 1 picture of the resting face: neutral " in done.output
    assert load_profile("anna").class_names == ("angry", "happy", "neutral", "sad")
    done = CliRunner().invoke(cli, ["image", str(photo), "--profile", "anna", "-o", str(tmp_path / "out")])
    assert "1 face" in done.output, done.output
    again = CliRunner().invoke(cli, ["calibrate", "--photo", str(photo), "--profile", "anna"])
    assert "--force" in str(again.exception)
