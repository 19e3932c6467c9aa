"""Draws the emotions of people over time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from live_emotion.io.images import write_figure
from live_emotion.io.results_reader import FaceTable
from live_emotion.visualization.palette import hex_colours
from live_emotion.visualization.report.people import Person, row_lengths

MOST_STEPS = 400
"""How many values of a person over time are drawn at most; more are averaged."""

TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)

DPI = 150


def draw_timeline(shown: Sequence[Person], table: FaceTable, colour: str, background: str = "none") -> bytes:
    """Draws the probabilities of each person over time, stacked.

    Args:
        shown: the people, one row each.
        table: all rows, for the times.
        colour: of text and axes, as matplotlib takes it.
        background: of the whole.

    Returns:
        a PNG file.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    with rc_context({"text.color": colour, "axes.labelcolor": colour, "xtick.color": colour, "ytick.color": colour}):
        figure = Figure(figsize=(10, 0.9 + 0.85 * len(shown)), layout="constrained", facecolor=background)
        grid = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        colours = hex_colours(table.class_names)
        edges = _edges(table)
        for axes, person in zip(grid, shown):
            _draw_person(axes, person, edges, colours)
            axes.spines[["left", "bottom"]].set(color=colour, alpha=0.4)
        _mark_times(grid[-1], edges[-1] - edges[0])
        handles = [Patch(color=c) for c in colours]
        legend = figure.legend(handles, table.class_names, loc="outside upper right", ncols=6, frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a class may be named with a dollar
        png = io.BytesIO()
        write_figure(png, figure, DPI)
    return png.getvalue()


def time_text(seconds: float, tenths: bool = False) -> str:
    """As players show times.

    Example:
        >>> time_text(3723.5), time_text(3723.5, tenths=True)
        ('1:02:04', '1:02:03.5')
    """
    units = round(seconds * 10) if tenths else 10 * round(seconds)
    minutes, rest = divmod(units, 600)
    hours, minutes = divmod(minutes, 60)
    last = f"{rest / 10:04.1f}" if tenths else f"{rest // 10:02}"
    return f"{hours}:{minutes:02}:{last}" if hours else f"{minutes}:{last}"


def _draw_person(axes: Any, person: Person, edges: np.ndarray, colours: Sequence[str]) -> None:
    for begin, stacked in _runs(person, edges):
        x = edges[begin : begin + stacked.shape[1] + 1]
        y = np.concatenate([stacked, stacked[:, -1:]], axis=1)  # a step lasts up to the next edge
        axes.stackplot(x, y, colors=colours, step="post", linewidth=0)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1), yticks=[0, 1], facecolor="none")
    axes.set_yticklabels(["0 %", "100 %"], fontsize=8)
    axes.set_ylabel(f"Person {person.track_id}", rotation=0, ha="right", va="center", labelpad=10)
    axes.spines[["top", "right"]].set_visible(False)


def _mark_times(axes: Any, length_s: float) -> None:
    """Ticks at round times, about eight of them."""
    from matplotlib.ticker import MultipleLocator

    step = next((step for step in TICKS_S if length_s / step <= 8), TICKS_S[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(lambda value, _: time_text(value, tenths=step < 1))


def _edges(table: FaceTable) -> np.ndarray:
    """(S + 1,) times in seconds between which the S values that are drawn lie."""
    # twice the usual step, so that frames at uneven times leave no gaps
    step = max(2 * float(np.median(row_lengths(table.time_s))), 1e-3)
    first, last = table.time_s[0], table.time_s[-1] + step / 2
    return np.linspace(first, last, 1 + int(min(MOST_STEPS, max(1, (last - first) / step))))


def _runs(person: Person, edges: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Where a person was seen: index of the first step, and (C, n) mean probabilities of that and those after it."""
    steps = len(edges) - 1
    which = np.clip(np.searchsorted(edges, person.rows.time_s, side="right") - 1, 0, steps - 1)
    counts = np.bincount(which, minlength=steps)
    sums = np.stack([np.bincount(which, p, minlength=steps) for p in person.rows.probabilities.T])
    seen = np.flatnonzero(counts)
    parts = np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1)
    return [(int(part[0]), sums[:, part] / counts[part]) for part in parts]
