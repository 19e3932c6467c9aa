"""Pictures of an evaluation: confusion, reliability, and the mistakes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from live_emotion.io.images import write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110

MISTAKES = 32
"""How many mistakes are shown, in rows of 8."""


def draw_confusion(confusion: np.ndarray, class_names: Sequence[str], path: Path) -> None:
    """Draws int (C, C) counts, row the truth, coloured by their part of the row.

    Raises:
        OutputError: the file cannot be written.
    """
    figure = _figure(1.6 + 0.95 * len(class_names), 1.2 + 0.85 * len(class_names))
    axes = figure.subplots()
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0%}\n{confusion[row, column]}"
        axes.text(column, row, text, ha="center", va="center", color="white" if share > 0.5 else "black", fontsize=10)
    axes.set_xticks(range(len(class_names)), class_names)
    axes.set_yticks(range(len(class_names)), class_names)
    axes.set(xlabel="Predicted", ylabel="True", title="Confusion")
    write_figure(path, figure, DPI)


def draw_reliability(bins: Sequence[tuple[int, float, float]], path: Path) -> None:
    """Draws accuracy against confidence, and how many images have which confidence.

    Args:
        bins: number of images, mean confidence and accuracy of each bin.
        path: the PNG file.

    Raises:
        OutputError: it cannot be written.
    """
    figure = _figure(5, 5.4)
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    filled = [b for b in bins if b[0]]
    curve.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--", label="perfect")
    points = [b[1] for b in filled], [b[2] for b in filled]
    curve.plot(*points, marker="o", color="#0072B2", label="measured", clip_on=False)
    curve.set(ylabel="Accuracy", title="Reliability", xlim=(0, 1), ylim=(0, 1))
    curve.legend(frameon=False, loc="upper left")
    edges = np.linspace(0, 1, len(bins) + 1)
    counts.bar(edges[:-1], [b[0] for b in bins], width=1 / len(bins), align="edge", color="#0072B2", edgecolor="white")
    counts.set(xlabel="Confidence", ylabel="Images")
    for axes in (curve, counts):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    write_figure(path, figure, DPI)


def draw_mistakes(
    faces: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str], path: Path
) -> None:
    """Draws the faces that were wrong with the highest confidence, the most confident first.

    Args:
        faces: uint8 (N, 48, 48).
        labels: int (N,).
        probabilities: (N, C).
        class_names: C names.
        path: the PNG file.

    Raises:
        OutputError: it cannot be written.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
    rows = max(1, math.ceil(len(shown) / 8))
    figure = _figure(12, 0.5 + 1.9 * rows)
    figure.suptitle(f"The most confident of {len(wrong)} mistakes in {len(labels)} images")
    grid = figure.subplots(rows, 8, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, i in zip(grid, shown):
        axes.imshow(faces[i], cmap="gray", vmin=0, vmax=255)
        called, true = class_names[predicted[i]], class_names[labels[i]]
        axes.set_title(f"{called} {confidence[i]:.0%}\nlabel: {true}", fontsize=9)
    write_figure(path, figure, DPI)


def draw_intervals(
    names: Sequence[str], panels: Mapping[str, Sequence[tuple[float, float, float] | None]], path: Path
) -> None:
    """Draws scores with their bounds, a row for each name.

    Args:
        names: N of them.
        panels: by title, N scores with lower and upper bound, 0 to 1; None where there is none.
        path: the PNG file.

    Raises:
        OutputError: it cannot be written.
    """
    figure = _figure(3 + 3.2 * len(panels), 1.3 + 0.34 * len(names))
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, scores) in zip(grid, panels.items()):
        for row, score in enumerate(scores):
            if score:
                axes.plot(score[1:], [row, row], color="#0072B2", linewidth=2, alpha=0.6)
                axes.plot(score[0], row, marker="o", color="#0072B2")
        axes.set(title=title, ylim=(len(names) - 0.5, -0.5))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.grid(alpha=0.3, axis="x")
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].set_yticks(range(len(names)), names, parse_math=False)
    figure.supxlabel("with 95 % confidence intervals (bootstrap)", fontsize=9)
    write_figure(path, figure, DPI)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
