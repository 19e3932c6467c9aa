"""What a command line says and exits with when something goes wrong outside of it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import click
import pytest
from videos import make_video, numbered_frames

from live_emotion.cli import guard
from live_emotion.cli.environment import prepare_environment
from live_emotion.cli.guard import has_no_reader
from live_emotion.errors import LONGEST_MESSAGE, InputError, one_line
from live_emotion.io.few_lines import FewLines


def run(*arguments, **options):
    """A command in a process of its own."""
    command = [sys.executable, "-m", "live_emotion", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory"),
        (RuntimeError("std::bad_alloc"), "not enough memory"),
        (OSError(24, "Too many open files"), "ulimit -n"),
        (InputError("a\x1b[2J\nb" + "c" * 5000), "a?[2J?b"),
        (click.UsageError("x" * 140_000), "xxx ... xxx"),
    ],
)
def test_what_cannot_be_helped_is_one_line(error, said, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program"])

    @click.command()
    def command():
        raise error

    with pytest.raises(SystemExit) as caught:
        guard.run_cli(command, "program")
    told = capsys.readouterr().err
    assert said in told and len(told) < LONGEST_MESSAGE + 300
    assert caught.value.code in (1, 2)
    assert len(told.strip().splitlines()) <= 4  # two of them say how a command is used


def test_a_fault_of_ours_stays_one(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program"])

    @click.command()
    def command():
        raise KeyError("ours")

    with pytest.raises(KeyError):
        guard.run_cli(command, "program")


@pytest.mark.parametrize(
    "wrong",
    [
        *("OPENCV_IO_MAX_IMAGE_PIXELS=abc", "OPENCV_FOR_THREADS_NUM=abc", "OPENCV_TRACE=abc", "OPENCV_DUMP_ERRORS="),
        *("TQDM_MININTERVAL=abc", "TQDM_NCOLS=1.5", "TQDM_ASCII=1", "TQDM_FILE=log"),
    ],
)
def test_what_would_make_a_library_fail_is_left_out_of_the_environment(wrong, capsys):
    name, _, value = wrong.partition("=")
    environment = {name: value}
    prepare_environment(environment)
    assert name not in environment
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Left out of the environment") and line.endswith(wrong)


def test_what_libraries_can_use_stays_in_the_environment(capsys):
    environment = {
        "OPENCV_IO_MAX_IMAGE_PIXELS": "100MB",
        "OPENCV_TRACE": "False",
        "OPENCV_LOG_LEVEL": "ERROR",
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;udp",
        "OPENCV_VIDEOIO_PRIORITY_LIST": "FFMPEG",
        "TQDM_DISABLE": "1",
        "TQDM_MININTERVAL": "0.5",
        "TQDM_ASCII": " .#",
        "HOME": "/",
    }
    before = dict(environment)
    prepare_environment(environment)
    assert environment == before | {"MPLBACKEND": "Agg"} and not capsys.readouterr().err


def test_figures_are_drawn_whatever_the_environment_says_of_windows_and_folders(tmp_path):
    rows = tmp_path / "rows.csv"
    face = "10,10,60,60,.9,happy,.9,.03,.9,.04,.03"
    columns = "frame,time_s,track_id,x1,y1,x2,y2,score,emotion,confidence,p_angry,p_happy,p_neutral,p_sad"
    rows.write_text(columns + "\n" + "".join(f"{i},{i * 0.04},1,{face}\n" for i in range(50)))
    nowhere = tmp_path / "no-folder"
    nowhere.write_text("")
    more = {"MPLBACKEND": "nonsense", "MPLCONFIGDIR": str(nowhere), "OPENCV_FOR_THREADS_NUM": "abc"}
    done = run("report", str(rows), cwd=tmp_path, env=os.environ | more)
    assert done.returncode == 0 and (tmp_path / "rows_report" / "report.html").exists(), done.stderr
    assert len(done.stderr.splitlines()) == 1 and "OPENCV_FOR_THREADS_NUM=abc" in done.stderr


def test_few_lines_are_said_and_the_others_counted():
    said = []
    lines = FewLines(said.append, most=3)
    for i in range(1000):
        lines.say(f"line {i}")
    assert said[:3] == ["line 0", "line 1", "line 2"] and len(said) == 4
    assert one_line("a\nb") == "a?b"


@pytest.mark.skipif(sys.platform != "linux", reason="others do not limit the address space")
def test_too_little_memory_is_said_before_anything_is_loaded(tmp_path):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (512_000_000, 512_000_000))

    (tmp_path / "a.jpg").write_bytes(b"x")
    ended = run("image", tmp_path / "a.jpg", preexec_fn=limit)
    assert ended.returncode == 1
    assert ended.stderr == "Error: This needs 2.5 GB of address space, and 0.5 GB are allowed; raise that: ulimit -v.\n"
    assert run("--help", preexec_fn=limit).returncode == 0


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_closed_terminal_completes_the_recording(tmp_path, portrait):
    """The terminal is a real one, and closes more than once, as shells and systems both say so, at any time."""
    import pty

    video = make_video(tmp_path / "camera.mp4", numbered_frames(portrait, 250))
    ours, theirs = pty.openpty()
    command = ["webcam", "--no-window", "--camera", str(video), "--record", "me.mp4", "--log", "log.csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "live_emotion", *command],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    while not (parts := list(tmp_path.glob("me.part-*.mp4"))) or not parts[0].stat().st_size:
        assert process.poll() is None
        time.sleep(0.05)
    os.close(ours)
    while process.poll() is None:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.001)
    assert process.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["camera.mp4", "log.csv", "me.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="others take no such names")
@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_files_whose_names_are_no_text_are_read_and_shown_escaped(tmp_path, portrait, environment):
    import cv2

    folder = os.fsencode(tmp_path)
    for name in (b"\xff.png", "ä.png".encode()):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(cv2.imencode(".png", portrait)[1].tobytes())
    files = [b"\xff.png", "ä.png".encode()]
    command = [sys.executable, "-m", "live_emotion", "image", *files, "-o", "out", "--data", "rows.csv"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, env=os.environ | environment, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert rb"\udcff.png: 1 face" in ended.stdout
    assert "\\udcff.png" in (tmp_path / "rows.csv").read_text(encoding="utf-8")
    assert len(os.listdir(tmp_path / "out")) == 3


def test_windows_says_otherwise_that_nobody_reads_any_more():
    gone = OSError(errno.EINVAL, "Invalid argument")
    assert has_no_reader(gone, is_windows=True) and not has_no_reader(gone, is_windows=False)
    assert not has_no_reader(OSError(errno.EINVAL, "Invalid argument", "a?.csv"), is_windows=True)
    assert not has_no_reader(ValueError(errno.EINVAL), is_windows=True)
