"""What weights see in portraits of people who pose emotions, found and cropped as everywhere.

    python benchmarks/portraits.py jaffe --weights a.pth --weights b.pth

Reads portraits in DIR/<emotion>/ and tells, for each weights file, which part of each emotion is named so, how well
angry is told from neutral by order alone (area under the curve of the log odds), their median log odds on both, and
which part is taken for something else, which none of the portraits shows.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.resources import DEFAULT
from live_emotion.types import DETECTORS, EMOTIONS
from train import metrics

ANGRY, NEUTRAL = EMOTIONS.index("angry"), EMOTIONS.index("neutral")


def read_portraits(folder: Path, kind: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Faces, uint8 (N, 48, 48), the emotions that they show, int (N,), and in how many portraits no face was found."""
    crops, labels, missed = [], [], 0
    with FaceDetector(kind) as detector:
        for label, emotion in enumerate(EMOTIONS):
            for file in sorted(p for p in (folder / emotion).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES):
                faces, cut = find_faces(detector, read_image(file))
                missed += not faces
                crops.extend(cut[:1])
                labels.extend([label] * len(faces[:1]))
    return np.stack(crops), np.array(labels), missed


def figures_of(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The figures of probabilities, (N, 4), for faces that show the emotions ``labels``, (N,)."""
    confusion = metrics.confusion_matrix(labels, probabilities.argmax(axis=1), len(EMOTIONS))
    scores = metrics.class_scores(confusion, EMOTIONS)
    odds = np.log(np.maximum(probabilities, 1e-12))
    odds = odds[:, ANGRY] - odds[:, NEUTRAL]
    angry, neutral = odds[labels == ANGRY], odds[labels == NEUTRAL]
    return {emotion: score.recall for emotion, score in scores.items()} | {
        "mean recall": metrics.balanced_accuracy(confusion),
        "angry/neutral": metrics.area_under_curve(angry, neutral),
        "odds angry": float(np.median(angry)),
        "odds neutral": float(np.median(neutral)),
        "lost": float((1 - probabilities.sum(axis=1) > probabilities.max(axis=1)).mean()),
    }


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--weights", multiple=True, default=(DEFAULT,), show_default=True, help="May be repeated.")
@click.option("--detector", "kind", default="full", type=click.Choice(DETECTORS), show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(folder: Path, weights: tuple[str, ...], kind: str, json_file: Path | None) -> None:
    """Measure weights on posed portraits."""
    crops, labels, missed = read_portraits(folder, kind)
    click.echo(f"{len(labels)} portraits read, {missed} without a face")
    table = {name: figures_of(EmotionClassifier(name).predict(crops), labels) for name in weights}
    for name, figures in table.items():
        click.echo("".join(f"{title:>15}" for title in figures))
        click.echo(
            "".join(f"{f:15.2f}" if title.startswith("odds") else f"{f:15.1%}" for title, f in figures.items())
            + f"  {name}"
        )
    if json_file:
        atomic_write_text(json_file, json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
