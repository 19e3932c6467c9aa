"""A report to read in a browser: the emotions of each person in a video over time."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.atomic import atomic_path, atomic_write_text, make_folder
from live_emotion.io.results_reader import read_table
from live_emotion.io.video.reader import VideoFile
from live_emotion.types import StrPath
from live_emotion.visualization.report.html import TEXT_ON_DARK, TEXT_ON_LIGHT, Card, render_page
from live_emotion.visualization.report.people import Person, overall_shares, people
from live_emotion.visualization.report.timeline import draw_timeline

PAGE_FILE = "report.html"
TIMELINE_FILE = "timeline.png"
PEOPLE_FILE = "people.csv"
REPORT_FILES = (PAGE_FILE, TIMELINE_FILE, PEOPLE_FILE)

UNCLEAR = "share_unclear"
"""In that table: the part of the time in which notes say that the emotion is not to be trusted."""

MOST_PEOPLE = 12
"""How many people are shown, those who were seen longest; the others are in the table."""

GLIMPSE_S = 0.5
"""Whoever was seen for less than this, in seconds, is not shown beside people who were seen for longer: most often it
is no face at all."""

THUMBNAIL = 192
"""Side of a thumbnail in pixels."""

AROUND_FACE = 1.7
"""Side of a thumbnail in sides of the face's box."""

LARGE_VIEW = 0.7
"""Views of a face from this part of its largest side on may become its thumbnail."""


def write_report(rows: StrPath, folder: StrPath, title: str, video: StrPath | None = None) -> Path:
    """Writes ``report.html``, one page that holds all it shows, ``timeline.png`` and ``people.csv``.

    Args:
        rows: a CSV, JSON Lines or Parquet file of ``live-emotion``.
        folder: made if it is missing.
        title: of the page: the video's name.
        video: that the rows are of, for a thumbnail of each person; None: none.

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
    _write_people(target / PEOPLE_FILE, everyone, table.class_names)
    timelines = []
    if shown:
        with atomic_path(target / TIMELINE_FILE) as temporary:
            temporary.write_bytes(draw_timeline(shown, table, TEXT_ON_LIGHT, "white"))
        timelines = [draw_timeline(shown, table, colour) for colour in (TEXT_ON_LIGHT, TEXT_ON_DARK)]
    cards = [Card(person, thumbnail(video, person) if video else None) for person in shown]
    shares = overall_shares(lasting, table.class_names)
    page = render_page(title, table, cards, len(everyone) - len(shown), shares, timelines)
    atomic_write_text(target / PAGE_FILE, page)
    return target / PAGE_FILE


def thumbnail(video: StrPath, person: Person) -> bytes | None:
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
    frame = None
    with contextlib.suppress(InputError), VideoFile(video, max(0.0, person.rows.time_s[best] - rounding_s)) as opened:
        frame = next(iter(opened), None)
    if frame is None:
        return None
    x1, y1, x2, y2 = boxes[best].astype(float)
    (height, width), centre = frame.image.shape[:2], ((x1 + x2) / 2, (y1 + y2) / 2)
    side = max(2, round(AROUND_FACE * max(x2 - x1, y2 - y1)))
    if not (0 <= centre[0] <= width and 0 <= centre[1] <= height and side <= AROUND_FACE * 2 * max(height, width)):
        return None  # these are not the rows of this video
    square = cv2.getRectSubPix(frame.image, (side, side), centre)
    method = cv2.INTER_AREA if side > THUMBNAIL else cv2.INTER_CUBIC
    _, encoded = cv2.imencode(".jpg", cv2.resize(square, (THUMBNAIL, THUMBNAIL), interpolation=method))
    return encoded.tobytes()


def _write_people(path: Path, everyone: Sequence[Person], class_names: Sequence[str]) -> None:
    """One row a person, times in seconds, shares from 0 to 1."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["track_id", "first_s", "last_s", "seen_s", *(f"share_{name}" for name in class_names), UNCLEAR])
        for p in everyone:
            times = (round(value, 3) for value in (p.first_s, p.last_s, p.seen_s))
            shares = (round(float(share), 4) for share in (*p.shares, max(0, 1 - p.shares.sum())))
            table.writerow([p.track_id, *times, *shares])
