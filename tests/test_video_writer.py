"""Videos that cannot be begun or written, and names that FFmpeg reads otherwise. What is in them: test_video.py."""

from __future__ import annotations

import av
import numpy as np
import pytest
from videos import make_video, numbered_frames

from live_emotion.errors import OutputError
from live_emotion.io.video.audio import Audio
from live_emotion.io.video.reader import VideoFile
from live_emotion.io.video.writer import VideoWriter


@pytest.fixture(scope="module")
def images(portrait):
    return numbered_frames(portrait, 5)


class WatchedAudio(Audio):
    """Knows whether it was closed."""

    closed = False

    def close(self):
        self.closed = True
        super().close()


@pytest.fixture
def audio(images, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return WatchedAudio(make_video(folder / "in.mp4", images))


def test_a_video_in_a_folder_that_is_not_there_closes_its_audio(audio, tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        VideoWriter(tmp_path / "none" / "out.mp4", audio=audio)
    assert audio.closed


def test_a_video_that_cannot_be_begun_leaves_nothing_and_closes_its_audio(audio, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise av.error.MemoryError(12, "Cannot allocate memory")

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(av, "open", fails)
    with pytest.raises(OutputError, match=r"out\.mp4: Cannot allocate memory"):
        VideoWriter(out / "out.mp4", audio=audio)
    assert list(out.iterdir()) == []
    assert audio.closed


@pytest.mark.parametrize(("live", "size"), [(False, 0), (True, 0), (True, 10), (True, 1000)])
def test_a_full_disk_is_one_line_and_leaves_nothing_that_does_not_play(images, tmp_path, live, size, full_disk):
    path = tmp_path / "out.mp4"
    with full_disk(size), pytest.raises(OutputError, match=r"out\.mp4"), VideoWriter(path, live=live) as video:
        for i, image in enumerate(images):
            video.write(image, i)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_what_was_recorded_live_and_it_plays(tmp_path, full_disk):
    path, noise = tmp_path / "out.mp4", np.random.default_rng(0)
    with full_disk(300_000), pytest.raises(OutputError, match=r"out\.mp4: .*; what was .* stays in ") as caught:
        video = VideoWriter(path, live=True)
        for i in range(400):
            video.write(noise.integers(0, 255, (96, 128, 3), np.uint8), i / 10)
    video.discard()
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("out.part-") and str(kept) in str(caught.value)
    with VideoFile(kept) as played:
        times = [frame.time_s for frame in played]
    assert len(times) > 20 and times == sorted(times)


def test_of_two_writers_of_one_video_the_later_says_so(images, tmp_path):
    with pytest.raises(OutputError, match="another program wrote it meanwhile"), VideoWriter(tmp_path / "a.mp4") as one:
        one.write(images[0], 0)
        with VideoWriter(tmp_path / "a.mp4") as other:
            other.write(images[0], 0)
        before = (tmp_path / "a.mp4").read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == before


@pytest.mark.parametrize("live", [False, True])
def test_a_colon_in_a_name_is_no_protocol(images, tmp_path, monkeypatch, live):
    monkeypatch.chdir(tmp_path)
    with VideoWriter("at-10:30.mp4", live=live) as video:
        for i, image in enumerate(images):
            video.write(image, i / 25)
    with VideoFile("at-10:30.mp4") as video:
        assert len(list(video)) == len(images)
