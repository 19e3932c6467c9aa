"""Frames from video files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import InputError


@dataclass(frozen=True)
class Frame:
    """A picture in time.

    Attributes:
        index: 0, 1, ... within its source.
        time_s: seconds since the source's first frame.
        image: (H, W, 3) uint8 BGR, upright.
    """

    index: int
    time_s: float
    image: np.ndarray


class VideoFile:
    """A film's frames with their own timestamps, upright as a player shows them.

    Args:
        path: any file that FFmpeg reads.

    Attributes:
        fps: average frames a second; 29.97 stays 29.97.
        frame_count: as the file says it, or as its length suggests; None where neither is known.
        duration_s: length in seconds, or None.
        bad_packets: how many pieces of the film could not be decoded so far.

    Raises:
        InputError: no such file, not a film, or a file with no video.

    Example:
        >>> with VideoFile("film.mp4") as film:  # doctest: +SKIP
        ...     for frame in film:
        ...         print(frame.time_s, frame.image.shape)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import av

        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"There is no video file {self.path}; check the name.")
        try:
            self._container = av.open(str(self.path))
        except (av.FFmpegError, OSError) as error:
            raise InputError(f"{self.path} is not a video that can be read, or it is damaged.") from error
        if not self._container.streams.video:
            self._container.close()
            raise InputError(f"{self.path} holds no video; give a file with pictures in it.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        self.duration_s = self._length()
        self.frame_count = self._stream.frames or (round(self.duration_s * self.fps) if self.duration_s else None)
        self.bad_packets = 0

    def _length(self) -> float | None:
        if self._stream.duration is not None:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / 1e6 if self._container.duration else None

    def __iter__(self) -> Iterator[Frame]:
        first: Fraction | None = None
        for index, picture in enumerate(self._decode()):
            if picture.pts is None or picture.time_base is None:
                time = Fraction(index) / Fraction(self.fps) + (first or 0)
            else:
                time = picture.pts * picture.time_base
            first = time if first is None else first
            yield Frame(index, float(time - first), _upright(picture))
        if first is None:
            raise InputError(f"No picture in {self.path} can be decoded; the file is damaged.")

    def _decode(self) -> Iterator[Any]:
        """Decoded pictures; damaged packets are counted and passed over."""
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                pictures = packet.decode()
            except StopIteration:
                return
            except av.EOFError:
                return
            except av.FFmpegError:
                self.bad_packets += 1
                continue
            yield from pictures

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _upright(picture: Any) -> np.ndarray:
    """The decoded picture as BGR pixels, turned as the film's display matrix asks."""
    image = picture.to_ndarray(format="bgr24")
    quarters = round((picture.rotation or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image
