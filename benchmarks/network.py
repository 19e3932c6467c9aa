"""What networks are worth and what they cost: accuracy against milliseconds, and what bfloat16 saves and changes.

    python benchmarks/network.py weights/*.pth --data fer2013 --votes fer2013/ferplus_votes.csv

Accuracy and mean recall are those of ``python -m train evaluate`` on PublicTest, of images whose majority of votes is
one of the network's classes. Milliseconds are those of one face and of four, as live use computes them, beside the same
network in plain float32 in turn; take the ratio, since machines differ. The last column is the part of the images that
both give the same label.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

from live_emotion.emotions.classifier import Network, load_network
from live_emotion.faces.preprocessing import faces_to_tensor
from live_emotion.io.atomic import atomic_write_text
from train.data.splits import list_split, read_split
from train.engine.steps import predict_logits
from train.metrics import confusion_matrix

RATIO, SAME = 0.4, 0.995


@click.command()
@click.argument("weights", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="FER2013, with val/.")
@click.option("--votes", type=click.Path(path_type=Path, exists=True), required=True, help="FER+ votes.")
@click.option("--rounds", default=100, show_default=True, help="Calls of each kind; the median counts.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(weights: tuple[Path, ...], data: Path, votes: Path, rounds: int, json_file: Path | None) -> None:
    """Measure networks."""
    figures = {}
    click.echo("accuracy  mean recall  1 face, ms  4 faces, ms  1 face on plain float32  same label")
    for path in weights:
        figures[path.name] = f = measure(path, data, votes, rounds)
        click.echo(
            f"{f['accuracy']:8.1%}  {f['mean_recall']:11.1%}  {f['one_ms']:10.1f}  {f['four_ms']:11.1f}"
            f"  {f['ratio']:23.2f}  {f['same']:10.2%}  {path.name}"
        )
    click.echo(f"on plain float32 at most {RATIO}, same label at least {SAME:.1%}")
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def measure(path: Path, data: Path, votes: Path, rounds: int) -> dict[str, float]:
    """Figures of one file."""
    plain = load_network(path)
    fast = Network(plain, plain.class_names, plain.temperature)
    faces = read_split(list_split(data / "val", plain.class_names, votes), data / "val")
    labels = np.concatenate([fast.logits(part) for part in np.array_split(faces.faces, 20)]).argmax(axis=1)
    confusion = confusion_matrix(faces.labels, labels, len(plain.class_names))
    one, four = faces.faces[:1], faces.faces[:4]

    @torch.inference_mode()
    def run_plain() -> None:
        plain(faces_to_tensor(one))

    plain_ms, one_ms, four_ms = median_ms([run_plain, lambda: fast.logits(one), lambda: fast.logits(four)], rounds)
    return {
        "accuracy": float((labels == faces.labels).mean()),
        "mean_recall": float((confusion.diagonal() / confusion.sum(axis=1)).mean()),
        "one_ms": one_ms,
        "four_ms": four_ms,
        "ratio": one_ms / plain_ms,
        "same": float((labels == predict_logits(plain, faces.faces).argmax(axis=1)).mean()),
    }


def median_ms(ways: list[Callable[[], object]], rounds: int) -> list[float]:
    """Milliseconds of each way; they take turns, after a tenth of the rounds to warm up."""
    seconds: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + rounds // 10):
        for way, taken in zip(ways, seconds):
            begin = time.perf_counter()
            way()
            if number >= rounds // 10:
                taken.append(time.perf_counter() - begin)
    return [1000 * float(np.median(taken)) for taken in seconds]


if __name__ == "__main__":
    main()
