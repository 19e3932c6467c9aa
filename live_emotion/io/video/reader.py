"""Frames from video files."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.video.part import noted_start
from live_emotion.io.video.timing import FrameClock, has_decoding_times_only
from live_emotion.types import Frame

MAX_FAILURES = 100
"""How many reads in a row may fail before the rest of a video counts as lost."""

BROKEN_OFF_S = 0.5
"""A video that ends this much before its stated length has lost its end, in seconds."""

HD_HEIGHT = 720
"""Videos of this height, in pixels, or more are in BT.709 colours unless they say otherwise."""


MOST_MEGAPIXELS = 36
"""Of a frame; 8K has 33. Some twenty frames are in memory at a time."""

NAMED_PROFILES = frozenset({"apng", "png"})
"""Codecs whose frames may hold a colour profile with a name, which PyAV frees twice once it has shown the side data."""


class VideoFile:
    """A video's frames with their own timestamps, upright as a player shows them. They can be iterated over once.

    Time 0 is the start of the file, which may be the start of its audio: the first frame is at 0 in most videos and
    a little later in some. A frame that cannot be decoded is left out; its time is noted in ``damaged_s``.

    Args:
        path: any file that FFmpeg reads.
        start_s: leave out what comes before this time, in seconds.
        end_s: leave out what comes at this time or later, in seconds.

    Attributes:
        width: of the upright frame, in pixels.
        height: of the upright frame, in pixels.
        sample_aspect_ratio: width over height of one pixel of it; not 1 in anamorphic videos.
        time_base: resolution of the timestamps, in seconds.
        fps: average frames a second; 29.97 stays 29.97.
        frame_count: how many frames there should be from ``start_s`` to ``end_s``, or None where the file does not
            tell; exact for a whole MP4, else from length and fps.
        duration_s: length of the whole video in seconds, or None.
        part_start_s: the time in another video at which this one begins, in seconds, as ``video --clip`` noted it; 0
            where it is no such part.
        frames_read: how many were decoded so far.
        damaged_s: the times, in seconds, where a frame is missing or shows damage, so far.
        breaks_off_s: the time, in seconds, from which on the file lacks what it should have, as one that was not copied
            whole; None where it has all.

    Raises:
        InputError: no such file, not a video, a file with no video, frames that are too large, or none of it can be
            decoded.

    Example:
        >>> with VideoFile("video.mp4") as video:  # doctest: +SKIP
        ...     for frame in video:
        ...         print(frame.time_s, frame.image.shape)
    """

    def __init__(self, path: str | os.PathLike[str], start_s: float = 0.0, end_s: float = math.inf) -> None:
        self.path = Path(path)
        self.start_s = start_s
        self.end_s = end_s
        self.frames_read = 0
        self.damaged_s: list[float] = []
        self.breaks_off_s: float | None = None
        self._delay: int | None = None
        self._container = open_media(self.path)
        try:
            self._stream = self._find_video()
            self._origin = video_start(self._container)
            self._describe()
            self._frames = self._start()
        except BaseException:
            self.close()
            raise

    def _find_video(self) -> Any:
        from av.stream import Disposition

        foreign = False
        for stream in self._container.streams.video:
            if stream.codec_context is None:
                foreign = True
            elif not stream.disposition & Disposition.attached_pic:  # the cover of a piece of music
                megapixels = stream.width * stream.height / 1e6
                if megapixels > MOST_MEGAPIXELS:
                    raise InputError(
                        f"{self.path} has frames of {megapixels:,.0f} megapixels, and {MOST_MEGAPIXELS} can be read; "
                        "make them smaller."
                    )
                stream.thread_type = "AUTO"
                stream.codec_context.options = {"max_pixels": str(MOST_MEGAPIXELS * 10**6)}  # should they grow
                return stream
        if foreign:
            raise InputError(f"{self.path} holds a video that nothing here decodes; convert it to H.264.")
        raise InputError(f"{self.path} holds no video, but only other data; give a video file.")

    def _describe(self) -> None:
        stream = self._stream
        self.time_base = stream.time_base
        self.duration_s: float | None = None
        self.frame_count: int | None = None
        self.fps = float(stream.average_rate or stream.guessed_rate or 25)
        if stream.duration is not None:
            self.duration_s = float(stream.duration * stream.time_base)
        elif self._container.duration:
            self.duration_s = self._container.duration / 1e6
        self.part_start_s = noted_start(self._container.metadata.get("comment", ""))
        self._is_whole = self.start_s <= 0 and self.end_s == math.inf
        if self._is_whole and stream.frames:
            self.frame_count = sum(not entry.is_discard for entry in stream.index_entries)
        elif self.duration_s is not None:
            length = min(self.end_s, self.duration_s) - max(0.0, self.start_s)
            self.frame_count = max(1, round(length * self.fps))

    def _start(self) -> Iterator[tuple[float, Any]]:
        """Finds the first frame, which alone knows how it is to be turned."""
        import av
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        frames = itertools.dropwhile(lambda timed: timed[0] < self.start_s, self._from_start())
        first = next(frames, None)
        if first is None and self._is_whole:
            raise InputError(f"No frame in {self.path} can be decoded; the file is damaged.")
        if first is None:
            raise InputError(f"{self.path} has no frame from {self.start_s:.2f} to {self.end_s:.2f} s.")
        self._orientation = orientation(first[1], self._stream.codec_context.name)
        ratio = self._stream.sample_aspect_ratio or Fraction(1)
        self.width, self.height, self.sample_aspect_ratio = first[1].width, first[1].height, ratio
        if self._orientation[0] % 2:
            self.width, self.height, self.sample_aspect_ratio = self.height, self.width, 1 / ratio
        try:
            self._upright(first[1])
        except av.FFmpegError as error:
            kind = first[1].format.name
            raise InputError(f"{self.path} has pixels of a kind that cannot be read, {kind}; convert it.") from error
        return itertools.chain([first], frames)

    def _from_start(self) -> Iterator[tuple[float, Any]]:
        """Frames with their times, beginning at ``start_s`` or before."""
        import av

        if self.start_s > 0:
            if has_decoding_times_only(self._container.format.name):
                next(self._timed(), None)  # the file's first frame alone shows for sure how late the decoder is
                self._delay = self._clock.delay
                self.damaged_s.clear()
            start = (Fraction(self.start_s) + self._origin) / self._stream.time_base
            with contextlib.suppress(av.FFmpegError):  # some containers cannot seek
                self._container.seek(math.floor(start), stream=self._stream)
                frames = self._timed()
                first = next(frames, None)
                if first is not None and first[0] <= self.start_s:
                    return itertools.chain([first], frames)
            # Or seek too far, where they have no index: read it all.
            self._container.close()
            self._container = open_media(self.path)
            self._stream = self._find_video()
            self.damaged_s.clear()
        return self._timed()

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    @property
    def timing_doubts(self) -> list[str]:
        """Why the times of the frames so far cannot be trusted, each in a phrase; none where they can."""
        return self._clock.doubts()

    def frames(self, wanted: Callable[[int, float], bool] = lambda index, time_s: True) -> Iterator[Frame]:
        """The frames whose index and time are wanted; the others are decoded, too, but not turned into pixels."""
        import av

        for index, (time_s, frame) in enumerate(self._frames):
            self.frames_read = index + 1
            if not wanted(index, time_s):
                continue
            try:
                image = self._upright(frame)
            except av.FFmpegError:  # the kind of its pixels changed to one that FFmpeg doesn't turn into ours
                self.damaged_s.append(time_s)
                continue
            yield Frame(index, time_s, image)

    def _timed(self) -> Iterator[tuple[float, Any]]:
        """Frames up to ``end_s`` with their times, which never go back."""
        self._clock = FrameClock(self._container.format.name, self._origin, 1 / Fraction(self.fps), self._delay)
        for frame in self._decode():
            time_s = float(self._clock.time(frame))  # the closest float, so that a frame at 0.4 s is at the float 0.4
            if time_s >= self.end_s:
                return
            if frame.is_corrupt and time_s >= self.start_s:
                self.damaged_s.append(time_s)
            yield time_s, frame

    def _decode(self) -> Iterator[Any]:
        """Decoded frames; what cannot be read is noted and passed over."""
        import av

        # with the audio: a file whose audio alone reaches its stated length is whole
        streams = self._stream, *self._container.streams.audio
        packets, failures, reached, furthest = self._container.demux(streams), 0, 0.0, 0.0
        while failures < MAX_FAILURES:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                failures += 1
                packets = self._container.demux(streams)
                continue
            if packet is None:
                break
            if packet.pts is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base - self._origin)
                furthest = max(furthest, end)
            if packet.stream.index != self._stream.index:
                continue
            if packet.pts is not None:
                reached = max(reached, end)
            self._clock.feed(packet)
            try:
                frames = packet.decode()
            except av.EOFError:
                break
            except av.FFmpegError:
                failures += 1
                self.damaged_s.append(reached)
                continue
            failures = 0
            yield from frames
        if self.duration_s is not None and furthest < self.duration_s - BROKEN_OFF_S:
            self.damaged_s.append(reached)
            self.breaks_off_s = reached

    def _upright(self, frame: Any) -> np.ndarray:
        """(H, W, 3) uint8 BGR, turned as the video asks."""
        quarters, mirrored = self._orientation
        image = self._reformatter.reformat(frame, format="bgr24", src_colorspace=colourspace(frame)).to_ndarray()
        if not quarters and not mirrored:
            return image
        return np.ascontiguousarray(np.rot90(image[:, ::-1] if mirrored else image, quarters))

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_media(path: Path) -> Any:
    """Opens a file of videos or audio.

    Raises:
        InputError: no such file, or FFmpeg cannot read it.
    """
    import av

    if not os.path.isfile(path):
        raise InputError(f"There is no video file {path}; check the name.")
    try:
        # The whole path, since FFmpeg takes what comes before a colon in a name for a protocol. Titles may be in any
        # encoding.
        return av.open(str(path.absolute()), metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path} is not a video that can be read, or it is damaged.") from error


def video_start(container: Any) -> Fraction:
    """What the clock of an open file shows at time 0 of the video, in seconds.

    FFmpeg rounds it to microseconds; the stream that begins then has it exactly, so that its first frame is at 0.
    """
    tick = Fraction(1, 1_000_000)
    rounded = (container.start_time or 0) * tick
    starts = (s.start_time * s.time_base for s in container.streams if s.start_time is not None)
    return next((start for start in starts if abs(start - rounded) < tick), rounded)


def orientation(frame: Any, codec: str) -> tuple[int, bool]:
    """How a frame is to be turned to stand upright, by its display matrix (ISO 14496-12, 8.3.2).

    Args:
        frame: as PyAV decoded it.
        codec: FFmpeg's name of that which it was encoded with.

    Returns:
        quarter turns to the left, and whether to mirror it left to right before.
    """
    from av.sidedata.sidedata import Type

    turn = round(frame.rotation / 90) % 4
    if codec in NAMED_PROFILES:
        return turn, False
    try:
        found = frame.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV fails where FFmpeg tells something newer beside it, as of a JPEG's EXIF data
        return turn, False
    if found is None:
        return 0, False
    a, b, _, c, d, *_ = np.frombuffer(bytes(found), np.int32).tolist()
    return round(math.degrees(math.atan2(c, d)) / 90) % 4, a * d - b * c < 0


def colourspace(frame: Any) -> Any:
    """The matrix to decode colours by, where a video does not tell: BT.709 for HD, as players do; None: as it tells."""
    from av.video.reformatter import Colorspace

    unspecified = 2
    return Colorspace.ITU709 if frame.colorspace == unspecified and frame.height >= HD_HEIGHT else None
