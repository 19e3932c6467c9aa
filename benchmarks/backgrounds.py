"""Cuts out what is no face, for ``--others no_face``: what the detector took for one, and any square beside faces.

    python benchmarks/backgrounds.py --clip no_face.mp4 --photo street.jpg -o fer2013/train/no_face \\
      --votes fer2013/ferplus_votes.csv

From videos, photos and minutes of generated clutter, which ``benchmarks/ghosts.py`` draws with another seed to measure
by. Of pictures that show faces, too, only what lies apart from them is taken.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from ghosts import clutter

from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import crop_face
from live_emotion.io.images import read_image
from live_emotion.io.video.reader import VideoFile
from live_emotion.types import Box, Face

SQUARES = 2
"""Squares a frame that the detector did not propose."""

NEAR = 1.6
"""How many boxes around a face are part of it: hair, ears and neck."""

PROPOSED = 0.1
"""Lowest score of what counts as taken for a face, in pictures without any."""


@click.command()
@click.option("--clip", "clips", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option("--photo", "photos", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option("--minutes", default=10.0, show_default=True, help="Of clutter, of which two frames a second are taken.")
@click.option("--most", default=4000, show_default=True, help="At most so many crops.")
@click.option("--seed", default=1000, show_default=True)
@click.option("--votes", type=click.Path(path_type=Path, exists=True), help="Table to which the crops are added.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder <split>/no_face.")
def main(
    clips: tuple[Path, ...],
    photos: tuple[Path, ...],
    minutes: float,
    most: int,
    seed: int,
    votes: Path | None,
    output: Path,
) -> None:
    """Write crops that show no face."""
    rng = random.Random(seed)
    crops = []
    with FaceDetector("full", PROPOSED) as detector:
        images = [read_image(photo) for photo in photos]
        for image, has_faces in pictures(clips, images, minutes, seed):
            crops += [crop_face(image, box) for box in boxes(detector, image, has_faces, rng)]
    kept = [crop for crop in rng.sample(crops, len(crops)) if crop.std() > 4][:most]
    output.mkdir(parents=True, exist_ok=True)
    names = [f"background_{i:05}.png" for i in range(len(kept))]
    for name, crop in zip(names, kept):
        cv2.imwrite(str(output / name), crop)
    if votes:
        add_votes(votes, output, names)
    click.echo(f"{len(kept)} of {len(crops)} crops in {output}")


def pictures(
    clips: tuple[Path, ...], images: list[np.ndarray], minutes: float, seed: int
) -> Iterator[tuple[np.ndarray, bool]]:
    """Images, (H, W, 3) uint8 BGR, each with whether it may show faces."""
    for clip in clips:
        with VideoFile(clip) as video:
            yield from ((frame.image, True) for frame in video if frame.index % 10 == 0)
    for image in images:
        for _ in range(20):
            yield image, True
    fps = 2.0
    for frame in clutter([], round(60 * minutes * fps), fps, seed):
        yield frame.image, False


def boxes(detector: FaceDetector, image: np.ndarray, has_faces: bool, rng: random.Random) -> Iterator[Box]:
    """What may be taken for a face in an image and is none."""
    found = detector.detect(image)
    proposed = detector.propose(image)
    faces = [*found, *(face for face in proposed if face.score >= 0.3)] if has_faces else []
    height, width = image.shape[:2]
    wanted = [face.box for face in (*found, *proposed)]
    for _ in range(SQUARES):
        side = rng.uniform(0.05, 0.6) * min(height, width)
        x, y = rng.uniform(0, width - side), rng.uniform(0, height - side)
        wanted.append((x, y, x + side, y + side))
    for box in wanted:
        if box[2] - box[0] >= 20 and not any(touches(box, face) for face in faces):
            yield box


def touches(box: Box, face: Face) -> bool:
    """Whether a box reaches into the surroundings of a face."""
    x1, y1, x2, y2 = face.box
    grow = (NEAR - 1) / 2 * max(x2 - x1, y2 - y1)
    return box[0] < x2 + grow and box[2] > x1 - grow and box[1] < y2 + grow and box[3] > y1 - grow


def add_votes(votes: Path, folder: Path, names: list[str]) -> None:
    """Adds the crops to a table of votes, as ten people would see them who agree."""
    with votes.open(newline="", encoding="utf-8-sig") as file:
        columns = csv.DictReader(file).fieldnames or []
    row = dict.fromkeys(columns, "0") | {"split": folder.parent.name, "fer_label": "", "NF": "10"}
    with votes.open("a", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns)
        table.writerows(row | {"file": f"{folder.name}/{name}"} for name in names)


if __name__ == "__main__":
    main()
