"""How many faces each detector finds, how well its boxes sit, and what it costs.

Pastes FER2013 faces at 96 to 400 pixels into 1280x720 pictures, where the truth is known:

    python benchmarks/detection.py --data fer2013 --background photo.jpg

A found face is one whose box has its centre within the pasted picture. The crop is right where its side is the pasted
side and its centre the pasted centre; the quartiles say how far off it is. Milliseconds are given as a ratio to the
bare MediaPipe call of the same kind's main model in the same run.
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.faces.blazeface import BlazeFace
from live_emotion.faces.detector import DETECTORS, PROPOSAL_SCORE, FaceDetector
from live_emotion.faces.preprocessing import crop_box
from live_emotion.io.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image

WIDTH, HEIGHT = 1280, 720
SIDES = (96, 400)


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), required=True, help="FER2013, with val/<emotion>/."
)
@click.option("--background", type=click.Path(path_type=Path, exists=True), help="A photo without faces.")
@click.option("--count", default=240, show_default=True, help="Faces to paste.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(data: Path, background: Path | None, count: int, seed: int, json_file: Path | None) -> None:
    """Measure the three detectors on pasted faces."""
    files = sorted(p for p in data.glob("val/*/*") if p.suffix in IMAGE_SUFFIXES)
    scenes = list(paste(random.Random(seed).sample(files, count), background, seed))
    figures = {kind: measure(kind, scenes) for kind in DETECTORS}
    click.echo("detector  found  false  crop side (quartiles)  crop centre x, y (median)  ms, times the bare call")
    for kind, f in figures.items():
        click.echo(
            f"{kind:8}  {f['found']:5.1%}  {f['false']:5}  {f['side'][0]:6.2f} {f['side'][1]:6.2f} {f['side'][2]:6.2f}"
            f"  {f['centre'][0]:13.3f} {f['centre'][1]:6.3f}  {f['cost']:16.1f}"
        )
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def paste(files: list[Path], background: Path | None, seed: int):
    """Yields pictures, and where the face is: left, top and side in pixels."""
    rng = random.Random(seed)
    wall = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    if background:
        wall = cv2.resize(read_image(background), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    for file in files:
        side = rng.randint(*SIDES)
        left, top = rng.randint(0, WIDTH - side), rng.randint(0, HEIGHT - side)
        picture = wall.copy()
        face = cv2.resize(read_image(file), (side, side), interpolation=cv2.INTER_CUBIC)
        picture[top : top + side, left : left + side] = face
        yield picture, (left, top, side)


def measure(kind: str, scenes: list) -> dict:
    """Figures of one detector."""
    crops, false, seconds, bare = [], 0, 0.0, 0.0
    with FaceDetector(kind) as detector:
        main_model = BlazeFace("short" if kind == "short" else "full", PROPOSAL_SCORE)
        for picture, (left, top, side) in scenes:
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
        "found": len(crops) / len(scenes),
        "false": false,
        "side": np.percentile(table[:, 0], [25, 50, 75]).tolist(),
        "centre": np.median(table[:, 1:], axis=0).tolist(),
        "cost": seconds / bare,
    }


if __name__ == "__main__":
    main()
