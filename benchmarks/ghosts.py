"""What is taken for a face where there is none: in videos without faces, and in minutes of generated clutter.

    python benchmarks/ghosts.py --clip no_face.mp4 --photo no_face.jpg --photo grass.png --minutes 10

Clutter is what gets boxes in rooms and streets: shapes, lettering, textures and photos without faces, several at a
time, which move, turn and change their size. A box counts with the time from its first frame to its last.
"""

from __future__ import annotations

import json
import math
import random
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import read_image
from live_emotion.io.video.reader import VideoFile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.types import DETECTORS, Frame

WIDTH, HEIGHT = 1280, 720
SCENE_S = 4.0
"""How long the same things are in view, in seconds."""

LONG_S = 0.5
"""A box that lasts so long is seen, in seconds."""

FONTS = range(8)  # OpenCV's Hershey fonts


@click.command()
@click.option("--clip", "clips", multiple=True, type=click.Path(path_type=Path, exists=True), help="Without faces.")
@click.option("--photo", "photos", multiple=True, type=click.Path(path_type=Path, exists=True), help="Without faces.")
@click.option("--minutes", default=10.0, show_default=True, help="Of clutter.")
@click.option("--fps", default=15.0, show_default=True, help="Of clutter.")
@click.option("--seed", default=0, show_default=True)
@click.option("--weights", multiple=True, help="Instead of the default.")
@click.option("--detector", "kind", type=click.Choice(DETECTORS), default="full", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(
    clips: tuple[Path, ...],
    photos: tuple[Path, ...],
    minutes: float,
    fps: float,
    seed: int,
    weights: tuple[str, ...],
    kind: str,
    json_file: Path | None,
) -> None:
    """Count boxes where there is no face, by how long they last."""
    figures = {}
    click.echo("frames without faces     frames  with boxes  boxes  of 0.5 s and longer  longest")
    with EmotionAnalyzer(AnalysisConfig(weights, detector=kind, track=True)) as analyzer:
        for clip in clips:
            with VideoFile(clip) as video:
                figures[clip.name] = measure(analyzer, video)
        images = [read_image(photo) for photo in photos]
        figures["clutter"] = measure(analyzer, clutter(images, round(60 * minutes * fps), fps, seed))
    for name, f in figures.items():
        click.echo(
            f"{name:24} {f['frames']:6} {f['with_boxes']:11} {f['boxes']:6} {f['long']:20} {f['longest_s']:6.2f} s"
        )
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def measure(analyzer: EmotionAnalyzer, frames: Iterable[Frame]) -> dict:
    """Counts the boxes in frames that follow each other, and how long each track of them lasts."""
    analyzer.restart()
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    counts: Counter[str] = Counter()
    for frame in frames:
        faces = analyzer.analyze(frame).faces
        for face in faces:
            first.setdefault(face.track_id, frame.time_s)
            last[face.track_id] = frame.time_s
        counts.update(frames=1, with_boxes=bool(faces))
    lasting = [last[track_id] - first[track_id] for track_id in first]
    return {
        "frames": counts["frames"],
        "with_boxes": counts["with_boxes"],
        "boxes": len(lasting),
        "long": sum(seconds >= LONG_S for seconds in lasting),
        "longest_s": max(lasting, default=0.0),
    }


def clutter(photos: list[np.ndarray], count: int, fps: float, seed: int) -> Iterator[Frame]:
    """So many frames of clutter, (720, 1280, 3) uint8 BGR."""
    rng = random.Random(seed)
    scene = round(SCENE_S * fps)
    noise = np.random.default_rng(seed).normal(0, 3, (8, HEIGHT, WIDTH, 3)).astype(np.int16)  # a camera's
    for index in range(count):
        if index % scene == 0:
            background = rng.choice([*photos, texture(rng)])
            pieces = [(thing(rng), drift(rng)) for _ in range(rng.randint(2, 6))]
            back = cv2.resize(background, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        canvas = back.copy()
        for piece, moves in pieces:
            place(canvas, piece, moves, (index % scene) / fps)
        yield Frame(index, index / fps, cv2.add(canvas, noise[index % len(noise)], dtype=cv2.CV_8U))


def drift(rng: random.Random) -> dict[str, float]:
    """How a thing moves: place in the picture, size, and how they change in a second."""
    still = rng.random() < 0.3
    return {
        "x": rng.uniform(0, WIDTH),
        "y": rng.uniform(0, HEIGHT),
        "scale": math.exp(rng.uniform(-1.0, 1.0)),
        "dx": 0 if still else rng.uniform(-120, 120),
        "dy": 0 if still else rng.uniform(-60, 60),
        "grow": 0 if still else rng.uniform(-0.15, 0.15),
        "angle": rng.uniform(-20, 20),
        "turn": 0 if still else rng.uniform(-10, 10),
    }


def place(canvas: np.ndarray, piece: np.ndarray, moves: dict[str, float], time_s: float) -> None:
    """Puts a thing, (h, w, 4) uint8 BGRA, where it is at this time."""
    scale = moves["scale"] * (1 + moves["grow"]) ** time_s
    middle = piece.shape[1] / 2, piece.shape[0] / 2
    matrix = cv2.getRotationMatrix2D(middle, moves["angle"] + moves["turn"] * time_s, scale)
    matrix[:, 2] += (
        moves["x"] + moves["dx"] * time_s - middle[0],
        moves["y"] + moves["dy"] * time_s - middle[1],
    )
    warped = cv2.warpAffine(piece, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    mask = warped[:, :, 3] > 127
    canvas[mask] = warped[mask][:, :3]


def thing(rng: random.Random) -> np.ndarray:
    """Lettering, a sign of shapes, or a patch of texture: (300, 300, 4) uint8 BGRA."""
    piece = np.zeros((300, 300, 4), np.uint8)
    kind = rng.choice(["text", "shapes", "shapes", "texture", "texture", "arms"])
    if kind == "text":
        for row in range(rng.randint(1, 4)):
            word = "".join(rng.choices(string.ascii_letters + string.digits, k=rng.randint(2, 9)))
            where = (10, 60 + 65 * row)
            cv2.putText(piece, word, where, rng.choice(FONTS), rng.uniform(1, 2.5), colour(rng), rng.randint(2, 8))
    elif kind == "texture":
        piece[:, :, :3] = cv2.resize(texture(rng), (300, 300))
        mask = np.zeros((300, 300), np.uint8)
        cv2.ellipse(mask, (150, 150), (rng.randint(70, 149), rng.randint(70, 149)), 0, 0, 360, 255, cv2.FILLED)
        piece[:, :, 3] = mask
    else:
        _shapes(piece, rng, is_symmetric=kind == "arms")
    return piece


def _shapes(piece: np.ndarray, rng: random.Random, is_symmetric: bool) -> None:
    """Ellipses, boxes and lines; as on a coat of arms where both halves are alike."""
    if is_symmetric:
        cv2.ellipse(piece, (150, 150), (110, 140), 0, 0, 360, colour(rng), cv2.FILLED)
    for _ in range(rng.randint(2, 9)):
        a, b = [(rng.randint(20, 280), rng.randint(20, 280)) for _ in range(2)]
        draw = rng.choice(["ellipse", "box", "line"])
        if draw == "ellipse":
            cv2.ellipse(piece, a, (rng.randint(8, 70), rng.randint(8, 70)), 0, 0, 360, colour(rng), cv2.FILLED)
        elif draw == "box":
            cv2.rectangle(piece, a, b, colour(rng), rng.choice([cv2.FILLED, 6]))
        else:
            cv2.line(piece, a, b, colour(rng), rng.randint(4, 20))
    if is_symmetric:
        piece[:, 150:] = piece[:, 149::-1]


def texture(rng: random.Random) -> np.ndarray:
    """Noise of several grains on a colour, as cloth, bark or stone have: (360, 640, 3) uint8 BGR."""
    numbers = np.random.default_rng(rng.randint(0, 2**31))
    grains = np.zeros((360, 640), np.float32)
    for size in (4, 12, 40, 120):
        noise = numbers.normal(0, 1, (max(2, 360 // size), max(2, 640 // size))).astype(np.float32)
        grains += numbers.uniform(0, 30) * cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC)
    stripes = rng.choice([0, 0, 25]) * np.sin(np.arange(640) * rng.uniform(0.05, 0.5))
    base = np.array(colour(rng)[:3], np.float32)
    return np.clip(base + grains[:, :, None] + stripes[None, :, None], 0, 255).astype(np.uint8)


def colour(rng: random.Random) -> tuple[int, int, int, int]:
    """Any colour, opaque."""
    return rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255), 255


if __name__ == "__main__":
    main()
