"""The live loop, driven by scripted cameras, with the real analysis and a window that a script looks at."""

from __future__ import annotations

import re
import shutil
import threading

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from live_emotion.api import stream
from live_emotion.cli.main import cli
from live_emotion.concurrency.latest import Latest
from live_emotion.errors import CameraError, OutputError
from live_emotion.io.camera import CameraMode
from live_emotion.io.live_source import LiveSource, SourceState
from live_emotion.io.results_writer import open_results_writer
from live_emotion.io.video.reader import VideoFile
from live_emotion.io.video.writer import VideoWriter
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.live.controls import HINT, HINT_S, KEYS, NOTICE_S, SWITCHES, Controls, Settings
from live_emotion.pipelines.live.loop import STALLED, STALLED_S, WAITING_SIZE, LiveLoop, find_live, read_live
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.pipelines.live.statistics import Statistics
from live_emotion.types import LiveFrame

HANGS_S = 30
"""After this a test that waits for another thread gives up."""


class ScriptedWindow:
    """Stands where the screen would be: keeps what it is shown, and presses a key after so many images.

    The one that is shown until the first frame comes is counted apart.
    """

    def __init__(self, keys=None, closes_after=10**9):
        self.waited = 0
        self.keys = dict(keys or {})
        self.closes_after = closes_after
        self.shown = []
        self.key = ""
        self._change = threading.Condition()

    def fit(self, width, height):
        return width, height

    def show(self, image):
        if image.shape[:2] == WAITING_SIZE:
            self.waited += 1
            return True
        with self._change:
            self.shown.append(image)
            self._change.notify_all()
        self.key = self.keys.pop(len(self.shown), "")
        return len(self.shown) < self.closes_after

    def wait_for(self, wanted):
        """Waits, in another thread, until it was shown what is wanted."""
        with self._change:
            assert self._change.wait_for(lambda: wanted(self.shown), HANGS_S)

    def wait_for_more(self):
        """Waits until it was shown another image, be it the same again."""
        count = len(self.shown)
        self.wait_for(lambda shown: len(shown) > count)

    def wait_for_another(self, image):
        """Waits until something else than the image is on the screen."""
        self.wait_for(lambda shown: shown and not np.array_equal(shown[-1], image))
        return self.shown[-1]


class PacedSource(LiveSource):
    """Gives a frame when the one before was taken, so that the detector sees each of them."""

    def __init__(self, images, step_s=0.04):
        self._taken = threading.Semaphore(1)
        super().__init__(self._frames(images, step_s))

    def _frames(self, images, step_s):
        for frame in camera(*images, step_s=step_s):
            assert self._taken.acquire(timeout=HANGS_S)
            yield frame

    def take(self, timeout_s):
        frame = super().take(timeout_s)
        if frame is not None:
            self._taken.release()
        return frame

    def stop(self):
        super().stop()
        self._taken.release()


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True)) as analyzer:
        yield analyzer


def camera(*images, first=0, step_s=0.04):
    """Frames as a camera gives them; all came at second 100 of the clock."""
    for index, image in enumerate(images, first):
        yield LiveFrame(index, index * step_s, image, 100.0)


def run(analyzer, tmp_path, source, window=None, settings=None, **more):
    with Recorder(tmp_path) as recorder, source if isinstance(source, LiveSource) else LiveSource(source) as frames:
        loop = LiveLoop(analyzer, settings or Settings(), recorder, window, **more)
        loop.run(frames)
    return loop, recorder


def test_what_is_read_is_shown_and_counted(analyzer, tmp_path, portrait):
    window = ScriptedWindow()
    loop, _ = run(analyzer, tmp_path, camera(*[portrait] * 4), window, clock=lambda: 100.04)
    assert loop.statistics.captured == 4
    assert 1 <= loop.statistics.shown <= 4
    assert window.waited >= 1
    assert window.shown[0].shape == portrait.shape
    assert not np.array_equal(window.shown[0], portrait)
    assert str(loop.statistics.latency) == "p50 40 ms, p95 40 ms"
    assert "4 frames captured" in str(loop.statistics)
    assert list(tmp_path.iterdir()) == [], "nothing is stored unless asked for"


def test_black_frames_and_changes_of_size_go_through(analyzer, tmp_path, portrait):
    small = cv2.resize(portrait, (256, 300))
    source = PacedSource([portrait, np.zeros_like(portrait), small, np.zeros((2, 2, 3), np.uint8)])
    window = ScriptedWindow()
    loop, _ = run(analyzer, tmp_path, source, window)
    assert loop.statistics.shown >= 1
    assert window.shown[-1].shape == (2, 2, 3)


def test_a_camera_that_dies_is_an_error_and_the_files_are_complete(analyzer, tmp_path, portrait):
    recorded_one = threading.Event()

    class Watched(Recorder):
        def write(self, image, time_s):
            super().write(image, time_s)
            recorded_one.set()

    def dying():
        yield from camera(portrait)
        assert recorded_one.wait(HANGS_S)
        raise CameraError("Camera 0 has gone")

    log, video = tmp_path / "log.csv", tmp_path / "video.mp4"
    with (
        pytest.raises(CameraError, match="has gone"),
        open_results_writer(log, analyzer.class_names) as sink,
        Watched(tmp_path) as recorder,
        LiveSource(dying()) as source,
    ):
        recorder.start(video)
        LiveLoop(analyzer, Settings(), recorder, None, [sink]).run(source)
    assert len(log.read_text().splitlines()) == 2
    with VideoFile(video) as recorded:
        assert len(list(recorded)) == 1


def test_the_alarm_is_shown_while_the_camera_is_away(analyzer, tmp_path, portrait):
    state, window, said = SourceState(), ScriptedWindow(), []

    def stalling():
        yield from camera(portrait)
        window.wait_for(lambda shown: shown)
        state.alarm = "Camera 0 gives no frames; waiting for it"
        window.wait_for_another(window.shown[0])

    run(analyzer, tmp_path, LiveSource(stalling(), state), window, say=said.append)
    first, last = window.shown[0], window.shown[-1]
    assert first.shape == last.shape
    assert not np.array_equal(first[:100], last[:100])
    assert np.array_equal(first[100:], last[100:])
    assert said == ["Camera 0 gives no frames; waiting for it"]


def test_a_camera_that_hangs_is_announced_though_it_says_nothing(analyzer, tmp_path, portrait):
    window, said, now = ScriptedWindow(), [], [100.0]

    def hanging():
        yield from camera(portrait)
        window.wait_for(lambda shown: shown)
        now[0] += STALLED_S + 1
        window.wait_for_another(window.shown[0])
        yield from camera(portrait, first=1)

    clock = lambda: now[0]  # noqa: E731
    run(analyzer, tmp_path, LiveSource(hanging(), clock=clock), window, say=said.append, clock=clock)
    assert said == [STALLED]
    second_lines = {image[25:45, :200].tobytes() for image in window.shown}
    assert len(second_lines) == 2, "it is written while it lasts, and no longer"
    assert window.shown[-1][25:45, :200].tobytes() == window.shown[0][25:45, :200].tobytes()


def test_closing_the_window_ends_it(analyzer, tmp_path, portrait):
    window = ScriptedWindow(closes_after=3)
    loop, _ = run(analyzer, tmp_path, PacedSource([portrait] * 500), window)
    assert loop.statistics.captured < 500
    assert len(window.shown) == 3


def test_the_window_is_there_and_can_be_closed_before_the_camera_gives_a_frame(analyzer, tmp_path):
    closed = threading.Event()
    waiting = []

    def silent():
        closed.wait(HANGS_S)
        yield from ()

    class Impatient(ScriptedWindow):
        def show(self, image):
            waiting.append(image)
            self.key = "s"  # there is nothing to keep yet
            if len(waiting) == 3:
                closed.set()
            return len(waiting) < 3

    source = LiveSource(silent(), SourceState(CameraMode(320, 200)))
    loop, _ = run(analyzer, tmp_path, source, Impatient())
    assert [image.shape for image in waiting] == [(200, 320, 3)] * 3
    assert waiting[0].std() > 0, "it says what it waits for"
    assert loop.statistics.captured == 0
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_hangs_is_the_only_one_left_alone(analyzer, tmp_path, portrait, monkeypatch):
    released = threading.Event()
    has_ended = []
    close = Latest.close

    def watched(self):
        if isinstance(self, LiveSource):
            monkeypatch.setattr("live_emotion.concurrency.latest.CLOSING_S", 0.0)
        close(self)
        has_ended.append(not self._thread.is_alive())

    def hanging():
        yield from camera(portrait)
        released.wait(HANGS_S)

    monkeypatch.setattr("live_emotion.concurrency.latest.CLOSING_S", HANGS_S)
    monkeypatch.setattr(Latest, "close", watched)
    source = LiveSource(hanging())
    run(analyzer, tmp_path, source, ScriptedWindow(closes_after=3))
    assert has_ended == [True, True, False]
    released.set()
    source._thread.join(HANGS_S)
    assert not source._thread.is_alive()


def test_a_request_to_stop_ends_it(analyzer, tmp_path, portrait):
    with Recorder(tmp_path) as recorder, PacedSource([portrait] * 500) as source:
        loop = LiveLoop(analyzer, Settings(), recorder)
        loop.run(source, lambda: loop.statistics.shown >= 2)
    assert loop.statistics.captured < 500


def test_keys_store_images_and_videos(analyzer, tmp_path, portrait):
    window = ScriptedWindow({2: "s", 3: "r", 20: "r"}, closes_after=40)
    loop, recorder = run(analyzer, tmp_path, PacedSource([portrait] * 500), window)
    (image,) = loop.controls.saved
    assert cv2.imread(str(image)).shape == portrait.shape
    (video,) = recorder.saved
    with VideoFile(video) as recorded:
        assert len(list(recorded)) >= 1


def test_keys_that_cannot_write_say_so_and_the_session_goes_on(analyzer, tmp_path, portrait):
    folder, said = tmp_path / "out", []
    folder.mkdir()

    class Removing(ScriptedWindow):
        def show(self, image):
            if self.shown:
                shutil.rmtree(folder, ignore_errors=True)
            return super().show(image)

    window = Removing({2: "s", 6: "r"}, closes_after=12)
    loop, recorder = run(analyzer, folder, PacedSource([portrait] * 500), window, say=said.append)
    assert len(window.shown) == 12
    assert len(said) == 2
    assert all(f"there is no folder {folder}" in line for line in said)
    assert loop.controls.saved == recorder.saved == recorder.failed == []


def test_a_recording_that_can_go_no_further_ends_and_the_session_goes_on(analyzer, tmp_path, portrait, full_disk):
    said, window = [], ScriptedWindow()

    def frames():
        for index in range(500):
            yield from camera(portrait, first=index)
            window.wait_for_more()
            if said:
                return

    with full_disk(), Recorder(tmp_path) as recorder, LiveSource(frames()) as source:
        recorder.start(tmp_path / "me.mp4")
        LiveLoop(analyzer, Settings(), recorder, window, say=said.append).run(source)
        assert not recorder.is_on
    (error,) = recorder.failed
    assert said == [str(error)]
    assert "me.mp4" in str(error)
    assert recorder.saved == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def clip(tmp_path, portrait):
    with VideoWriter(tmp_path / "clip.mp4") as video:
        for i in range(4):
            video.write(portrait, i * 0.3)
    return tmp_path / "clip.mp4"


def test_a_recording_that_was_asked_for_and_cannot_begin_is_an_error_before_anything_begins(clip, tmp_path):
    command = ["webcam", "--camera", str(clip), "--no-window", "--record", str(tmp_path / "none" / "me.mp4")]
    done = CliRunner().invoke(cli, command)
    assert isinstance(done.exception, OutputError)
    assert "there is no folder" in str(done.exception)
    assert "captured" not in done.output


def test_a_recording_that_was_asked_for_and_is_not_there_is_an_error_in_the_end(clip, tmp_path, full_disk):
    command = ["webcam", "--camera", str(clip), "--no-window", "--record", str(tmp_path / "me.mp4")]
    with full_disk():
        done = CliRunner().invoke(cli, command)
    assert isinstance(done.exception, OutputError)
    assert "me.mp4" in str(done.exception)
    assert "4 frames captured" in done.output
    assert list(tmp_path.iterdir()) == [clip]


def test_a_notice_stays_for_a_while(tmp_path):
    now = [100.0]
    with Recorder(tmp_path / "none") as recorder:
        controls = Controls(Settings(), recorder, clock=lambda: now[0])
        assert controls.lines() == [HINT]
        now[0] += HINT_S
        assert controls.lines() == []
        controls.press("r", None)
        (line,) = controls.lines()
        assert "there is no folder" in line
        now[0] += NOTICE_S
        assert controls.lines() == []


@pytest.mark.parametrize(("key", "name"), SWITCHES.items())
def test_keys_switch(tmp_path, key, name):
    settings = Settings()
    before = getattr(settings, name)
    with Recorder(tmp_path) as recorder:
        controls = Controls(settings, recorder)
        controls.press(key, None)
        assert getattr(settings, name) != before
        controls.press(key, None)
        assert getattr(settings, name) == before


def test_help_lists_every_key(tmp_path):
    with Recorder(tmp_path) as recorder:
        controls = Controls(Settings(), recorder)
        controls.press("h", None)
        shown = "   ".join(controls.lines()).split("   ")
        assert shown == [f"{key}: {action}" for key, action in KEYS.items()]


def test_what_is_shown_has_the_windows_size_and_what_is_stored_the_cameras(analyzer, tmp_path, portrait):
    class Large(ScriptedWindow):
        def fit(self, width, height):
            return (width, height) if (height, width) == WAITING_SIZE else (1600, 900)

    window = Large({2: "s", 3: "r", 20: "r"}, closes_after=40)
    loop, recorder = run(analyzer, tmp_path, PacedSource([portrait] * 500), window)
    assert {image.shape for image in window.shown} == {(900, 1600, 3)}
    assert cv2.imread(str(loop.controls.saved[0])).shape == portrait.shape
    with VideoFile(recorder.saved[0]) as recorded:
        assert next(iter(recorded)).image.shape == portrait.shape


def test_the_last_half_minute_is_shown_when_asked_for(analyzer, tmp_path, portrait):
    window = ScriptedWindow({10: "t"}, closes_after=20)
    run(analyzer, tmp_path, PacedSource([portrait] * 500), window)
    lower = slice(portrait.shape[0] - 12, None)
    assert np.array_equal(window.shown[0][lower], portrait[lower])
    assert not np.array_equal(window.shown[-1][lower], portrait[lower])


def test_why_is_said_and_drawn_when_asked_for(analyzer, tmp_path, portrait):
    window = ScriptedWindow({10: "w"}, closes_after=400)
    slowly = PacedSource([portrait] * 500, step_s=0.004)  # what was explained does not grow old on a busy machine
    loop, _ = run(analyzer, tmp_path, slowly, window)
    assert loop.settings.why and not loop.settings.heat
    assert any(re.match(r"\d+: .*neutral", line) for line in loop._lines()), loop._lines()
    assert not np.array_equal(window.shown[-1], window.shown[9])


def test_in_the_end_it_says_what_was_seen(analyzer, tmp_path, portrait):
    loop, _ = run(analyzer, tmp_path, PacedSource([portrait] * 50), ScriptedWindow())
    emotion = analyzer.analyze(LiveFrame(99, 200.0, portrait, 0.0)).faces[0].emotion
    assert re.fullmatch(rf"[\d.]+ s, 1 person: {emotion} 100%", str(loop.emotions)), str(loop.emotions)


def test_a_pause_holds_the_image_and_drops_nothing(analyzer, tmp_path, portrait):
    window = ScriptedWindow({1: "p"})

    def frames():
        yield from camera(portrait)
        window.wait_for(lambda shown: len(shown) > 1)
        yield from camera(*[np.full_like(portrait, 90)] * 5, first=1)

    loop, _ = run(analyzer, tmp_path, frames(), window)
    statistics = loop.statistics
    assert (statistics.captured, statistics.shown, statistics.held, statistics.dropped) == (6, 1, 5, 0)
    assert str(statistics).startswith("6 frames captured, 1 shown, 0 dropped, 5 while paused;")
    below = slice(200, None)
    assert np.array_equal(window.shown[0][below], window.shown[-1][below])


def test_frames_that_newer_ones_overtook_are_dropped_and_those_of_a_pause_are_not():
    statistics = Statistics(captured=20)
    for index, paused in ((3, False), (5, False), (9, True), (14, True), (16, False), (17, False)):
        statistics.count(index, paused)
    assert (statistics.shown, statistics.held, statistics.dropped) == (4, 9, 7)


def test_mirroring_keeps_identities(analyzer, portrait):
    wide = np.hstack([portrait, np.zeros_like(portrait)])
    settings = Settings()
    results = []
    frames = (LiveFrame(i, 100 + i * 0.04, wide, 0.0) for i in range(6))
    for result in read_live(find_live(frames, analyzer, settings), analyzer):
        results.append(result)
        settings.mirror = len(results) >= 3
    assert len({face.track_id for result in results for face in result.faces}) == 1
    assert results[0].faces[0].box[0] < 512 < results[-1].faces[0].box[0]


def test_streaming_gives_frames_faces_and_rows(clip, portrait):
    rows = []
    results = list(stream(clip, device="cpu", callback=rows.append))
    assert 1 <= len(results) <= 4
    assert results[0].frame.image.shape == portrait.shape
    assert [len(r.faces) for r in results] == [1] * len(results)
    assert len(rows) == len(results)
    assert rows[0]["emotion"] == results[0].faces[0].emotion


def test_a_profile_is_learnt_from_photos_and_used(tmp_path, portrait, monkeypatch):
    from live_emotion.emotions.profile import Profile

    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / name)
    photo = tmp_path / "rest.png"
    cv2.imwrite(str(photo), portrait)
    done = CliRunner().invoke(cli, ["calibrate", "--photo", str(photo), "--profile", "anna", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "Read 1 image of the resting face: saved, not tested" in done.output
    assert Profile.load("anna").class_names == ("angry", "happy", "neutral", "sad")
    done = CliRunner().invoke(cli, ["image", str(photo), "--profile", "anna", "-o", str(tmp_path / "out")])
    assert "1 face" in done.output, done.output
    again = CliRunner().invoke(cli, ["calibrate", "--photo", str(photo), "--profile", "anna"])
    assert "--force" in str(again.exception)
