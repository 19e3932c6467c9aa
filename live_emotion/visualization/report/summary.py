"""What a report says of its video in a line. The page keeps it, so that a list of many pages is made of them alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.io.results_reader import FaceTable
from live_emotion.visualization.report.course import Course, course, step_edges
from live_emotion.visualization.report.people import Person, overall_shares, row_lengths
from live_emotion.visualization.report.svg import band

KEPT_IN = "live-emotion-report"
"""Name of the page's ``meta`` element with the summary."""

HEAD_LENGTH = 1 << 16
"""Up to where in a page, in bytes, its summary may lie."""

MOST_STEPS = 60
"""How many values over time are kept."""

LONGEST_S = 1e11
"""More than any video has, in seconds."""


@dataclass(frozen=True)
class Summary:
    """A video in a line.

    Attributes:
        title: its name.
        length_s: for how long faces were looked for, in seconds, as far as that is known.
        people: how many there were.
        shares: parts of the time in which a face could be read, by the names of the emotions; what they lack of 1 is
            none of them. All 0 where nothing was read.
        unclear: part of everybody's time in view in which the face could not be read, 0 to 1.
        unseen: part of the length in which nobody was in view, 0 to 1.
        steps: values over time of all people together, as :class:`live_emotion.visualization.report.svg.Band` has them.
    """

    title: str
    length_s: float
    people: int
    shares: dict[str, float]
    unclear: float
    unseen: float
    steps: tuple[tuple[int, ...] | str | int, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether any face could be read."""
        return any(self.shares.values()) or any(isinstance(step, tuple) for step in self.steps)

    @property
    def other(self) -> float:
        """Part of the time in which a face could be read and showed none of the emotions, 0 to 1."""
        return max(0.0, 1 - sum(self.shares.values())) if self.is_read else 0.0

    @property
    def course(self) -> Course:
        """The steps as arrays."""
        width = len(self.shares) + 1
        values = [step if isinstance(step, tuple) else (0,) * width for step in self.steps]
        probabilities = np.array(values, float).reshape(-1, width)
        probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1)
        return Course(probabilities, tuple(step if isinstance(step, str) else "" for step in self.steps))

    def to_json(self) -> str:
        """For a page."""
        return json.dumps(asdict(self), separators=(",", ":"))


def summarize(
    title: str, table: FaceTable, everyone: Sequence[Person], span_s: tuple[float, float] | None = None
) -> Summary:
    """What the rows of a video say in a line.

    Args:
        title: the video's name.
        table: the rows.
        everyone: the people who count.
        span_s: from when to when faces were looked for, in seconds; None: where there are rows.
    """
    rows = table.take(np.flatnonzero(np.isin(table.track_id, [i for person in everyone for i in person.track_ids])))
    seen_s = sum(person.seen_s for person in everyone)
    readable_s = sum(person.readable_s for person in everyone)
    shares = overall_shares(everyone, table.class_names)
    length_s, unseen, steps = span_s[1] - span_s[0] if span_s else 0.0, 1.0, Summary.steps
    if len(rows):
        edges = step_edges(rows, span_s, MOST_STEPS)
        length_s = float(edges[-1] - edges[0])
        first_of_frame = np.unique(rows.time_s, return_index=True)[1]
        in_view_s = float(row_lengths(rows.time_s)[first_of_frame].sum())
        unseen = max(0.0, 1 - in_view_s / length_s) if in_view_s else 0.0
        steps = band(course(rows, edges)).values
    named = dict(zip(table.class_names, np.round(shares, 4).tolist()))
    unclear = 1 - readable_s / seen_s if seen_s else 0.0
    return Summary(title, round(length_s, 3), len(everyone), named, round(unclear, 4), round(unseen, 4), steps)


def read_summary(page: Path) -> Summary | None:
    """The summary that a page keeps; None where it is no page of a report, or there is none.

    Raises:
        OSError: it cannot be read.
    """
    if not page.is_file():
        return None
    with page.open("rb") as file:
        finder = MetaFinder(KEPT_IN)
        finder.feed(file.read(HEAD_LENGTH).decode("utf-8", "replace"))
    try:
        return _parse(json.loads(finder.content or ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


class MetaFinder(HTMLParser):
    """Looks for a ``meta`` element.

    Args:
        name: of the element.

    Attributes:
        content: what it holds; None where there is none.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.content: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Looks at an element."""
        found = dict(attrs)
        if tag == "meta" and found.get("name") == self.name:
            self.content = found.get("content")


def _parse(content: Any) -> Summary:
    """A summary, looked at closely: anybody may have edited the page.

    Raises:
        ValueError: it is none; or another of those that :func:`read_summary` expects.
    """
    summary = Summary(**{**content, "steps": tuple(tuple(s) if isinstance(s, list) else s for s in content["steps"])})
    numbers = [*summary.shares.values(), summary.unclear, summary.unseen, summary.length_s / LONGEST_S]
    steps = [value for step in summary.steps if isinstance(step, tuple) for value in step]
    width = len(summary.shares) + 1
    if not (
        isinstance(summary.title, str)
        and type(summary.people) is int
        and summary.people >= 0
        and all(isinstance(name, str) for name in summary.shares)
        and all(type(number) in (int, float) and 0 <= number <= 1 for number in numbers)
        and all(type(value) is int and 0 <= value <= 100 for value in steps)
        and all(isinstance(step, (tuple, str)) or step == 0 for step in summary.steps)
        and all(len(step) == width for step in summary.steps if isinstance(step, tuple))
        and len(summary.steps) <= MOST_STEPS
    ):
        raise ValueError("it is no summary")
    return summary
