"""A report to read in a browser: the emotions of each person in a video over time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from live_emotion.errors import InputError
from live_emotion.io.files.atomic import ESCAPED, atomic_write_together
from live_emotion.io.files.folders import make_folder
from live_emotion.io.results_reader import FaceTable
from live_emotion.io.spreadsheets import as_text
from live_emotion.io.video.reader import VideoFile
from live_emotion.types import StrPath
from live_emotion.visualization.report.course import course, step_edges
from live_emotion.visualization.report.html import Card, render_page
from live_emotion.visualization.report.people import Person, overall_shares, people
from live_emotion.visualization.report.player import Player
from live_emotion.visualization.report.summary import summarize
from live_emotion.visualization.report.thumbnail import Explain, moments, thumbnail
from live_emotion.visualization.report.timeline import draw_timeline
from live_emotion.visualization.times import time_text

PAGE_FILE = "report.html"
TIMELINE_FILE = "timeline.png"
PEOPLE_FILE = "people.csv"
REPORT_FILES = (PAGE_FILE, TIMELINE_FILE, PEOPLE_FILE)

MOST_PEOPLE = 12
"""How many people are shown, those who were seen longest; the others are in the table."""

GLIMPSE_S = 0.5
"""Whoever was seen for less than this, in seconds, is not shown beside people who were seen for longer: most often it
is no face at all."""

LONGER_S, LONGER = 1.0, 0.02
"""Rows may go on after a video's stated length for so many seconds, or for this part of it."""


def write_report(
    table: FaceTable,
    folder: StrPath,
    title: str,
    video: StrPath | None = None,
    played: Player | None = None,
    span_s: tuple[float, float] | None = None,
    names: Mapping[int, str] | None = None,
    start_s: float = 0.0,
    explain: Explain | None = None,
) -> Path:
    """Writes ``report.html``, one page that holds all it shows, ``timeline.png`` and ``people.csv``: all, or nothing.

    Args:
        table: the rows of a video.
        folder: made if it is missing.
        title: of the page: the video's name.
        video: that the rows are of, for a thumbnail of each person and of each emotion of theirs; None: none.
        played: the video that the page plays; None: none.
        span_s: from when to when faces were looked for, in seconds; None: where there are rows.
        names: of people by their numbers; numbers of one name are one person.
        start_s: the time in the rows at which ``video`` begins, in seconds.
        explain: says why an emotion was read, for those thumbnails; None: that is not said.

    Returns:
        the page.

    Raises:
        InputError: a number in ``names`` is nobody's.
        OutputError: the report cannot be written.
    """
    everyone = people(table, names)
    # who was named is of interest
    lasting = [p for p in everyone if p.seen_s >= GLIMPSE_S or (names and p.track_ids[0] in names)] or everyone
    shown = sorted(lasting[:MOST_PEOPLE], key=lambda person: person.first_s)
    files = {PEOPLE_FILE: _people_csv(everyone, table.class_names).encode("utf-8", ESCAPED)}
    edges = step_edges(table, span_s) if shown else None
    cards = []
    if edges is not None:
        courses = [course(person.rows, edges) for person in shown]
        cards = [
            Card(p, c, thumbnail(video, p, start_s), moments(video, p, start_s, explain)) if video else Card(p, c)
            for p, c in zip(shown, courses)
        ]
        files[TIMELINE_FILE] = draw_timeline([(p.name, c) for p, c in zip(shown, courses)], edges, table.class_names)
    shares = overall_shares(lasting, table.class_names)
    kept = summarize(title, table, lasting, span_s).to_json()
    page = render_page(title, kept, table, cards, len(everyone) - len(shown), shares, edges, played)
    files[PAGE_FILE] = page.encode("utf-8", ESCAPED)
    target = make_folder(folder)
    atomic_write_together({target / name: content for name, content in files.items()})
    return target / PAGE_FILE


def fit_video(table: FaceTable, video: StrPath) -> tuple[float, float]:
    """From when to when a video goes, in seconds, by the clock of the rows that were read from it.

    It begins at 0, or where it is a part that was cut out of another video, there: rows have the other one's times.

    Raises:
        InputError: the rows begin before it or go on after its end, or it cannot be read.
    """
    with VideoFile(video) as opened:
        length_s, part_start_s = opened.duration_s, opened.part_start_s
    first_s, last_s = (float(table.time_s[0]), float(table.time_s[-1])) if len(table) else (part_start_s, 0.0)
    longer_s = max(LONGER_S, LONGER * (length_s or 0.0))
    start_s = part_start_s if first_s >= part_start_s - LONGER_S else 0.0  # or rows that were read from the part itself
    if length_s is not None and last_s > start_s + length_s + longer_s:
        raise InputError(
            f"The rows go on to {time_text(last_s)}, but {video} ends at {time_text(start_s + length_s)}; "
            "give the whole video that they were read from."
        )
    return start_s, max(start_s + (length_s or 0.0), last_s)


def _people_csv(everyone: Sequence[Person], class_names: Sequence[str]) -> str:
    """One row a person, times in seconds, shares from 0 to 1."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    shares = [f"share_{name}" for name in (*class_names, "other")]
    table.writerow(["track_id", "name", "first_s", "last_s", "seen_s", "readable_s", *shares])
    for p in everyone:
        times = (round(value, 3) for value in (p.first_s, p.last_s, p.seen_s, p.readable_s))
        shares_of = (round(share, 4) for share in p.shares.tolist())
        table.writerow(["+".join(map(str, p.track_ids)), as_text(p.name), *times, *shares_of])
    return text.getvalue()
