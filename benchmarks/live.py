"""How smooth, prompt and frugal the live loop is.

    python benchmarks/live.py                  # with a display also shows the real window: xvfb-run -a python ...

1. Plays a 1280x720 clip of the portrait at 30 frames a second as the camera, with 1 face and with 4.
2. Compares the analysis of a frame (detect, crop, classify, track, draw) with the bare MediaPipe call and the bare
   forward pass of the network, interleaved in one run.
3. Compares the time from command to first result with the bare imports of cv2, mediapipe and onnxruntime.
4. Memory after many frames against that after 500.

Run it on an idle machine: the figures of the first part are not ratios.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.faces.detection.blazeface import BlazeFace
from live_emotion.faces.detection.detector import PROPOSAL_SCORE
from live_emotion.io.display.screen import has_display
from live_emotion.io.display.window import Window
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.live_source import LiveSource
from live_emotion.io.video.demo_clip import read_portrait
from live_emotion.io.video.writer import VideoWriter
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.live.controls import Settings
from live_emotion.pipelines.live.loop import LiveLoop
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.types import Frame, LiveFrame

WIDTH, HEIGHT, FPS = 1280, 720, 30
LOOP_S = 4
"""Length of the clip, which is played again and again, in seconds."""


class NoScreen:
    """Stands in for the window where there is no display."""

    key = ""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """As large as the picture."""
        return width, height

    def show(self, image: np.ndarray) -> bool:
        """Takes the picture."""
        return True

    def __enter__(self) -> NoScreen:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def clip(faces: int) -> list[np.ndarray]:
    """A clip of so many faces that sway, each (720, 1280, 3) uint8 BGR."""
    portrait = read_portrait()
    scale = 0.9 if faces == 1 else 0.55
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frames = []
    for i in range(FPS * LOOP_S):
        frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        turn = 2 * np.pi * i / (FPS * LOOP_S)
        for k in range(faces):
            left = int((k + 0.5) * WIDTH / faces - small.shape[1] / 2 + 15 * np.sin(turn + k))
            left = min(max(left, 0), WIDTH - small.shape[1])
            top = int(60 + 20 * np.cos(turn + k))
            frame[top : top + small.shape[0], left : left + small.shape[1]] = small
        frames.append(frame)
    return frames


def camera(frames: list[np.ndarray], seconds: float) -> Iterator[LiveFrame]:
    """Frames at 30 a second by the clock, whoever is late; those that nobody took in time are lost."""
    start = time.monotonic()
    end = start + seconds
    for index, image in enumerate(itertools.cycle(frames)):
        due = start + index / FPS
        if due >= end:
            return
        if time.monotonic() < due + 1 / FPS:
            time.sleep(max(0.0, due - time.monotonic()))
            yield LiveFrame(index, index / FPS, image, time.monotonic())


def measure_loop(frames: list[np.ndarray], seconds: float, screen: Window | NoScreen, detector: str) -> dict:
    """Plays a clip as the camera."""
    with (
        EmotionAnalyzer(AnalysisConfig(device="cpu", detector=detector, track=True)) as analyzer,
        tempfile.TemporaryDirectory() as folder,
    ):
        for i in range(10):
            analyzer.analyze(Frame(i, i / FPS, frames[i]))
        with Recorder(Path(folder)) as recorder, LiveSource(camera(frames, seconds)) as source:
            loop = LiveLoop(analyzer, Settings(), recorder, screen)
            loop.run(source)
    latency = loop.statistics.latency
    return {
        "captured_fps": loop.statistics.captured / seconds,
        "shown_fps": loop.statistics.shown / seconds,
        "dropped": loop.statistics.dropped,
        "p50_ms": latency.percentile_ms(50),
        "p95_ms": latency.percentile_ms(95),
        "max_ms": latency.percentile_ms(100),
    }


def measure_analysis(frames: list[np.ndarray], detector: str) -> dict:
    """Seconds of our analysis over those of the bare calls, frame by frame in turn."""
    ours = mediapipe = network = 0.0
    with EmotionAnalyzer(AnalysisConfig(device="cpu", detector=detector, track=True)) as analyzer:
        classifier = analyzer.classifier
        bare = classifier.networks[0]
        model = BlazeFace("short" if detector == "short" else "full", PROPOSAL_SCORE)
        crops = analyzer.find(Frame(0, 0.0, frames[0])).crops
        analyzer.restart()
        for i, image in enumerate(frames):
            a = time.perf_counter()
            model.find(image)
            b = time.perf_counter()
            bare.logits(crops)
            c = time.perf_counter()
            analyzer.analyze(Frame(i, i / FPS, image)).draw()
            d = time.perf_counter()
            if i >= 10:
                mediapipe, network, ours = mediapipe + b - a, network + c - b, ours + d - c
    count = len(frames) - 10
    return {
        "analysis_ms": 1000 * ours / count,
        "mediapipe_ms": 1000 * mediapipe / count,
        "network_ms": 1000 * network / count,
        "ratio": ours / (mediapipe + network),
    }


def measure_start(frames: list[np.ndarray]) -> dict:
    """Seconds from command to first row, over the bare imports; the better of three runs each."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "camera.mp4"
        with VideoWriter(video) as writer:
            for i, image in enumerate(frames):
                writer.write(image, i / FPS)
        imports = min(
            seconds_to_line([sys.executable, "-c", "import cv2, mediapipe, onnxruntime; print(1)"]) for _ in range(3)
        )
        command = [sys.executable, "-m", "live_emotion", "webcam", "--no-window", "--camera", str(video), "--log", "-"]
        first = min(seconds_to_line(command) for _ in range(3))
    return {"imports_s": imports, "first_row_s": first, "ratio": first / imports}


def seconds_to_line(command: list[str]) -> float:
    """How long a program takes to print its first line."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        seconds = time.perf_counter() - begin
        process.kill()
    return seconds


def measure_memory(frames: list[np.ndarray], count: int) -> dict:
    """Resident memory in MB after 500 frames and after ``count``."""
    small = [cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA) for frame in frames[:30]]
    first = 0.0
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True)) as analyzer:
        for i, image in zip(range(count), itertools.cycle(small)):
            analyzer.analyze(Frame(i, i / FPS, image)).draw()
            if i == 500:
                first = resident_mb()
    return {"frames": count, "after_500_mb": first, "growth_mb": resident_mb() - first}


def resident_mb() -> float:
    """Memory of this process in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="How long each clip is played.")
@click.option("--frames", default=10_000, show_default=True, help="For the memory; 0 leaves it out.")
@click.option("--detector", default="full", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(seconds: float, frames: int, detector: str, json_file: Path | None) -> None:
    """Measure the live loop."""
    figures: dict = {"detector": detector, "window": has_display()}
    clips = {faces: clip(faces) for faces in (1, 4)}
    click.echo(f"window: {'the real one' if has_display() else 'none'}; detector: {detector}")
    click.echo("faces  captured/s  shown/s  dropped  p50 ms  p95 ms  max ms")
    for faces, pictures in clips.items():
        with Window() if has_display() else NoScreen() as screen:
            f = figures[f"loop_{faces}"] = measure_loop(pictures, seconds, screen, detector)
        click.echo(
            f"{faces:5}  {f['captured_fps']:10.1f}  {f['shown_fps']:7.1f}  {f['dropped']:7}"
            f"  {f['p50_ms']:6}  {f['p95_ms']:6}  {f['max_ms']:6}"
        )
    for faces, pictures in clips.items():
        f = figures[f"analysis_{faces}"] = measure_analysis(pictures, detector)
        click.echo(
            f"analysis, {faces} face(s): {f['analysis_ms']:.1f} ms; MediaPipe {f['mediapipe_ms']:.1f} + network "
            f"{f['network_ms']:.1f} ms: {f['ratio']:.2f} times"
        )
    f = figures["start"] = measure_start(clips[1])
    click.echo(f"first result {f['first_row_s']:.2f} s, imports {f['imports_s']:.2f} s: {f['ratio']:.2f} times")
    if frames:
        f = figures["memory"] = measure_memory(clips[1], frames)
        click.echo(f"memory after {frames} frames: {f['growth_mb']:+.1f} MB on that after 500")
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
