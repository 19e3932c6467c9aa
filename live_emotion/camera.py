"""Live frames: from a camera, a stream, or a film played at its own speed. Late ones are dropped, never queued."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.errors import CameraError
from live_emotion.sources import Frame, VideoFile

TIMEOUT_S = 5.0
"""How long a camera may give no frame before it counts as dead, in seconds."""


def is_camera(source: str) -> bool:
    """Whether a source is a camera's number, rather than a file or a URL."""
    return source.isdecimal()


@contextlib.contextmanager
def open_camera(source: str) -> Iterator[Iterator[Frame]]:
    """Opens a source of live frames.

    Args:
        source: number of a camera, a URL such as ``rtsp://...``, or a video file, which plays at its own speed.

    Yields:
        frames as they come, with the time since the first; a film ends, a camera does not.

    Raises:
        CameraError: there is no such camera, it is in use, or it stops giving frames.
        InputError: the file is not a video.
    """
    if is_camera(source) or "://" in source:
        with _open_capture(source) as frames:
            yield frames
    elif Path(source).exists():
        with VideoFile(source) as film:
            yield played(film)
    else:
        raise CameraError(
            f"There is no camera or file {source}; give a camera's number such as 0, a URL such as rtsp://..., "
            "or a video file."
        )


@contextlib.contextmanager
def _open_capture(source: str) -> Iterator[Iterator[Frame]]:
    import cv2

    with _quiet_opencv():
        capture = cv2.VideoCapture(int(source) if is_camera(source) else source)
    try:
        if not capture.isOpened():
            raise CameraError(_cannot_open(source))
        yield captured(capture, source)
    finally:
        capture.release()


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keeps OpenCV's warnings about a camera that isn't there off the screen: we say it ourselves."""
    from cv2.utils import logging

    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def _cannot_open(source: str) -> str:
    if not is_camera(source):
        return f"Cannot open the stream {source}; check its address, and that a player shows it."
    others = sorted(p.name.removeprefix("video") for p in Path("/dev").glob("video*"))
    hint = f"it may be in use by another program; there are: {', '.join(others)}" if others else "none is connected"
    return (
        f"Cannot open camera {source}: {hint}. Close programs that use it, try another --camera, "
        "or run 'live-emotion demo', which needs none."
    )


def captured(capture: object, name: str, timeout_s: float = TIMEOUT_S) -> Iterator[Frame]:
    """Frames of an open capture.

    Args:
        capture: with ``read()`` giving whether there is a frame, and the frame, as ``cv2.VideoCapture`` does.
        name: of the camera, for the error.
        timeout_s: how long it may give none, in seconds.

    Raises:
        CameraError: it gave none for that long.
    """
    index, start, last = 0, None, time.monotonic()
    while True:
        there, image = capture.read()
        now = time.monotonic()
        if there and image is not None and image.size:
            start = now if start is None else start
            yield Frame(index, now - start, image)
            index, last = index + 1, now
        elif now - last > timeout_s:
            raise CameraError(
                f"Camera {name} has given no picture for {timeout_s:.0f} seconds; plug it in again or try another."
            )
        else:
            time.sleep(0.01)


def played(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Frames of a film, each at its own time by the clock."""
    start = None
    for frame in frames:
        start = time.monotonic() - frame.time_s if start is None else start
        time.sleep(max(0.0, start + frame.time_s - time.monotonic()))
        yield frame


def mirrored(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames turned left to right, as a mirror shows them."""
    for frame in frames:
        yield replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))


class NewestFrame:
    """Reads frames in a thread of its own and hands on the newest only.

    Iterating waits for a frame newer than the last. It ends with the source, and an error of the source is raised
    here.

    Args:
        frames: the source; it is read at its own pace.

    Attributes:
        captured: how many frames came.
        taken: how many were handed on; the others were dropped, since newer ones had come.
    """

    def __init__(self, frames: Iterator[Frame]) -> None:
        self.captured = 0
        self.taken = 0
        self._newest: Frame | None = None
        self._ended = False
        self._error: BaseException | None = None
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(frames,), name="capture", daemon=True)
        self._thread.start()

    def _read(self, frames: Iterator[Frame]) -> None:
        try:
            for frame in frames:
                with self._change:
                    if self._ended:
                        return
                    self._newest = frame
                    self.captured += 1
                    self._change.notify()
        except BaseException as error:  # raised again where the frames are used
            self._error = error
        finally:
            with self._change:
                self._ended = True
                self._change.notify()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with self._change:
                # the timeout lets Ctrl-C through on every system
                while self._newest is None and not self._ended:
                    self._change.wait(timeout=0.2)
                frame, self._newest = self._newest, None
            if frame is None:
                if self._error is not None:
                    raise self._error
                return
            self.taken += 1
            yield frame

    def close(self) -> None:
        """Stops reading and waits for the thread, so that its camera can be closed."""
        with self._change:
            self._ended = True
        self._thread.join(timeout=2 * TIMEOUT_S)

    def __enter__(self) -> NewestFrame:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
