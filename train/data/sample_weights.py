"""How often each image is drawn in training, from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.errors import DataError
from train.console import say
from train.data.dataset import FaceSet
from train.data.tables import open_table
from train.settings import shorten


def weigh(data: FaceSet, folder: Path, table: Path, classes: Sequence[str]) -> FaceSet:
    """Gives faces the weights in a table, in proportion to the largest; those that it does not name get none.

    Args:
        data: the training faces, whose files lie in ``folder``.
        folder: the training folder.
        table: CSV with the columns ``file``, a path below ``folder`` with slashes, and ``weight``, 0 or more.
        classes: names of the first classes of the targets, each of which must be drawn.

    Raises:
        DataError: the table is missing, is no such table, or weighs none of the faces, or none of a class.
    """
    known = _read(table)
    weights = np.array([known.get(file.relative_to(folder).as_posix(), 0.0) for file in data.files])
    if not weights.any():
        raise DataError(
            f"{table} gives no training image in {folder} a weight; its files are named as below that folder."
        )
    weights /= weights.max()  # whose squares are numbers, however large or small the weights are
    if never := [name for name, drawn in zip(classes, weights @ data.targets) if not drawn]:
        raise DataError(f"{table} gives no training image of the class {never[0]} a weight.")
    # the sum's square over the sum of squares: as many equal weights would let a mean vary as much (Kish, 1965)
    say(f"Drawn by weights, which is worth {weights.sum() ** 2 / (weights**2).sum():.0f} of {len(data)} images.")
    return replace(data, weights=weights)


def _read(path: Path) -> dict[str, float]:
    with open_table(path, "weights") as table:
        if not {"file", "weight"} <= set(table.columns):
            raise DataError(f"{path} needs a column named file and one named weight.")
        return {row["file"]: _read_weight(row["weight"]) for row in table}


def _read_weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = np.nan
    if not 0 <= weight < np.inf:
        raise ValueError(f"weights are numbers, 0 or more, not {shorten(text)}")
    return weight
