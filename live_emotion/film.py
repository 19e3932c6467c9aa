"""Frames into an H.264 film that browsers and phones play."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from live_emotion.errors import OutputError
from live_emotion.files import publish, temporary_beside, write_error

if TYPE_CHECKING:
    import av

TIME_BASE = Fraction(1, 90_000)
"""Resolution of timestamps in seconds: MPEG's, which all common frame rates divide."""

DEFAULT_QUALITY = 20


class FilmWriter:
    """Writes an MP4 with each frame at its own time. It appears under its name once it is complete.

    The size is the first frame's; later frames of other sizes are fitted into it on black. An odd width or height
    is kept by 4:4:4 chroma, since the usual 4:2:0 holds only even ones.

    Args:
        path: the ``.mp4`` file.
        quality: H.264's constant rate factor, 0 (best) to 51.

    Attributes:
        frames: how many were written.

    Raises:
        OutputError: the file cannot be written.

    Example:
        >>> with FilmWriter("out.mp4") as film:  # doctest: +SKIP
        ...     film.write(image, time_s=0.04)
    """

    def __init__(self, path: str | os.PathLike[str], quality: int = DEFAULT_QUALITY) -> None:
        import av

        self.path = Path(path)
        self.quality = quality
        self.frames = 0
        self._last_pts = -1
        self._stream: av.VideoStream | None = None
        self._temporary = temporary_beside(self.path)
        self._container = av.open(str(self._temporary), "w", format="mp4", options={"movflags": "+faststart"})

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Adds a frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            time_s: when it is shown, in seconds; later than the frame before.

        Raises:
            OutputError: the disk is full or the picture cannot be encoded.
        """
        import av

        if self._stream is None:
            self._stream = self._add_stream(image.shape[1], image.shape[0])
        fitted = _fit(image, self._stream.width, self._stream.height)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(fitted), format="bgr24")
        picture.pts = self._last_pts = max(round(time_s / TIME_BASE), self._last_pts + 1)
        picture.time_base = TIME_BASE
        self._encode(picture)
        self.frames += 1

    def _add_stream(self, width: int, height: int) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=30)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        stream.time_base = stream.codec_context.time_base = TIME_BASE
        stream.options = {"crf": str(self.quality), "preset": "veryfast"}
        return stream

    def _encode(self, picture: av.VideoFrame | None) -> None:
        import av

        try:
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            raise OutputError(f"Cannot write {self.path}: {error}.") from error

    def close(self) -> None:
        """Finishes the film and gives it its name; without a frame there is no file. Closing twice does nothing.

        Raises:
            OutputError: it cannot be completed.
        """
        if self._container is None:
            return
        container, self._container = self._container, None
        try:
            if self._stream is not None:
                container.mux(self._stream.encode(None))
            container.close()
            if self.frames:
                publish(self._temporary, self.path)
        except OSError as error:  # PyAV's errors among them
            raise write_error(self.path, error) from error
        finally:
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fit(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """``image`` as it is if it has this size, else scaled to fit in its middle, on black."""
    import cv2

    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return canvas
