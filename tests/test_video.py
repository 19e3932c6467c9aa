"""Videos through the analyzer: what comes out is decoded and compared with what went in."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys

import av
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from videos import SIZE, audio_packets, cut_off, damage, make_video, number_of, numbered_frames, tone

from live_emotion.errors import InputError, OutputError
from live_emotion.io.images import read_image
from live_emotion.io.video.reader import VideoFile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.video import Sampler, VideoOptions, annotate_video

UNEVEN = [0.0, 0.04, 0.1, 0.14, 0.3, 0.34, 0.35, 0.9, 0.94, 1.5]


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True), workers=2) as analyzer:
        yield analyzer


@pytest.fixture(scope="module")
def images(portrait):
    return numbered_frames(portrait, 30)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.mp4"


def frames_of(path):
    with VideoFile(path) as video:
        return list(video)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def is_tidy(folder, *names):
    return sorted(p.name for p in folder.iterdir()) == sorted(names)


def test_rows_are_kept_where_the_annotated_copy_finds_the_disk_full(analyzer, images, tmp_path, out, full_disk):
    source = make_video(tmp_path / "in.mp4", images)
    rows = tmp_path / "out.csv"
    with (
        full_disk(20_000),
        pytest.raises(OutputError, match=r"Cannot write .*out.mp4: .*rows until then are in .*out.csv"),
    ):
        annotate_video(source, analyzer, out, [rows], VideoOptions(quality=0))
    assert is_tidy(tmp_path, "in.mp4", "out.csv")
    assert 0 < len(rows_of(rows)) < len(images) and all(row["p_sad"] for row in rows_of(rows))


def test_frames_times_and_audio_stay_as_they_are(analyzer, images, tmp_path, out):
    source = make_video(tmp_path / "in.mp4", images[:10], UNEVEN, audio=("aac", "aac"))
    summary = annotate_video(source, analyzer, out, [tmp_path / "out.csv"])
    before, after = frames_of(source), frames_of(out)
    assert [number_of(f.image) for f in after] == list(range(10))
    np.testing.assert_allclose([f.time_s for f in after], UNEVEN, atol=1e-6)
    assert {f.image.shape for f in after} == {(300, 256, 3)}
    # what is not drawn over is the same
    assert np.abs(after[3].image[-60:-20].astype(int) - before[3].image[-60:-20]).mean() < 4
    assert audio_packets(out) == audio_packets(source)
    with av.open(str(out)) as container:
        assert [s.language for s in container.streams.audio] == ["eng", "deu"]
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert summary.is_complete and summary.damaged_s == [] and summary.recoded_audio == []
    assert (summary.frames, summary.faces, summary.people) == (10, 10, {1})
    rows = rows_of(tmp_path / "out.csv")
    np.testing.assert_allclose([float(row["time_s"]) for row in rows], UNEVEN, atol=1e-6)
    assert is_tidy(tmp_path, "in.mp4", "out.mp4", "out.csv")


def test_a_video_without_audio(analyzer, images, tmp_path, out):
    annotate_video(make_video(tmp_path / "in.mkv", images[:5], audio=()), analyzer, out)
    assert len(frames_of(out)) == 5
    assert audio_packets(out) == []


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts"])
def test_a_video_whose_clock_begins_late_keeps_its_first_frame(images, tmp_path, name):
    """FFmpeg rounds such a beginning, here a 15th of a second, to microseconds."""
    source = make_video(tmp_path / name, images[:20], [1 / 15 + i / 30 for i in range(20)], audio=())
    frames = frames_of(source)
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert frames[0].time_s == 0
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(20) / 30, atol=0.0011)


def test_29_97_frames_a_second_stay_in_step_to_the_end(analyzer, images, tmp_path, out):
    times = [i * 1001 / 30000 for i in range(30)]
    source = make_video(tmp_path / "in.mp4", images, times)
    annotate_video(source, analyzer, out)
    with av.open(str(source)) as a, av.open(str(out)) as b:
        ends = [float(c.streams.video[0].duration * c.streams.video[0].time_base) for c in (a, b)]
        assert ends[0] == pytest.approx(ends[1], abs=0.04)
    np.testing.assert_allclose([f.time_s for f in frames_of(out)], [f.time_s for f in frames_of(source)], atol=1e-6)
    assert audio_packets(out) == audio_packets(source)


@pytest.mark.skipif(not hasattr(av.VideoStream, "set_display_rotation"), reason="this PyAV writes no rotation")
@pytest.mark.parametrize(("degrees", "quarters"), [(90, 1), (180, 2), (-90, 3)])
def test_a_turned_video_stands_upright(analyzer, images, tmp_path, out, degrees, quarters):
    lying = [np.ascontiguousarray(np.rot90(image, -quarters)) for image in images[:4]]
    source = make_video(tmp_path / "in.mp4", lying, rotation=degrees)
    summary = annotate_video(source, analyzer, out)
    with av.open(str(out)) as container:  # upright in its pixels, with no turn left to be done
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (*SIZE, 0)
    assert [number_of(f.image) for f in frames_of(out)] == [0, 1, 2, 3]
    assert summary.faces == 4, "a face on its side is not found"


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_is_a_video_of_one_frame_and_stands_upright(tmp_path, portrait, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(portrait[:, :, ::-1]).save(tmp_path / "photo.jpg", exif=exif)
    (frame,) = frames_of(tmp_path / "photo.jpg")
    expected = read_image(tmp_path / "photo.jpg")
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 2


@pytest.mark.parametrize(
    ("name", "codec", "audio"),
    [
        ("in.mov", "libx264", ("pcm_s16le",)),
        ("in.mkv", "libx264", ("flac", "aac")),
        ("in.webm", "libvpx-vp9", ("libopus",)),
        ("in.avi", "mpeg4", ("pcm_s16le",)),
        ("in.gif", "gif", ()),
    ],
)
def test_other_containers_and_codecs(analyzer, images, tmp_path, out, name, codec, audio):
    speed = {"cpu-used": "8", "deadline": "realtime"} if "vp9" in codec else {}
    source = make_video(tmp_path / name, images[:8], codec=codec, audio=audio, **speed)
    summary = annotate_video(source, analyzer, out)
    before, after = frames_of(source), frames_of(out)
    assert [number_of(f.image) for f in after] == list(range(8))
    np.testing.assert_allclose([f.time_s for f in after], [f.time_s for f in before], atol=1e-4)
    assert summary.is_complete and summary.faces == 8
    with av.open(str(source)) as a, av.open(str(out)) as b:
        assert len(a.streams.audio) == len(b.streams.audio) == len(audio)
        for index in range(len(audio)):
            for container in (a, b):
                container.seek(0)
            lengths = [
                sum(piece.samples for piece in c.decode(audio=index)) / c.streams.audio[index].rate for c in (a, b)
            ]
            assert lengths[0] == pytest.approx(lengths[1], abs=0.05)


def test_a_damaged_part_is_named_and_the_rest_is_read(analyzer, images, tmp_path, out):
    source = damage(make_video(tmp_path / "in.mp4", images, audio=(), g="5", bf="0"))
    summary = annotate_video(source, analyzer, out)
    numbers = [number_of(f.image) for f in frames_of(out)]
    assert summary.damaged_s
    assert all(0.2 < time_s < 1.0 for time_s in summary.damaged_s)
    assert {0, 1, 2, 3, 4, 27, 28, 29} <= set(numbers)
    assert summary.is_complete


def test_a_video_that_breaks_off_is_read_up_to_there(analyzer, images, tmp_path, out):
    source = cut_off(make_video(tmp_path / "in.mkv", images, audio=(), g="5"))
    summary = annotate_video(source, analyzer, out)
    numbers = [number_of(f.image) for f in frames_of(out)]
    assert 5 < len(numbers) < 30
    assert numbers == list(range(len(numbers)))
    assert summary.frames == len(numbers)
    there_s, whole_s = summary.breaks_off_s
    assert there_s == pytest.approx(len(numbers) / 25, abs=0.1)
    assert whole_s == pytest.approx(len(images) / 25, abs=0.1)


def test_audio_that_goes_on_after_the_last_frame_is_no_break(images, tmp_path):
    make_video(tmp_path / "in.mkv", images[:10])
    with av.open(str(tmp_path / "long.mkv"), "w") as container, av.open(str(tmp_path / "in.mkv")) as short:
        video = container.add_stream_from_template(short.streams.video[0])
        audio = container.add_stream("aac", rate=48_000)
        audio.layout = "mono"
        for packet in short.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
        for piece in tone(440, 3.0):
            container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    with VideoFile(tmp_path / "long.mkv") as opened:
        assert len(list(opened)) == 10
        assert (opened.duration_s, opened.breaks_off_s) == (pytest.approx(3, abs=0.1), None)


def test_titles_may_be_in_any_encoding(analyzer, images, tmp_path, out):
    source = make_video(tmp_path / "in.mp4", images[:3])
    source.write_bytes(source.read_bytes().replace(b"Lavf", b"\xcc\xe9\xff!"))
    assert annotate_video(source, analyzer, out, []).frames == 3
    assert number_of(frames_of(out)[2].image) == 2


def test_pixels_that_ffmpeg_does_not_convert_are_one_line(tmp_path):
    source = tmp_path / "in.nut"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "rgb4"
        container.mux(stream.encode(av.VideoFrame(32, 32, "rgb4")))
    with pytest.raises(InputError, match=r"in\.nut.*rgb4"):
        VideoFile(source)


def test_a_named_colour_profile_ends_no_process(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (64, 64)).save(tmp_path / "photo.png", icc_profile=profile)
    program = (
        "import gc\nfrom live_emotion.io.video.reader import VideoFile\n"
        f"with VideoFile({str(tmp_path / 'photo.png')!r}) as video:\n    print(len(list(video)))\n"
        "del video\ngc.collect()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_what_is_no_video_is_one_line(analyzer, images, tmp_path, out):
    (tmp_path / "text.mp4").write_text("no video")
    make_video(tmp_path / "in.mp4", images[:3])
    with av.open(str(tmp_path / "audio.m4a"), "w") as container, av.open(str(tmp_path / "in.mp4")) as video:
        track = container.add_stream_from_template(video.streams.audio[0])
        for packet in video.demux(audio=0):
            if packet.size:
                packet.stream = track
                container.mux(packet)
    (tmp_path / "new.mp4").write_bytes((tmp_path / "in.mp4").read_bytes().replace(b"avc1", b"zzz1"))
    wrong = {"none": "no video file", "text": "damaged", "new": "nothing here decodes"}
    for name, message in [*((f"{name}.mp4", told) for name, told in wrong.items()), ("audio.m4a", "holds no video")]:
        with pytest.raises(InputError, match=message) as caught:
            annotate_video(tmp_path / name, analyzer, out, [tmp_path / "out.csv"])
        assert name in str(caught.value) and "\n" not in str(caught.value)
    assert is_tidy(tmp_path, "in.mp4", "text.mp4", "new.mp4", "audio.m4a")


def test_a_part_begins_at_zero_with_its_own_audio(analyzer, images, tmp_path, out):
    source = make_video(tmp_path / "in.mp4", images, g="10")
    summary = annotate_video(source, analyzer, out, [tmp_path / "out.csv"], VideoOptions(start_s=0.4, end_s=0.8))
    after = frames_of(out)
    assert [number_of(f.image) for f in after] == list(range(10, 20))
    np.testing.assert_allclose([f.time_s for f in after], [i / 25 for i in range(10)], atol=1e-3)
    assert summary.frames == 10
    assert [float(row["time_s"]) for row in rows_of(tmp_path / "out.csv")] == pytest.approx(np.arange(10, 20) / 25)
    (whole,), (part,) = audio_packets(source), audio_packets(out)
    assert {content for _, content in part} <= {content for _, content in whole}
    times = {content: time_s for time_s, content in whole}
    assert [times[content] - time_s for time_s, content in part] == pytest.approx([0.4] * len(part), abs=1e-3)
    with pytest.raises(InputError, match="no frame from"):
        annotate_video(source, analyzer, tmp_path / "late.mp4", options=VideoOptions(start_s=50, end_s=60))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("in.gif", "gif"),
        ("in.mkv", "libx264"),
        ("in.avi", "mpeg4"),
        ("in.mpg", "mpeg2video"),
        ("in.ts", "libx264"),
        ("in.h264", "libx264"),
    ],
)
def test_a_part_of_other_containers(analyzer, images, tmp_path, out, name, codec):
    source = make_video(tmp_path / name, images, codec=codec, audio=())
    annotate_video(source, analyzer, out, options=VideoOptions(start_s=0.4, end_s=0.6))
    assert [number_of(f.image) for f in frames_of(out)] == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(("options", "read"), [(VideoOptions(every=4), 8), (VideoOptions(fps=5), 6)])
@pytest.mark.parametrize("with_video", [True, False])
def test_fewer_frames_are_read_and_the_video_stays_whole(analyzer, images, tmp_path, out, options, read, with_video):
    source = make_video(tmp_path / "in.mp4", images)
    summary = annotate_video(source, analyzer, out if with_video else None, [tmp_path / "out.jsonl"], options)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    step = 4 if options.every == 4 else 5
    assert [row["frame"] for row in rows] == list(range(0, 30, step))
    assert (summary.frames, summary.faces) == (30, read)
    if with_video:
        after = frames_of(out)
        assert [number_of(f.image) for f in after] == list(range(30))
        # the frames between have boxes, too
        drawn = [np.abs(f.image.astype(int) - image).max(axis=2) > 80 for f, image in zip(after, images)]
        assert min(mask.sum() for mask in drawn) > 200


def test_sampler_holds_its_rate_at_uneven_times():
    sampler = Sampler(fps=10)
    times = list(itertools.accumulate(np.random.default_rng(1).uniform(0.001, 0.08, 400)))
    chosen = [t for i, t in enumerate(times) if sampler(i, t)]
    assert len(chosen) <= 10 * times[-1] + 1
    assert len(chosen) > 9 * times[-1]


def test_stopping_leaves_what_was_done(analyzer, images, tmp_path, out):
    source = make_video(tmp_path / "in.mp4", images)
    done = []
    summary = annotate_video(
        source,
        analyzer,
        out,
        [tmp_path / "out.csv"],
        progress=lambda *frames: done.append(frames),
        stop=lambda: len(done) == 12,
    )
    assert done == [(count + 1, 30) for count in range(12)]
    assert not summary.is_complete
    assert [number_of(f.image) for f in frames_of(out)] == list(range(12))
    assert len(rows_of(tmp_path / "out.csv")) == 12
    assert max(time_s for time_s, _ in audio_packets(out)[0]) < 12 / 25
    assert is_tidy(tmp_path, "in.mp4", "out.mp4", "out.csv")


def test_stopping_before_the_first_frame_leaves_no_video(analyzer, images, tmp_path, out):
    summary = annotate_video(make_video(tmp_path / "in.mp4", images[:3]), analyzer, out, stop=lambda: True)
    assert summary.frames == 0
    assert is_tidy(tmp_path, "in.mp4")


def test_an_error_leaves_nothing_under_any_name(analyzer, images, tmp_path, out):
    source = make_video(tmp_path / "in.mp4", images)

    def fail(frames, expected):
        if frames == 5:
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        annotate_video(source, analyzer, out, [tmp_path / "out.csv"], progress=fail)
    with pytest.raises(OutputError, match="no folder"):
        annotate_video(source, analyzer, out, [tmp_path / "none" / "out.csv"])
    assert is_tidy(tmp_path, "in.mp4")


def test_parquet_holds_the_same_rows(analyzer, images, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    source = make_video(tmp_path / "in.mp4", images[:5])
    annotate_video(source, analyzer, None, [tmp_path / "out.parquet", tmp_path / "out.csv"])
    for row, text in zip(parquet.read_table(tmp_path / "out.parquet").to_pylist(), rows_of(tmp_path / "out.csv")):
        assert row["emotion"] == text["emotion"]
        assert row["time_s"] == float(text["time_s"])
        assert row["confidence"] == pytest.approx(float(text["confidence"]), abs=1e-4)
