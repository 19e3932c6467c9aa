"""Frames into an H.264 video that browsers and phones play."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import OutputError
from live_emotion.io.files.atomic import (
    discard_temporary,
    keep_temporary,
    may_replace,
    publish,
    temporary_beside,
    write_error,
)
from live_emotion.io.video.audio import Audio
from live_emotion.io.video.part import note

TIME_BASE = Fraction(1, 90_000)
"""Resolution of timestamps in seconds: MPEG's."""

FINEST_TIME_BASE = Fraction(1, 1_000_000)
"""Videos of a finer resolution are written in :data:`TIME_BASE`, since MP4 counts it in 32 bits."""

DEFAULT_QUALITY = 20

ENCODER_OPTIONS = {"preset": "veryfast"}
"""Of libx264, beside the quality."""

FINISHED = {"movflags": "+faststart"}
"""Of the MP4: its index comes first, so that a video on the web begins before all of it is there."""

UNFINISHED = {"movflags": "+hybrid_fragmented", "frag_duration": "1000000", "flush_packets": "1"}
"""Of an MP4 that plays at any time up to its last second (``frag_duration``, in microseconds); its index comes last."""

ONLY_FRAME_S = 1 / 25
"""How long a video's only frame is shown, in seconds."""

BT709 = 1
LIMITED_RANGE = 1
"""As H.264 counts colours (ITU-T H.273)."""

VIDEO_SUFFIX = ".mp4"
"""What videos are written as."""


def check_video_path(path: str | os.PathLike[str]) -> None:
    """Finds out before the work whether a file's name is that of a video as we write them.

    Raises:
        OutputError: it ends otherwise.
    """
    if Path(path).suffix.lower() != VIDEO_SUFFIX:
        raise OutputError(f"Videos are written as MP4; name it {Path(path).with_suffix(VIDEO_SUFFIX)}.")


class VideoWriter:
    """Writes an MP4 with each frame at its own time. It appears under its name once it is complete.

    The size is the first frame's; later frames of other sizes are fitted into it on black. H.264 as players know it
    (8 bits, 4:2:0) holds even sizes only, so a frame of odd width or height gets one more column or row, a copy of
    its last. Colours are BT.709.

    Args:
        path: the ``.mp4`` file.
        quality: H.264's constant rate factor, 0 (best) to 51.
        audio: goes along with the frames, as it is; it is closed with the video, or where that cannot be begun.
        sample_aspect_ratio: width over height of a pixel.
        time_base: resolution of timestamps in seconds; that of a video keeps its timestamps exactly.
        start_s: it is a part of another video and begins there, in seconds.
        live: what is recorded cannot be recorded again. Should the program be killed, or the disk be full, all but
            the last second plays from the file that :func:`live_emotion.io.files.atomic.temporary_beside` made.

    Attributes:
        frames: how many were written.

    Raises:
        OutputError: the file cannot be written.

    Example:
        >>> with VideoWriter("out.mp4") as video:  # doctest: +SKIP
        ...     video.write(image, time_s=0.04)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        quality: int = DEFAULT_QUALITY,
        audio: Audio | None = None,
        sample_aspect_ratio: Fraction = Fraction(1),
        time_base: Fraction = TIME_BASE,
        start_s: float = 0.0,
        live: bool = False,
    ) -> None:
        from av.video.reformatter import VideoReformatter

        self.path = Path(path)
        self.quality = quality
        self.frames = 0
        self._failed = False
        self._kept: Path | None = None
        self._live = live
        self._replaces = may_replace(self.path)
        self._audio = audio
        self._sample_aspect_ratio = sample_aspect_ratio
        self._last_pts = 0
        self._time_base = time_base if time_base >= FINEST_TIME_BASE else TIME_BASE
        self._step = round(ONLY_FRAME_S / self._time_base)
        self._reformatter = VideoReformatter()
        self._stream: Any = None
        with contextlib.ExitStack() as undo:
            if audio:
                undo.callback(audio.close)
            self._temporary = temporary_beside(self.path, visible=live)
            undo.callback(self._release)
            self._container: Any = self._open(UNFINISHED if live else FINISHED)
            if start_s > 0:
                self._container.metadata["comment"] = note(start_s)
            self._at_the_end = undo.pop_all()

    def _open(self, options: dict[str, str]) -> Any:
        import av

        with self._errors():
            # The whole path, since FFmpeg takes what comes before a colon in a name for a protocol.
            return av.open(str(self._temporary.absolute()), "w", format="mp4", options=options)

    @property
    def closed(self) -> bool:
        """Whether it was completed or thrown away."""
        return self._container is None

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Adds a frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            time_s: when it is shown, in seconds; a time no later than the last frame's is moved just behind it.

        Raises:
            OutputError: the disk is full, or the frame cannot be encoded.
        """
        with self._errors():
            if self._stream is None:
                self._stream = self._add_stream(image.shape[1], image.shape[0])
            pts = round(time_s / self._time_base)
            if self.frames:
                pts = max(pts, self._last_pts + 1)
                self._step = pts - self._last_pts
            frame = self._frame(image)
            frame.pts, frame.time_base = pts, self._time_base
            self._encode(frame)
            self._last_pts = pts
            self.frames += 1
        self.write_audio(time_s)

    def write_audio(self, until_s: float = math.inf) -> None:
        """Copies the audio up to a time of the video, in seconds; without one, to its end.

        Writing frames takes the audio along, and closing takes it to the last frame's end.

        Raises:
            OutputError: the disk is full.
        """
        if self._audio and self._stream is not None:
            with self._errors():
                for packet in self._audio.until(until_s):
                    self._container.mux(packet)

    def _add_stream(self, width: int, height: int) -> Any:
        stream = self._container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        stream.time_base = context.time_base = self._time_base
        context.sample_aspect_ratio = self._sample_aspect_ratio
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        stream.options = {"crf": str(self.quality), **ENCODER_OPTIONS}
        if self._audio:
            self._audio.add_to(self._container)
        return stream

    def _encode(self, frame: Any | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._step  # of the last one, that is; the others last until the next
            self._container.mux(packet)

    def _frame(self, image: np.ndarray) -> Any:
        """BGR pixels as the encoder wants them."""
        import av
        from av.video.reformatter import ColorRange, Colorspace

        fitted = np.ascontiguousarray(_fit(image, self._stream.width, self._stream.height))
        return self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(fitted, format="bgr24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turns what goes wrong in writing into one line, and gives the video up."""
        import av

        try:
            yield
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            if self._live and self.frames and _plays(self._temporary):  # what is not live can be made again
                self._kept = self._temporary
            raise write_error(self.path, error, self._kept) from error

    def _release(self) -> None:
        if self._kept:
            keep_temporary(self._temporary)
        else:
            discard_temporary(self._temporary)

    def close(self) -> None:
        """Finishes the video and gives it its name; without a frame there is no video. Closing twice does nothing.

        Raises:
            OutputError: it cannot be completed.
        """
        self._finish(keep=self.frames > 0 and not self._failed)

    def discard(self) -> None:
        """Throws the video away, but for what a live one wrote before it failed. Does nothing after :meth:`close`."""
        self._finish(keep=False)

    def _finish(self, keep: bool) -> None:
        if self._container is None:
            return
        try:
            with self._errors():
                with contextlib.closing(self._container):
                    if keep:
                        self._flush()
                if keep:
                    publish(self._temporary, self.path, self._replaces)
        except OutputError:
            if keep:
                raise
        finally:
            self._container = None
            self._at_the_end.close()

    def _flush(self) -> None:
        self.write_audio(float((self._last_pts + self._step) * self._time_base))
        self._encode(None)
        if self._audio:
            self._container.mux(list(self._audio.finish()))

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _plays(path: Path) -> bool:
    """Whether a video that was broken off shows anything."""
    import av

    try:
        with av.open(str(path.absolute())) as container:
            return next(container.decode(video=0), None) is not None
    except (av.FFmpegError, OSError, IndexError):  # the last where there is no stream of frames
        return False


def _fit(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """``image`` at another size: extended by its edge where one pixel lacks, else scaled to fit, on black."""
    import cv2

    if image.shape[:2] == (height, width):
        return image
    missing = width - image.shape[1], height - image.shape[0]
    if max(missing) <= 1 and min(missing) >= 0:
        return cv2.copyMakeBorder(image, 0, missing[1], 0, missing[0], cv2.BORDER_REPLICATE)
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return canvas
