"""Live sources: scripted cameras, and videos as cameras."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from live_emotion.errors import CameraError, InputError
from live_emotion.io.camera import Camera, CameraMode, find_camera, is_camera
from live_emotion.io.live_source import LOST_S, captured, mirrored, open_camera, played
from live_emotion.types import Frame, LiveFrame


class ScriptedCapture:
    """Stands where ``cv2.VideoCapture`` would: gives what it is told, then nothing."""

    def __init__(self, *reads):
        self.reads = list(reads)

    def read(self):
        return self.reads.pop(0) if self.reads else (False, None)

    def get(self, setting):
        return 0.0

    def release(self):
        pass


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def picture(value=0, shape=(4, 6, 3)):
    return np.full(shape, value, np.uint8)


def camera_of(*captures):
    """A camera that gives these captures, one each time it is opened; None: it cannot be opened."""
    left = list(captures)
    camera = Camera(lambda: left.pop(0) if left else None)
    assert camera.open()
    return camera


def frames_of(camera, say=lambda text: None):
    clock = Clock()
    return captured(camera, "2", say, clock, clock.sleep)


def test_frames_come_with_index_and_rising_time():
    frames = frames_of(camera_of(ScriptedCapture(*[(True, picture(i)) for i in range(5)])))
    got = [next(frames) for _ in range(5)]
    assert [f.index for f in got] == [0, 1, 2, 3, 4]
    assert got[0].time_s == 0
    assert all(a.clock_s <= b.clock_s for a, b in itertools.pairwise(got))


def test_a_camera_that_gives_nothing_ends_in_a_clear_error():
    with pytest.raises(CameraError, match="Camera 2 has given no picture for 5 seconds"):
        next(frames_of(camera_of(ScriptedCapture())))


def test_a_camera_that_dies_is_announced_and_given_up_after_a_minute():
    said = []
    frames = frames_of(camera_of(ScriptedCapture((True, picture()))), said.append)
    next(frames)
    with pytest.raises(CameraError, match="Camera 2 has given no picture for 60 seconds"):
        next(frames)
    assert said == ["Camera 2 gives no picture; waiting for it"]


def test_a_camera_that_comes_back_is_taken_up_again():
    said = []
    camera = camera_of(ScriptedCapture((True, picture(1))), None, None, ScriptedCapture((True, picture(2))))
    frames = frames_of(camera, said.append)
    first, second = next(frames), next(frames)
    assert (first.index, second.index) == (0, 1)
    assert second.image[0, 0, 0] == 2
    assert LOST_S < second.time_s < LOST_S + 5
    assert said == ["Camera 2 gives no picture; waiting for it", ""]


def test_a_short_stall_is_not_announced():
    said = []
    nothing = [(False, None)] * 50  # half a second
    frames = frames_of(camera_of(ScriptedCapture((True, picture()), *nothing, (True, picture()))), said.append)
    assert [next(frames).index, next(frames).index] == [0, 1]
    assert said == []


def test_broken_and_empty_frames_are_passed_over():
    capture = ScriptedCapture((False, None), (True, None), (True, np.empty((0, 0, 3), np.uint8)), (True, picture(7)))
    frame = next(frames_of(camera_of(capture)))
    assert frame.index == 0
    assert frame.image[0, 0, 0] == 7


def test_black_frames_and_changes_of_size_are_frames():
    frames = frames_of(camera_of(ScriptedCapture((True, picture(0)), (True, picture(0, (8, 10, 3))))))
    assert [next(frames).image.shape for _ in range(2)] == [(4, 6, 3), (8, 10, 3)]


def test_mirrored_turns_left_to_right(portrait):
    frame = mirrored(LiveFrame(3, 0.5, portrait, 7.0))
    assert (frame.index, frame.time_s, frame.clock_s) == (3, 0.5, 7.0)
    assert np.array_equal(frame.image, portrait[:, ::-1])


def test_a_video_plays_at_its_own_speed(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("live_emotion.io.live_source.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("live_emotion.io.live_source.time.sleep", lambda s: clock.__setitem__(0, clock[0] + s))
    shown = []
    for frame in played(Frame(i, t, picture()) for i, t in enumerate((0.0, 0.04, 0.5))):
        shown.append(clock[0] - 100)
        clock[0] += 0.01  # the reader takes its time
        assert frame.image.shape == (4, 6, 3)
    assert shown == pytest.approx([0, 0.04, 0.5])


def test_what_is_a_camera(tmp_path, monkeypatch):
    (tmp_path / "video.mp4").write_bytes(b"")
    (tmp_path / "0").mkdir()
    monkeypatch.chdir(tmp_path)
    assert is_camera("0"), "whatever lies in the folder"
    assert is_camera("Integrated Webcam")
    assert not is_camera(str(tmp_path / "video.mp4"))
    assert not is_camera("rtsp://host")


def test_a_camera_is_found_by_a_part_of_its_name(monkeypatch):
    monkeypatch.setattr("live_emotion.io.camera.list_cameras", lambda: {0: "Infrared", 2: "Logitech BRIO"})
    assert find_camera("brio") == 2
    assert find_camera("7") == 7
    with pytest.raises(CameraError, match=r"Cameras: 0 \(Infrared\), 2 \(Logitech BRIO\)"):
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
