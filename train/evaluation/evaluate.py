"""Scores of weights on a set of faces, and the report of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier, load_network
from live_emotion.errors import DataError
from live_emotion.io.atomic import atomic_path, atomic_write_text, make_folder
from train import metrics
from train.config import TrainConfig
from train.data.dataset import FaceSet, list_labelled
from train.data.near_duplicates import find_near_duplicates
from train.data.splits import limit_per_class, list_split, load_splits, read_split
from train.evaluation import plots as plots

JSON, CSV = "evaluation.json", "predictions.csv"

BATCH = 256
"""Faces through the network at a time."""


@dataclass(frozen=True)
class Evaluation:
    """Predictions for a set of faces, and the figures made of them.

    Attributes:
        data: N faces.
        class_names: C names.
        probabilities: float32 (N, C).
    """

    data: FaceSet
    class_names: tuple[str, ...]
    probabilities: np.ndarray

    @property
    def confusion(self) -> np.ndarray:
        """int64 (C, C): row the truth, column the prediction."""
        return metrics.confusion_matrix(self.data.labels, self.probabilities.argmax(axis=1), len(self.class_names))

    @property
    def bins(self) -> list[tuple[int, float, float]]:
        """As :func:`train.metrics.calibration_bins` gives them."""
        return metrics.calibration_bins(self.probabilities, self.data.labels)

    def take(self, index: np.ndarray) -> Evaluation:
        """The part of it at ``index``."""
        return replace(self, data=self.data.take(index), probabilities=self.probabilities[index])

    def figures(self) -> dict[str, Any]:
        """All figures as plain values."""
        labels, confusion = self.data.labels, self.confusion
        return {
            "images": len(self.data),
            "accuracy": metrics.accuracy(confusion),
            "balanced_accuracy": metrics.balanced_accuracy(confusion),
            "most_confident_accuracy": metrics.confident_accuracy(self.probabilities, labels),
            "expected_calibration_error": metrics.calibration_error(self.bins),
            "negative_log_likelihood": metrics.negative_log_likelihood(self.probabilities, labels),
            "classes": {n: asdict(s) for n, s in metrics.class_scores(confusion, self.class_names).items()},
            "confusion": confusion.tolist(),
        }


def evaluate(classifier: EmotionClassifier, data: FaceSet) -> Evaluation:
    """Predicts all faces of a set."""
    parts = [classifier.predict(data.faces[i : i + BATCH]) for i in range(0, len(data), BATCH)]
    return Evaluation(data, classifier.class_names, np.concatenate(parts))


def evaluation_faces(
    folder: Path, split: str, class_names: Sequence[str], votes: Path | None, agreement: int = 1, per_class: int = 0
) -> FaceSet:
    """The faces to evaluate on.

    Args:
        folder: with the split's folder in it, or itself with one folder of images a class.
        split: ``val``, ``test``, ``train`` or another folder's name.
        class_names: the weights' classes; images of others are left out.
        votes: of people, in place of the folders' names.
        agreement: fewest votes for the winner.
        per_class: at most so many of each class; 0 takes all.

    Raises:
        DataError: there are no such images.
    """
    place = folder / split
    if not place.is_dir():
        if not any((folder / name).is_dir() for name in class_names):
            raise DataError(f"There is no folder {place} to evaluate on; choose with --data and --split.")
        place = folder
    return read_split(limit_per_class(list_split(place, class_names, votes, agreement), per_class, seed=0), place)


def held_out_faces(weights: Path, folder: Path, votes: Path | None) -> FaceSet:
    """The part of the training images that the run behind a checkpoint held out for validation.

    Raises:
        DataError: the checkpoint doesn't say how it was held out, or the images aren't there.
        WeightsError: the checkpoint is missing or damaged.
    """
    network = load_network(weights)
    options = network.metadata.get("options", {})
    if "val_fraction" not in options:
        raise DataError(f"{weights} doesn't say which images were held out of its training; use --split val.")
    kept = {name: options[name] for name in ("per_class", "val_fraction", "seed") if name in options}
    config = TrainConfig(data=folder, votes=votes, classes=network.class_names, hold_out=True, **kept)
    return load_splits(config)[1]


def without_duplicates(result: Evaluation, train_folder: Path) -> Evaluation:
    """The part of an evaluation whose pictures have no copy among the images of ``train_folder``, of any class."""
    folders = sorted(p.name for p in train_folder.iterdir() if p.is_dir()) if train_folder.is_dir() else []
    train = read_split(list_labelled(train_folder, folders), train_folder)
    copies = {j for _, j, _ in find_near_duplicates(train.faces, result.data.faces)}
    return result.take(np.array([i for i in range(len(result.data)) if i not in copies], int))


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


def write_report(result: Evaluation, figures: dict[str, Any], folder: Path) -> None:
    """Writes figures as JSON, every prediction as CSV, and the pictures.

    Raises:
        OutputError: a file cannot be written.
    """
    make_folder(folder)
    atomic_write_text(folder / JSON, json.dumps(figures, indent=2) + "\n")
    _write_predictions(result, folder / CSV)
    plots.draw_confusion(result.confusion, result.class_names, folder / "confusion_matrix.png")
    plots.draw_reliability(result.bins, folder / "reliability.png")
    plots.draw_mistakes(
        result.data.faces, result.data.labels, result.probabilities, result.class_names, folder / "mistakes.png"
    )


def _write_predictions(result: Evaluation, path: Path) -> None:
    names = result.class_names
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "label", "emotion", "confidence", *(f"p_{name}" for name in names)])
        for image, label, row in zip(result.data.files, result.data.labels, result.probabilities):
            shown = [f"{p:.4f}" for p in (row.max(), *row)]
            table.writerow(["/".join(image.parts[-3:]), names[label], names[int(row.argmax())], *shown])
