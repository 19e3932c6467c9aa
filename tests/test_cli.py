"""The commands, as a user runs them: real detector, real network, the weights that come with live-emotion."""

from __future__ import annotations

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas
import pytest
from click.testing import CliRunner
from faces import write_photos_of_phones

from live_emotion import EmotionDetector
from live_emotion.cli.main import COMMANDS, cli
from live_emotion.cli.options import DETECTORS
from live_emotion.errors import LiveEmotionError
from live_emotion.faces.preprocessing import face_pixels
from live_emotion.io.results_writer import columns
from live_emotion.io.video.demo_clip import demo_frames
from live_emotion.io.video.reader import VideoFile
from live_emotion.io.video.writer import VideoWriter
from live_emotion.types import EMOTIONS

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, stdout=subprocess.PIPE, cwd=ROOT, **environment):
    """Runs ``python -m live_emotion`` in a process of its own, with no display."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")} | environment
    env["PYTHONPATH"] = path
    command = [sys.executable, "-m", "live_emotion", *map(str, arguments)]
    pipes = {"stdout": stdout, "stderr": subprocess.PIPE, "text": True}
    return subprocess.run(command, **pipes, env=env, cwd=cwd, timeout=300, check=False)


@pytest.fixture
def invoke():
    """Runs a command in this process, which has loaded the heavy modules already."""
    return lambda *arguments: CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def photo(portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.jpg"), portrait)
    return tmp_path / "photo.jpg"


@pytest.fixture
def video(portrait, no_face, tmp_path):
    """Six frames, unevenly timed; the third shows nobody."""
    with VideoWriter(tmp_path / "in.mp4") as writer:
        for i, time_s in enumerate((0.0, 0.04, 0.1, 0.14, 0.3, 0.34)):
            empty = cv2.resize(no_face, (512, 600))
            writer.write(empty if i == 2 else np.roll(portrait, 3 * i, axis=1), time_s)
    return tmp_path / "in.mp4"


def test_help_lists_every_command_and_every_option_says_what_it_does():
    top = CliRunner().invoke(cli, ["--help"])
    assert top.exit_code == 0
    for name in COMMANDS:
        assert name in top.output
        command = cli.get_command(None, name)
        assert command is not None, name
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert getattr(parameter, "help", None), f"{name} {parameter.opts}"


def test_wrong_usage_exits_2():
    done = run("image")
    assert done.returncode == 2
    assert "Missing argument" in done.stderr
    assert run("nonsense").returncode == 2


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (["live_emotion", "wecbam"], "'webcam'"),
        (["live_emotion", "webcam", "--recrd", "a.mp4"], "'--record'"),
        (["train", "evalaute"], "'evaluate'"),
        (["train", "--epcohs", "3"], "'--epochs'"),
    ],
)
def test_what_is_mistyped_is_asked_about(line, meant):
    done = subprocess.run([sys.executable, "-m", *line], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert "Did you mean" in error and meant in error


def test_without_a_command_it_shows_the_help():
    done = run()
    assert "\n  webcam " in done.stderr + done.stdout and "?" not in done.stderr + done.stdout


def test_networks_are_listed_without_marks_where_nobody_reads_them():
    done = run("weights")
    assert done.stdout.startswith("default  best_emotion_model.onnx")


@pytest.mark.skipif(os.name == "nt", reason="its shells close nothing")
@pytest.mark.parametrize(
    ("arguments", "code"), [(["--json"], 1), (["--data", "-"], 1), (["--data", "rows.csv"], 0), (["--no-pictures"], 0)]
)
def test_what_is_to_be_printed_needs_an_output(photo, arguments, code, tmp_path):
    command = [sys.executable, "-m", "live_emotion", "image", str(photo), *arguments]
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == code
    assert done.stderr.count("\n") == code and (code == 0 or "no standard output" in done.stderr)
    assert (tmp_path / "rows.csv").exists() == ("rows.csv" in arguments)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_of_two_lines_is_printed_on_one(invoke, portrait, tmp_path):
    photo = tmp_path / "a\nb: 1 face.png"
    photo.write_bytes(cv2.imencode(".png", portrait)[1].tobytes())
    lines = invoke("image", photo, "-o", tmp_path).stdout.splitlines()
    assert lines[0].endswith("a?b: 1 face.png: 1 face") and lines[-1].startswith("Saved ") and len(lines) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["webcam"], "no display"),
        (["webcam", "--no-window", "--camera", "99"], "Cannot open camera 99"),
        (["webcam", "--no-window", "--camera", "no-such-file.mp4"], "no-such-file.mp4"),
        (["image", "none.jpg"], "There is no file none.jpg"),
        (["video", "none.mp4", "-o", "out.mp4"], "none.mp4"),
        (["image", "README.md", "--weights", "none.pth"], "none.pth"),
        (["image", "README.md", "--weights", "a.pt2"], "There is no weights file a.pt2"),
    ],
)
def test_errors_are_one_line_and_exit_1(arguments, message, tmp_path):
    output = ["-o", str(tmp_path)] if arguments[0] == "image" else []
    done = run(*arguments, *output)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full device")
@pytest.mark.parametrize("buffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line(buffered):
    with open("/dev/full", "w") as full:
        done = run("--help", stdout=full, PYTHONUNBUFFERED=buffered)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "Cannot write to standard output: No space left" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full device")
@pytest.mark.parametrize("rows", [["image", "{photo}", "--json"], ["video", "{video}", "--data", "-"]])
def test_rows_that_find_the_disk_full_are_one_line(rows, photo, video):
    with open("/dev/full", "w") as full:
        done = run(*(text.format(photo=photo, video=video) for text in rows), stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Error: Cannot write to standard output: No space left on device."]


def test_output_that_nobody_reads_ends_it_without_a_word(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        done = run("--help", stdout=pipe)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither signal to send")
@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_no_half_of_a_file_left(kind, code, tmp_path):
    command = [sys.executable, "-m", "live_emotion", "demo", "--no-window", "-o", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        seen = b""
        while b"frame/s" not in seen:  # some are written
            seen += process.stderr.read(1)
            assert process.poll() is None, seen.decode()
        process.send_signal(kind)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (code, b"")
    assert b"Traceback" not in stderr
    assert os.listdir(tmp_path) == []


def test_a_dead_display_is_one_line():
    done = run("webcam", DISPLAY=":4242")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "does not answer" in done.stderr


def test_image_prints_and_draws_one_photo(photo, tmp_path):
    done = run("image", photo, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert done.stderr == "", "MediaPipe's own logging stays hidden"
    assert "photo.jpg: 1 face\n  1. " in done.stdout
    assert sorted(os.listdir(tmp_path / "out")) == ["photo_annotated.png", "photo_example.png"]
    original, annotated = cv2.imread(str(photo)), cv2.imread(str(tmp_path / "out" / "photo_annotated.png"))
    assert annotated.shape == original.shape
    assert (annotated != original).any()
    assert cv2.imread(str(tmp_path / "out" / "photo_example.png")).shape[0] > 300


def test_image_with_several_photos_goes_on_after_a_bad_one(invoke, photo, no_face, tmp_path):
    cv2.imwrite(str(tmp_path / "empty.png"), no_face)
    (tmp_path / "bad.jpg").write_text("no image")
    done = invoke("image", photo, tmp_path / "bad.jpg", tmp_path / "empty.png", "-o", tmp_path / "out")
    assert isinstance(done.exception, LiveEmotionError)
    assert "1 of 3 photos could not be read" in str(done.exception)
    assert "bad.jpg is not an image" in done.stderr
    assert "empty.png: no faces" in done.stdout
    assert sorted(os.listdir(tmp_path / "out")) == [
        "batch_predictions.png",
        "empty_annotated.png",
        "photo_annotated.png",
    ]


def test_image_takes_a_folder_and_keeps_equal_names_apart(invoke, photo, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo.jpg").write_bytes(photo.read_bytes())
    done = invoke("image", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert sorted(os.listdir(tmp_path / "out")) == [
        "batch_predictions.png",
        "photo_2_annotated.png",
        "photo_annotated.png",
    ]
    (tmp_path / "nothing").mkdir()
    assert "no photos" in str(invoke("image", tmp_path / "nothing", "-o", tmp_path / "out").exception)


def test_image_reads_the_photos_of_phones_in_a_folder_and_names_the_rest(invoke, portrait, tmp_path):
    write_photos_of_phones(tmp_path / "party", portrait)
    (tmp_path / "party" / "talk.mov").write_text("")
    (tmp_path / "party" / "more").mkdir()
    done = invoke("image", tmp_path / "party", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    for name in ("a.heic", "b.avif", "c.gif"):
        assert f"{name}: 1 face" in done.stdout
    assert done.stderr == f"Skipped 2 of 5 in {tmp_path / 'party'}, no photos by their names: more{os.sep}, talk.mov\n"


@pytest.mark.parametrize("detector", DETECTORS)
def test_image_as_json(invoke, photo, tmp_path, detector):
    done = invoke("image", photo, "--json", "-o", tmp_path / "out", "--detector", detector)
    (read,) = json.loads(done.stdout)
    assert (read["width"], read["height"]) == (512, 600)
    (face,) = read["faces"]
    assert list(face["probabilities"]) == ["angry", "happy", "neutral", "sad"]
    assert face["probabilities"][face["emotion"]] == face["confidence"] == max(face["probabilities"].values())
    x1, y1, x2, y2 = face["box"]
    assert x1 < 268 < x2 and y1 < 240 < y2


@pytest.mark.parametrize("option", ["--json", "--no-pictures", "--data"])
def test_image_writes_pictures_only_where_they_are_wanted(photo, tmp_path, option):
    folder = tmp_path / "here"
    folder.mkdir(mode=0o555)
    done = run("image", photo, option, *(["-"] if option == "--data" else []), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert os.listdir(folder) == []
    if option == "--no-pictures":
        assert done.stdout.startswith(f"{photo}: 1 face") and done.stderr == ""
    elif option == "--json":
        assert json.loads(done.stdout)[0]["faces"] and done.stderr == ""
    else:
        assert json.loads(done.stdout)["file"] == str(photo) and done.stderr.startswith(f"{photo}: 1 face")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_image_data_has_a_row_for_each_face_of_each_photo(invoke, photo, two_faces, no_face, tmp_path, suffix):
    cv2.imwrite(str(tmp_path / "two.png"), two_faces)
    cv2.imwrite(str(tmp_path / "empty.png"), no_face)
    (tmp_path / "bad.jpg").write_text("no image")
    files = [tmp_path / name for name in ("empty.png", "two.png", "bad.jpg", "photo.jpg")]
    table = tmp_path / "out" / f"table{suffix}"
    done = invoke("image", *files, "--data", table)
    assert "1 of 4 photos could not be read" in str(done.exception)
    assert os.listdir(tmp_path / "out") == [table.name]
    read = {".csv": pandas.read_csv, ".parquet": pandas.read_parquet}.get(suffix, partial(pandas.read_json, lines=True))
    rows = read(table)
    assert list(rows.columns) == ["file", *columns(EMOTIONS)]
    assert list(rows["file"]) == [str(files[1]), str(files[1]), str(files[3])]
    assert list(rows["frame"]) == [1, 1, 3] and list(rows["track_id"]) == [1, 2, 1]
    np.testing.assert_allclose(rows[[f"p_{e}" for e in EMOTIONS]].sum(axis=1) + rows["other"], 1, atol=1e-3)
    assert "exists already" in str(invoke("image", photo, "--data", table).exception)
    assert "rows of photos, which have no times" in str(invoke("report", table, "-o", tmp_path / "report").exception)


def test_image_may_write_pictures_beside_json_and_data(invoke, photo, tmp_path):
    done = invoke("image", photo, "--json", "--data", tmp_path / "out/a.csv", "-o", tmp_path / "out")
    assert json.loads(done.stdout)[0]["faces"]
    assert sorted(os.listdir(tmp_path / "out")) == ["a.csv", "photo_annotated.png", "photo_example.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no-pictures", "-o", "x"], "give one of them"),
        (["--json", "--data", "-"], "give one of them"),
    ],
)
def test_image_refuses_what_does_not_go_together(invoke, photo, arguments, message):
    done = invoke("image", photo, *arguments)
    assert (done.exit_code, message in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("path", "message"), [("t.xlsx", "Cannot tell the format"), ("file/t.csv", "Cannot write"), ("t.csv", "a folder")]
)
def test_image_tries_its_outputs_before_anything_is_loaded(invoke, photo, tmp_path, path, message):
    (tmp_path / "file").write_text("")
    (tmp_path / "t.csv").mkdir()
    done = invoke("image", photo, "--data", tmp_path / path, "--force", "--weights", "none.onnx")
    assert message in str(done.exception)


def test_image_takes_a_face_of_48_pixels_as_it_is(invoke, portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "face.png"), face_pixels(portrait[100:400, 130:400]))
    done = invoke("image", tmp_path / "face.png", "--json", "-o", tmp_path / "out")
    (face,) = json.loads(done.stdout)[0]["faces"]
    assert face["box"] == [0, 0, 48, 48]


def test_video_keeps_frames_size_and_times(video, tmp_path):
    done = run("video", video, "-o", tmp_path / "out.mp4", "--data", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    with VideoFile(video) as source, VideoFile(tmp_path / "out.mp4") as copy:
        before, after = list(source), list(copy)
    assert len(before) == len(after) == 6
    np.testing.assert_allclose([f.time_s for f in after], [f.time_s for f in before], atol=1e-4)
    assert {f.image.shape for f in after} == {(600, 512, 3)}
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == [0, 1, 3, 4, 5]
    assert {row["track_id"] for row in rows} == {"1"}
    for row in rows:
        probabilities = [float(row[column]) for column in ("p_angry", "p_happy", "p_neutral", "p_sad", "other")]
        assert sum(probabilities) == pytest.approx(1, abs=1e-3)


def test_video_writes_over_nothing_unless_told_to(invoke, video, tmp_path):
    (tmp_path / "out.mp4").write_text("precious")
    assert "--force" in str(invoke("video", video, "-o", tmp_path / "out.mp4").exception)
    assert (tmp_path / "out.mp4").read_text() == "precious"
    assert isinstance(invoke("video", video, "-o", video, "--force").exception, LiveEmotionError)
    done = invoke("video", video, "-o", tmp_path / "out.mp4", "--force")
    assert done.exit_code == 0, done.output
    with VideoFile(tmp_path / "out.mp4") as copy:
        assert len(list(copy)) == 6


def test_webcam_records_and_logs_a_video_played_as_a_camera(video, tmp_path):
    record, log = tmp_path / "rec.mp4", tmp_path / "log.jsonl"
    done = run("webcam", "--camera", video, "--no-window", "--record", record, "--log", log)
    assert done.returncode == 0, done.stderr
    with VideoFile(record) as recorded:
        assert 1 <= len(list(recorded)) <= 6
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert rows
    assert set(rows[0]) >= {"frame", "time_s", "track_id", "emotion", "confidence", "p_happy"}


KILLED = """
import os, signal
from live_emotion.cli.main import main
from live_emotion.io.video.writer import VideoWriter

write = VideoWriter.write

def write_and_die(self, image, time_s):
    write(self, image, time_s)
    if time_s > 2.5:
        os.kill(os.getpid(), signal.SIGKILL)

VideoWriter.write = write_and_die
main()
"""
"""The program, killed once it has recorded for a while."""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_kill_9_leaves_what_was_recorded_and_logged(portrait, tmp_path):
    small = cv2.resize(portrait, (256, 300), interpolation=cv2.INTER_AREA)
    with VideoWriter(tmp_path / "long.mp4") as writer:
        for i in range(300):
            writer.write(np.roll(small, i % 20, axis=1), i / 10)
    folder = tmp_path / "out"
    folder.mkdir()
    options = ["--no-window", "--record", folder / "rec.mp4", "--log", folder / "log.csv"]
    command = [sys.executable, "-c", KILLED, "webcam", "--camera", tmp_path / "long.mp4", *options]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    log, video = sorted(folder.iterdir())
    assert log.name.startswith("log.part-") and video.name.startswith("rec.part-")
    with VideoFile(video) as recorded:
        assert len(list(recorded)) >= 10
    with open(log, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 10
    assert float(rows[-1]["confidence"]) > 0


def test_webcam_logs_to_standard_output(video):
    done = run("webcam", "--camera", video, "--no-window", "--log", "-")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["track_id"] for line in done.stdout.splitlines()]


def test_webcam_with_no_window_and_nothing_to_write_says_so(video, tmp_path):
    note = "Without a window nothing is shown, and without --record or --log nothing is written; Ctrl-C ends it."
    alone = run("webcam", "--camera", video, "--no-window", "-o", tmp_path)
    assert alone.returncode == 0 and note in alone.stderr.splitlines()
    assert note not in run("webcam", "--camera", video, "--no-window", "--log", tmp_path / "log.csv").stderr


def test_demo_needs_no_camera_file_or_display(invoke, monkeypatch, tmp_path):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("live_emotion.io.video.demo_clip.SECONDS", 1)
    done = invoke("demo", "-o", tmp_path / "results")
    assert done.exit_code == 0, done.output
    assert sorted(os.listdir(tmp_path / "results")) == ["demo.mp4", "demo_example.png"]
    with VideoFile(tmp_path / "results" / "demo.mp4") as video:
        frames = list(video)
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(25) / 25, abs=1e-3)
    plain = list(demo_frames())
    drawn = [np.abs(frame.image.astype(int) - own.image).max(axis=2) > 80 for frame, own in zip(frames, plain)]
    assert min(mask.sum() for mask in drawn) > 500, "a box is on every frame"


def test_the_demo_shows_two_people_with_two_emotions():
    with EmotionDetector(device="cpu") as detector:
        (frame,) = itertools.islice(demo_frames(), 100, 101)
        left, right = sorted(detector.detect(frame.image), key=lambda face: face.box[0])
    assert (left.emotion, right.emotion) == ("neutral", "happy")


def test_image_overwrites_nothing_unless_asked(invoke, tmp_path, portrait):
    cv2.imwrite(str(tmp_path / "a.png"), portrait)
    cv2.imwrite(str(tmp_path / "a_annotated.png"), portrait)
    before = (tmp_path / "a_annotated.png").read_bytes()
    done = invoke("image", tmp_path / "a.png", tmp_path / "a_annotated.png", "-o", tmp_path)
    assert "a_annotated.png exists already" in str(done.exception)
    assert (tmp_path / "a_annotated.png").read_bytes() == before
    assert invoke("image", tmp_path / "a.png", "-o", tmp_path, "--force").exit_code == 0
    assert (tmp_path / "a_annotated.png").read_bytes() != before


def test_report_overwrites_none_of_its_files_unless_asked(invoke, tmp_path):
    (tmp_path / "rows.csv").write_text("time_s,track_id,emotion,p_sad,p_happy\n0.5,1,sad,0.75,0.25\n")
    (tmp_path / "people.csv").write_text("mine")
    done = invoke("report", tmp_path / "rows.csv", "-o", tmp_path)
    assert "people.csv exists already" in str(done.exception)
    assert (tmp_path / "people.csv").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [["image", "a" * 5000], ["video", "a" * 5000, "--data", "-"], ["webcam", "--no-window", "--log", "a" * 5000]],
)
def test_a_name_that_is_too_long_is_one_line(arguments):
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Cannot use aaaa")
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--record", "me.avi"], "Videos are written as MP4; name it me.mp4."),
        (["--record", "me"], "Videos are written as MP4; name it me.mp4."),
        (["--log", "rows.txt"], "Cannot tell the format of rows.txt"),
    ],
)
def test_webcam_refuses_a_file_it_cannot_write_before_it_looks_for_a_camera(invoke, arguments, message):
    assert message in str(invoke("webcam", "--no-window", "--camera", "99", *arguments).exception)


def test_a_camera_number_beyond_all_is_one_line(invoke):
    assert "There is no camera or file 99999999999999999999" in str(
        invoke("webcam", "--no-window", "--camera", "9" * 20).exception
    )


def test_no_standard_error_is_no_reason_to_fail(tmp_path, portrait):
    cv2.imwrite(str(tmp_path / "a.png"), portrait)
    command = [sys.executable, "-m", "live_emotion", "image", "a.png", "--device", "cpu"]
    code = "import os, subprocess, sys; os.close(2); sys.exit(subprocess.call(sys.argv[1:]))"
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, "a.png: 1 face" in done.stdout) == (0, True)
