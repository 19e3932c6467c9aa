"""One camera after the other. Videos stand for the cameras of the machine; all else is real."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from live_emotion.errors import CameraError
from live_emotion.io.camera import CameraDevice
from live_emotion.io.live_source import LiveSource
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.live.camera_ring import CameraRing, others
from live_emotion.pipelines.live.controls import Settings
from live_emotion.pipelines.live.loop import LiveLoop, resumed
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.types import LiveFrame

DEVICES = [CameraDevice(0, "Front", 0), CameraDevice(1, "BRIO", 1), CameraDevice(2, "Capture card", 2)]


class Shelf:
    """Opens sources by name, and knows which are open."""

    def __init__(self, broken=()):
        self.broken = set(broken)
        self.opened, self.open = [], set()

    @contextlib.contextmanager
    def __call__(self, name):
        if name in self.broken:
            raise CameraError(f"Cannot open camera {name}")
        self.opened.append(name)
        self.open.add(name)
        image = np.full((120, 160, 3), 40 * int(name), np.uint8)
        with LiveSource(LiveFrame(i, i / 10, image, 100 + i / 10) for i in range(10**6)) as source:
            yield source
        self.open.remove(name)


def ring(shelf, camera="0", devices=DEVICES):
    return CameraRing(camera, shelf, lambda: devices)


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        ("0", ["1", "2"]),
        ("1", ["2", "0"]),
        ("brio", ["2", "0"]),
        ("7", ["0", "1", "2"]),
        ("rtsp://a/b", ["0", "1", "2"]),
    ],
)
def test_the_others_come_in_order_after_this_one(camera, expected):
    assert others(camera, DEVICES) == list(expected)


def test_the_next_camera_opens_once_the_one_before_is_closed():
    shelf = Shelf()
    cameras = ring(shelf)
    open_then = []
    for _ in cameras.sources(pytest.fail):
        open_then.append(set(shelf.open))
        if len(open_then) < 4:
            assert cameras.ask()
    assert open_then == [{"0"}, {"1"}, {"2"}, {"0"}]
    assert shelf.open == set()


def test_the_same_camera_can_be_had_again():
    shelf = Shelf()
    cameras = ring(shelf, "1")
    sources = cameras.sources(pytest.fail)
    next(sources)
    cameras.again()
    assert cameras.is_asked
    next(sources)
    assert (shelf.opened, shelf.open, cameras.is_asked) == (["1", "1"], {"1"}, False)
    assert next(sources, None) is None


def test_a_camera_that_does_not_open_is_said_and_passed_over():
    shelf, failed = Shelf(broken=["1"]), []
    cameras = ring(shelf)
    sources = cameras.sources(failed.append)
    next(sources)
    cameras.ask()
    next(sources)
    assert (shelf.opened, cameras.camera) == (["0", "2"], "2")
    assert [str(error) for error in failed] == ["Cannot open camera 1"]
    sources.close()


def test_where_no_other_opens_it_comes_back_to_the_one_that_there_was():
    shelf, failed = Shelf(broken=["1", "2"]), []
    cameras = ring(shelf)
    sources = cameras.sources(failed.append)
    next(sources)
    cameras.ask()
    next(sources)
    assert shelf.opened == ["0", "0"]
    assert len(failed) == 2
    sources.close()


def test_the_first_that_does_not_open_is_an_error():
    with pytest.raises(CameraError, match="camera 0"):
        next(ring(Shelf(broken=["0"])).sources(pytest.fail))


def test_the_only_camera_has_no_next():
    assert not ring(Shelf(), devices=DEVICES[:1]).ask()
    assert ring(Shelf(), "clip.mp4", DEVICES[:1]).ask()


def test_frames_go_on_where_those_of_the_camera_before_ended():
    image = np.zeros((2, 2, 3), np.uint8)
    last = LiveFrame(41, 4.1, image, 104.1)
    frames = [LiveFrame(i, 7 + i / 10, image, 106.0 + i / 10) for i in (3, 4, 8)]
    went_on = [(f.index, round(f.time_s, 6), f.clock_s) for f in resumed(frames, last)]
    assert went_on == [(42, 6.3, 106.3), (43, 6.4, 106.4), (47, 6.8, 106.8)]
    assert list(resumed(frames, None)) == frames


def test_a_key_takes_the_loop_to_the_next_camera_and_the_counts_go_on(tmp_path):
    class Window:
        """Presses c on each camera's image, and closes on the third's."""

        def __init__(self):
            self.greys, self.key = [], ""

        def fit(self, width, height):
            return width, height

        def show(self, image):
            self.key = ""
            if image.shape[:2] == (120, 160) and (grey := int(image[100, 100, 0])) not in self.greys:
                self.greys.append(grey)
                self.key = "c"
            return len(self.greys) < 3

    shelf, window = Shelf(), Window()
    cameras = ring(shelf)
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True)) as analyzer, Recorder(tmp_path) as recorder:
        loop = LiveLoop(analyzer, Settings(), recorder, window, cameras=cameras)
        for source in cameras.sources(pytest.fail):
            loop.run(source)
    assert window.greys == [0, 40, 80]
    assert shelf.opened == ["0", "1", "2"] and shelf.open == set()
    statistics = loop.statistics
    assert statistics.captured >= statistics.shown >= 2
    assert statistics.dropped >= 0


def test_the_notice_says_that_there_is_no_other_camera(tmp_path):
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True)) as analyzer, Recorder(tmp_path) as recorder:
        loop = LiveLoop(analyzer, Settings(), recorder)
        loop.controls.press("c", None)
        assert "there is no other camera" in loop.controls.lines()
