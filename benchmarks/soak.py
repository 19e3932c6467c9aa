"""Whether long use costs more and more: memory, open files and threads over minutes, or hours.

    python benchmarks/soak.py                    # a minute of each
    python benchmarks/soak.py --minutes 60 --photos 10000 --video-minutes 360

1. The live loop, recording and logging, before a scripted camera of 30 frames a second that each minute changes its
   size, stalls, dies and comes back; the recording is stopped and begun anew each time.
2. Photos, one after the other through what the command ``image`` does.
3. A video of black frames, generated, read and annotated.

Each is looked at ten times; what the end has more than the middle is printed. Memory that grows by more than 20 MB, or
more open files or threads than before, make it end with 1. It needs Linux.
"""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.io.camera import CameraMode
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import write_image
from live_emotion.io.live_source import LiveSource, SourceState, captured
from live_emotion.io.results_writer import open_results_writer
from live_emotion.io.video.demo_clip import read_portrait
from live_emotion.io.video.writer import VideoWriter
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.live.controls import Settings
from live_emotion.pipelines.live.loop import LiveLoop
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.pipelines.photos import read_photo
from live_emotion.pipelines.videos.video import VideoOptions, annotate_video

FPS = 30
SIZES = ((640, 480), (1280, 720), (480, 640))

MOST_MB = 20.0
"""What memory may grow by."""

LOOKS = 10

TAKEN = 3
"""Of so many looks the smallest counts: a recording that is just being closed is no leak."""


class Looks:
    """What a process holds, looked at now and then; in the end, by how much more it is than halfway."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int, int]] = []

    def look(self) -> None:
        """Notes memory in MB, open files and threads."""
        memory = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]
        self.seen.append((int(memory) / 1024, len(list(Path("/proc/self/fd").iterdir())), threading.active_count()))

    def growth(self) -> dict:
        """Of the last looks over those in the middle, by when all that is kept is there."""
        middle = len(self.seen) // 2
        first, last = (
            list(map(min, zip(*looks))) for looks in (self.seen[middle - TAKEN : middle], self.seen[-TAKEN:])
        )
        names = ("memory_mb", "files", "threads")
        return {name: round(b - a, 1) for name, a, b in zip(names, first, last)} | {"last_mb": round(last[0])}


class ScriptedCamera:
    """A camera that changes its size, stalls, dies and comes back, all within a period.

    Args:
        images: by size.
        period_s: in seconds.
    """

    def __init__(self, images: dict[tuple[int, int], np.ndarray], period_s: float) -> None:
        self._images, self._period_s = images, period_s
        self._start, self._count = time.monotonic(), 0

    def read(self) -> tuple[bool, np.ndarray | None]:
        """A frame when it is due; none while the camera is gone."""
        at = (time.monotonic() - self._start) % self._period_s / self._period_s
        if 0.70 < at < 0.75:  # stalls
            time.sleep(0.05 * self._period_s)
        if 0.85 < at < 0.95:  # has gone
            return False, None
        time.sleep(max(0.0, self._start + self._count / FPS - time.monotonic()))
        self._count = max(self._count + 1, int((time.monotonic() - self._start) * FPS))
        size = SIZES[int((time.monotonic() - self._start) / self._period_s * len(SIZES)) % len(SIZES)]
        return True, np.roll(self._images[size], self._count % 40, axis=1)

    def get(self, setting: int) -> float:
        """Nothing is known of its mode."""
        return 0.0

    def set(self, setting: int, value: float) -> bool:
        """It takes no mode."""
        return False

    def release(self) -> None:
        """Nothing is held."""


def soak_live(minutes: float, folder: Path) -> dict:
    """The live loop before a camera that fails once a minute."""
    images = {}
    for width, height in SIZES:
        image = np.full((height, width, 3), 110, np.uint8)
        face = cv2.resize(read_portrait(), (300, 350), interpolation=cv2.INTER_AREA)
        image[60:410, width // 2 - 150 : width // 2 + 150] = face
        images[width, height] = image
    looks, end, state = Looks(), time.monotonic() + 60 * minutes, SourceState(CameraMode())
    due = [time.monotonic() + 60 * minutes * (i + 1) / LOOKS for i in range(LOOKS)]
    frames = captured(functools.partial(ScriptedCamera, images, min(60.0, 6 * minutes)), "scripted", state)
    with (
        EmotionAnalyzer(AnalysisConfig(track=True)) as analyzer,
        Recorder(folder) as recorder,
        open_results_writer(folder / "log.csv", analyzer.class_names, live=True) as sink,
        LiveSource(frames, state) as source,
    ):
        loop = LiveLoop(analyzer, Settings(), recorder, sinks=[sink])

        def stopped() -> bool:
            if due and time.monotonic() >= due[0]:
                due.pop(0)
                looks.look()
                if recorder.is_on:
                    recorder.stop()
                recorder.start()
            return time.monotonic() >= end and not due

        loop.run(source, stopped)
    return looks.growth() | {"frames": loop.statistics.shown, "minutes": minutes}


def soak_photos(count: int, folder: Path) -> dict:
    """Photos of several sizes, each annotated."""
    portrait, looks = read_portrait(), Looks()
    sizes = [(400, 470), (1600, 1200), (300, 900)]
    for i, size in enumerate(sizes):
        write_image(folder / f"{i}.jpg", cv2.resize(portrait, size))
    with EmotionAnalyzer(AnalysisConfig()) as analyzer:
        for i in range(count):
            read_photo(folder / f"{i % len(sizes)}.jpg", analyzer, folder / "annotated.png", i)
            if (i + 1) % max(1, count // LOOKS) == 0:
                looks.look()
    return looks.growth() | {"photos": count}


def soak_video(minutes: float, folder: Path) -> dict:
    """A video of black frames, analysed at each fifth second."""
    video, count, looks = folder / "black.mp4", round(60 * minutes * FPS), Looks()
    black = np.zeros((120, 160, 3), np.uint8)
    with VideoWriter(video) as writer:
        for i in range(count):
            writer.write(black, i / FPS)
    due = iter_marks(count)

    def progress(frames: int, expected: int) -> None:
        if frames >= due[0]:
            due.pop(0)
            looks.look()

    with EmotionAnalyzer(AnalysisConfig(track=True)) as analyzer:
        options = VideoOptions(fps=0.2)
        annotate_video(video, analyzer, folder / "annotated.mp4", [folder / "rows.csv"], options, progress)
    return looks.growth() | {"minutes": minutes}


def iter_marks(count: int) -> list[float]:
    """After how many frames to look; the last one never comes."""
    return [count * (i + 1) / LOOKS for i in range(LOOKS)] + [float("inf")]


def parts(minutes: float, photos: int, video_minutes: float) -> Iterator[tuple[str, Callable[[Path], dict]]]:
    """Names of what is tried, and what does it in a folder."""
    if minutes:
        yield "live loop", functools.partial(soak_live, minutes)
    if photos:
        yield "photos", functools.partial(soak_photos, photos)
    if video_minutes:
        yield "black video", functools.partial(soak_video, video_minutes)


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="Of the live loop; 0 leaves it out.")
@click.option("--photos", default=300, show_default=True, help="How many; 0 leaves them out.")
@click.option("--video-minutes", default=10.0, show_default=True, help="Length of the video; 0 leaves it out.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(minutes: float, photos: int, video_minutes: float, json_file: Path | None) -> None:
    """Watch memory, files and threads over long use."""
    figures = {}
    for name, part in parts(minutes, photos, video_minutes):
        with tempfile.TemporaryDirectory() as folder:
            f = figures[name] = part(folder=Path(folder))
        click.echo(
            f"{name:12}  memory {f['memory_mb']:+6.1f} MB, of {f['last_mb']}  files {f['files']:+}"
            f"  threads {f['threads']:+}"
        )
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))
    if any(f["memory_mb"] > MOST_MB or f["files"] > 0 or f["threads"] > 0 for f in figures.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
