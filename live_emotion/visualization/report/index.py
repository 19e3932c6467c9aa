"""The page that lists the reports of a folder, one video a line: ``index.html.j2`` says how it looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from live_emotion.errors import InputError, OutputError
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.visualization.palette import hex_colours
from live_emotion.visualization.report.report import PAGE_FILE
from live_emotion.visualization.report.summary import HEAD_LENGTH, MetaFinder, Summary, read_summary
from live_emotion.visualization.report.svg import Band, band
from live_emotion.visualization.report.template import fill
from live_emotion.visualization.times import duration_text

INDEX_FILE = "index.html"

TEMPLATE, SCRIPT = "index.html.j2", "index.js"

MARK = "live-emotion-index"
"""Name of the ``meta`` element by which the page is known as ours."""


@dataclass(frozen=True)
class Figure:
    """A number in the table.

    Attributes:
        value: to sort by; None: there is none.
        text: to read.
        is_most: whether it is the largest of its kind in its line.
    """

    value: float | None
    text: str
    is_most: bool = False


@dataclass(frozen=True)
class Line:
    """A video in the table.

    Attributes:
        title: its name.
        address: of its report, relative to the page.
        shown: its emotions over time; None where no face was seen.
        figures: in the order of the columns.
    """

    title: str
    address: str
    shown: Band | None
    figures: tuple[Figure, ...]


def check_index(folder: Path, force: bool = False) -> None:
    """Finds out before the work whether the list of a folder's reports may be written: it replaces one of ours only.

    Raises:
        OutputError: another page has its name, and ``force`` is not set.
    """
    page = folder / INDEX_FILE
    try:
        if force or not page.exists():
            return
        with page.open("rb") as file:
            finder = MetaFinder(MARK)
            finder.feed(file.read(HEAD_LENGTH).decode("utf-8", "replace"))
    except OSError as error:
        raise OutputError(f"Cannot write {page}: {error.strerror or error}.") from error
    if finder.content is None:
        raise OutputError(f"{page} is another page; choose another folder, or overwrite it with --force.")


def write_index(folder: Path) -> Path | None:
    """Writes ``index.html``, which lists the reports that lie in folders in this one.

    Returns:
        the page; None where there is no report.

    Raises:
        InputError: the folder cannot be read.
        OutputError: the page cannot be written.
    """
    try:
        found = [(page.parent.name, read_summary(page)) for page in folder.glob(f"*/{PAGE_FILE}")]
    except OSError as error:
        raise InputError(f"Cannot read the reports in {folder}: {error.strerror or error}.") from error
    reports = [(name, summary) for name, summary in found if summary]
    if not reports:
        return None
    reports.sort(key=lambda report: (_natural(report[1].title), _natural(report[0])))
    names = list(dict.fromkeys(name for _, summary in reports for name in summary.shares))
    colours = dict(zip(names, hex_colours(names)))
    lines = [_line(name, summary, names) for name, summary in reports]
    page = fill(
        TEMPLATE,
        SCRIPT,
        mark=MARK,
        title=folder.resolve().name or "Reports",
        summary=_summary([summary for _, summary in reports]),
        emotions=list(colours.items()),
        lines=[(line, [colours[name] for name in summary.shares]) for line, (_, summary) in zip(lines, reports)],
    )
    atomic_write_text(folder / INDEX_FILE, page)
    return folder / INDEX_FILE


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts talk 2 before talk 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", text.casefold())]


def _summary(reports: Sequence[Summary]) -> str:
    length = duration_text(sum(report.length_s for report in reports))
    return f"{len(reports):,} videos, {length} together" if len(reports) > 1 else f"1 video, {length}"


def _line(name: str, summary: Summary, names: Sequence[str]) -> Line:
    shares = [summary.shares.get(emotion) if summary.is_read else None for emotion in names]
    shares.append(summary.other if summary.is_read else None)
    most = max(share or 0.0 for share in shares)
    figures = (
        Figure(summary.length_s, duration_text(summary.length_s)),
        Figure(summary.people, f"{summary.people:,}"),
        *(_share(share, bool(share) and share == most) for share in shares),
        _share(summary.unclear if summary.people else None),
        _share(summary.unseen),
    )
    shown = band(summary.course) if summary.steps else None
    return Line(summary.title, f"./{quote(name)}/{PAGE_FILE}", shown, figures)


def _share(share: float | None, is_most: bool = False) -> Figure:
    return Figure(None, "\N{EN DASH}") if share is None else Figure(share, f"{share:.0%}", is_most)
