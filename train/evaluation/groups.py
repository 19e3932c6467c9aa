"""Whether weights are as good for one group of people as for another: scores of each, how sure they are, and the gap.

A group's score varies by which of its images happen to be there; a bootstrap (Efron, 1979) says by how much. The
largest gap between groups is large by chance alone where they are small; shuffling who is in which says how large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import DataError
from train.console import say
from train.data.tables import open_table
from train.evaluation import plots
from train.evaluation.evaluation import Evaluation

RESAMPLES = 1000
"""Of the bootstrap, and shufflings of the groups."""

LEVEL = 0.95
"""Of the confidence intervals."""

FEWEST = 10
"""Images that a group must have to count for the largest gap."""

MOST_GROUPS = 50
"""In a column; more are no groups but something else, such as the people's names."""

PICTURE = "groups.png"

FILE = "file"
"""Name of the column that names the images."""

ACCURACY, MEAN_RECALL = "accuracy", "mean_recall"


@dataclass(frozen=True)
class Interval:
    """A score and the bounds that hold it with :data:`LEVEL`, 0 to 1 each."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Gap:
    """The largest difference of a score between two groups.

    Attributes:
        best: the better group.
        worst: the other.
        size: of the difference, 0 to 1.
        by_chance: part of shufflings of the groups that have one as large, 0 to 1.
    """

    best: str
    worst: str
    size: float
    by_chance: float


@dataclass(frozen=True)
class Grouping:
    """What a column of groups shows.

    Attributes:
        column: its name.
        images: how many each group has.
        scores: of each group: accuracy, mean recall of the classes that every group has images of, and ``recall_NAME``
            of each class that the group has images of.
        gaps: by score; empty where fewer than two groups have :data:`FEWEST` images.
    """

    column: str
    images: dict[str, int]
    scores: dict[str, dict[str, Interval]]
    gaps: dict[str, Gap]


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """The groups of images: by column, the group's name by the image's file.

    Args:
        path: CSV with a column ``file`` and one or more columns that each name a group.

    Raises:
        DataError: it is missing or no such table.
    """
    with open_table(path, "groups") as table:
        columns = [column for column in table.columns if column != FILE]
        if FILE not in table.columns or not columns:
            raise DataError(f"{path} needs a column named {FILE} and one that names each image's group.")
        found: dict[str, dict[str, str]] = {column: {} for column in columns}
        for row in table:
            for column in columns:
                name, group = row[FILE].replace("\\", "/").strip("/"), row[column].strip()
                if name and group and found[column].setdefault(name, group) != group:
                    raise DataError(f"{path} puts {name} into two groups, {found[column][name]} and {group}.")
    for column, groups in found.items():
        if len(names := set(groups.values())) > MOST_GROUPS:
            raise DataError(f"{path} has {len(names)} groups in its column {column}; at most {MOST_GROUPS} compare.")
    return found


def group_of(files: Sequence[Path], groups: Mapping[str, str]) -> list[str]:
    """Each image's group; empty for images that the table does not name.

    An image may be named by its file, or with as many of the folders around it as tell it from others.
    """
    found = []
    for file in files:
        parts = file.as_posix().strip("/").split("/")
        names = ("/".join(parts[i:]) for i in range(len(parts)))
        found.append(next((groups[name] for name in names if name in groups), ""))
    return found


def compare_groups(result: Evaluation, path: Path, seed: int = 0) -> list[Grouping]:
    """Scores of the groups that a table puts images into, for each of its columns.

    Args:
        result: of all images; those that show no class are left out.
        path: as :func:`read_groups` takes it.
        seed: of the resampling.

    Raises:
        DataError: the table is missing or none, or names none of the images.
    """
    shown = result.of_classes
    found = []
    for column, groups in read_groups(path).items():
        names = group_of(shown.data.files, groups)
        if not any(names):
            raise DataError(f"{path} names none of the {len(names)} images; its column {FILE} has other files.")
        index = np.array([i for i, name in enumerate(names) if name])
        found.append(_compare(column, shown.take(index), [names[i] for i in index], np.random.default_rng(seed)))
    return found


def _compare(column: str, result: Evaluation, groups: Sequence[str], rng: np.random.Generator) -> Grouping:
    names = sorted(set(groups))
    which = np.array([names.index(group) for group in groups])
    counts = {name: int((which == i).sum()) for i, name in enumerate(names)}
    labels = result.data.labels
    # of each image: the class that it shows, and the same where that was read
    truth = np.eye(len(result.class_names))[labels]
    both = np.hstack([truth, truth * (result.probabilities.argmax(axis=1) == labels)[:, None]])
    sums = np.stack([both[which == i].sum(axis=0) for i in range(len(names))])
    common = np.asarray((sums[:, : truth.shape[1]] > 0).all(axis=0))
    overall: dict[str, Callable[[np.ndarray], np.ndarray]] = {ACCURACY: _accuracy}
    if common.any():
        overall[MEAN_RECALL] = lambda sums: _mean_recall(sums, common)
    scores = {}
    for i, name in enumerate(names):
        own = both[which == i]
        drawn = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), RESAMPLES) @ own  # (RESAMPLES, 2 C)
        scores[name] = {title: _interval(score(sums[i : i + 1])[0], score(drawn)) for title, score in overall.items()}
        for label in np.flatnonzero(sums[i, : truth.shape[1]]):
            value, others = _recalls(sums[i : i + 1])[0, label], _recalls(drawn)[:, label]
            scores[name][f"recall_{result.class_names[label]}"] = _interval(value, others)
    large = [i for i, name in enumerate(names) if counts[name] >= FEWEST]
    gaps = {title: _gap(score, both, which, large, names, rng) for title, score in overall.items()} if large[1:] else {}
    return Grouping(column, counts, scores, gaps)


def _recalls(sums: np.ndarray) -> np.ndarray:
    """(N, 2 C) images and right ones of each class -> (N, C), NaN where there are no images."""
    images, right = np.split(sums, 2, axis=1)
    return np.divide(right, images, out=np.full(images.shape, np.nan), where=images > 0)


def _accuracy(sums: np.ndarray) -> np.ndarray:
    images, right = np.split(sums, 2, axis=1)
    return right.sum(axis=1) / np.maximum(images.sum(axis=1), 1)


def _mean_recall(sums: np.ndarray, classes: np.ndarray) -> np.ndarray:
    recalls = _recalls(sums)[:, classes]
    there = ~np.isnan(recalls)
    return np.where(there, recalls, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)


def _interval(value: float, drawn: np.ndarray) -> Interval:
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))


def _gap(
    score: Callable[[np.ndarray], np.ndarray],
    both: np.ndarray,
    which: np.ndarray,
    large: Sequence[int],
    names: Sequence[str],
    rng: np.random.Generator,
) -> Gap:
    there = np.isin(which, large)
    both, which = both[there], which[there]

    def values(groups: np.ndarray) -> np.ndarray:
        return score(np.stack([both[groups == i].sum(axis=0) for i in large]))

    own = values(which)
    size = float(np.ptp(own))
    shuffled = [float(np.ptp(values(rng.permutation(which)))) for _ in range(RESAMPLES)]
    by_chance = (1 + sum(each >= size for each in shuffled)) / (1 + RESAMPLES)
    return Gap(names[large[int(own.argmax())]], names[large[int(own.argmin())]], size, by_chance)


def figures_of(groupings: Sequence[Grouping]) -> dict[str, Any]:
    """As plain values, by column."""
    return {grouping.column: {k: v for k, v in asdict(grouping).items() if k != "column"} for grouping in groupings}


def print_groups(groupings: Sequence[Grouping]) -> None:
    """Prints each group's scores with their bounds, and the largest gaps."""
    for grouping in groupings:
        width = max(len(grouping.column), *map(len, grouping.images))
        say(f"\n{grouping.column:{width}}  images  {'accuracy':>8}{'':18}mean recall")
        for name, scores in grouping.scores.items():
            both = (scores.get(ACCURACY), scores.get(MEAN_RECALL))
            texts = [f"{each.value:6.1%} ({each.low:.1%} to {each.high:.1%})" for each in both if each]
            line = f"{name:{width}}  {grouping.images[name]:6}  " + "  ".join(f"{text:24}" for text in texts)
            say(line.rstrip())
        for title, gap in grouping.gaps.items():
            say(
                f"Largest gap of {title.replace('_', ' ')}: {100 * gap.size:.1f} points, {gap.best} over {gap.worst}; "
                f"as large by chance in {gap.by_chance:.1%} of shuffled groups"
            )
        if not grouping.gaps:
            say(f"No gap: fewer than two groups have {FEWEST} images.")


def draw_groups(groupings: Sequence[Grouping], path: Path) -> None:
    """Draws accuracy and mean recall of each group with their bounds.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = [
        (f"{grouping.column}: {name} ({grouping.images[name]})", scores)
        for grouping in groupings
        for name, scores in grouping.scores.items()
    ]
    titles = {"Accuracy": ACCURACY, "Mean recall": MEAN_RECALL}
    panels = {
        title: [(each.value, each.low, each.high) if (each := scores.get(key)) else None for _, scores in rows]
        for title, key in titles.items()
    }
    plots.draw_intervals([text for text, _ in rows], panels, path)
