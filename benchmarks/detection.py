"""How many faces each detector finds, how well its boxes sit, and what it costs.

Pastes FER2013 faces at 96 to 400 pixels into pictures in landscape and portrait format, and makes close-ups of them and
of portraits, where the truth is known:

    python benchmarks/detection.py --data fer2013 --background photo.jpg --portraits jaffe

A found face is one whose box has its centre within the pasted picture. The crop is right where its side is the pasted
side and its centre the pasted centre; the quartiles say how far off it is. Milliseconds are given as a ratio to the
bare MediaPipe call of the same kind's main model in the same run. What is tuned is tuned with ``--split train``.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.faces.detection.blazeface import BlazeFace
from live_emotion.faces.detection.detector import PROPOSAL_SCORE, FaceDetector
from live_emotion.faces.preprocessing import crop_box
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.types import DETECTORS

LANDSCAPE, UPRIGHT = (1280, 720), (720, 1280)
SIDES = (96, 400)

CLOSE_SIDE = 350
"""Of close-ups in pixels."""

CLOSE_PARTS = (0.7, 0.62)
"""Parts of a portrait's side, of JAFFE's 256 pixels, in which there is little but the face."""

Place = tuple[int, int, int]
"""Where the face is: left, top and side in pixels."""


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), required=True, help="FER2013, with val/<emotion>/."
)
@click.option("--background", type=click.Path(path_type=Path, exists=True), help="A photo without faces.")
@click.option("--portraits", type=click.Path(path_type=Path, exists=True), help="Frontal portraits in <emotion>/.")
@click.option("--split", type=click.Choice(["train", "val"]), default="val", show_default=True, help="Of FER2013.")
@click.option("--detector", "kinds", type=click.Choice(DETECTORS), multiple=True, help="Measure this one alone.")
@click.option("--count", default=240, show_default=True, help="Faces to paste.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(
    data: Path,
    background: Path | None,
    portraits: Path | None,
    split: str,
    kinds: tuple[str, ...],
    count: int,
    seed: int,
    json_file: Path | None,
) -> None:
    """Measure the detectors on pasted faces and close-ups."""
    files = random.Random(seed).sample(_images(data / split), count)
    scenes = {
        "landscape": lambda: paste(files, background, seed, LANDSCAPE),
        "upright": lambda: paste(files, background, seed, UPRIGHT),
        "close-up, FER": lambda: (close_up(read_image(file)) for file in files),
    }
    if portraits:
        images = [read_image(file) for file in _images(portraits)]
        scenes["close-up, portraits"] = lambda: (close_up(image, part) for image in images for part in CLOSE_PARTS)
    figures = {kind: {name: measure(kind, scene()) for name, scene in scenes.items()} for kind in kinds or DETECTORS}
    click.echo("detector  pictures             found  false  crop side (quartiles)  centre x, y (median)  times a call")
    for kind, by_scene in figures.items():
        for name, f in by_scene.items():
            low, middle, high = f["side"]
            x, y = f["centre"]
            click.echo(
                f"{kind:8}  {name:19} {f['found']:6.1%} {f['false']:6}  {low:7.2f} {middle:6.2f} {high:6.2f}"
                f"  {x:14.3f} {y:6.3f} {f['cost']:15.1f}"
            )
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.suffix in IMAGE_SUFFIXES)


def paste(
    files: list[Path], background: Path | None, seed: int, size: tuple[int, int]
) -> Iterator[tuple[np.ndarray, Place]]:
    """Yields pictures of a size, width and height in pixels, and where the face is."""
    width, height = size
    rng = random.Random(seed)
    wall = np.full((height, width, 3), 128, np.uint8)
    if background:
        wall = cv2.resize(read_image(background), size, interpolation=cv2.INTER_AREA)
    for file in files:
        side = rng.randint(*SIDES)
        left, top = rng.randint(0, width - side), rng.randint(0, height - side)
        picture = wall.copy()
        face = cv2.resize(read_image(file), (side, side), interpolation=cv2.INTER_CUBIC)
        picture[top : top + side, left : left + side] = face
        yield picture, (left, top, side)


def close_up(image: np.ndarray, part: float = 1.0) -> tuple[np.ndarray, Place]:
    """The middle of a square picture, and a little below, as a picture that its face fills."""
    side = round(part * image.shape[0])
    left, top = (image.shape[1] - side) // 2, round(0.55 * (image.shape[0] - side))
    cut = image[top : top + side, left : left + side]
    return cv2.resize(cut, (CLOSE_SIDE, CLOSE_SIDE), interpolation=cv2.INTER_CUBIC), (0, 0, CLOSE_SIDE)


def measure(kind: str, scenes: Iterable[tuple[np.ndarray, Place]]) -> dict:
    """Figures of one detector."""
    crops, count, false, seconds, bare = [], 0, 0, 0.0, 0.0
    with FaceDetector(kind) as detector:
        main_model = BlazeFace("short" if kind == "short" else "full", PROPOSAL_SCORE)
        for picture, (left, top, side) in scenes:
            count += 1
            begin = time.perf_counter()
            main_model.find(picture)
            middle = time.perf_counter()
            faces = detector.detect(picture)
            bare, seconds = bare + middle - begin, seconds + time.perf_counter() - middle
            hits = []
            for face in faces:
                x1, y1, x2, y2 = crop_box(face.box)
                x, y = ((x1 + x2) / 2 - left) / side, ((y1 + y2) / 2 - top) / side
                if 0 < x < 1 and 0 < y < 1:
                    hits.append(((x2 - x1) / side, x, y))
            crops += hits[:1]
            false += len(faces) - len(hits[:1])
    table = np.array(crops)
    return {
        "found": len(crops) / count,
        "false": false,
        "side": np.percentile(table[:, 0], [25, 50, 75]).tolist(),
        "centre": np.median(table[:, 1:], axis=0).tolist(),
        "cost": seconds / bare,
    }


if __name__ == "__main__":
    main()
