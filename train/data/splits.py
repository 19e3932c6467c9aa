"""Training and validation faces of a run, kept honest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.errors import DataError
from live_emotion.io.few_lines import FewLines
from live_emotion.types import EMOTIONS
from train.config import TrainConfig
from train.console import say
from train.data.dataset import FaceSet, Listed, find_classes, list_labelled, read_faces
from train.data.held_out import noted_in, split_off
from train.data.near_duplicates import find_near_duplicates
from train.data.sample_weights import weigh
from train.data.votes import list_majority, list_shares


def load_splits(config: TrainConfig) -> tuple[FaceSet, FaceSet, TrainConfig]:
    """Reads training and validation faces, and says what there is.

    Returns:
        both, and ``config`` with its classes filled in and ``hold_out`` as it came to be.

    Raises:
        DataError: no folder, no images, an empty class, or a class missing in validation.
    """
    train_folder, val_folder = config.data / "train", config.data / "val"
    if missing := [folder for folder in (config.data, train_folder) if not folder.is_dir()]:
        raise DataError(f"There is no folder {missing[0]}; choose with --data the one that holds train.")
    config = replace(config, classes=choose_classes(train_folder, config.classes, config.others))
    classes, limit, votes = config.outputs, config.per_class, config.votes
    if votes:
        listed = list_shares(train_folder, classes, votes, config.vote_power)
    else:
        listed = list_labelled(train_folder, classes)
    train = read_split(limit_per_class(listed, limit, config.seed), train_folder)
    hold_out = config.hold_out or not val_folder.is_dir()
    if hold_out:
        before = noted_in(config.pretrained) if config.pretrained else {}
        train, val = split_off(train, config.val_fraction, config.seed, before, classes)
        origin = f"held out of {train_folder}"
    else:
        listed = list_split(val_folder, classes, votes)
        val = read_split(limit_per_class(listed, -(-limit // 4), config.seed), val_folder)
        origin = str(val_folder)
    train = report_duplicates(train, val, config.drop_duplicates)
    if hold_out and config.drop_duplicates and val_folder.is_dir():
        tested = read_split(list_split(val_folder, classes, votes), val_folder)
        train = report_duplicates(train, tested, drop=True)
    if config.sample_weights:
        train = weigh(train, train_folder, config.sample_weights, config.classes)
    report_counts(train, classes, "training")
    report_counts(val, classes, f"validation ({origin})")
    return train, val, replace(config, hold_out=hold_out)


def choose_classes(folder: Path, wanted: Sequence[str] = (), others: Sequence[str] = ()) -> tuple[str, ...]:
    """The classes to learn from ``folder/<class>/``.

    Args:
        folder: a split's folder.
        wanted: names; none takes the four emotions where all of them are among the folders, else every folder;
            ``("all",)`` takes every folder.
        others: names that are no classes, though there may be folders of them.

    Raises:
        DataError: fewer than two classes, or one is among the others.
    """
    if wanted and tuple(wanted) != ("all",):
        classes = tuple(wanted)
    else:
        found = tuple(name for name in find_classes(folder) if name not in others)
        classes = EMOTIONS if not wanted and set(EMOTIONS) <= set(found) else found
        if left_out := [name for name in found if name not in classes]:
            say(f"Left out the folders {', '.join(left_out)}; --classes all takes every one.")
    if both := [name for name in others if name in classes]:
        raise DataError(f"{both[0]} is one of the classes; leave it out of --others.")
    if len(classes) < 2:
        raise DataError(
            f"{folder} should hold one folder of images for each class, two at least, and has {len(classes)}; "
            "choose another folder with --data."
        )
    return classes


def list_split(
    folder: Path, classes: Sequence[str], votes: Path | None, agreement: int = 1, ties: bool = True
) -> Listed:
    """The images of a split to evaluate on, by the majority of the votes or by the folders' names."""
    return list_majority(folder, classes, votes, agreement, ties) if votes else list_labelled(folder, classes)


def read_split(listed: Listed, folder: Path) -> FaceSet:
    """Reads faces and names the files that can't be read.

    Raises:
        DataError: there are none.
    """
    split = read_faces(listed, f"Reading {folder.name}")
    skipped = FewLines(say)
    for path in split.broken:
        skipped.say(f"Skipped {path}: missing or no readable image.")
    if split.broken:
        say(f"{len(split.broken)} of {len(listed)} images in {folder} could not be read and are left out.")
    if not len(split) and len(listed):
        raise DataError(f"None of the {len(listed)} images in {folder} can be read; are they damaged?")
    if not len(split):
        raise DataError(f"Found no images in {folder}; it should hold one folder of images for each class.")
    return split


def report_counts(split: FaceSet, classes: Sequence[str], name: str) -> None:
    """Prints how many images each class has.

    Raises:
        DataError: one has none.
    """
    counts = np.bincount(split.labels, minlength=len(classes))
    if empty := [c for c, n in zip(classes, counts) if n == 0]:
        raise DataError(f"The class {empty[0]} has no {name} image; add some or leave it out of --classes.")
    listed = ", ".join(f"{c} {n}" for c, n in zip(classes, counts))
    say(f"{name.capitalize()}: {len(split)} images ({listed})")


def report_duplicates(train: FaceSet, val: FaceSet, drop: bool) -> FaceSet:
    """Says how many validation images have a copy in training, and leaves those out of training if asked to."""
    pairs = find_near_duplicates(train.faces, val.faces)
    if not pairs:
        return train
    originals, copies = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    exact = len({j for _, j, distance in pairs if distance == 0})
    say(
        f"{len(copies)} of {len(val)} validation images ({exact} exactly) have a copy in training, which flatters the "
        f"score; {'left their copies out of training' if drop else 'leave the copies out with --drop-duplicates'}."
    )
    return train.take(np.array([i for i in range(len(train)) if i not in originals], int)) if drop else train


def limit_per_class(listed: Listed, per_class: int, seed: int) -> Listed:
    """At most ``per_class`` files of each class, drawn at random with ``seed``; 0 takes all."""
    if not per_class:
        return listed
    labels = np.array([target.argmax() for _, target in listed])
    order = np.random.default_rng(seed).permutation(len(listed))
    kept = [i for label in np.unique(labels) for i in order[labels[order] == label][:per_class]]
    return [listed[i] for i in sorted(kept)]
