"""Draws the emotions of people over time as a picture for documents, as the page shows them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from live_emotion.io.images import write_figure
from live_emotion.visualization.palette import hex_colours
from live_emotion.visualization.report.course import Course
from live_emotion.visualization.report.names import shortened
from live_emotion.visualization.times import Clock, marks

DPI = 150

MOST_MARKS = 8

LONGEST_NAME = 30
"""Of a person at the edge, in characters."""

INK = "#1d1d1f"

HATCHES: Mapping[str, dict[str, Any]] = {
    "other": {"facecolor": "white", "edgecolor": "#5f5f66", "hatch": "....", "linewidth": 0},
    "unclear": {"facecolor": "#ececf0", "edgecolor": "#8a8a92", "hatch": "/////", "linewidth": 0},
}
"""How matplotlib fills the time in which a face showed none of the emotions, and that in which it could not be read.
The time in which nobody was in view stays white, with a line."""


def draw_timeline(courses: Sequence[tuple[str, Course]], edges: np.ndarray, class_names: Sequence[str]) -> bytes:
    """Draws the probabilities of each person over time, stacked.

    Args:
        courses: names and courses of the people, one row each.
        edges: (S + 1,) times in seconds between which their steps lie.
        class_names: C names in the order of the probabilities.

    Returns:
        a PNG file.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure = Figure(figsize=(10, 0.9 + 0.85 * len(courses)), layout="constrained", facecolor="white")
    grid = figure.subplots(len(courses), 1, sharex=True, squeeze=False)[:, 0]
    colours = hex_colours(class_names)
    for axes, (name, course) in zip(grid, courses):
        _draw_person(axes, course, edges, colours)
        axes.set_ylabel(
            shortened(name, LONGEST_NAME), rotation=0, ha="right", va="center", labelpad=10, parse_math=False
        )
    times, step = marks(edges[0], edges[-1], MOST_MARKS)
    clock = Clock(float(edges[0]), float(edges[-1]))
    grid[-1].set_xticks(times, [clock.mark(time_s, step) for time_s in times])
    grid[-1].set_xlabel(clock.common)
    handles = [*(Patch(color=colour) for colour in colours), *(Patch(**style) for style in HATCHES.values())]
    texts = [*class_names, *HATCHES, "not in view"]
    legend = figure.legend(
        [*handles, Line2D([], [], color=INK, alpha=0.4)], texts, loc="outside upper right", ncols=7, frameon=False
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a class may be named with a dollar
    png = io.BytesIO()
    write_figure(png, figure, DPI)
    return png.getvalue()


def _draw_person(axes: Any, course: Course, edges: np.ndarray, colours: Sequence[str]) -> None:
    axes.axhline(0.5, color=INK, alpha=0.4, linewidth=0.8, zorder=0)
    begins_and_ends = np.repeat(edges, 2)[1:-1]  # (2 S,) of each step both, so that it fills its whole width
    tops = np.repeat(np.pad(course.probabilities.cumsum(axis=1), ((0, 0), (1, 0))), 2, axis=0)
    styles = [*({"facecolor": colour, "linewidth": 0} for colour in colours), HATCHES["other"]]
    for low, high, style in zip(tops.T, tops.T[1:], styles):
        axes.fill_between(begins_and_ends, low, high, where=np.repeat(course.is_read, 2), **style)
    axes.fill_between(begins_and_ends, 0, 1, where=np.repeat(course.is_unclear, 2), **HATCHES["unclear"])
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1), yticks=[0, 1], facecolor="none")
    axes.set_yticklabels(["0 %", "100 %"], fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=INK, alpha=0.4)
