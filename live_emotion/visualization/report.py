"""A report to read in a browser: the emotions of each person in a video over time."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.atomic import atomic_path, atomic_write_text, make_folder
from live_emotion.io.results_reader import FaceTable, Person, overall_shares, people, read_table, row_lengths
from live_emotion.io.video_reader import VideoFile
from live_emotion.visualization.overlay import emotion_colours
from live_emotion.visualization.report_html import Card, page, time_text

PAGE = "report.html"
TIMELINE = "timeline.png"
PEOPLE = "people.csv"

UNCLEAR = "share_unclear"
"""In that table: the part of the time in which notes say that the emotion is not to be trusted."""

MOST_PEOPLE = 12
"""How many people are shown, those who were seen longest; the others are in the table."""

GLIMPSE_S = 0.5
"""Whoever was seen for less than this, in seconds, is not shown beside people who were seen for longer: most often it
is no face at all."""

MOST_STEPS = 400
"""How many values of a person over time are drawn at most; more are averaged."""

TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)

THUMBNAIL = 192
"""Side of a thumbnail in pixels."""

AROUND_FACE = 1.7
"""Side of a thumbnail in sides of the face's box."""

LARGE_VIEW = 0.7
"""Views of a face from this part of its largest side on may become its thumbnail."""

DPI = 150

LIGHT, DARK = "#1d1d1f", "#ececee"
"""Colours of text on a light and on a dark page."""


def write_report(
    rows: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    title: str,
    video: str | os.PathLike[str] | None = None,
) -> Path:
    """Writes ``report.html``, one page that holds all it shows, ``timeline.png`` and ``people.csv``.

    Args:
        rows: a CSV, JSON Lines or Parquet file of ``live-emotion``.
        folder: made if it is missing.
        title: of the page: the video's name.
        video: that the rows are of, for pictures of the people; None: none.

    Returns:
        the page.

    Raises:
        InputError: the rows cannot be read.
        OutputError: the report cannot be written.
        MissingExtraError: Parquet without the package for it.
    """
    table = read_table(rows)
    everyone = people(table)
    target = make_folder(folder)
    lasting = [person for person in everyone if person.seen_s >= GLIMPSE_S] or everyone
    shown = sorted(lasting[:MOST_PEOPLE], key=lambda person: person.first_s)
    left_out = len(everyone) - len(shown)
    timelines = [draw_timeline(shown, table, colour) for colour in (LIGHT, DARK)] if shown else []
    cards = [Card(person, thumbnail(video, person) if video else None) for person in shown]
    colours = [_hex(colour) for colour in emotion_colours(table.class_names)]
    shares = overall_shares(lasting, table.class_names)
    _write_people(target / PEOPLE, everyone, table.class_names)
    if shown:
        with atomic_path(target / TIMELINE) as temporary:
            temporary.write_bytes(draw_timeline(shown, table, LIGHT, "white"))
    text = page(title, table, cards, left_out, shares, colours, timelines)
    atomic_write_text(target / PAGE, text)
    return target / PAGE


def draw_timeline(shown: Sequence[Person], table: FaceTable, colour: str, background: str = "none") -> bytes:
    """Draws the probabilities of each person over time, stacked.

    Args:
        shown: the people, one row each.
        table: all rows, for the times.
        colour: of text and axes.
        background: of the picture.

    Returns:
        a PNG file.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    with rc_context({"text.color": colour, "axes.labelcolor": colour, "xtick.color": colour, "ytick.color": colour}):
        figure = Figure(figsize=(10, 0.9 + 0.85 * len(shown)), layout="constrained", facecolor=background)
        grid = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        colours = [_hex(c) for c in emotion_colours(table.class_names)]
        edges = _edges(table)
        for axes, person in zip(grid, shown):
            for begin, stacked in _runs(person, edges):
                x = edges[begin : begin + stacked.shape[1] + 1]
                y = np.concatenate([stacked, stacked[:, -1:]], axis=1)  # a step lasts up to the next edge
                axes.stackplot(x, y, colors=colours, step="post", linewidth=0)
            axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1), yticks=[0, 1], facecolor="none")
            axes.set_yticklabels(["0 %", "100 %"], fontsize=8)
            axes.set_ylabel(f"Person {person.track_id}", rotation=0, ha="right", va="center", labelpad=10)
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[["left", "bottom"]].set_color(colour)
            axes.spines[["left", "bottom"]].set_alpha(0.4)
        _mark_times(grid[-1], edges[-1] - edges[0])
        handles = [Patch(color=c) for c in colours]
        legend = figure.legend(handles, table.class_names, loc="outside upper right", ncols=6, frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a class may be named with a dollar
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()


def _mark_times(axes: Any, length_s: float) -> None:
    """Ticks at round times, about eight of them."""
    from matplotlib.ticker import MultipleLocator

    step = next((step for step in TICKS_S if length_s / step <= 8), TICKS_S[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(lambda value, _: time_text(value, tenths=step < 1))


def thumbnail(video: str | os.PathLike[str], person: Person) -> bytes | None:
    """A person's face in the video as a square JPEG file; None where the video does not show it.

    Of the large and clear views of the face it is the one that shows the person's commonest emotion best.
    """
    import cv2

    boxes = person.rows.boxes
    sides = np.nan_to_num(boxes[:, 2] - boxes[:, 0])
    if sides.max() <= 0:
        return None
    typical = person.rows.probabilities[:, person.shares.argmax()] + person.rows.is_clear
    best = int(np.where(sides >= LARGE_VIEW * sides.max(), typical, -1).argmax())
    rounding_s = 1e-5  # of times in rows
    image = None
    with contextlib.suppress(InputError), VideoFile(video, max(0.0, person.rows.time_s[best] - rounding_s)) as opened:
        image = next(iter(opened)).image
    if image is None:
        return None
    x1, y1, x2, y2 = boxes[best]
    side = max(2, round(AROUND_FACE * max(x2 - x1, y2 - y1)))
    square = cv2.getRectSubPix(image, (side, side), (float(x1 + x2) / 2, float(y1 + y2) / 2))
    method = cv2.INTER_AREA if side > THUMBNAIL else cv2.INTER_CUBIC
    _, encoded = cv2.imencode(".jpg", cv2.resize(square, (THUMBNAIL, THUMBNAIL), interpolation=method))
    return encoded.tobytes()


def _edges(table: FaceTable) -> np.ndarray:
    """(S + 1,) times in seconds between which the S values that are drawn lie."""
    if not len(table):
        return np.array([0.0, 1.0])
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


def _write_people(path: Path, everyone: Sequence[Person], class_names: Sequence[str]) -> None:
    """One row a person, times in seconds, shares from 0 to 1."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["track_id", "first_s", "last_s", "seen_s", *(f"share_{name}" for name in class_names), UNCLEAR])
        for p in everyone:
            times = (round(value, 3) for value in (p.first_s, p.last_s, p.seen_s))
            shares = (round(float(share), 4) for share in (*p.shares, max(0, 1 - p.shares.sum())))
            table.writerow([p.track_id, *times, *shares])


def _hex(colour: tuple[int, int, int]) -> str:
    """BGR as the web writes it."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"
