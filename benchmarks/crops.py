"""What finding and cropping faces, and bad pictures, cost in accuracy.

    python benchmarks/crops.py --data fer2013 --votes fer2013/ferplus_votes.csv --background photo.jpg

Pastes PublicTest's faces at 96 to 400 pixels into 1280x720 pictures, finds and crops them as live use does, and
compares the accuracy of those that were found with the same faces given as plain images: untouched, and tilted,
dark, blurred by motion and coarsely compressed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
from detection import SIDES

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import read_image
from live_emotion.types import DETECTORS, EMOTIONS
from train.data.splits import list_split, read_split

WIDTH, HEIGHT = 1280, 720

Change = Callable[[np.ndarray, np.random.Generator, tuple[int, int, int]], np.ndarray]
"""A picture, chance, and left, top and side of the face in it -> the picture changed."""


def as_it_is(picture: np.ndarray, rng: np.random.Generator, place: tuple[int, int, int]) -> np.ndarray:
    """Nothing changed."""
    return picture


def tilted(picture: np.ndarray, rng: np.random.Generator, place: tuple[int, int, int]) -> np.ndarray:
    """Turned by up to 20 degrees about the middle of the face."""
    left, top, side = place
    matrix = cv2.getRotationMatrix2D((left + side / 2, top + side / 2), rng.uniform(-20, 20), 1)
    return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def dark(picture: np.ndarray, rng: np.random.Generator, place: tuple[int, int, int]) -> np.ndarray:
    """At half brightness."""
    return picture // 2


def moved(picture: np.ndarray, rng: np.random.Generator, place: tuple[int, int, int]) -> np.ndarray:
    """Blurred by a straight motion over a fifteenth of the face."""
    length = max(1, round(place[2] / 15))
    kernel = np.zeros((2 * length + 1,) * 2, np.float32)
    angle = rng.uniform(0, np.pi)
    for step in np.linspace(-length / 2, length / 2, 8 * length):
        kernel[round(length + step * np.sin(angle)), round(length + step * np.cos(angle))] += 1
    return cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def compressed(picture: np.ndarray, rng: np.random.Generator, place: tuple[int, int, int]) -> np.ndarray:
    """Through JPEG at quality 30."""
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)


CHANGES: dict[str, Change] = {
    "as it is": as_it_is,
    "tilted by up to 20 degrees": tilted,
    "half brightness": dark,
    "motion blur": moved,
    "JPEG quality 30": compressed,
}


def read_back(
    faces: np.ndarray, wall: np.ndarray, change: Change, detector: FaceDetector, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pastes faces, finds them again, and gives the indices of the found ones, and their crops."""
    rng = np.random.default_rng(seed)
    found, crops = [], []
    for i, face in enumerate(faces):
        side = int(rng.integers(SIDES[0], SIDES[1] + 1))
        left, top = int(rng.integers(0, WIDTH - side + 1)), int(rng.integers(0, HEIGHT - side + 1))
        picture = wall.copy()
        large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
        picture[top : top + side, left : left + side] = large[:, :, None]
        boxes, cut = find_faces(detector, change(picture, rng, (left, top, side)))
        for box, crop in zip((b.box for b in boxes), cut):
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            if left < x < left + side and top < y < top + side:
                found.append(i)
                crops.append(crop)
                break
    return np.array(found), np.stack(crops)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="FER2013, with val/.")
@click.option("--votes", type=click.Path(path_type=Path, exists=True), required=True, help="FER+ votes.")
@click.option("--background", type=click.Path(path_type=Path, exists=True), help="A photo without faces.")
@click.option("--weights", type=click.Path(path_type=Path), help="In place of those that come with live-emotion.")
@click.option("--detector", "kinds", multiple=True, default=("full",), type=click.Choice(DETECTORS), show_default=True)
@click.option("--count", default=600, show_default=True, help="Faces to paste.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(
    data: Path,
    votes: Path,
    background: Path | None,
    weights: Path | None,
    kinds: tuple[str, ...],
    count: int,
    seed: int,
    json_file: Path | None,
) -> None:
    """Measure what finding, cropping and bad pictures cost."""
    whole = read_split(list_split(data / "val", EMOTIONS, votes), data / "val")
    chosen = whole.take(np.sort(np.random.default_rng(seed).permutation(len(whole))[:count]))
    wall = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    if background:
        wall = cv2.resize(read_image(background), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    classifier = EmotionClassifier(weights)
    plain = classifier.predict(chosen.faces).argmax(axis=1) == chosen.labels
    click.echo(f"{len(chosen)} faces as plain images: {plain.mean():.1%} right")
    figures: dict = {"plain": float(plain.mean())}
    for kind in kinds:
        with FaceDetector(kind) as detector:
            for name, change in CHANGES.items():
                found, crops = read_back(chosen.faces, wall, change, detector, seed)
                right = classifier.predict(crops).argmax(axis=1) == chosen.labels[found]
                lost = float(plain[found].mean() - right.mean())
                figures[f"{kind}, {name}"] = {"found": len(found) / len(chosen), "right": right.mean(), "lost": lost}
                click.echo(
                    f"{kind:6} {name:27} {len(found) / len(chosen):6.1%} found, of these {right.mean():6.1%} right, "
                    f"{100 * lost:+.1f} points under the same as plain images"
                )
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
