"""The audio of a video, carried over as it lies in the file."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from live_emotion.io.video.reader import open_media, video_start

FALLBACK_CODEC = "aac"
"""What audio is encoded as where an MP4 cannot hold its own codec."""

INTERLEAVING_S = 10.0
"""How far apart in time, in seconds, neighbours in a file may be, or a seek without an index may miss."""


class Audio:
    """All audio tracks of a video, copied packet by packet without a change, in step with the frames.

    Only a track whose codec an MP4 cannot hold is encoded anew, as AAC.

    Args:
        path: the video.
        start_s: leave out what ends before this time of the video, in seconds; it is time 0 of the new video.
        end_s: leave out what begins at this time of the video or later, in seconds.

    Attributes:
        recoded: codecs of the tracks that are encoded anew.

    Raises:
        InputError: no such file, or FFmpeg cannot read it.
    """

    def __init__(self, path: str | os.PathLike[str], start_s: float = 0.0, end_s: float = math.inf) -> None:
        self.recoded: list[str] = []
        import av

        self._container = open_media(Path(path))
        self._streams = self._container.streams.audio
        self._start_s = start_s
        self._length_s = end_s - start_s
        self._zero = video_start(self._container) + Fraction(start_s)
        self._tracks: dict[int, _Track] = {}
        if start_s > 0:
            with contextlib.suppress(av.FFmpegError):  # some containers cannot; what is before is left out below
                self._container.seek(math.floor((self._zero - INTERLEAVING_S) * 1_000_000))
        self._packets = self._shifted()
        self._next = next(self._packets, None)

    def add_to(self, container: Any) -> None:
        """Adds the tracks to an open video, before anything is written to it."""
        for stream in self._streams:
            try:
                track: _Track = _Copy(container.add_stream_from_template(stream))
            except ValueError:  # MP4 cannot hold this codec
                track = _Recode(container.add_stream(FALLBACK_CODEC, rate=stream.rate, layout=stream.layout))
                self.recoded.append(stream.codec_context.name)
            track.stream.disposition = stream.disposition
            if stream.language:
                track.stream.metadata["language"] = stream.language
            self._tracks[stream.index] = track

    def until(self, time_s: float) -> Iterator[Any]:
        """Packets for the new video that begin before a time of it, in seconds, and were not given yet."""
        while self._next is not None and self._next.pts * self._next.time_base < time_s:
            yield from self._tracks[self._next.stream.index].packets(self._next)
            self._next = next(self._packets, None)

    def finish(self) -> Iterator[Any]:
        """What the encoders of tracks that are encoded anew still hold."""
        for track in self._tracks.values():
            yield from track.packets(None)

    def _shifted(self) -> Iterator[Any]:
        """Packets within the times that were asked for, on the new video's clock."""
        last: dict[int, int] = {}
        for packet in self._demux():
            pts = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or pts is None:
                continue
            pts -= round(self._zero / packet.time_base)
            begins, ends = (float(t * packet.time_base) for t in (pts, pts + (packet.duration or 0)))
            if begins > self._length_s + INTERLEAVING_S:
                return
            cut_off = begins >= self._length_s or (self._start_s > 0 and ends <= 0)
            if cut_off or pts <= last.get(packet.stream.index, pts - 1):  # a track's packets must go forward
                continue
            packet.pts = packet.dts = last[packet.stream.index] = pts
            yield packet

    def _demux(self) -> Iterator[Any]:
        """Packets as they lie in the file, up to where it is damaged."""
        import av

        if self._streams:
            packets = self._container.demux(*self._streams)
            while True:
                try:
                    packet = next(packets, None)
                except av.FFmpegError:
                    return
                if packet is None:
                    return
                yield packet

    def close(self) -> None:
        """Closes the file."""
        self._container.close()


class _Copy:
    """A track that takes packets as they are."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def packets(self, packet: Any | None) -> Iterator[Any]:
        """The packet for the new track; None asks for what is held back: nothing."""
        if packet is not None:
            packet.stream = self.stream
            yield packet


class _Recode:
    """A track that is decoded and encoded anew."""

    def __init__(self, stream: Any) -> None:
        from av.audio.resampler import AudioResampler

        self.stream = stream
        codec = stream.codec_context
        self._resampler = AudioResampler(codec.format, codec.layout, codec.sample_rate)

    def packets(self, packet: Any | None) -> Iterator[Any]:
        """Encoded packets of a packet of the old track; None asks for what is held back."""
        import av

        try:
            pieces = packet.decode() if packet is not None else [None]
        except av.FFmpegError:  # a damaged packet is a short silence
            return
        for piece in pieces:
            for audio in self._resampler.resample(piece):
                yield from self.stream.encode(audio)
        if packet is None:
            yield from self.stream.encode(None)


_Track = _Copy | _Recode
