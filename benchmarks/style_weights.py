"""How much each training image looks like portraits of another folder, as weights for ``--sample-weights``.

    python benchmarks/style_weights.py fer2013/train jaffe -o weights.csv

Density ratio by logistic regression (Sugiyama et al., "Density Ratio Estimation in Machine Learning", 2012): a linear
model learns to tell the portraits' faces from the training faces by what a face looks like from afar, its contrast and
its sharpness; its odds are the ratio. Nothing of what the portraits show is used: their labels are not read.
"""

from __future__ import annotations

import csv
from pathlib import Path

import click
import numpy as np

from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.io.files.atomic import atomic_path
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from train.data.dataset import read_faces

SIDE = 12
"""Pixels of a face seen from afar."""

COMPONENTS = 30
"""Principal components of those."""

BOUNDS = (0.2, 5.0)
"""Of a weight, so that no image is lost and none is learnt by heart."""


def portraits(folder: Path) -> np.ndarray:
    """The face of each portrait in a folder and those below, cropped as live use crops it: uint8 (N, 48, 48)."""
    faces = []
    with FaceDetector("full") as detector:
        for file in image_paths(folder):
            _, crops = find_faces(detector, read_image(file))
            faces.extend(crops[:1])
    return np.stack(faces)


def image_paths(folder: Path) -> list[Path]:
    """The image files in a folder and those below, sorted."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


def looks(faces: np.ndarray) -> np.ndarray:
    """Faces uint8 (N, 48, 48) from afar without their contrast, then contrast and sharpness: float64 (N, 146)."""
    pixels = faces.astype(np.float64)
    block = FACE_SIZE // SIDE
    small = pixels.reshape(-1, SIDE, block, SIDE, block).mean(axis=(2, 4)).reshape(len(faces), -1)
    small -= small.mean(axis=1, keepdims=True)
    contrast = small.std(axis=1, keepdims=True) + 1
    edges = np.abs(np.diff(pixels, axis=1)).mean(axis=(1, 2))[:, None] + 1
    return np.hstack([small / contrast, np.log(contrast), np.log(edges / contrast)])


def density_ratio(sample: np.ndarray, wanted: np.ndarray, ridge: float = 0.02) -> np.ndarray:
    """How many times denser ``wanted`` lies than ``sample`` where each of ``sample`` is: float64 (N,).

    Args:
        sample: (N, D) numbers.
        wanted: (M, D).
        ridge: factor on half the squared coefficients; the higher, the closer to 1 all ratios stay.
    """
    from scipy.optimize import minimize

    mean = sample.mean(axis=0)
    _, spread, axes = np.linalg.svd(sample - mean, full_matrices=False)
    scale = axes[:COMPONENTS].T / (spread[:COMPONENTS] / np.sqrt(len(sample)))

    def design(values: np.ndarray) -> np.ndarray:
        return np.hstack([(values - mean) @ scale, np.ones((len(values), 1))])

    ours, theirs = design(sample), design(wanted)

    def loss(factors: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = ours @ factors, theirs @ factors
        value = np.logaddexp(0, a).mean() + np.logaddexp(0, -b).mean() + ridge / 2 * factors[:-1] @ factors[:-1]
        slope = ours.T @ (1 / (1 + np.exp(-a))) / len(a) - theirs.T @ (1 / (1 + np.exp(b))) / len(b)
        return value, slope + ridge * np.append(factors[:-1], 0)

    return np.exp(ours @ minimize(loss, np.zeros(ours.shape[1]), jac=True, method="L-BFGS-B").x)


@click.command()
@click.argument("training", type=click.Path(path_type=Path, exists=True))
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--power", default=0.5, show_default=True, help="Of the ratio: 0 weighs all alike, 1 takes it as it is.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The table to write.")
def main(training: Path, folder: Path, power: float, output: Path) -> None:
    """Weigh the images of the folder TRAINING by how much they look like the portraits in FOLDER."""
    data = read_faces([(path, np.zeros(0, np.float32)) for path in image_paths(training)])
    wanted = portraits(folder)
    both_ways = np.concatenate([wanted, wanted[:, :, ::-1]])  # training mirrors its images, too
    weights = np.clip(density_ratio(looks(data.faces), looks(both_ways)) ** power, *BOUNDS)
    weights /= weights.mean()
    with atomic_path(output) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "weight"])
        for path, weight in zip(data.files, weights):
            table.writerow([path.relative_to(training).as_posix(), f"{weight:.4f}"])
    worth = weights.sum() ** 2 / (weights**2).sum()
    click.echo(f"{len(weights)} images by {len(wanted)} portraits, worth {worth:.0f} equal ones; {output}")


if __name__ == "__main__":
    main()
