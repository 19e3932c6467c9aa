"""Live frames: from a camera, a stream, or a video played at its own speed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from live_emotion.errors import CameraError
from live_emotion.io.camera import Camera, CameraMode, cannot_open, find_camera, is_camera, open_capture
from live_emotion.io.video_reader import VideoFile
from live_emotion.types import Frame, LiveFrame

TIMEOUT_S = 5.0
"""How long a camera may give no frame before the first, in seconds."""

LOST_S = 1.0
"""How long a camera that gave frames may give none before it counts as gone, in seconds."""

WAIT_S = 60.0
"""How long a camera that has gone is waited for, in seconds."""

RETRY_S = 0.5
"""Between two tries to open a camera again, in seconds."""


@dataclass
class LiveSource:
    """Live frames, to be iterated over once.

    Attributes:
        frames: as they come.
        mode: of a camera, as far as it says.
        alarm: what is wrong at the moment, such as a camera that has gone; empty where all is well.
    """

    frames: Iterator[LiveFrame]
    mode: CameraMode | None = None
    alarm: str = ""

    def __iter__(self) -> Iterator[LiveFrame]:
        return self.frames

    def announce(self, text: str) -> None:
        """Sets the alarm."""
        self.alarm = text


@contextlib.contextmanager
def open_camera(source: str, mode: CameraMode = CameraMode()) -> Iterator[LiveSource]:
    """Opens a source of live frames.

    Args:
        source: number of a camera or a part of its name, a URL such as ``rtsp://...``, or a video file, which plays
            at its own speed.
        mode: asked of a camera, which may give another.

    Yields:
        frames as they come, with the time since the first; a video ends, a camera does not.

    Raises:
        CameraError: there is no such camera, it is in use, or it stops giving frames.
        InputError: the file is not a video.
    """
    if not is_camera(source) and "://" not in source:
        with VideoFile(source) as video:
            yield LiveSource(played(video))
        return
    number = find_camera(source) if is_camera(source) else source
    camera = Camera(lambda: open_capture(number, mode))
    if not camera.open():
        raise CameraError(cannot_open(source))
    try:
        live = LiveSource(iter(()), camera.mode)
        live.frames = captured(camera, source, live.announce)
        yield live
    finally:
        camera.release()


def captured(
    camera: Camera,
    name: str,
    say: Callable[[str], object] = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[LiveFrame]:
    """Frames of an open camera; one that goes is announced, opened again and taken up when it is back.

    Args:
        camera: open.
        name: of the camera, for messages.
        say: told when it has gone, and with an empty text when it is back.
        clock: gives seconds.
        sleep: waits for seconds.

    Raises:
        CameraError: it gave no frame within ``TIMEOUT_S``, or was gone for ``WAIT_S``.
    """
    index, start, last, gone, tried = 0, None, clock(), False, 0.0
    while True:
        there, image = camera.read()
        now = clock()
        if there and image is not None and image.ndim >= 2 and image.size:
            if gone:
                gone = False
                say("")
            start = now if start is None else start
            yield LiveFrame(index, now - start, image, now)
            index, last = index + 1, clock()
            continue
        if now - last > (TIMEOUT_S if start is None else WAIT_S):
            raise CameraError(
                f"Camera {name} has given no picture for {now - last:.0f} seconds; "
                "check its cable and its shutter, or try another --camera."
            )
        if start is not None and now - last > LOST_S:
            if not gone:
                gone = True
                say(f"Camera {name} gives no picture; waiting for it")
            if now - tried > RETRY_S:
                camera.open()
                tried = clock()
        sleep(0.01)


def played(frames: Iterable[Frame]) -> Iterator[LiveFrame]:
    """Frames of a video, each at its own time by the clock."""
    start = None
    for frame in frames:
        start = time.monotonic() - frame.time_s if start is None else start
        time.sleep(max(0.0, start + frame.time_s - time.monotonic()))
        yield LiveFrame(frame.index, frame.time_s, frame.image, time.monotonic())


def mirrored(frame: LiveFrame) -> LiveFrame:
    """The frame turned left to right, as a mirror shows it."""
    return replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))
