"""How often each image is drawn in training, from a table."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.errors import DataError
from live_emotion.io.files.inputs import lines, open_file
from train.console import say
from train.data.dataset import FaceSet


def weigh(data: FaceSet, folder: Path, table: Path) -> FaceSet:
    """Gives faces the weights in a table; those that it does not name get none.

    Args:
        data: faces whose files lie in ``folder``.
        folder: the training folder.
        table: CSV with the columns ``file``, a path below ``folder`` with slashes, and ``weight``, 0 or more.

    Raises:
        DataError: the table is missing, is no such table, or weighs none of the faces.
    """
    known = _read(table)
    weights = np.array([known.get(file.relative_to(folder).as_posix(), 0.0) for file in data.files])
    if not weights.any():
        raise DataError(f"{table} gives no image in {folder} a weight; its files are named as below that folder.")
    # the sum's square over the sum of squares: as many equal weights would let a mean vary as much (Kish, 1965)
    say(f"Drawn by weights, which is worth {weights.sum() ** 2 / (weights**2).sum():.0f} of {len(data)} images.")
    return replace(data, weights=weights)


def _read(table: Path) -> dict[str, float]:
    try:
        with open_file(table, "r", newline="", encoding="utf-8") as file:
            weights = {row["file"]: float(row["weight"]) for row in csv.DictReader(lines(file))}
    except OSError as error:
        raise DataError(f"Cannot read the weights of the images in {table}: {error.strerror}.") from error
    except KeyError as error:
        raise DataError(f"{table} needs a column named file and one named weight.") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{table} is not a table of weights: {error}.") from error
    if bad := [name for name, weight in weights.items() if not 0 <= weight < np.inf]:
        raise DataError(f"{table} gives {bad[0]} the weight {weights[bad[0]]}; weights are 0 or more.")
    return weights
