"""What networks are worth and what they cost: accuracy, and milliseconds beside one in plain PyTorch.

    python benchmarks/network.py weights/best_emotion_model.onnx weights/best_emotion_model.pth \
        --reference weights/best_emotion_model.pth --data fer2013 --votes fer2013/ferplus_votes.csv --threads 1

Accuracy and mean recall are those of ``python -m train evaluate`` on PublicTest, of images whose majority of votes is
one of the network's classes. Milliseconds are those of one face and of four, as live use computes them; all networks
and the reference, in plain float32 as it was trained, take turns, so that the ratio holds on a busy machine, too. The
last column is the part of the images that get the reference's label.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.faces.preprocessing import normalize_faces
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.models.torch_network import load_module
from train.data.splits import list_split, read_split
from train.engine.steps import predict_logits
from train.evaluation.evaluation import evaluate

SAME = 0.995


@click.command()
@click.argument("weights", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--reference", type=click.Path(path_type=Path, exists=True), required=True, help="A checkpoint.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="FER2013, with val/.")
@click.option("--votes", type=click.Path(path_type=Path, exists=True), required=True, help="FER+ votes.")
@click.option("--threads", default=0, help="Processor cores for each network; 0: all.")
@click.option("--rounds", default=100, show_default=True, help="Calls of each kind; the median counts.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(
    weights: tuple[Path, ...],
    reference: Path,
    data: Path,
    votes: Path,
    threads: int,
    rounds: int,
    json_file: Path | None,
) -> None:
    """Measure networks."""
    plain, class_names = load_module(reference)
    classifiers = [EmotionClassifier(path, threads=threads) for path in weights]
    if threads:
        torch.set_num_threads(threads)
    faces = read_split(list_split(data / "val", class_names, votes), data / "val")
    wanted = predict_logits(plain, faces.faces)[:, : len(class_names)].argmax(axis=1)
    one, four = (measure_ms(plain, classifiers, faces.faces[:count], rounds) for count in (1, 4))
    click.echo("    MB  accuracy  mean recall  1 face, ms  on plain  4 faces, ms  on plain  same label")
    figures = {"plain": {"one_ms": one[0], "four_ms": four[0]}}
    for path, classifier, one_ms, four_ms in zip(weights, classifiers, one[1:], four[1:]):
        result = evaluate(classifier, faces)
        scores = result.figures()
        figures[path.name] = f = {
            "mb": path.stat().st_size / 1e6,
            "accuracy": scores["accuracy"],
            "mean_recall": scores["balanced_accuracy"],
            "one_ms": one_ms,
            "one_ratio": one_ms / one[0],
            "four_ms": four_ms,
            "four_ratio": four_ms / four[0],
            "same": float((result.of_classes.probabilities.argmax(axis=1) == wanted).mean()),
        }
        click.echo(
            f"{f['mb']:6.1f}  {f['accuracy']:8.1%}  {f['mean_recall']:11.1%}  {one_ms:10.2f}  {f['one_ratio']:8.2f}"
            f"  {four_ms:11.2f}  {f['four_ratio']:8.2f}  {f['same']:10.2%}  {path.name}"
        )
    click.echo(f"{one[0]:39.2f}  {four[0]:21.2f}  {'':20}  {reference.name} in plain float32")
    click.echo(f"same label wanted: at least {SAME:.1%}; {instructions()}")
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def measure_ms(
    plain: torch.nn.Module, classifiers: list[EmotionClassifier], faces: np.ndarray, rounds: int
) -> list[float]:
    """Milliseconds of the plain network and of each classifier for faces, uint8 (N, 48, 48), in one batch."""

    @torch.inference_mode()
    def run_plain() -> None:
        plain(normalize_faces(torch.from_numpy(faces)))

    def way(classifier: EmotionClassifier) -> Callable[[], object]:
        return lambda: classifier.predict(faces)

    return median_ms([run_plain, *map(way, classifiers)], rounds)


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


def instructions() -> str:
    """The processor's instructions that matter for networks, as far as PyTorch tells."""
    able = [name for name in ("avx2", "avx512_vnni", "avx512_bf16") if name in cpu_flags()]
    return f"{os.cpu_count()} cores with {', '.join(able) or torch.backends.cpu.get_cpu_capability()}"


def cpu_flags() -> set[str]:
    """Names of the processor's abilities, as Linux lists them; none elsewhere."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


if __name__ == "__main__":
    main()
