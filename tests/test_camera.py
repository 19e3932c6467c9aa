"""Live sources: scripted cameras, and films as cameras."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from live_emotion.camera import NewestFrame, captured, is_camera, mirrored, open_camera, played
from live_emotion.errors import CameraError, InputError
from live_emotion.sources import Frame


class ScriptedCapture:
    """Stands where ``cv2.VideoCapture`` would: gives what it is told, then nothing."""

    def __init__(self, *reads):
        self.reads = list(reads)

    def read(self):
        return self.reads.pop(0) if self.reads else (False, None)


def picture(value=0, shape=(4, 6, 3)):
    return np.full(shape, value, np.uint8)


def test_frames_come_with_index_and_rising_time():
    frames = captured(ScriptedCapture(*[(True, picture(i)) for i in range(5)]), "0", timeout_s=0)
    got = [next(frames) for _ in range(5)]
    assert [f.index for f in got] == [0, 1, 2, 3, 4]
    assert got[0].time_s == 0
    assert all(a.time_s <= b.time_s for a, b in itertools.pairwise(got))


def test_a_camera_that_dies_ends_in_a_clear_error():
    frames = captured(ScriptedCapture((True, picture())), "2", timeout_s=0.05)
    next(frames)
    with pytest.raises(CameraError, match="Camera 2 has given no picture"):
        next(frames)


def test_broken_and_empty_frames_are_passed_over():
    capture = ScriptedCapture((False, None), (True, None), (True, np.empty((0, 0, 3), np.uint8)), (True, picture(7)))
    frame = next(captured(capture, "0", timeout_s=5))
    assert frame.index == 0
    assert frame.image[0, 0, 0] == 7


def test_black_frames_and_changes_of_size_are_frames():
    capture = ScriptedCapture((True, picture(0)), (True, picture(0, (8, 10, 3))))
    frames = captured(capture, "0", timeout_s=0)
    assert [next(frames).image.shape for _ in range(2)] == [(4, 6, 3), (8, 10, 3)]


def test_mirrored_turns_left_to_right(portrait):
    (frame,) = mirrored([Frame(3, 0.5, portrait)])
    assert (frame.index, frame.time_s) == (3, 0.5)
    assert np.array_equal(frame.image, portrait[:, ::-1])


def test_a_slow_reader_gets_the_newest_frame_and_the_others_are_dropped():
    taken, more = threading.Event(), threading.Event()

    def source() -> Iterator[Frame]:
        yield Frame(0, 0.0, picture())
        taken.wait(10)
        for i in range(1, 10):
            yield Frame(i, i / 30, picture())
        more.set()

    with NewestFrame(source()) as newest:
        frames = iter(newest)
        assert next(frames).index == 0
        taken.set()
        more.wait(10)
        assert next(frames).index == 9
        assert list(frames) == []
    assert (newest.captured, newest.taken) == (10, 2)


def test_an_error_of_the_source_is_raised_to_the_reader():
    def source() -> Iterator[Frame]:
        yield Frame(0, 0.0, picture())
        raise CameraError("pulled out")

    with NewestFrame(source()) as newest, pytest.raises(CameraError, match="pulled out"):
        list(newest)


def test_closing_stops_the_thread():
    stop = threading.Event()

    def source() -> Iterator[Frame]:
        index = 0
        while not stop.wait(0.001):
            yield Frame(index, index / 1000, picture())
            index += 1

    newest = NewestFrame(source())
    next(iter(newest))
    newest.close()
    assert not newest._thread.is_alive()
    stop.set()


def test_a_film_plays_at_its_own_speed(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("live_emotion.camera.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("live_emotion.camera.time.sleep", lambda s: clock.__setitem__(0, clock[0] + s))
    shown = []
    for frame in played(Frame(i, t, picture()) for i, t in enumerate((0.0, 0.04, 0.5))):
        shown.append(clock[0] - 100)
        clock[0] += 0.01  # the reader takes its time
        assert frame.image.shape == (4, 6, 3)
    assert shown == pytest.approx([0, 0.04, 0.5])


def test_numbers_are_cameras():
    assert is_camera("0")
    assert not is_camera("film.mp4")
    assert not is_camera("rtsp://host")


@pytest.mark.parametrize("source", ["99", "film-that-is-not-there.mp4"])
def test_no_such_camera_is_one_clear_line(source):
    with pytest.raises(CameraError, match=source) as caught, open_camera(source):
        pass
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_film(tmp_path):
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(InputError, match=r"a\.mp4"), open_camera(str(tmp_path / "a.mp4")):
        pass
