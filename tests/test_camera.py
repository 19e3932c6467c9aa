"""Live sources: scripted cameras, and videos as cameras."""

from __future__ import annotations

import itertools
import threading

import cv2
import cv2_enumerate_cameras
import numpy as np
import pytest
from cv2_enumerate_cameras import CameraInfo

from live_emotion.errors import CameraError, InputError
from live_emotion.io.camera import (
    CameraDevice,
    CameraMode,
    find_camera,
    is_camera,
    list_cameras,
    number_cameras,
    open_capture,
)
from live_emotion.io.live_source import (
    FIRST_FRAME_S,
    GIVE_UP_S,
    LONGEST_PAUSE_S,
    SILENT_S,
    LiveSource,
    SourceState,
    captured,
    mirrored,
    open_camera,
    played,
)
from live_emotion.types import Frame, LiveFrame

HANGS_S = 30
"""After this a test that waits for another thread gives up."""


class ScriptedCapture:
    """Stands where ``cv2.VideoCapture`` would: gives what it is told, then nothing. Notes which threads use it."""

    def __init__(self, *reads):
        self.reads = list(reads)
        self.releases = 0
        self.users = set()

    def read(self):
        self.users.add(threading.current_thread())
        assert not self.releases, "it was given back"
        return self.reads.pop(0) if self.reads else (False, None)

    def get(self, setting):
        self.users.add(threading.current_thread())
        return 0.0

    def release(self):
        self.users.add(threading.current_thread())
        self.releases += 1


class Stop(threading.Event):
    """A request to stop whose waits take no time but the clock's.

    Args:
        after_s: when it comes by itself.
    """

    def __init__(self, after_s=10**9):
        super().__init__()
        self.now = 100.0
        self.end = self.now + after_s

    def clock(self):
        return self.now

    def wait(self, timeout=None):
        self.now += timeout
        if self.now >= self.end:
            self.set()
        return self.is_set()


def picture(value=0, shape=(4, 6, 3)):
    return np.full(shape, value, np.uint8)


def opening(*captures):
    """Gives these captures, one each time the camera is opened; None: it cannot be."""
    left = list(captures)
    return lambda: left.pop(0) if left else None


def frames_of(*captures, stop=None):
    state = SourceState(stop=stop or Stop())
    return captured(opening(*captures), "2", state, state.stop.clock), state


def test_frames_come_with_index_and_rising_time():
    frames, _ = frames_of(ScriptedCapture(*[(True, picture(i)) for i in range(5)]))
    got = [next(frames) for _ in range(5)]
    assert [f.index for f in got] == [0, 1, 2, 3, 4]
    assert got[0].time_s == 0
    assert all(a.clock_s <= b.clock_s for a, b in itertools.pairwise(got))


def test_a_camera_that_gives_nothing_ends_in_a_clear_error():
    with pytest.raises(CameraError, match=f"Camera 2 has given no frame for {FIRST_FRAME_S:.0f} seconds"):
        next(frames_of(ScriptedCapture())[0])


def test_a_camera_that_dies_is_announced_and_given_up_after_a_minute():
    frames, state = frames_of(ScriptedCapture((True, picture())))
    next(frames)
    assert state.alarm == ""
    with pytest.raises(CameraError, match=f"Camera 2 has given no frame for {GIVE_UP_S:.0f} seconds"):
        next(frames)
    assert state.alarm == "Camera 2 gives no frames; waiting for it"


def test_a_camera_that_comes_back_is_taken_up_again():
    lost = ScriptedCapture((True, picture(1)))
    frames, state = frames_of(lost, None, None, ScriptedCapture((True, picture(2))))
    first, second = next(frames), next(frames)
    assert (first.index, second.index) == (0, 1)
    assert second.image[0, 0, 0] == 2
    assert SILENT_S < second.time_s < SILENT_S + 5
    assert lost.releases == 1
    assert state.alarm == ""


def test_a_short_stall_opens_nothing_anew():
    nothing = [(False, None)] * 50  # half a second
    frames, _ = frames_of(ScriptedCapture((True, picture()), *nothing, (True, picture())))
    assert [next(frames).index, next(frames).index] == [0, 1]


def test_broken_and_empty_frames_are_passed_over():
    capture = ScriptedCapture((False, None), (True, None), (True, np.empty((0, 0, 3), np.uint8)), (True, picture(7)))
    frame = next(frames_of(capture)[0])
    assert frame.index == 0
    assert frame.image[0, 0, 0] == 7


def test_black_frames_and_changes_of_size_are_frames():
    frames, _ = frames_of(ScriptedCapture((True, picture(0)), (True, picture(0, (8, 10, 3)))))
    assert [next(frames).image.shape for _ in range(2)] == [(4, 6, 3), (8, 10, 3)]


@pytest.mark.parametrize("lost_s", [0.5, 5.0])
def test_a_request_to_stop_ends_a_camera_that_is_gone_at_once_and_gives_it_back(lost_s):
    first, second = ScriptedCapture((True, picture())), ScriptedCapture()
    stop = Stop(after_s=lost_s)
    frames, _ = frames_of(first, second, *[ScriptedCapture() for _ in range(99)], stop=stop)
    next(frames)
    assert list(frames) == []
    assert stop.now == pytest.approx(stop.end)
    assert first.releases == 1
    assert second.releases == (1 if lost_s > SILENT_S else 0)


def test_one_thread_alone_touches_the_camera_and_nobody_after_the_end(monkeypatch):
    captures = []
    reopened = threading.Event()

    def open_scripted(device, mode):
        captures.append(ScriptedCapture(*[(True, picture())] * (not captures)))
        if len(captures) == 3:
            reopened.set()
        return captures[-1]

    monkeypatch.setattr("live_emotion.io.live_source.open_capture", open_scripted)
    monkeypatch.setattr("live_emotion.io.live_source.SILENT_S", 0.0)
    monkeypatch.setattr("live_emotion.io.live_source.REOPEN_S", 0.0)
    before = set(threading.enumerate())
    with open_camera("99") as source:
        assert source.take(HANGS_S).index == 0
        assert reopened.wait(HANGS_S), "it is gone, and looked for"
    assert set(threading.enumerate()) == before
    assert {capture.releases for capture in captures} == {1}
    (owner,) = set.union(*(capture.users for capture in captures))
    assert owner is not threading.current_thread()


def test_a_camera_that_hangs_is_not_waited_for_and_given_back_by_its_own_thread(monkeypatch):
    goes_on, reads = threading.Event(), threading.Event()

    class Hanging(ScriptedCapture):
        def read(self):
            reads.set()
            goes_on.wait(HANGS_S)
            return super().read()

    capture = Hanging((True, picture()))
    monkeypatch.setattr("live_emotion.concurrency.latest.CLOSING_S", 0.0)
    monkeypatch.setattr("live_emotion.io.live_source.open_capture", lambda device, mode: capture)
    with open_camera("99") as source:
        assert reads.wait(HANGS_S)
    assert capture.releases == 0
    goes_on.set()
    source._thread.join(HANGS_S)
    assert capture.releases == 1
    assert len(capture.users) == 1


def test_a_camera_that_nobody_reads_is_not_opened():
    with LiveSource(captured(lambda: pytest.fail("opened"), "2", SourceState())):
        pass


def test_mirrored_turns_left_to_right(portrait):
    frame = mirrored(LiveFrame(3, 0.5, portrait, 7.0))
    assert (frame.index, frame.time_s, frame.clock_s) == (3, 0.5, 7.0)
    assert np.array_equal(frame.image, portrait[:, ::-1])


def test_a_video_plays_at_its_own_speed():
    stop, shown = Stop(), []
    video = (Frame(i, t, picture()) for i, t in enumerate((0.0, 0.04, 0.5)))
    for frame in played(video, stop, stop.clock):
        shown.append(stop.now - 100)
        stop.now += 0.01  # the reader takes its time
        assert frame.image.shape == (4, 6, 3)
    assert shown == pytest.approx([0, 0.04, 0.5])


def test_a_pause_of_hours_in_a_video_is_cut_short():
    stop, shown = Stop(), []
    for _ in played((Frame(i, t, picture()) for i, t in enumerate((0.0, 7200.0, 7200.5))), stop, stop.clock):
        shown.append(stop.now - 100)
    assert shown == pytest.approx([0, LONGEST_PAUSE_S, LONGEST_PAUSE_S + 0.5])


def test_a_request_to_stop_ends_a_video_between_two_frames():
    stop = Stop(after_s=3)
    assert len(list(played((Frame(i, float(i), picture()) for i in range(100)), stop, stop.clock))) == 3


def test_what_is_a_camera(tmp_path, monkeypatch):
    (tmp_path / "video.mp4").write_bytes(b"")
    (tmp_path / "0").mkdir()
    monkeypatch.chdir(tmp_path)
    assert is_camera("0"), "whatever lies in the folder"
    assert is_camera("Integrated Webcam")
    assert not is_camera(str(tmp_path / "video.mp4"))
    assert not is_camera("rtsp://host")


def test_a_stream_whose_address_is_no_text_cannot_be_opened():
    with pytest.raises(CameraError, match="Cannot open the stream"), open_camera("http://\udcff/x"):
        pass


@pytest.fixture
def windows(monkeypatch):
    """A machine whose two systems list the cameras in different orders, and one that OpenCV was built without."""
    listed = {
        1800: ["not to be reached"],
        1400: ["Logitech BRIO", "Infrared"],
        700: ["OBS Virtual Camera", "Infrared", "Logitech BRIO"],
    }

    def enumerate_cameras(backend):
        return [CameraInfo(i, name, "", None, None, backend) for i, name in enumerate(listed[backend])]

    monkeypatch.setattr(cv2_enumerate_cameras, "supported_backends", tuple(listed))
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", enumerate_cameras)
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda backend: backend != 1800)


def test_each_camera_is_listed_once_and_keeps_the_system_that_lists_it(windows):
    assert list_cameras() == [
        CameraDevice(0, "Logitech BRIO", 0, 1400),
        CameraDevice(1, "Infrared", 1, 1400),
        CameraDevice(2, "OBS Virtual Camera", 0, 700),
    ]


def test_two_cameras_of_one_name_are_two():
    assert [(d.number, d.index) for d in number_cameras([(200, 2, "Cam"), (200, 0, "Cam")])] == [(0, 0), (2, 2)]


@pytest.mark.parametrize(
    ("source", "opened"), [("0", (0, 1400)), ("brio", (0, 1400)), ("2", (0, 700)), ("obs", (0, 700)), ("7", (7, 0))]
)
def test_a_camera_is_opened_through_the_system_that_lists_it(windows, monkeypatch, source, opened):
    class Capture(ScriptedCapture):
        def __init__(self, *arguments):
            super().__init__()
            self.arguments = arguments

        def isOpened(self):
            return True

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    assert open_capture(find_camera(source)).arguments == opened


def test_a_name_that_no_camera_has_is_one_clear_line(windows):
    with pytest.raises(CameraError, match=r"Cameras: 0 \(Logitech BRIO\), 1 \(Infrared\), 2 \(OBS Virtual Camera\)"):
        find_camera("nikon")


def test_a_mode_reads_well():
    assert not CameraMode()
    assert str(CameraMode(1280, 720, 30.0)) == "1280x720 at 30 frames a second"


@pytest.mark.parametrize("source", ["99", "video-that-is-not-there.mp4"])
def test_no_such_camera_is_one_clear_line(source):
    with pytest.raises(CameraError, match=source) as caught, open_camera(source):
        pass
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_video(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(InputError, match=r"a\.mp4"), open_camera(str(tmp_path / "a.mp4")):
        pass
