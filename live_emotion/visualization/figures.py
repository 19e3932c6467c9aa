"""Pictures that explain predictions: for one photo, and for many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from live_emotion.faces.quality import OTHER
from live_emotion.io.images import write_figure
from live_emotion.types import Prediction, StrPath
from live_emotion.visualization.heat import STRONGEST
from live_emotion.visualization.palette import hex_colours

if TYPE_CHECKING:
    from live_emotion.emotions.why import Why

MOST_COLUMNS = 5

DPI = 110

LEAST_OTHER = 0.05
"""Per cent from which the probability of something else has a bar: what would be written as 0.1."""

OTHER_COLOUR = "#999999"

CELL_IN = 3.6
"""Side in inches of the square that a photo in a grid fits into."""

TITLE_IN = 0.5
"""Height of the two lines over it."""

MOST_IMAGES = 60
"""In one picture, which would grow too tall for any viewer."""


def draw_example(
    annotated: np.ndarray,
    face: np.ndarray,
    prediction: Prediction,
    class_names: Sequence[str],
    path: StrPath,
    why: Why | None = None,
    whose: str = "",
) -> None:
    """Draws one photo, the face that the network saw in it, and the probabilities as bars.

    Args:
        annotated: (H, W, 3) uint8 BGR, with its overlay.
        face: (48, 48) uint8, the network's input before normalisation.
        prediction: of that face.
        class_names: C names in the order of the probabilities.
        path: the PNG file.
        why: it is read so, in words below it, and its map beside the face, if there is one; None: nothing of that.
        whose: the face is, to stand in the title where the photo has others.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.figure import Figure

    has_map = why is not None and why.heat is not None
    widths = [1.5, 1, 1, 1.3] if has_map else [1.5, 1, 1.3]
    figure = Figure(figsize=(14.5 if has_map else 12, 4.6 if why else 4.2), layout="constrained")
    photo, seen, *maps, bars = figure.subplots(1, len(widths), width_ratios=widths)
    photo.imshow(annotated[:, :, ::-1])
    photo.set_title("Photo")
    for axes in (seen, *maps):
        axes.imshow(face, cmap="gray", vmin=0, vmax=255)
    seen.set_title(f"What the network saw ({face.shape[1]}x{face.shape[0]})")
    if why is not None:
        text = str(why)
        figure.supxlabel(text[0].upper() + text[1:], parse_math=False)
        for axes in maps:
            axes.imshow(why.heat, cmap="inferno", vmin=0, vmax=1, alpha=STRONGEST * np.asarray(why.heat))
            axes.set_title(f"Where it sees {why.emotion}", parse_math=False)
    for axes in (photo, seen, *maps):
        axes.axis("off")
    percent = [100 * p for p in prediction.probabilities]
    names, colours = list(class_names), hex_colours(class_names)
    other = 100 - sum(percent)
    title = f"{prediction.emotion}, {prediction.confidence:.0%}"
    if other >= LEAST_OTHER:
        percent, names, colours = [*percent, other], [*names, OTHER], [*colours, OTHER_COLOUR]
        title = f"{OTHER}, {other:.0f}%" if other == max(percent) else title
    title = f"{whose}: {title}" if whose else title
    drawn = bars.barh(names, percent, color=colours)
    bars.bar_label(drawn, [f"{p:.1f} %" for p in percent], padding=4)
    bars.invert_yaxis()
    bars.set(xlim=(0, 118), xlabel="Probability (%)", title=title)
    bars.set_xticks(range(0, 101, 25))
    bars.spines[["top", "right"]].set_visible(False)
    write_figure(path, figure, DPI)


def draw_batch(images: Sequence[np.ndarray], titles: Sequence[str], path: StrPath) -> None:
    """Draws several annotated photos in a grid.

    Args:
        images: N of (H, W, 3) uint8 BGR, of any sizes; of more than :data:`MOST_IMAGES`, the first.
        titles: one for each.
        path: the PNG file.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.figure import Figure

    images = images[:MOST_IMAGES]
    columns = min(MOST_COLUMNS, math.ceil(math.sqrt(len(images))))
    rows = math.ceil(len(images) / columns)
    tallest = max(image.shape[0] / image.shape[1] for image in images)
    row = min(CELL_IN * tallest, CELL_IN) + TITLE_IN  # no row is higher than its photos need
    figure = Figure(figsize=(CELL_IN * columns, row * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, image, title in zip(grid, images, titles):
        axes.imshow(image[:, :, ::-1])
        axes.set_title(title, fontsize=10)
    write_figure(path, figure, DPI)
