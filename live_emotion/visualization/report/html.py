"""The report's page: one HTML file with everything in it. ``report.html.j2`` says how it looks, this what it says."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.io.results_reader import FaceTable
from live_emotion.visualization.palette import hex_colours
from live_emotion.visualization.report.people import Person
from live_emotion.visualization.report.timeline import time_text

TEMPLATE = "report.html.j2"

TEXT_ON_LIGHT, TEXT_ON_DARK = "#1d1d1f", "#ececee"
"""Colours of text on a light and on a dark page."""

SMALLEST_SHARE = 0.08
"""Parts of a bar from this size on have room for their figure."""

SMALLEST_UNCLEAR = 0.005
"""From this part on, the time that was unclear is named."""

SHORT_S = 10
"""Lengths under this, in seconds, are given in tenths."""


@dataclass(frozen=True)
class Card:
    """A person on the page.

    Attributes:
        person: what the rows say.
        thumbnail: a JPEG file, or None.
    """

    person: Person
    thumbnail: bytes | None


@dataclass(frozen=True)
class Part:
    """A part of a bar.

    Attributes:
        name: of the emotion, or that it was unclear.
        share: of the bar, 0 to 1.
        colour: as CSS has it.
    """

    name: str
    share: float
    colour: str

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
    table: FaceTable,
    cards: Sequence[Card],
    left_out: int,
    shares: np.ndarray,
    timelines: Sequence[bytes],
) -> str:
    """The page as HTML, which can be written as UTF-8.

    Args:
        title: the video's name.
        table: all rows.
        cards: the people that are shown.
        left_out: how many are not.
        shares: (C,) of all people together, 0 to 1; what they lack to 1 was unclear.
        timelines: PNG files for a light and for a dark page; none where nobody is shown.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("live_emotion", "visualization/report"),
        autoescape=True,  # names of files and classes are anybody's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template(TEMPLATE).render(
        title=title,
        summary=_summary(table, len(cards)),
        timelines=[_data_url("png", timeline) for timeline in timelines],
        together=_parts(shares, table.class_names),
        cards=[_card(card, table.class_names) for card in cards],
        left_out=left_out,
        text_on_light=TEXT_ON_LIGHT,
        text_on_dark=TEXT_ON_DARK,
    )
    # what a file's name holds that is no text becomes a question mark
    return page.encode("utf-8", "replace").decode()


def _summary(table: FaceTable, count: int) -> str:
    if not len(table):
        return "No face"
    frames = len(np.unique(table.time_s))
    persons = "1 person" if count == 1 else f"{count} people"
    first, last = float(table.time_s[0]), float(table.time_s[-1])
    tenths = last - first < SHORT_S
    return f"{persons}, from {time_text(first, tenths)} to {time_text(last, tenths)}; faces in {frames:,} frames"


def _card(card: Card, names: Sequence[str]) -> dict[str, object]:
    """The values of a person in the template."""
    person = card.person
    parts = _parts(person.shares, names)
    tenths = person.last_s - person.first_s < SHORT_S
    return {
        "number": person.track_id,
        "thumbnail": _data_url("jpeg", card.thumbnail) if card.thumbnail else "",
        "emotion": max(parts, key=lambda part: part.share).name,
        "seen": time_text(person.seen_s, tenths),
        "first": time_text(person.first_s, tenths),
        "last": time_text(person.last_s, tenths),
        "parts": parts,
    }


def _parts(shares: np.ndarray, names: Sequence[str]) -> list[Part]:
    """One for each emotion and, where there is any, one for the time that was unclear."""
    parts = [Part(*values) for values in zip(names, shares.tolist(), hex_colours(names))]
    unclear = 1 - float(shares.sum())
    if unclear >= SMALLEST_UNCLEAR:
        parts.append(Part("unclear", unclear, "var(--unclear)"))
    return parts


def _data_url(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
