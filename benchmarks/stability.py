"""How calm the labels are, and how late that makes them.

    python benchmarks/stability.py video.mp4 ... [portrait.jpg ...]

Reads videos twice over the same predictions, raw (each frame for itself) and as shown (smoothed), and counts, within
tracks and for a minute of face, the changes of emotion (of faces that can be read) and those of all that is written at
a face, such as *unsure* or *blurred*. A photo becomes a video of a person at rest before a hand-held, noisy camera:
every change is a false one. The delay is that of a sudden change from one emotion to another, at 60, 30 and 10 frames a
second.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.emotions.smoothing import EmotionSmoother, unsmoothed
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.io.video.reader import VideoFile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.types import EMOTIONS, Face, Frame, TrackedFace
from live_emotion.visualization.overlay import is_readable, label


def at_rest(image: np.ndarray, seconds: float, seed: int = 0) -> Iterator[Frame]:
    """A video of a photo: it shakes, turns, comes and goes a little, flickers, and every pixel has noise."""
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    x, y, turn, zoom, light = np.zeros(5)
    for i in range(round(seconds * FPS)):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 1.5 * turn, 1 + 0.02 * zoom)
        matrix[:, 2] += 0.01 * height * np.array([x, y])
        moved = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noisy = moved * (1 + 0.05 * light) + rng.normal(0, 6, image.shape)
        yield Frame(i, i / FPS, np.clip(noisy, 0, 255).astype(np.uint8))
        # each wanders about 0 with a standard deviation of 1 and a memory of ten frames
        x, y, turn, zoom, light = 0.9 * np.array([x, y, turn, zoom, light]) + np.sqrt(1 - 0.9**2) * rng.normal(size=5)


@contextlib.contextmanager
def open_frames(path: Path, seconds: float) -> Iterator[Iterable[Frame]]:
    """The frames of a video, or of a photo so many seconds long."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        yield at_rest(read_image(path), seconds)
        return
    with VideoFile(path) as video:
        yield video


def changes(path: Path, analyzer: EmotionAnalyzer, seconds: float) -> dict:
    """Minutes of face in a video, and changes of emotion and of what is written at the faces, raw and as shown."""
    last: dict[tuple[str, int], str] = {}
    count = dict.fromkeys(COUNTS, 0)
    seen_s, before_s = 0.0, 0.0
    analyzer.restart()
    with open_frames(path, seconds) as frames:
        for frame in frames:
            found = analyzer.find(frame)
            (result,) = analyzer.read([found])
            raw_rows = analyzer.classifier.predict(found.crops)
            for face, row, shown in zip(found.faces, raw_rows, result.faces):
                raw = replace(unsmoothed(face, row, analyzer.class_names), track_id=shown.track_id)
                for name, now in (("raw", raw), ("shown", shown)):
                    now_shows = {"label": written(now)} | ({"emotion": now.emotion} if is_readable(now.note) else {})
                    for what, value in now_shows.items():
                        key = f"{name}_{what}"
                        count[key] += value != last.get((key, now.track_id), value)
                        last[key, now.track_id] = value
            seen_s += len(found.faces) * (frame.time_s - before_s)
            before_s = frame.time_s
    return {"minutes": seen_s / 60, **count}


def written(face: TrackedFace) -> str:
    """What is written at a face, without the percentage."""
    return label(face).partition(" ")[0] if not face.note else label(face)


def delay_s(fps: float, before: np.ndarray, after: np.ndarray) -> float:
    """How long after a sudden change of probabilities the label follows, in seconds."""
    smoother = EmotionSmoother(EMOTIONS)
    face = [Face((0, 0, 100, 100), 1.0, np.full((6, 2), np.nan, np.float32))]
    change = int(2 * fps)
    for i in range(int(6 * fps)):
        (shown,) = smoother.update(face, [1], (before if i < change else after)[None], i / fps, {1})
        if i >= change and shown.emotion == EMOTIONS[int(after.argmax())]:
            return (i - change) / fps
    return float("inf")


FPS = 30
COUNTS = ("raw_emotion", "shown_emotion", "raw_label", "shown_label")


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--weights", type=click.Path(path_type=Path), help="In place of those that come with live-emotion.")
@click.option("--seconds", default=10.0, show_default=True, help="How long a photo's video is.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(videos: tuple[Path, ...], weights: Path | None, seconds: float, json_file: Path | None) -> None:
    """Measure stability on videos and on photos of people at rest."""
    figures: dict = {}
    photos = [video for video in videos if video.suffix.lower() in IMAGE_SUFFIXES]
    with EmotionAnalyzer(AnalysisConfig(weights, track=True)) as analyzer:
        for video in videos:
            figures[video.name] = changes(video, analyzer, seconds)
    for kind, paths in {"all videos": [f for f in videos if f not in photos], "all photos": photos}.items():
        if paths:
            found = [figures[path.name] for path in paths]
            figures[kind] = {key: sum(f[key] for f in found) for key in ("minutes", *COUNTS)}
    click.echo("                                     changes of emotion/min    of all that is written/min")
    click.echo("video or photo              face min       raw       shown           raw       shown")
    for name, f in figures.items():
        rates = [f[key] / max(f["minutes"], 1e-9) for key in COUNTS]
        click.echo("{:25}  {:8.2f}  {:8.1f}  {:10.1f}  {:12.1f}  {:10.1f}".format(name, f["minutes"], *rates))
    for kind, what in itertools.product(("all videos", "all photos"), ("emotion", "label")):
        if kind in figures:
            raw, shown = (figures[kind][f"{name}_{what}"] for name in ("raw", "shown"))
            times = f", {raw / shown:.1f} times fewer" if shown else ""
            click.echo(f"{kind}, {what}: {raw} changes, {shown} shown{times}")
    clear = (np.array([0.02, 0.03, 0.9, 0.05]), np.array([0.02, 0.9, 0.05, 0.03]))
    mild = (np.array([0.1, 0.1, 0.6, 0.2]), np.array([0.1, 0.6, 0.2, 0.1]))
    for name, (before, after) in {"clear": clear, "mild": mild}.items():
        delays = {f"{fps:g}": delay_s(fps, before, after) for fps in (60, 30, 10)}
        figures[f"delay_{name}"] = delays
        click.echo(f"delay of a {name} change: " + ", ".join(f"{d:.2f} s at {fps} FPS" for fps, d in delays.items()))
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
