"""The report of an evaluation: figures on the screen and as JSON, every prediction as CSV, and plots."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import click

from live_emotion.io.files.atomic import ESCAPED, atomic_path, atomic_write_text
from live_emotion.io.files.folders import make_folder
from train import metrics
from train.evaluation import plots
from train.evaluation.evaluation import Evaluation

JSON, CSV = "evaluation.json", "predictions.csv"
CONFUSION, RELIABILITY, MISTAKES = "confusion_matrix.png", "reliability.png", "mistakes.png"
FILES = (JSON, CSV, CONFUSION, RELIABILITY, MISTAKES)
"""What a report consists of."""


def print_figures(figures: dict[str, Any]) -> None:
    """Prints figures as a table of the classes, the confusion matrix, and a line for each of the others."""
    names = list(figures["classes"])
    width = max(8, *map(len, names))
    click.echo(f"{'':{width}}  images  precision  recall      F1   called " + " ".join(f"{n:>{width}}" for n in names))
    for (name, score), row in zip(figures["classes"].items(), figures["confusion"]):
        shares = f"{score['precision']:9.1%}  {score['recall']:6.1%}  {score['f1']:6.1%}"
        counts = " ".join(f"{count:{width}}" for count in row)
        click.echo(f"{name:{width}}  {score['images']:6}  {shares}          {counts}")
    click.echo(f"Accuracy: {figures['accuracy']:.2%} of {figures['images']} images")
    click.echo(f"Balanced accuracy (mean recall): {figures['balanced_accuracy']:.2%}")
    click.echo(f"Accuracy of the {metrics.CONFIDENT:.0%} most confident: {figures['most_confident_accuracy']:.2%}")
    click.echo(f"Expected calibration error ({metrics.BINS} bins): {figures['expected_calibration_error']:.4f}")
    if others := figures.get("others"):
        click.echo(
            f"Of {others['images']} images of something else {others['named']:.1%} are named as a class with more than "
            f"{metrics.CONFIDENT:.0%}; {others['lost']:.1%} of the classes' images are taken for something else; area "
            f"under the curve of both: {others['area_under_curve']:.3f}"
        )


def write_report(result: Evaluation, figures: dict[str, Any], folder: Path) -> None:
    """Writes figures as JSON, every prediction as CSV, and plots.

    Raises:
        OutputError: a file cannot be written.
    """
    make_folder(folder)
    atomic_write_text(folder / JSON, json.dumps(figures, indent=2) + "\n")
    _write_predictions(result, folder / CSV)
    shown = result.of_classes
    plots.draw_confusion(shown.confusion, shown.class_names, folder / CONFUSION)
    plots.draw_reliability(shown.bins, folder / RELIABILITY)
    plots.draw_mistakes(shown.data.faces, shown.data.labels, shown.probabilities, shown.class_names, folder / MISTAKES)


def _write_predictions(result: Evaluation, path: Path) -> None:
    names, count = result.class_names + result.other_names, len(result.class_names)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors=ESCAPED) as file:
        table = csv.writer(file)
        table.writerow(["file", "label", "emotion", "confidence", *(f"p_{name}" for name in names)])
        for image, label, row in zip(result.data.files, result.data.labels, result.probabilities):
            best = int(row[:count].argmax())
            shown = [f"{p:.4f}" for p in (row[best], *row)]
            table.writerow(["/".join(image.parts[-3:]), names[label], names[best], *shown])
