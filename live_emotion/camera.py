"""Live frames: from a camera, a stream, or a film played at its own speed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from live_emotion.errors import CameraError
from live_emotion.sources import Frame, VideoFile

TIMEOUT_S = 5.0
"""How long a camera may give no frame before the first, in seconds."""

LOST_S = 1.0
"""How long a camera that gave frames may give none before it counts as gone, in seconds."""

WAIT_S = 60.0
"""How long a camera that has gone is waited for, in seconds."""

RETRY_S = 0.5
"""Between two tries to open a camera again, in seconds."""

FFMPEG_QUIET = "-8"
"""FFmpeg's level of logging that writes nothing: what goes wrong with a stream we say ourselves."""


@dataclass(frozen=True)
class LiveFrame(Frame):
    """A picture that has just been taken.

    Attributes:
        clock_s: when it came, on the monotonic clock.
    """

    clock_s: float = 0.0


@dataclass(frozen=True)
class CameraMode:
    """How a camera is to take pictures; 0 leaves it to the camera.

    Attributes:
        width: in pixels.
        height: in pixels.
        fps: frames a second.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.width or self.height or self.fps)

    def __str__(self) -> str:
        return f"{self.width or '?'}x{self.height or '?'}" + (f" at {self.fps:g} frames a second" if self.fps else "")


class Capture(Protocol):
    """An open camera, as ``cv2.VideoCapture`` is one."""

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Whether there is a frame, and the frame."""
        ...

    def get(self, setting: int) -> float:
        """A setting by OpenCV's number for it."""
        ...

    def release(self) -> None:
        """Gives the camera back."""
        ...


def is_camera(source: str) -> bool:
    """Whether a source is a camera's number or name, rather than a file or a URL."""
    return source.isdecimal() or ("://" not in source and not Path(source).exists())


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
        frames as they come, with the time since the first; a film ends, a camera does not.

    Raises:
        CameraError: there is no such camera, it is in use, or it stops giving frames.
        InputError: the file is not a video.
    """
    if not is_camera(source) and "://" not in source:
        with VideoFile(source) as film:
            yield LiveSource(played(film))
        return
    number = find_camera(source) if is_camera(source) else source
    camera = Camera(lambda: open_capture(number, mode))
    if not camera.open():
        raise CameraError(_cannot_open(source))
    try:
        live = LiveSource(iter(()), camera.mode)
        live.frames = captured(camera, source, live.announce)
        yield live
    finally:
        camera.release()


def find_camera(source: str) -> int:
    """The number of the camera that has this number or name.

    Args:
        source: digits, or a part of the name, in any case.

    Raises:
        CameraError: none has it.
    """
    if source.isdecimal():
        return int(source)
    there = list_cameras()
    for number, name in there.items():
        if source.lower() in name.lower():
            return number
    names = ", ".join(f"{number} ({name})" for number, name in there.items()) or "none is connected"
    raise CameraError(
        f"There is no camera or file {source}; give a camera's number or name, a URL such as rtsp://..., or a video "
        f"file. Cameras: {names}."
    )


def list_cameras() -> dict[int, str]:
    """Names of the cameras of this machine by their numbers for OpenCV."""
    from cv2_enumerate_cameras import enumerate_cameras

    with quiet_opencv():
        found: dict[int, str] = {}
        for camera in enumerate_cameras():
            found.setdefault(camera.index % 100, camera.name)  # the hundreds say through which system it is reached
    return found


def open_capture(source: int | str, mode: CameraMode = CameraMode()) -> Capture | None:
    """Opens a camera by its number, or a stream by its URL; None where that fails."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    import cv2

    with quiet_opencv():
        capture = cv2.VideoCapture(source)
        for setting, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, mode.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, mode.height),
            (cv2.CAP_PROP_FPS, mode.fps),
        ):
            if value:
                capture.set(setting, value)
    if capture.isOpened():
        return capture
    capture.release()
    return None


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keeps OpenCV's warnings about a camera that isn't there off the screen: we say it ourselves."""
    from cv2.utils import logging

    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


class Camera:
    """A camera that can be opened again after it went.

    Args:
        open: opens it, or gives None.
    """

    def __init__(self, open: Callable[[], Capture | None]) -> None:
        self._open = open
        self._capture: Capture | None = None

    @property
    def mode(self) -> CameraMode | None:
        """In which it takes pictures, as far as it says."""
        import cv2

        if self._capture is None:
            return None
        width, height = (int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        return CameraMode(width, height, round(self._capture.get(cv2.CAP_PROP_FPS), 2))

    def open(self) -> bool:
        """Opens it anew; whether that went well."""
        self.release()
        self._capture = self._open()
        return self._capture is not None

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Whether there is a frame, and the frame."""
        return self._capture.read() if self._capture else (False, None)

    def release(self) -> None:
        """Gives it back."""
        if self._capture:
            self._capture.release()
            self._capture = None


def _cannot_open(source: str) -> str:
    if not is_camera(source):
        return f"Cannot open the stream {source}; check its address, and that a player shows it."
    others = sorted(p.name.removeprefix("video") for p in Path("/dev").glob("video*"))
    hint = f"it may be in use by another program; there are: {', '.join(others)}" if others else "none is connected"
    return (
        f"Cannot open camera {source}: {hint}. Close programs that use it, try another --camera, "
        "or run 'live-emotion demo', which needs none."
    )


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
    """Frames of a film, each at its own time by the clock."""
    start = None
    for frame in frames:
        start = time.monotonic() - frame.time_s if start is None else start
        time.sleep(max(0.0, start + frame.time_s - time.monotonic()))
        yield LiveFrame(frame.index, frame.time_s, frame.image, time.monotonic())


def mirrored(frame: LiveFrame) -> LiveFrame:
    """The frame turned left to right, as a mirror shows it."""
    return replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))
