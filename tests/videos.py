"""Videos for tests, made with PyAV: numbered frames of a real face, audio, odd timing, rotation, damage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

BITS, SQUARE = 10, 12
SIZE = (256, 300)
RATE = 48_000
TIME_BASE = Fraction(1, 600)


def numbered_frames(portrait: np.ndarray, count: int) -> list[np.ndarray]:
    """The portrait at 256x300, each with its number in black and white squares along the lower edge."""
    small = cv2.resize(portrait, SIZE, interpolation=cv2.INTER_AREA)
    numbered = []
    for number in range(count):
        image = np.roll(small, 2 * (number % 5), axis=1)
        for bit in range(BITS):
            image[-SQUARE:, bit * SQUARE : (bit + 1) * SQUARE] = 255 * (number >> bit & 1)
        numbered.append(image)
    return numbered


def number_of(image: np.ndarray) -> int:
    """The number that a frame carries."""
    squares = (image[-SQUARE + 4 : -4, b * SQUARE + 4 : (b + 1) * SQUARE - 4].mean() for b in range(BITS))
    return sum((square > 127) << bit for bit, square in enumerate(squares))


def make_video(
    path: Path,
    images: Sequence[np.ndarray],
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    audio: Sequence[str] = ("aac",),
    rotation: int = 0,
    **options: str,
) -> Path:
    """Writes a video.

    Args:
        path: its suffix says the container.
        images: the frames.
        times: when each is shown, in seconds; None: 25 a second.
        codec: of the video.
        audio: codecs of the audio tracks; each is a tone of its own.
        rotation: that a player is to turn the frames by, in degrees.
        options: of the codec.
    """
    times = times or [i / 25 for i in range(len(images))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        if codec not in ("gif", "mpeg4", "mpeg2video"):
            stream.time_base = stream.codec_context.time_base = TIME_BASE
        if rotation:
            stream.set_display_rotation(rotation)
        tracks = [container.add_stream(name, rate=RATE) for name in audio]
        for track, language in zip(tracks, ("eng", "deu")):
            track.layout = "mono"
            track.metadata["language"] = language
        for image, time_s in zip(images, times):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            base = stream.codec_context.time_base or Fraction(1, 25)
            frame.pts, frame.time_base = round(time_s / base), base
            container.mux(stream.encode(frame))
        for number, track in enumerate(tracks):
            for piece in tone(440 * (number + 1), times[-1] + 0.04):
                container.mux(track.encode(piece))
        for each in (stream, *tracks):
            container.mux(each.encode(None))
    return path


def tone(hertz: float, seconds: float) -> Iterator[av.AudioFrame]:
    """A tone in pieces of 1024 samples."""
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)
    for start in range(0, len(wave), 1024):
        samples = (wave[None, start : start + 1024] * 32767).astype(np.int16)
        piece = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = RATE, start, Fraction(1, RATE)
        yield piece


def audio_packets(path: Path) -> list[list[tuple[float, bytes]]]:
    """Of each audio track, the packets with their times in seconds."""
    with av.open(str(path)) as container:
        zero = (container.start_time or 0) / 1e6
        found: dict[int, list[tuple[float, bytes]]] = {s.index: [] for s in container.streams.audio}
        for packet in container.demux(*container.streams.audio) if found else ():
            if packet.size:
                found[packet.stream.index].append((float(packet.pts * packet.time_base) - zero, bytes(packet)))
    return list(found.values())


def damage(path: Path, start: float = 0.4, end: float = 0.5) -> Path:
    """Overwrites a part of a file, from and to these parts of its length."""
    content = bytearray(path.read_bytes())
    first, last = int(start * len(content)), int(end * len(content))
    content[first:last] = np.random.default_rng(0).bytes(last - first)
    path.write_bytes(content)
    return path


def cut_off(path: Path, end: float = 0.6) -> Path:
    """Leaves the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(end * len(content))])
    return path
