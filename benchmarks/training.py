"""How fast training is, what its data pipeline costs, and how much memory it takes.

    python benchmarks/training.py                       faces made of a public-domain portrait
    python benchmarks/training.py --data fer2013        the faces in fer2013/train/<class>/

Three ways of training the same network with batches of 64 take turns, so that whatever else the machine does weighs
on all of them alike, and the medians are compared:

    plain      float32; ImageFolder, torchvision's transforms one image at a time, DataLoader with two workers
    ours       what python -m train does
    bare       our forward, backward and optimiser's step alone, with one batch over and over

The memory is the peak of a process of its own that reads the four-class set (21,005 images, as FER2013 has) and trains
and validates on it.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from live_emotion.faces.preprocessing import PIXEL_MEAN, PIXEL_SCALE
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.video.demo_clip import read_portrait
from live_emotion.models.registry import build_model
from live_emotion.types import EMOTIONS
from train.config import TrainConfig
from train.data.dataset import FaceSet, list_labelled, read_faces
from train.engine.run_state import Run
from train.engine.steps import batch_order, make_batch, predict_logits, seed_step

BATCH = 64
WORKERS = 2
FOUR_CLASSES = 21_005
"""FER2013's training images of the four emotions."""

VALIDATION = 2_622


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder with train/<class>/*.")
@click.option("--rounds", default=5, show_default=True, help="How often the three take turns.")
@click.option("--steps", default=8, show_default=True, help="Batches of each in a turn.")
@click.option("--memory/--no-memory", default=True, show_default=True, help="Measure the memory, too.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(data: Path | None, rounds: int, steps: int, memory: bool, json_file: Path | None) -> None:
    """Measure training against the plain loop."""
    with tempfile.TemporaryDirectory() as folder:
        images = data / "train" if data else make_images(Path(folder), 2048)
        faces = read_faces(list_labelled(images, EMOTIONS))
        seconds = take_turns({"plain": plain(images), "ours": ours(faces), "bare": bare(faces)}, rounds, steps)
    rates = {name: BATCH / value for name, value in seconds.items()}
    figures = {
        "images_per_second": rates,
        "ours_over_plain": rates["ours"] / rates["plain"],
        "pipeline_cost": seconds["ours"] / seconds["bare"] - 1,
    }
    for name, rate in rates.items():
        click.echo(f"{name:6} {rate:7.0f} images/s")
    click.echo(f"Ours over plain: {figures['ours_over_plain']:.2f} (target 2.5)")
    click.echo(f"Cost of the data pipeline over bare steps: {figures['pipeline_cost']:.1%} (target at most 10 %)")
    if memory:
        figures["peak_memory_bytes"] = peak_memory()
        click.echo(f"Peak memory, {FOUR_CLASSES} images: {figures['peak_memory_bytes'] / 1e9:.2f} GB (target under 2)")
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def take_turns(ways: dict[str, Iterator[None]], rounds: int, steps: int) -> dict[str, float]:
    """Median seconds a step of each way; each is an iterator that takes a step when it is asked for the next."""
    for way in ways.values():
        next(way), next(way)  # the first ones load libraries and fill caches
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _, (name, way) in itertools.product(range(rounds), ways.items()):
        begin = time.perf_counter()
        for _ in range(steps):
            next(way)
        times[name].append((time.perf_counter() - begin) / steps)
    return {name: float(np.median(values)) for name, values in times.items()}


def plain(images: Path) -> Iterator[None]:
    """The usual loop."""
    transform = transforms.Compose(
        [
            transforms.Grayscale(),
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(10, translate=(0.1, 0.1)),
            transforms.ToTensor(),
            transforms.Normalize(PIXEL_MEAN / 255, PIXEL_SCALE / 255),
        ]
    )
    loader = DataLoader(
        ImageFolder(str(images), transform), BATCH, shuffle=True, num_workers=WORKERS, drop_last=True,
        persistent_workers=True, multiprocessing_context="spawn",
    )  # fmt: skip
    model = build_model("emotion_cnn", num_classes=len(loader.dataset.classes)).train()
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
    loss_of = nn.CrossEntropyLoss()
    right = 0
    while True:
        for faces, labels in loader:
            optimizer.zero_grad()
            logits = model(faces)
            loss = loss_of(logits, labels)
            loss.backward()
            optimizer.step()
            right += int((logits.argmax(1) == labels).sum()) + int(loss.item() < 0)
            yield


def start_run(faces: FaceSet) -> Run:
    """Our training of ``faces`` with the default settings, before its first step."""
    run = Run(TrainConfig(classes=EMOTIONS, batch_size=BATCH, device="cpu"), faces, torch.device("cpu"))
    run.to_training()
    return run


def ours(faces: FaceSet) -> Iterator[None]:
    """Our steps, from the images in memory on."""
    return steps_of(start_run(faces), faces)


def steps_of(run: Run, faces: FaceSet) -> Iterator[None]:
    """The steps of a run of ours, without end."""
    for epoch in itertools.count():
        for step, index in enumerate(batch_order(faces, run.config, epoch)):
            if len(index) == BATCH:
                generator = seed_step(run.config, epoch, step)
                run.stepper.step(*make_batch(faces, index, run.config, generator, run.stepper.device))
                run.after_step()
                yield


def bare(faces: FaceSet) -> Iterator[None]:
    """Our steps without reading, choosing or augmenting."""
    run = start_run(faces)
    batch = torch.from_numpy(faces.faces[:BATCH]), torch.from_numpy(faces.targets[:BATCH])
    while True:
        run.stepper.step(*batch)
        yield


def make_images(folder: Path, count: int) -> Path:
    """Writes ``count`` 48x48 pictures of the portrait's face, moved and lit by chance, evenly to the four classes."""
    for i, face in enumerate(made_faces(count)):
        target = folder / EMOTIONS[i % len(EMOTIONS)]
        target.mkdir(exist_ok=True)
        cv2.imwrite(str(target / f"{i}.jpg"), face)
    return folder


def made_faces(count: int) -> Iterator[np.ndarray]:
    """The portrait's face, uint8 (48, 48), shifted and lit otherwise each time."""
    grey = cv2.cvtColor(read_portrait(), cv2.COLOR_BGR2GRAY)
    rng = np.random.default_rng(0)
    for _ in range(count):
        left, top = rng.integers((185, 70), (226, 111))
        face = cv2.resize(grey[top : top + 140, left : left + 140], (48, 48), interpolation=cv2.INTER_AREA)
        yield (face * rng.uniform(0.6, 1.2)).clip(0, 255).astype(np.uint8)


def peak_memory() -> int:
    """Bytes that a process takes at most in which the four-class set is read and trained on."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process,
    ):
        return process.submit(_train_and_measure, make_images(Path(folder), FOUR_CLASSES)).result()


def _train_and_measure(images: Path) -> int:
    import resource
    import sys

    faces = read_faces(list_labelled(images, EMOTIONS))
    run = start_run(faces)
    for _ in itertools.islice(steps_of(run, faces), 8):
        pass
    with tempfile.TemporaryDirectory() as folder:
        run.save(Path(folder) / "state.pth")
    predict_logits(run.evaluated.eval(), faces.faces[:VALIDATION], run.stepper.dtype)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    main()
