"""Which faces weights are measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.emotions.classifier import load_network
from live_emotion.errors import DataError
from train.data.dataset import FaceSet, list_labelled
from train.data.held_out import HeldOut, find_held_out
from train.data.near_duplicates import find_near_duplicates
from train.data.splits import limit_per_class, list_split, read_split
from train.data.votes import list_majority
from train.evaluation.evaluation import Evaluation


def evaluation_faces(
    folder: Path,
    split: str,
    class_names: Sequence[str],
    votes: Path | None,
    agreement: int = 1,
    per_class: int = 0,
    ties: bool = True,
) -> FaceSet:
    """The faces to evaluate on.

    Args:
        folder: with the split's folder in it, or itself with one folder of images a class.
        split: ``val``, ``test``, ``train`` or another folder's name.
        class_names: the weights' classes, and what else they know if that is to be measured, too; images of others
            are left out.
        votes: of people, in place of the folders' names.
        agreement: fewest votes for the winner.
        per_class: at most so many of each class; 0 takes all.
        ties: whether images of which two answers are the most frequent count.

    Raises:
        DataError: there are no such images.
    """
    place = folder / split
    if not place.is_dir():
        if not any((folder / name).is_dir() for name in class_names):
            raise DataError(
                f"There is no folder {place} to evaluate on; choose with --data and --split, or take what the "
                "run held out of its folder train with --held-out."
            )
        place = folder
    listed = list_split(place, class_names, votes, agreement, ties)
    return read_split(limit_per_class(listed, per_class, seed=0), place)


def held_out_faces(
    weights: Sequence[Path], folder: Path, votes: Path | None = None, agreement: int = 1, ties: bool = True
) -> FaceSet:
    """The training images that the run behind weights held out for validation, found by their pixels.

    Args:
        weights: of one run, or of several that held the same images out.
        folder: that it was trained on, with the folder train in it.
        votes: of people, in place of the labels that the images had in the run; images whose most frequent answer is
            none of the classes are left out.
        agreement: fewest votes for the winner.
        ties: whether images of which two answers are the most frequent count.

    Raises:
        DataError: the weights don't tell which images those are, differ in them, or not all of them are there.
        WeightsError: a file is missing or damaged.
    """
    noted, classes = _held_out_by(weights[0])
    for other in weights[1:]:
        if _held_out_by(other)[0] != noted:
            raise DataError(f"{weights[0]} and {other} held different images out; evaluate them one by one.")
    place = folder / "train"
    held = find_held_out(noted, place, classes)
    count = sum(map(len, noted.values()))
    if len(held) < count:
        raise DataError(
            f"{place} has {len(held)} of the {count} images that the run behind {weights[0]} held out; give the folder "
            "that it was trained on with --data, as it was then."
        )
    if votes:
        answers = dict(list_majority(place, classes, votes, agreement, ties))
        rated = [i for i, file in enumerate(held.files) if file in answers]
        if not rated:
            raise DataError(f"{votes} has no votes that decide what one of the {count} images held out shows.")
        held = replace(held.take(np.array(rated)), targets=np.stack([answers[held.files[i]] for i in rated]))
    return held


def _held_out_by(weights: Path) -> tuple[HeldOut, tuple[str, ...]]:
    """What weights tell of the images that their run held out, and the names of the weights' outputs."""
    network = load_network(weights, "cpu")
    noted, classes = network.metadata.get("held_out"), network.class_names + network.other_names
    if not (isinstance(noted, dict) and noted and all(map(_is_list_of_text, noted.values()))):
        raise DataError(
            f"{weights} does not tell which images its run held out: the run had a folder val, or an older version "
            "trained it. Use --split val or other images that it was not trained on, or train anew with --hold-out."
        )
    if not set(noted) <= set(classes):
        raise DataError(f"{weights} is damaged: it tells of images held out for classes that it does not have.")
    return noted, classes


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def without_duplicates(result: Evaluation, train_folder: Path) -> Evaluation:
    """The part of an evaluation whose images have no copy among the images of ``train_folder``, of any class.

    Raises:
        DataError: there are no training images, or nothing is left.
    """
    folders = sorted(p.name for p in train_folder.iterdir() if p.is_dir()) if train_folder.is_dir() else []
    train = read_split(list_labelled(train_folder, folders), train_folder)
    copies = {j for _, j, _ in find_near_duplicates(train.faces, result.data.faces)}
    if len(copies) == len(result.data):
        raise DataError(f"All {len(copies)} images have a copy in {train_folder}; leave --without-duplicates out.")
    return result.take(np.array([i for i in range(len(result.data)) if i not in copies], int))
