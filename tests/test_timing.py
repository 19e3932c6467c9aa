"""When frames are shown: every container, with B-frames and with times that are missing, negative, repeated or jump."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from click.testing import CliRunner
from videos import number_of, numbered_frames

from live_emotion.cli.main import cli
from live_emotion.io.video.reader import VideoFile

COUNT = 60
B_FRAMES = {"bf": "3", "g": "20", "preset": "veryfast"}
NO_B_FRAMES = {"bf": "0", "g": "20", "preset": "veryfast"}
CODECS = {"gif": ("gif", "rgb8", {}), "webm": ("libvpx", "yuv420p", {"deadline": "realtime", "auto-alt-ref": "1"})}


@pytest.fixture(scope="module")
def images(portrait):
    return numbered_frames(portrait, COUNT)


def write(path, images, options, change=lambda shown, decoded: (shown, decoded), codec="", **container):
    """Writes 25 frames a second; ``change`` is applied to each packet's two times, counted in frames."""
    name, pixels, own = CODECS.get(path.suffix[1:], ("libx264", "yuv420p", options))
    with av.open(str(path), "w", options=container) as output:
        stream = output.add_stream(codec or name, rate=25, options=options if codec else own)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        for number, image in enumerate([*images, None]):
            frame = None if image is None else av.VideoFrame.from_ndarray(image, format="bgr24")
            if frame is not None:
                frame.pts, frame.time_base = number, Fraction(1, 25)
            for packet in stream.encode(frame):
                unit = Fraction(1, 25) / packet.time_base
                shown, decoded = change(packet.pts / unit, packet.dts / unit)
                packet.pts, packet.dts = (None if t is None else round(t * unit) for t in (shown, decoded))
                output.mux(packet)
    return path


def read(path, *part):
    """The numbers of the frames, their times, how long the file says it is, and what is doubtful."""
    with VideoFile(path, *part) as video:
        frames = [(number_of(frame.image), frame.time_s) for frame in video]
        numbers, times = zip(*frames)
        return list(numbers), np.array(times), video.duration_s, video.timing_doubts


def packet_times(path):
    """When packets are shown, in order, by FFmpeg, which for AVI and ASF knows only when they are decoded."""
    with av.open(str(path)) as container:
        by_decoding = container.format.name in ("avi", "asf")
        packets = [p for p in container.demux(container.streams.video[0]) if p.size and not p.is_discard]
        times = sorted(float((p.dts if by_decoding else p.pts) * p.time_base) for p in packets)
    return np.array(times) - times[0]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "ts", "gif", "flv", "asf", "m2ts"])
def test_frames_come_at_their_times_in_every_container(tmp_path, images, suffix):
    path = write(tmp_path / f"a.{suffix}", images, B_FRAMES)
    numbers, times, duration, doubts = read(path)
    assert numbers == list(range(COUNT))
    np.testing.assert_allclose(times, np.arange(COUNT) / 25, atol=1e-3)
    np.testing.assert_allclose(times, packet_times(path), atol=1 / 25)
    assert duration == pytest.approx(COUNT / 25, abs=0.081)
    assert doubts == []


@pytest.mark.parametrize(
    ("suffix", "codec", "options"), [("avi", "libx264", B_FRAMES), ("avi", "mpeg4", {"bf": "2"}), ("asf", "", B_FRAMES)]
)
def test_a_part_of_a_video_without_presentation_times(tmp_path, images, suffix, codec, options):
    path = write(tmp_path / f"a.{suffix}", images, options, codec=codec)
    for start_s, end_s in ((0.5, 1.0), (0.8, 0.9), (1.0, 9.0), (2.3, 9.0)):
        numbers, times, _, _ = read(path, start_s, end_s)
        np.testing.assert_allclose(times, np.array(numbers) / 25, atol=1e-3)
        assert numbers[0] == np.ceil(start_s * 25) and numbers[-1] == min(COUNT - 1, np.ceil(end_s * 25) - 1)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "ts", "gif"])
def test_without_presentation_times_those_of_decoding_count(tmp_path, images, suffix):
    path = write(tmp_path / f"a.{suffix}", images, NO_B_FRAMES, lambda shown, decoded: (None, decoded))
    numbers, times, _, doubts = read(path)
    assert numbers == list(range(COUNT)) and doubts == []
    np.testing.assert_allclose(times, np.arange(COUNT) / 25, atol=1e-3)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_presentation_times_in_the_order_of_decoding_are_not_believed(tmp_path, images, suffix):
    path = write(tmp_path / f"a.{suffix}", images, B_FRAMES, lambda shown, decoded: (decoded + 3, decoded))
    numbers, times, _, _ = read(path)
    assert numbers == list(range(COUNT))
    np.testing.assert_allclose(times, np.arange(COUNT) / 25, atol=0.081)


@pytest.mark.parametrize("suffix", ["mkv", "webm", "flv"])
def test_repeated_times_stay(tmp_path, images, suffix):
    path = write(
        tmp_path / f"a.{suffix}", images, NO_B_FRAMES, lambda shown, decoded: (shown // 2 * 2, decoded // 2 * 2)
    )
    numbers, times, _, doubts = read(path)
    assert numbers == list(range(COUNT)) and doubts == []
    np.testing.assert_allclose(times, np.arange(COUNT) // 2 * 2 / 25, atol=1e-3)
    np.testing.assert_allclose(times, packet_times(path), atol=1e-3)


@pytest.mark.parametrize(("suffix", "first"), [("mp4", 25), ("mov", 25), ("mkv", 0), ("webm", 0), ("ts", 0)])
@pytest.mark.parametrize("options", [B_FRAMES, NO_B_FRAMES], ids=["b-frames", "no b-frames"])
def test_times_before_zero(tmp_path, images, suffix, first, options):
    """MP4 leaves what comes before 0 out, as players do; the others begin there."""
    path = write(
        tmp_path / f"a.{suffix}",
        images,
        options,
        lambda shown, decoded: (shown - 25, decoded - 25),
        avoid_negative_ts="0",
    )
    numbers, times, _, doubts = read(path)
    assert numbers == list(range(first, COUNT))
    np.testing.assert_allclose(times, (np.array(numbers) - first) / 25, atol=1e-3)
    assert bool(doubts) == (suffix == "mkv"), "FFmpeg gives its frames before 0 no time"


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "ts", "gif"])
def test_a_jump_ahead_stays_and_is_told(tmp_path, images, suffix):
    def later(time):
        return time + 2500 * (time >= 30)

    path = write(tmp_path / f"a.{suffix}", images, NO_B_FRAMES, lambda shown, decoded: (later(shown), later(decoded)))
    numbers, times, duration, doubts = read(path)
    assert numbers == list(range(COUNT))
    np.testing.assert_allclose(times, later(np.arange(COUNT)) / 25, atol=1e-3)
    np.testing.assert_allclose(times, packet_times(path), atol=1 / 25)
    assert duration == pytest.approx(102.4, abs=0.05)
    assert doubts == ["there is no frame from 1.16 to 101.20 s"]


def test_a_clock_that_starts_anew_goes_on_and_is_told(tmp_path, images):
    path = write(tmp_path / "a.ts", images, B_FRAMES)
    path.write_bytes(2 * path.read_bytes())
    numbers, times, _, doubts = read(path)
    assert numbers == [*range(COUNT), *range(COUNT)]
    np.testing.assert_allclose(times, np.arange(2 * COUNT) / 25, atol=1e-3)
    assert doubts == ["the file's clock goes back at 2.40 s; times go on from there"]


def test_what_has_no_times_is_counted_and_told(tmp_path, images):
    path = write(tmp_path / "a.h264", images, B_FRAMES)
    numbers, times, duration, doubts = read(path)
    assert numbers == list(range(COUNT)) and duration is None
    np.testing.assert_allclose(times, np.arange(COUNT) / 25, atol=1e-3)
    assert doubts == ["60 of 60 frames have no time; they are counted, 25 a second"]


def test_video_says_where_times_may_be_wrong(tmp_path, images):
    path = write(tmp_path / "a.mkv", images, NO_B_FRAMES, lambda shown, decoded: (None, None))
    done = CliRunner().invoke(cli, ["video", str(path), "--data", str(tmp_path / "a.csv"), "--every", "30"])
    assert done.exit_code == 0, done.output
    assert "  Its times may be wrong: 60 frames are within 0.059 s." in done.stdout.splitlines()
