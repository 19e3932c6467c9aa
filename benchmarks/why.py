"""Whether what is said of why a face is read so is what the network goes by.

    python benchmarks/why.py fer2013/train --count 400
    python benchmarks/why.py jaffe --fill neighbours

Reads faces from folders of images (48x48 ones are taken as they are), takes equally many of each emotion that the
network names with 80 % or more, and hides their regions by each way of filling them in. It tells

- named: on which part of these faces hiding the region whose hiding costs most changes the probability more than hiding
  an area of the same shape at a random place. The largest of several changes is large by chance alone, so beside it:
- checked: the same, with the region named by this filling but both hidden by another one, mean grey (by blur for that);
- chance: the same for the best of as many random places, in place of the regions;
- fall: what hiding the named region and a random area costs, mean;
- deletion: mean probability while one region after the other is hidden, those first that cost most, and in random
  order; the lower beside the other, the better the order (Petsiuk et al., BMVC 2018);
- map: correlation of the class activation map's mean in each region with what hiding the region costs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import cv2
import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.why import heat_map
from live_emotion.errors import LiveEmotionError
from live_emotion.faces import regions
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.resources import DEFAULT

CONFIDENT = 0.8
"""Probability from which a face counts, 0 to 1."""

DRAWS = 4
"""Random places for each face."""

BATCH = 64

ENLARGED = 4 * FACE_SIZE
"""Side in pixels to which faces of 48x48 are enlarged to find their keypoints."""

Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A face, uint8 (48, 48), and what to hide of it, bool (48, 48) -> the face without it, uint8."""


def _replaced(by: Callable[[np.ndarray], np.ndarray]) -> Fill:
    def fill(face: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return np.where(mask, by(face.astype(np.float32)).clip(0, 255), face).astype(np.uint8)

    return fill


FILLS: dict[str, Fill] = {
    "neighbours": regions.hide,
    "mean grey": _replaced(lambda face: np.full_like(face, face.mean())),
    "blur": _replaced(lambda face: cv2.GaussianBlur(face, (0, 0), 5)),
    "noise": _replaced(lambda face: np.random.default_rng(0).normal(face.mean(), face.std(), face.shape)),
    "inpainting": lambda face, mask: cv2.inpaint(face, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA),
}
"""Ways to hide a part of a face; the first is the one that the program uses."""


def read_faces(folders: Sequence[Path], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``count`` faces of the images in folders and those below: uint8 (N, 48, 48), and their keypoints."""
    files = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    crops, keypoints = [], []
    with FaceDetector("full") as detector:
        for i in np.random.default_rng(seed).permutation(len(files))[:count]:
            image = read_image(files[i])
            if image.shape[:2] == (FACE_SIZE, FACE_SIZE):
                large = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
                faces = detector.detect(large)[:1]
                crops += [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)] * len(faces)
                keypoints += [face.keypoints * (FACE_SIZE / ENLARGED) for face in faces]
            else:
                faces, cut = find_faces(detector, image)
                crops += list(cut)
                keypoints += [regions.crop_keypoints(face.keypoints, face.box) for face in faces]
    return np.array(crops, np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE), np.array(keypoints, np.float32)


def elsewhere(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same shape at a random place of the face."""
    rows, columns = np.nonzero(mask)
    down = rng.integers(-rows.min(), FACE_SIZE - rows.max())
    right = rng.integers(-columns.min(), FACE_SIZE - columns.max())
    moved = np.zeros_like(mask)
    moved[rows + down, columns + right] = True
    return moved


class Probe:
    """Reads faces with parts hidden.

    Args:
        classifier: reads them.
        faces: uint8 (N, 48, 48).
        masks: their regions, bool (N, R, 48, 48).
    """

    def __init__(self, classifier: EmotionClassifier, faces: np.ndarray, masks: np.ndarray) -> None:
        self.faces, self.masks = faces, masks
        self._classifier = classifier
        read = self._read(faces)
        self.shown = read.argmax(axis=1)
        self.before = read.max(axis=1)

    def _read(self, faces: np.ndarray) -> np.ndarray:
        return np.concatenate([self._classifier.predict(faces[i : i + BATCH]) for i in range(0, len(faces), BATCH)])

    def falls(self, masks: np.ndarray, fill: Fill) -> np.ndarray:
        """What hiding costs, (N, M), for M masks of each face, (N, M, 48, 48)."""
        count = masks.shape[1]
        hidden = [fill(face, mask) for face, own in zip(self.faces, masks) for mask in own]
        read = self._read(np.stack(hidden)).reshape(len(self.faces), count, -1)
        return self.before[:, None] - read[np.arange(len(self.faces)), :, self.shown]


def measure(probe: Probe, fill: Fill, check: Fill, seed: int) -> dict[str, float]:
    """The figures of one way of hiding; ``check`` is another one."""
    rng = np.random.default_rng(seed)
    everyone = np.arange(len(probe.faces))
    falls = probe.falls(probe.masks, fill)
    named = falls.argmax(axis=1)
    own = probe.masks[everyone, named]
    count = probe.masks.shape[1]
    moved = np.array([[elsewhere(mask, rng) for _ in range(DRAWS)] for mask in own])
    random = probe.falls(moved, fill)
    more = np.array([[elsewhere(mask, rng) for _ in range(count)] for mask in own])
    best = probe.falls(more, fill).max(axis=1)
    checked, checked_random = probe.falls(own[:, None], check), probe.falls(moved, check)
    orders = {"deletion": np.argsort(-falls, axis=1), "deletion at random": rng.permuted(np.argsort(falls), axis=1)}
    return {
        "faces": len(everyone),
        "named": float((np.abs(falls.max(axis=1, keepdims=True)) > np.abs(random)).mean()),
        "checked": float((np.abs(checked) > np.abs(checked_random)).mean()),
        "chance": float((np.abs(best[:, None]) > np.abs(random)).mean()),
        "fall": float(falls.max(axis=1).mean()),
        "fall at random": float(random.mean()),
    } | {name: _deletion(probe, order, fill) for name, order in orders.items()}


def _deletion(probe: Probe, order: np.ndarray, fill: Fill) -> float:
    """Mean probability with none, one, two, ... of the regions hidden."""
    ordered = np.take_along_axis(probe.masks, order[:, :, None, None], axis=1)
    falls = probe.falls(np.logical_or.accumulate(ordered, axis=1), fill)
    return float((probe.before - np.pad(falls, ((0, 0), (1, 0))).mean(axis=1)).mean())


def map_agreement(probe: Probe, classifier: EmotionClassifier) -> float:
    """Mean correlation of the map in the regions with what hiding them costs."""
    falls, values = probe.falls(probe.masks, regions.hide), []
    for face, masks, shown in zip(probe.faces, probe.masks, probe.shown):
        heat = heat_map(classifier, face, classifier.class_names[shown])
        values.append([heat[mask].mean() for mask in masks])
    found = [np.corrcoef(pair)[0, 1] for pair in zip(values, falls) if min(np.std(pair, axis=1)) > 0]
    return float(np.mean(found))


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--weights", default=DEFAULT, show_default=True)
@click.option("--count", default=400, show_default=True, help="Confident faces at most, equally many of each emotion.")
@click.option("--fill", "fills", multiple=True, type=click.Choice(list(FILLS)), help="May be repeated; else all.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(
    folders: tuple[Path, ...], weights: str, count: int, fills: tuple[str, ...], seed: int, json_file: Path | None
) -> None:
    """Measure what explanations are worth, and by which way of hiding they are worth most."""
    classifier = EmotionClassifier(weights)
    faces, keypoints = read_faces(folders, 8 * count, seed)
    masks = np.stack([regions.region_masks(points) for points in keypoints])
    whole = Probe(classifier, faces, masks)
    is_usable = (whole.before >= CONFIDENT) & masks.any(axis=(2, 3)).all(axis=1)
    each = -(-count // len(classifier.class_names))
    chosen = [np.flatnonzero(is_usable & (whole.shown == label))[:each] for label in range(len(classifier.class_names))]
    index = np.concatenate(chosen)
    click.echo(", ".join(f"{len(part)} {name}" for part, name in zip(chosen, classifier.class_names)))
    probe = Probe(classifier, faces[index], masks[index])
    table: dict[str, dict[str, float]] = {}
    for name in fills or FILLS:
        check = FILLS["blur" if name == "mean grey" else "mean grey"]
        figures = table[name] = measure(probe, FILLS[name], check, seed)
        click.echo(f"{name:11}" + "  ".join(f"{title} {figure:.3g}" for title, figure in figures.items()))
    try:
        table["map"] = {"correlation": map_agreement(probe, classifier)}
        click.echo(f"{'map':11}correlation {table['map']['correlation']:.3g}")
    except LiveEmotionError as error:
        click.echo(f"{'map':11}{error}")
    falls = probe.falls(probe.masks, regions.hide).argmax(axis=1)
    for label, name in enumerate(classifier.class_names):
        counts = np.bincount(falls[probe.shown == label], minlength=len(regions.REGIONS))
        click.echo(f"{name}: " + ", ".join(f"{region.name} {n}" for region, n in zip(regions.REGIONS, counts)))
    if json_file:
        atomic_write_text(json_file, json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
