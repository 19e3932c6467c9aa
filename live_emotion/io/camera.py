"""Cameras and streams as OpenCV opens them: which there are, and in which mode they take pictures."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from live_emotion.errors import CameraError

FFMPEG_QUIET = "-8"
"""FFmpeg's level of logging that writes nothing: what goes wrong with a stream we say ourselves."""


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
