"""How calm the labels are, and how late that makes them.

    python benchmarks/stability.py film.mp4 ...

Reads films twice over the same predictions, raw (each frame for itself) and as shown (smoothed, with the switch
delay), and counts the changes of label within tracks, a minute of face. The delay is that of a sudden real change of
expression: the network's own outputs for two faces, one after the other, at 30 and at 10 frames a second.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np

from live_emotion.classifier import EmotionClassifier
from live_emotion.detection import Face, FaceDetector
from live_emotion.emotions import EMOTIONS
from live_emotion.files import atomic_write_text
from live_emotion.pipeline import find_faces
from live_emotion.sources import VideoFile
from live_emotion.tracking import Tracker


def changes_a_minute(film: Path, detector: FaceDetector, classifier: EmotionClassifier) -> dict:
    """Changes of label a minute of face, raw and as shown."""
    trackers = {
        "raw": Tracker(classifier.class_names, smoothing_s=0, switch_s=0),
        "shown": Tracker(classifier.class_names),
    }
    last: dict[tuple[str, int], tuple[str, float]] = {}
    changes = dict.fromkeys(trackers, 0)
    seconds = 0.0
    with VideoFile(film) as video:
        for frame in video:
            faces, crops = find_faces(detector, frame.image)
            probabilities = classifier.predict(crops)
            for name, tracker in trackers.items():
                for face in tracker.update(faces, probabilities, frame.time_s):
                    before = last.get((name, face.track_id))
                    if before:
                        changes[name] += before[0] != face.emotion
                        seconds += (frame.time_s - before[1]) * (name == "raw")
                    last[name, face.track_id] = (face.emotion, frame.time_s)
    return {"minutes": seconds / 60, "raw": changes["raw"], "shown": changes["shown"]}


def delay_s(fps: float, before: np.ndarray, after: np.ndarray) -> float:
    """How long after a sudden change of probabilities the label follows, in seconds."""
    tracker = Tracker(EMOTIONS)
    face = [Face((0, 0, 100, 100), 1.0, np.full((6, 2), np.nan, np.float32))]
    change = int(2 * fps)
    for i in range(int(6 * fps)):
        (shown,) = tracker.update(face, (before if i < change else after)[None], i / fps)
        if i >= change and shown.emotion == EMOTIONS[int(after.argmax())]:
            return (i - change) / fps
    return float("inf")


@click.command()
@click.argument("films", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--weights", type=click.Path(path_type=Path), help="In place of those that come with live-emotion.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(films: tuple[Path, ...], weights: Path | None, json_file: Path | None) -> None:
    """Measure stability on films."""
    classifier = EmotionClassifier(weights)
    figures: dict = {}
    with FaceDetector() as detector:
        for film in films:
            figures[film.name] = changes_a_minute(film, detector, classifier)
    totals = {key: sum(f[key] for f in figures.values()) for key in ("minutes", "raw", "shown")}
    click.echo("film                       face min  raw changes/min  shown changes/min")
    for name, f in {**figures, "all": totals}.items():
        minutes = max(f["minutes"], 1e-9)
        click.echo(f"{name:25}  {f['minutes']:8.2f}  {f['raw'] / minutes:15.1f}  {f['shown'] / minutes:17.1f}")
    if totals["shown"]:
        click.echo(f"{totals['raw'] / totals['shown']:.1f} times fewer changes")
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
