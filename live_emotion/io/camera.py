"""Cameras and streams as OpenCV opens them: which there are, and in which mode they give frames."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from live_emotion.checks import check_number, check_whole
from live_emotion.errors import CameraError
from live_emotion.io.files.names import is_text

FFMPEG_QUIET = "-8"
"""FFmpeg's level of logging that writes nothing: what goes wrong with a stream we say ourselves."""


MOST_OF_A_MODE = 100_000
"""Pixels on a side, and frames a second: no camera gives more."""


@dataclass(frozen=True)
class CameraMode:
    """How a camera is to give frames; 0 leaves it to the camera.

    Attributes:
        width: in pixels.
        height: in pixels.
        fps: frames a second.

    Raises:
        ArgumentError: a value makes no sense.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0

    def __post_init__(self) -> None:
        pixels, rate = (f"{kind} from 0 to {MOST_OF_A_MODE:,}" for kind in ("a whole number", "a number"))
        vars(self).update(
            width=check_whole("width", self.width, pixels, 0, MOST_OF_A_MODE),
            height=check_whole("height", self.height, pixels, 0, MOST_OF_A_MODE),
            fps=check_number("fps", self.fps, rate, 0, MOST_OF_A_MODE),
        )

    def __bool__(self) -> bool:
        return bool(self.width or self.height or self.fps)

    def __str__(self) -> str:
        return f"{self.width or '?'}x{self.height or '?'}" + (f" at {self.fps:g} frames a second" if self.fps else "")


@dataclass(frozen=True)
class CameraDevice:
    """A camera as the system lists it.

    Attributes:
        number: by which it is asked for: the system's, or the next free one where two systems give the same.
        name: as the system knows it; empty where it does not.
        index: OpenCV's number for it within the backend.
        backend: OpenCV's number of the system through which it is reached; 0 (``cv2.CAP_ANY``): OpenCV chooses.
    """

    number: int
    name: str
    index: int
    backend: int = 0

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"

    def is_called(self, source: str) -> bool:
        """Whether somebody means it by a number, or by a part of its name, in any case."""
        return self.number == int(source) if is_number(source) else source.lower() in self.name.lower()


LARGEST_NUMBER = 9999
"""Of a camera. OpenCV takes larger numbers for something else, or not at all."""


def is_number(source: str) -> bool:
    """Whether a source may be a camera's number."""
    return source.isdecimal() and len(source) <= len(str(LARGEST_NUMBER))


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


def is_url(source: str) -> bool:
    """Whether a source is an address, such as ``rtsp://host/stream``.

    Example:
        >>> is_url("rtsp://host/stream"), is_url("C://videos/talk.mp4")
        (True, False)
    """
    return re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE) is not None  # a drive has one letter


def is_camera(source: str) -> bool:
    """Whether a source is a camera's number or name, rather than a file or a URL."""
    return source.isdecimal() or not (is_url(source) or os.path.exists(source))


def find_camera(source: str) -> CameraDevice:
    """The camera that has this number or name.

    Args:
        source: digits, or a part of the name, in any case. A number that no camera is listed by is left to OpenCV.

    Raises:
        CameraError: none has the name.
    """
    devices = list_cameras()
    for device in devices:
        if device.is_called(source):
            return device
    if is_number(source):
        return CameraDevice(int(source), "", int(source))
    raise CameraError(
        f"There is no camera or file {source}; give a camera's number or name, a URL such as rtsp://..., or a video "
        f"file. Cameras: {', '.join(map(str, devices)) or 'none is connected'}."
    )


def list_cameras() -> list[CameraDevice]:
    """The cameras of this machine, by their numbers."""
    import cv2_enumerate_cameras as system
    from cv2 import videoio_registry

    with quiet_opencv():
        backends = [backend for backend in system.supported_backends if videoio_registry.hasBackend(backend)]
        listed = [(b, camera.index, camera.name) for b in backends for camera in system.enumerate_cameras(b)]
    return number_cameras(listed)


def number_cameras(listed: Iterable[tuple[int, int, str]]) -> list[CameraDevice]:
    """Gives each camera one number, however many systems list it.

    Args:
        listed: backend, index and name as the systems list them, the preferred one's first. A camera whose name one
            before listed is the same one.

    Example:
        >>> [str(device) for device in number_cameras([(1400, 0, "BRIO"), (700, 0, "OBS"), (700, 1, "BRIO")])]
        ['0 (BRIO)', '1 (OBS)']
    """
    devices: dict[int, CameraDevice] = {}
    for backend, index, name in listed:
        if any(device.name == name and device.backend != backend for device in devices.values()):
            continue
        number = index if index not in devices else max(devices) + 1
        devices[number] = CameraDevice(number, name, index, backend)
    return [devices[number] for number in sorted(devices)]


def open_capture(source: CameraDevice | str, mode: CameraMode = CameraMode()) -> Capture | None:
    """Opens a camera, through the system that lists it, or a stream by its URL; None where that fails."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    import cv2

    with quiet_opencv():
        if isinstance(source, CameraDevice):
            capture = cv2.VideoCapture(source.index, source.backend)
        elif is_text(source):
            capture = cv2.VideoCapture(source)
        else:
            return None
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
    """A camera that can be opened again after it has gone. Closed at first.

    Args:
        open: opens it, or gives None.
    """

    def __init__(self, open: Callable[[], Capture | None]) -> None:
        self._open = open
        self._capture: Capture | None = None

    @property
    def mode(self) -> CameraMode | None:
        """In which it gives frames, as far as it says; None while it is closed."""
        import cv2

        if self._capture is None:
            return None
        settings = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        told = map(self._capture.get, settings)
        width, height, fps = (value if 0 <= value <= MOST_OF_A_MODE else 0.0 for value in told)  # some say -1, or NaN
        return CameraMode(int(width), int(height), round(fps, 2))

    def open(self) -> bool:
        """Opens it anew; whether that went well."""
        self.close()
        self._capture = self._open()
        return self._capture is not None

    def read(self) -> np.ndarray | None:
        """A frame, (H, W, 3) uint8 BGR; None where there is none at the moment."""
        import cv2

        there, image = self._capture.read() if self._capture else (False, None)
        if not there or image is None or image.ndim < 2 or not image.size:
            return None
        is_grey = image.ndim == 2 or image.shape[2] == 1
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if is_grey else image

    def close(self) -> None:
        """Gives it back. Closing twice does nothing."""
        if self._capture:
            self._capture.release()
            self._capture = None


def cannot_open(source: str) -> str:
    """What to say where a camera or stream cannot be opened."""
    if not is_camera(source):
        return f"Cannot open the stream {source}; check its address, and that a player shows it."
    others = sorted(p.name.removeprefix("video") for p in Path("/dev").glob("video*"))
    hint = f"it may be in use by another program; there are: {', '.join(others)}" if others else "none is connected"
    return (
        f"Cannot open camera {source}: {hint}. Close programs that use it, try another --camera, "
        "or run 'live-emotion demo', which needs none."
    )
