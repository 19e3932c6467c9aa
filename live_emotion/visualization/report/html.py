"""The report's page: ``report.html.j2`` says how it looks, this what it says."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.io.results_reader import FaceTable
from live_emotion.visualization.palette import hex_colours
from live_emotion.visualization.report.course import Course
from live_emotion.visualization.report.names import shortened
from live_emotion.visualization.report.people import Person
from live_emotion.visualization.report.player import Player
from live_emotion.visualization.report.svg import SMALLEST_OTHER, axis, band
from live_emotion.visualization.report.template import fill
from live_emotion.visualization.report.thumbnail import Moment
from live_emotion.visualization.times import Clock, duration_text

TEMPLATE, SCRIPT = "report.html.j2", "report.js"

OTHER = "other"

SMALLEST_SHARE = 0.08
"""Parts of a bar from this size on have room for their figure."""

SMALLEST_UNCLEAR_S = 0.05
"""From this time on, in seconds, it is said how long a face was unclear."""

SHORT_S = 10
"""Where a video is shorter than this, in seconds, its moments are given in tenths."""

LONGEST_NAME = 100
"""Of a person, in characters, as far as it is shown; all of it is there for whoever points at it."""

FEW_MARKS, MANY_MARKS = 4, 9
"""How many times an axis names at most, on a phone and on a wide screen."""

FEW_DAYS, MANY_DAYS = 3, 7
"""The same where each time has its day."""


@dataclass(frozen=True)
class Card:
    """A person on the page.

    Attributes:
        person: what the rows say.
        course: what the person showed over time.
        thumbnail: a JPEG file, or None.
        moments: when the person showed each emotion most typically.
    """

    person: Person
    course: Course
    thumbnail: bytes | None = None
    moments: Sequence[Moment] = ()


@dataclass(frozen=True)
class Part:
    """A part of a bar.

    Attributes:
        name: of the emotion, or that it was none of them.
        share: of the bar, 0 to 1.
        fill: as CSS has it.
    """

    name: str
    share: float
    fill: str

    @property
    def width(self) -> str:
        """As CSS has it."""
        return f"{100 * self.share:.2f}%"

    @property
    def percent(self) -> str:
        """For people to read."""
        return f"{self.share:.0%}"

    @property
    def has_room(self) -> bool:
        """Whether the figure fits into the bar."""
        return self.share >= SMALLEST_SHARE


def render_page(
    title: str,
    kept: str,
    table: FaceTable,
    cards: Sequence[Card],
    left_out: int,
    shares: np.ndarray,
    edges: np.ndarray | None,
    played: Player | None,
) -> str:
    """The page as HTML, which can be written as UTF-8.

    Args:
        title: the video's name.
        kept: the page's summary, for lists of pages.
        table: all rows.
        cards: the people that are shown.
        left_out: how many are not.
        shares: (C + 1,) of all people together, as a :class:`Person` has them.
        edges: (S + 1,) times in seconds between which the steps of the courses lie; None where nobody is shown.
        played: the video that the page plays; None: none.
    """
    times = table.time_s if edges is None else edges
    clock = Clock(float(times[0]), float(times[-1])) if len(times) else Clock(0.0, 0.0)
    return fill(
        TEMPLATE,
        SCRIPT,
        title=title,
        kept=kept,
        summary=_summary(table, len(cards), clock),
        common=clock.common,
        together=_parts(shares, table.class_names),
        cards=[_card(card, table.class_names, clock) for card in cards],
        left_out=left_out,
        time=_time_axis(edges, clock) if edges is not None else None,
        emotions=list(zip(table.class_names, hex_colours(table.class_names))),
        has_other=any((card.course.probabilities[:, -1] > SMALLEST_OTHER).any() for card in cards),
        played=played,
    )


def _summary(table: FaceTable, count: int, clock: Clock) -> str:
    if not len(table):
        return "No face"
    seen = len(np.unique(table.time_s))
    frames = "1 frame" if seen == 1 else f"{seen:,} frames"
    persons = "1 person" if count == 1 else f"{count} people"
    first, last = float(table.time_s[0]), float(table.time_s[-1])
    tenths = last - first < SHORT_S
    return f"{persons}, from {clock.text(first, tenths)} to {clock.text(last, tenths)}; faces in {frames}"


def _time_axis(edges: np.ndarray, clock: Clock) -> dict[str, object]:
    first, last = float(edges[0]), float(edges[-1])
    few, many = (FEW_MARKS, MANY_MARKS) if clock.is_short else (FEW_DAYS, MANY_DAYS)
    axes = {"few": axis(first, last, few), "many": axis(first, last, many)}
    return {"first": round(first, 3), "last": round(last, 3), "axes": axes}


def _card(card: Card, names: Sequence[str], clock: Clock) -> dict[str, object]:
    """The values of a person in the template."""
    person = card.person
    parts = _parts(person.shares, names)
    tenths = person.last_s - person.first_s < SHORT_S
    unclear_s = person.seen_s - person.readable_s
    return {
        "name": shortened(person.name, LONGEST_NAME),
        "full_name": person.name if len(person.name) > LONGEST_NAME else "",
        "thumbnail": _as_data(card.thumbnail) if card.thumbnail else "",
        "moments": [
            {
                "emotion": moment.emotion,
                "fill": hex_colours(names)[moment.index],
                "time": clock.text(moment.time_s, tenths),
                "picture": _as_data(moment.picture),
                "why": moment.why,
            }
            for moment in card.moments
        ],
        "emotion": max(parts, key=lambda part: part.share).name if person.shares.any() else "",
        "seen": _unbroken(person.seen_s),
        "unclear": _unbroken(unclear_s) if unclear_s >= SMALLEST_UNCLEAR_S else "",
        "first": clock.text(person.first_s, tenths),
        "last": clock.text(person.last_s, tenths),
        "parts": parts if person.shares.any() else [],
        "band": band(card.course),
    }


def _as_data(jpeg: bytes) -> str:
    """A picture's address that holds it."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _unbroken(seconds: float) -> str:
    """A duration that stays on one line."""
    return duration_text(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def _parts(shares: np.ndarray, names: Sequence[str]) -> list[Part]:
    """One for each emotion and, where there is any, one for the time that showed none of them."""
    parts = [Part(*values) for values in zip(names, shares.tolist(), hex_colours(names))]
    if shares[-1]:
        parts.append(Part(OTHER, float(shares[-1]), "var(--other)"))
    return parts
