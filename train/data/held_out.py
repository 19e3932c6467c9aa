"""The images that a run holds out of its training folder: chosen by chance, noted in its weights, found again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from live_emotion.io.images import IMAGE_SUFFIXES
from live_emotion.models.checkpoint import load_state
from train.data.dataset import FaceSet, find_classes, image_files, read_faces

HeldOut = dict[str, list[str]]
"""For each class the hashes of the images that were held out as such. They tell nothing to who lacks the images."""


def split_off(
    data: FaceSet, fraction: float, seed: int, before: Mapping[str, Sequence[str]] = {}, classes: Sequence[str] = ()
) -> tuple[FaceSet, FaceSet]:
    """Splits at random into training and validation, alike in classes; equal images stay on one side.

    Args:
        data: all faces.
        fraction: part of each class that goes to validation, 0 to 1.
        seed: of the choice.
        before: by :func:`note_held_out`, what the run held out whose weights this one begins with. It goes to
            validation again, and no other image of its classes, since those weights know them.
        classes: names of the data's classes, in their order; needed with ``before``.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, face in enumerate(data.faces):
        groups[hash_face(face)].append(i)
    by_label: dict[int, list[list[int]]] = defaultdict(list)
    for members in groups.values():
        by_label[int(data.labels[members[0]])].append(members)
    rng = np.random.default_rng(seed)
    known = {key for keys in before.values() for key in keys}
    held = [i for key, members in groups.items() if key in known for i in members]
    for label in sorted(by_label):
        if before and classes[label] in before:
            continue
        wanted = max(1, round(fraction * sum(map(len, by_label[label]))))
        chosen: list[int] = []
        for k in rng.permutation(len(by_label[label])):
            if len(chosen) >= wanted:
                break
            chosen += by_label[label][k]
        held += chosen
    is_held = np.zeros(len(data), bool)
    is_held[held] = True
    return data.take(np.flatnonzero(~is_held)), data.take(np.flatnonzero(is_held))


def hash_face(face: np.ndarray) -> str:
    """16 hexadecimal digits that stand for the pixels of a face, uint8 (48, 48)."""
    return hashlib.blake2b(face.tobytes(), digest_size=8).hexdigest()


def note_held_out(held: FaceSet, classes: Sequence[str]) -> HeldOut:
    """What a checkpoint keeps of the images that its run held out.

    Args:
        held: the images with C-valued targets.
        classes: C names.
    """
    noted: HeldOut = {name: [] for name in classes}
    for face, label in zip(held.faces, held.labels):
        noted[classes[label]].append(hash_face(face))
    return noted


def noted_in(weights: Path) -> HeldOut:
    """What a weights file tells of the images that its run held out; nothing where it is not live-emotion's.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    metadata = load_state(weights).get("metadata")
    noted = metadata.get("held_out") if isinstance(metadata, dict) else None
    if not isinstance(noted, dict):
        return {}
    return {
        name: [key for key in keys if isinstance(key, str)] for name, keys in noted.items() if isinstance(keys, list)
    }


def find_held_out(noted: Mapping[str, Sequence[str]], folder: Path, classes: Sequence[str]) -> FaceSet:
    """Those images of a training folder that a run held out, with the labels that they had in it.

    Which settings chose them, and which votes labelled them, makes no difference: they are known by their pixels.

    Args:
        noted: by :func:`note_held_out`.
        folder: the training folder, with images in it and in folders of any depth.
        classes: C names, those of ``noted`` among them.
    """
    inside = (path for name in find_classes(folder) for path in (folder / name).rglob("*"))
    files = sorted({*image_files(folder), *(path for path in inside if path.suffix.lower() in IMAGE_SUFFIXES)})
    there = read_faces([(path, np.zeros(len(classes), np.float32)) for path in files])
    places: dict[str, list[int]] = defaultdict(list)
    for i, face in enumerate(there.faces):
        places[hash_face(face)].append(i)
    # the same image may have been held out more than once, even under two names
    chosen = [(places[key].pop(0), name) for name, keys in noted.items() for key in keys if places[key]]
    for i, name in chosen:
        there.targets[i, classes.index(name)] = 1
    return there.take(np.array(sorted(i for i, _ in chosen), int))
