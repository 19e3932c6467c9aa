"""``live-emotion video`` as a user runs it: one video, folders, stopping, going on, several processes, a cluster."""

from __future__ import annotations

import contextlib
import csv
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from videos import cut_off, damage, make_video, number_of, numbered_frames

from live_emotion.cli.clips import ClipType
from live_emotion.cli.main import cli
from live_emotion.cli.progress import VideosBar
from live_emotion.errors import DeviceError, InputError, LiveEmotionError, OutputError
from live_emotion.io.files.atomic import PART
from live_emotion.io.images import write_image
from live_emotion.io.video.reader import VideoFile, open_media
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.dask_cluster import run_on_cluster
from live_emotion.pipelines.videos.planning import VideoTask, list_videos, plan, prepare_outputs
from live_emotion.pipelines.videos.process_pool import run_in_processes
from live_emotion.pipelines.videos.video import VideoOptions

ROOT = Path(__file__).resolve().parent.parent
CONFIG = AnalysisConfig(device="cpu", track=True)


def video(*arguments):
    """Runs the command in this process."""
    return CliRunner().invoke(cli, ["video", "--device", "cpu", *map(str, arguments)])


@contextlib.contextmanager
def started(*arguments):
    """The command in a process of its own, at work: it has done some frames."""
    command = [sys.executable, "-m", "live_emotion", "video", "--device", "cpu", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    try:
        seen = b""
        while b"frames/s" not in seen:
            byte = process.stderr.read(1)
            assert byte, seen.decode()
            seen += byte
        yield process
    finally:
        process.kill()
        process.communicate()


def numbers_in(path):
    with VideoFile(path) as video:
        return [number_of(frame.image) for frame in video]


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def short(portrait, tmp_path_factory):
    """A video of 5 frames."""
    return make_video(tmp_path_factory.mktemp("short") / "short.mp4", numbered_frames(portrait, 5))


@pytest.fixture(scope="module")
def long(portrait, tmp_path_factory):
    """A video of 600 frames, some ten seconds of work."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return make_video(path, numbered_frames(portrait, 600), preset="ultrafast", g="50")


@pytest.fixture(scope="module")
def medium(portrait, tmp_path_factory):
    """A video of 150 frames."""
    return make_video(
        tmp_path_factory.mktemp("medium") / "medium.mp4", numbered_frames(portrait, 150), preset="ultrafast"
    )


@pytest.fixture
def folder(short, tmp_path):
    """Three videos, one of them damaged beyond reading, and a text."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "c.mp4"):
        (folder / name).write_bytes(short.read_bytes())
    (folder / "b.mp4").write_bytes(short.read_bytes())
    damage(folder / "b.mp4", 0, 1)
    (folder / "notes.txt").write_text("not a video")
    return folder


@pytest.mark.parametrize(
    ("text", "clip"),
    [
        ("1:30-2:10", (90, 130)),
        ("90-130.5", (90, 130.5)),
        ("1:02:03.5-2:00:00", (3723.5, 7200)),
        ("30-", (30, float("inf"))),
        ("-0:30", (0, 30)),
    ],
)
def test_clip_says_from_and_to(text, clip):
    assert ClipType().convert(text, None, None) == clip


@pytest.mark.parametrize("text", ["", "-", "90", "2:10-1:30", "1:1:1:1-2", "a-b", "1:30-1:30", "1e3-2e3", "-1--2"])
def test_what_is_no_clip_is_wrong_usage(text, short):
    done = video(short, "-o", "out.mp4", "--clip", text)
    assert done.exit_code == 2
    assert "clip" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to make"),
        (["-o", "x.mp4", "--resume"], "--resume is for videos in a folder"),
        (["-o", "x/", "--force", "--resume"], "one of them"),
        (["-o", "x/", "--workers", "2", "--cluster", "tcp://127.0.0.1:1"], "one of them"),
        (["-o", "x.mp4", "--every", "2", "--fps", "5"], "--every and --fps both say how many frames are read"),
    ],
)
def test_wrong_usage_exits_2(short, arguments, message):
    done = video(short, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_one_video_names_and_options(short, tmp_path):
    done = video(short, "-o", tmp_path / "o.mp4", "--data", "csv", "--data", tmp_path / "x.jsonl", "--quality", 30)
    assert done.exit_code == 0, done.output
    assert names_in(tmp_path) == ["o.csv", "o.mp4", "x.jsonl"]
    assert "5 frames, 1 person" in done.stdout
    assert numbers_in(tmp_path / "o.mp4") == [0, 1, 2, 3, 4]
    assert "frames/s" in done.stderr
    before = (tmp_path / "o.mp4").stat().st_size
    assert video(short, "-o", tmp_path / "better.mp4", "--quality", 10).exit_code == 0
    assert (tmp_path / "better.mp4").stat().st_size > 1.5 * before


def test_folders_of_all_outputs_are_made(short, tmp_path):
    done = video(short, "-o", tmp_path / "a/b/o.mp4", "--data", tmp_path / "c/x.csv", "--report", tmp_path / "d/e")
    assert done.exit_code == 0, done.output
    assert {"a/b/o.mp4", "c/x.csv", "d/e/report.html"} < {name.replace(os.sep, "/") for name in names_in(tmp_path)}


@pytest.mark.parametrize("output", ["-o", "--data", "--report"])
def test_every_output_is_tried_before_anything_is_loaded(short, tmp_path, output):
    (tmp_path / "file").write_text("")
    places = {"-o": tmp_path / "o.mp4", "--data": tmp_path / "x.csv", "--report": tmp_path / "r"}
    places[output] = tmp_path / "file" / places[output].name
    done = video(short, *(part for place in places.items() for part in place), "--weights", "none.onnx")
    assert "Cannot write" in str(done.exception) and str(tmp_path / "file") in str(done.exception)
    assert names_in(tmp_path) == ["file"]


def test_an_output_that_is_a_folder_is_refused_before_anything_is_loaded(short, tmp_path):
    (tmp_path / "x.csv").mkdir()
    done = video(short, "--data", tmp_path / "x.csv", "--weights", "none.onnx", "--force")
    assert "x.csv: it is a folder" in str(done.exception)


def test_for_a_video_that_is_not_there_no_folder_is_made(tmp_path):
    assert "There is no video file" in str(video(tmp_path / "none.mp4", "-o", tmp_path / "a" / "o.mp4").exception)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "{out}/a/o.mp4", "--data", "{out}/b/x.csv", "--report", "{out}/c/d", "--weights", "none.onnx"],
        ["-o", "{out}/a/o.mp4", "--clip", "1:00-2:00"],
        ["-o", "{out}/a/folder"],
    ],
)
def test_a_command_that_fails_leaves_no_folder_behind(short, tmp_path, arguments):
    (tmp_path / "mine").mkdir()
    source = short
    if "--clip" not in arguments and "--weights" not in arguments:
        source = tmp_path / "damaged.mp4"
        source.write_bytes(short.read_bytes())
        damage(source, 0, 1)
    done = video(source, *(argument.format(out=tmp_path / "mine" / "out") for argument in arguments))
    assert isinstance(done.exception, LiveEmotionError)
    assert os.listdir(tmp_path / "mine") == []


def test_each_video_is_opened_when_its_turn_comes(folder, tmp_path, monkeypatch):
    opened = []

    def noted(path):
        opened.append(path.name)
        return open_media(path)

    monkeypatch.setattr("live_emotion.io.video.reader.open_media", noted)
    done = video(folder / "a.mp4", folder / "c.mp4", "-o", tmp_path / "out", "--no-video")
    assert done.exit_code == 0, done.output
    assert opened == ["a.mp4", "c.mp4"]
    assert "2 of 2 videos: 100%" in done.stderr and "10 frames, " in done.stderr


@pytest.mark.parametrize(
    ("weights", "calls", "line"),
    [
        ([1], [("show", 0, 15, 60)], "v0: 25%"),
        ([1], [("show", 0, 15, 60), ("end", 0, 16)], "v0: 100%"),
        ([1], [("show", 0, 90, 60)], "v0: 100%"),
        ([1], [("show", 0, 15, 0)], "v0: 00:"),
        ([3, 1], [("show", 0, 30, 60)], "0 of 2 videos: 38%"),
        ([3, 1], [("show", 0, 30, 60), ("show", 1, 5, 10), ("end", 0, 40)], "1 of 2 videos: 88%"),
        ([3, 1], [("show", 0, 30, 0)], "0 of 2 videos: 0%"),
    ],
)
def test_the_bar_shows_the_share_of_all_work_and_none_where_it_is_unknown(weights, calls, line, capsys):
    with VideosBar([f"v{number}" for number in range(len(weights))], weights) as bar:
        for method, *numbers in calls:
            getattr(bar, method)(*numbers)
    last = capsys.readouterr().err.split("\r")[-1]
    assert " ".join(last.split()).startswith(line)
    frames = sum({number: frames for _, number, frames, *_ in calls}.values())
    assert f"{frames} frames, " in last
    assert ("%" in last) == ("%" in line)


def test_the_bar_is_not_there_before_the_first_frame(capsys):
    with VideosBar(["a", "b"], [1, 1]) as bar:
        bar.show(0, 0, 100)
        bar.end(0, 0)
    assert capsys.readouterr().err == ""


def test_rows_on_standard_output(short):
    done = video(short, "--no-video", "--data", "-", "--every", 2)
    assert done.exit_code == 0, done.output
    assert done.stdout.count('"track_id": 1') == 3
    assert all(line.startswith("{") for line in done.stdout.splitlines())


def test_what_files_are_named_does_nothing_to_the_terminal(portrait, tmp_path):
    source = make_video(tmp_path / "a\x07\x9b2J.mp4", numbered_frames(portrait, 5))
    photo = tmp_path / "b\x07.png"
    write_image(photo, portrait)
    for command in (["video", source, "--no-video", "--data", tmp_path / "\x07.csv"], ["image", photo, "-o", tmp_path]):
        done = CliRunner().invoke(cli, [*map(str, command)], color=True)
        assert done.exit_code == 0, done.output
        assert "?.csv" in done.output or "b?.png" in done.output
        assert not {"\x07", "\x9b"} & set(done.output)


def test_hundreds_of_damaged_files_fit_on_a_page(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for i in range(40):
        (folder / f"{i}.mp4").write_text("no video")
        (folder / f"{i}.csv").write_text("no rows")
    report = CliRunner().invoke(cli, ["report", str(folder)])
    for done in (video(folder, "-o", out, "--no-video", "--data", "csv"), report):
        assert isinstance(done.exception, LiveEmotionError) and "40 of 40 " in str(done.exception)
        assert len(str(done.exception)) < 600
        assert 10 <= len(done.stderr.splitlines()) <= 13 and "only counted" in done.stderr


def test_a_folder_goes_on_after_a_damaged_video(folder, tmp_path):
    done = video(folder, "-o", tmp_path / "out", "--data", "csv")
    assert isinstance(done.exception, LiveEmotionError)
    assert "1 of 3 videos failed" in str(done.exception) and "b.mp4" in str(done.exception)
    assert f"Error: {folder / 'b.mp4'} is not a video" in done.stderr
    assert "2 of 3 videos done, 1 failed." in done.stderr
    assert names_in(tmp_path / "out") == ["a.csv", "a.mp4", "c.csv", "c.mp4"]
    assert numbers_in(tmp_path / "out" / "c.mp4") == [0, 1, 2, 3, 4]


def test_a_video_that_breaks_off_is_read_again_by_resume(short, portrait, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(short.read_bytes())
    make_video(folder / "b.mkv", numbered_frames(portrait, 50), audio=(), g="5")
    whole = (folder / "b.mkv").read_bytes()
    cut_off(folder / "b.mkv")
    command = [folder, "-o", out, "--data", "csv", "--report", tmp_path / "rep", "--every", 10]
    done = video(*command)
    assert done.exit_code == 1, done.output
    line = next(line for line in done.stdout.splitlines() if "It breaks off at" in line)
    assert line.endswith("of 2.0 s; was it copied whole? --resume reads it again.")
    assert "1 of 2 videos done, 1 broken off." in done.stdout
    assert names_in(out) == ["a.csv", "a.mp4", "b.part.csv", "b.part.mp4"]
    assert 5 < len(numbers_in(out / "b.part.mp4")) < 50
    assert (tmp_path / "rep" / "b" / "report.html").exists()
    (folder / "b.mkv").write_bytes(whole)
    done = video(*command, "--resume")
    assert done.exit_code == 0, done.output
    assert "1 of 2 videos done, 1 complete before." in done.stdout
    assert names_in(out) == ["a.csv", "a.mp4", "b.csv", "b.mp4"]
    assert len(numbers_in(out / "b.mp4")) == 50
    assert 'src="./../../out/b.mp4"' in (tmp_path / "rep" / "b" / "report.html").read_text()


def test_one_video_that_breaks_off_is_said_to(portrait, tmp_path):
    source = cut_off(make_video(tmp_path / "b.mkv", numbered_frames(portrait, 50), audio=(), g="5"))
    done = video(source, "-o", tmp_path / "o.mp4", "--every", 10)
    assert (done.exit_code, "was it copied whole?\n" in done.stdout) == (1, True)
    assert names_in(tmp_path) == ["b.mkv", "o.mp4"]


def test_nothing_is_written_over_and_resume_does_what_is_missing(folder, tmp_path):
    (folder / "b.mp4").unlink()
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.mp4").write_text("precious")
    refused = video(folder, "-o", out)
    assert isinstance(refused.exception, OutputError)
    assert "--force" in str(refused.exception) and "--resume" in str(refused.exception)
    assert names_in(out) == ["a.mp4"]
    resumed = video(folder, "-o", out, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert "1 of 2 videos done, 1 complete before." in resumed.stdout
    assert (out / "a.mp4").read_text() == "precious"
    assert numbers_in(out / "c.mp4") == [0, 1, 2, 3, 4]
    assert video(folder, "-o", out, "--resume").exit_code == 0, "nothing is left to do"
    assert video(folder, "-o", out, "--force").exit_code == 0
    assert numbers_in(out / "a.mp4") == [0, 1, 2, 3, 4]


def test_the_videos_themselves_are_safe(folder, short):
    before = (folder / "a.mp4").read_bytes()
    done = video(folder, "-o", folder, "--force")
    assert "choose another name or folder" in str(done.exception)
    assert "choose another" in str(video(short, "-o", short, "--force").exception)
    assert (folder / "a.mp4").read_bytes() == before


def test_plan_names_what_comes_of_videos(tmp_path):
    for name in (
        "x/talk.mov",
        "x/talk.mp4",
        "x/walk.mkv",
        "x/.hidden.mp4",
        f"x/old{PART}.mp4",
        "y/talk.mp4",
        "y/a.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    tasks = plan([tmp_path / "x", tmp_path / "y"], tmp_path / "out", ["csv"], tmp_path / "rep")
    assert [task.annotated.name for task in tasks] == ["talk_mov.mp4", "talk_mp4.mp4", "walk.mp4", "talk_mp4_2.mp4"]
    assert [task.data[0].name for task in tasks] == ["talk_mov.csv", "talk_mp4.csv", "walk.csv", "talk_mp4_2.csv"]
    assert tasks[2].report == tmp_path / "rep" / "walk"
    (single,) = plan([Path("talk.mov")], Path("out.mp4"), report=Path("rep"))
    assert single == VideoTask(Path("talk.mov"), Path("out.mp4"), (Path("rep/faces.csv"),), Path("rep"))
    (twice,) = plan([Path("talk.mov")], Path("out.mp4"), ["csv", "out.csv", "csv"])
    assert twice.data == (Path("out.csv"),)
    (beside,) = plan([Path("a/talk.mov")], data=["csv"])
    assert beside.data == (Path("a/talk.csv"),) and beside.annotated is None
    (only,) = plan([tmp_path / "x" / "walk.mkv"], tmp_path / "out", with_video=False)
    assert (only.annotated, only.data) == (None, (tmp_path / "out" / "walk.csv",))


@pytest.mark.parametrize(
    ("inputs", "output", "data", "message"),
    [
        (["a.mp4", "b.mp4"], "out.mp4", [], "name a folder"),
        (["a.mp4"], "out.avi", [], "name it out.mp4"),
        (["a.mp4", "b.mp4"], "out", ["all.csv"], "rows of its own"),
        (["a.mp4", "b.mp4"], None, ["csv"], "no folder for the csv files"),
        (["a.mp4"], "out.mp4", ["rows.txt"], "end its name in"),
    ],
)
def test_plan_refuses_what_does_not_go_together(inputs, output, data, message):
    with pytest.raises(OutputError, match=message):
        plan([Path(p) for p in inputs], output and Path(output), data)


def test_a_folder_without_videos_is_named(tmp_path):
    with pytest.raises(InputError, match="no videos in the folder"):
        list_videos([tmp_path])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_leaves_a_playable_video(long, tmp_path):
    with started(long, "-o", tmp_path / "out.mp4", "--data", tmp_path / "out.csv") as process:
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert b"up to where you stopped it" in stdout
    numbers = numbers_in(tmp_path / "out.mp4")
    assert 0 < len(numbers) < 600
    assert numbers == list(range(len(numbers)))
    with (tmp_path / "out.csv").open(newline="") as file:
        assert int(list(csv.DictReader(file))[-1]["frame"]) == len(numbers) - 1
    assert names_in(tmp_path) == ["out.csv", "out.mp4"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_and_resume_in_a_folder_with_two_processes(long, short, tmp_path):
    out = tmp_path / "out"
    with started(long, short, "-o", out, "--workers", 2) as process:
        assert b"short.mp4: 5 frames" in process.stdout.readline(), process.stderr.read()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert b"Go on with --resume" in stderr and b"Traceback" not in stderr
    parts = set(names_in(out)) - {"short.mp4"}  # none, if the stop came before the long one's first frame
    assert parts <= {"long.part.mp4"} and (out / "short.mp4").exists()
    assert all(0 < len(numbers_in(out / part)) < 600 for part in parts)
    written = (out / "short.mp4").stat().st_mtime_ns
    done = video(long, short, "-o", out, "--resume", "--every", 200)
    assert done.exit_code == 0, done.output
    assert names_in(out) == ["long.mp4", "short.mp4"]
    assert len(numbers_in(out / "long.mp4")) == 600
    assert (out / "short.mp4").stat().st_mtime_ns == written


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_kill_9_leaves_nothing_under_the_final_name(long, tmp_path):
    with started(long, "-o", tmp_path / "out.mp4", "--data", tmp_path / "out.csv") as process:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert not (tmp_path / "out.mp4").exists() and not (tmp_path / "out.csv").exists()
    assert all(name.startswith(".out.") for name in names_in(tmp_path))


def tasks_for(paths, out):
    tasks = plan(paths, out)
    prepare_outputs(tasks)
    return tasks


class KillOne:
    """Progress that kills a process, once, when so many frames of a task are done."""

    def __init__(self, pids, frames=1):
        self.pids, self.frames = pids, frames
        self.killed = False

    def __call__(self, number, frames, expected):
        if frames >= self.frames and not self.killed:
            self.killed = True
            os.kill(self.pids()[0], signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_videos_of_a_killed_process_are_read_again(medium, short, tmp_path, monkeypatch):
    monkeypatch.setattr("live_emotion.pipelines.videos.process_pool.WAIT_S", 0.01)
    kill = KillOne(lambda: [child.pid for child in multiprocessing.active_children()])
    tasks = tasks_for([medium, short], tmp_path / "out")
    outcomes = list(run_in_processes(tasks, CONFIG, VideoOptions(every=100), 2, kill, lambda: False))
    assert kill.killed
    assert sorted(outcome.task.source.name for outcome in outcomes) == ["medium.mp4", "short.mp4"]
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert names_in(tmp_path / "out") == ["medium.mp4", "short.mp4"], "what the killed one left is gone"


def test_a_video_whose_processes_always_die_is_given_up(medium, tmp_path, monkeypatch):
    monkeypatch.setattr("live_emotion.pipelines.videos.process_pool.WAIT_S", 0.01)

    def kill(number, frames, expected):
        if frames:
            for child in multiprocessing.active_children():
                child.kill()  # that takes one that is gone already

    tasks = tasks_for([medium], tmp_path / "out")
    (outcome,) = run_in_processes(tasks, CONFIG, VideoOptions(every=100), 1, kill, lambda: False)
    assert "was killed" in outcome.error


def test_processes_that_die_as_they_start_end_it(short, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "live_emotion.pipelines.videos.process_pool._begin_process", os._exit
    )  # fails: it takes a number
    tasks = tasks_for([short], tmp_path / "out")
    with pytest.raises(DeviceError, match="die as they start"):
        list(run_in_processes(tasks, CONFIG, VideoOptions(), 2, lambda *_: None, lambda: False))


def test_wrong_weights_end_it_all_at_once(short, folder, tmp_path):
    done = video(short, folder, "-o", tmp_path / "out", "--workers", 2, "--weights", "none.pth")
    assert isinstance(done.exception, LiveEmotionError)
    assert "none.pth" in str(done.exception)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_cluster_reads_the_video_of_a_killed_worker_again(medium, short, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        # a worker tells that it has begun, and then once a second, by which time it may be done
        kill = KillOne(lambda: [worker.process.pid for worker in cluster.workers.values()], frames=0)
        tasks = tasks_for([medium, short], tmp_path / "out")
        address = cluster.scheduler_address
        outcomes = list(run_on_cluster(tasks, CONFIG, VideoOptions(every=50), address, kill, lambda: False))
        assert kill.killed
        assert sorted(outcome.task.source.name for outcome in outcomes) == ["medium.mp4", "short.mp4"]
        assert [outcome.error for outcome in outcomes] == [None, None]
        assert names_in(tmp_path / "out") == ["medium.mp4", "short.mp4"]
        assert len(numbers_in(tmp_path / "out" / "medium.mp4")) == 150
        done = video(short, "-o", tmp_path / "again", "--cluster", address)
        assert done.exit_code == 0, done.output
        assert names_in(tmp_path / "again") == ["short.mp4"]


def test_no_cluster_is_one_line(short, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("live_emotion.pipelines.videos.dask_cluster.ANSWER_S", 0.5)
    done = video(short, "-o", tmp_path / "out.mp4", "--cluster", "tcp://127.0.0.1:1")
    assert isinstance(done.exception, LiveEmotionError)
    assert "No Dask scheduler answers" in str(done.exception)


def test_a_missing_extra_is_one_line(short, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = video(short, "-o", tmp_path / "out.mp4", "--cluster", "tcp://127.0.0.1:1")
    assert "pip install 'live-emotion[cluster]'" in str(done.exception)
    done = video(short, "--data", tmp_path / "out.parquet")
    assert "pip install 'live-emotion[parquet]'" in str(done.exception)
