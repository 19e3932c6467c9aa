"""The report's page: one HTML file with everything in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

import numpy as np

from live_emotion.io.results_reader import FaceTable, Person

SMALLEST_SHARE = 0.08
"""Parts of a bar from this size on have room for their figure."""

SMALLEST_UNCLEAR = 0.005
"""From this part on, the time that was unclear is named."""

SHORT_S = 10
"""Lengths under this, in seconds, are given in tenths."""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --back: #f6f6f8; --card: #ffffff; --text: #1d1d1f; --soft: #5f5f66; --line: #dcdce1; --unclear: #ececf0; }
@media (prefers-color-scheme: dark) {
  :root { --back: #151517; --card: #222226; --text: #ececee; --soft: #a6a6ae; --line: #3a3a40; --unclear: #85858f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
h1 { margin: 0 0 .25rem; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.25rem 0 .75rem; font-size: 1.15rem; }
p { margin: 0 0 .5rem; }
.soft, footer { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem; }
.card img.wide { display: block; width: 100%; height: auto; }
.bar { display: flex; height: 1.6rem; border-radius: 7px; overflow: hidden; background: var(--line); }
.bar span { color: #18181a; font-size: .8rem; line-height: 1.6rem; text-align: center; overflow: hidden; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .7rem 0 0; padding: 0; list-style: none; }
.dot { display: inline-block; width: .75em; height: .75em; margin-right: .4em; border-radius: 3px; }
.people { display: grid; grid-template-columns: repeat(auto-fill, minmax(18.5rem, 1fr)); gap: 1rem; }
.person { display: grid; grid-template-columns: 5.5rem 1fr; gap: .9rem; align-items: center; }
.person .bar { grid-column: 1 / -1; }
.face { display: block; width: 5.5rem; height: 5.5rem; border-radius: 12px; background: var(--line); }
.person h3 { margin: 0; font-size: 1.05rem; }
.person p { margin: 0; font-size: .92rem; }
.more { margin-top: .9rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; font-size: .9rem; }
code { font: .92em ui-monospace, monospace; }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="soft">$summary</p>
$body
<footer>
<p>Each row of <code>people.csv</code> beside this page is a person: <code>pandas.read_csv("people.csv")</code>.
Shares are parts of the time for which a person was seen; it was unclear where the face could not be read or no emotion
stood out.</p>
<p>Made by live-emotion on this machine; the page loads nothing from elsewhere. A facial expression is not what a
person feels: don't use this to judge people.</p>
</footer>
</main>
</body>
</html>
""")

BODY = Template("""<h2>Over time</h2>
<div class="card"><picture><source media="(prefers-color-scheme: dark)" srcset="$dark">
<img class="wide" src="$light" alt="Probabilities of the emotions of each person over time, stacked"></picture></div>
<h2>Everyone together</h2>
<div class="card">$bar
<ul class="key">$key</ul></div>
<h2>People</h2>
<div class="people">
$cards
</div>
$more
""")

CARD = Template("""<section class="card person">$face
<div><h3>Person $number</h3>
<p>Mostly <b>$emotion</b></p>
<p class="soft">in view for $seen<br>from $first to $last</p></div>
$bar</section>""")

NOBODY = '<div class="card"><p>No face was found, so there is nothing to show.</p></div>'


@dataclass(frozen=True)
class Card:
    """A person on the page.

    Attributes:
        person: what the rows say.
        thumbnail: a JPEG file, or None.
    """

    person: Person
    thumbnail: bytes | None


def page(
    title: str,
    table: FaceTable,
    cards: Sequence[Card],
    left_out: int,
    shares: np.ndarray,
    colours: Sequence[str],
    timelines: Sequence[bytes],
) -> str:
    """The page as HTML.

    Args:
        title: the video's name.
        table: all rows.
        cards: the people that are shown.
        left_out: how many are not.
        shares: (C,) of all people together, 0 to 1; what they lack to 1 was unclear.
        colours: C, as ``#rrggbb``.
        timelines: the picture as PNG files, for a light and for a dark page.
    """
    names = table.class_names
    body = NOBODY
    if cards:
        body = BODY.substitute(
            light=_data("png", timelines[0]),
            dark=_data("png", timelines[1]),
            bar=_bar(shares, names, colours),
            key=_key(shares, names, colours),
            more=_more(left_out),
            cards="\n".join(_card(card, names, colours) for card in cards),
        )
    return PAGE.substitute(title=_text(title), summary=_summary(table, len(cards)), body=body)


def time_text(seconds: float, tenths: bool = False) -> str:
    """``3723.5`` -> ``1:02:04``; with tenths ``1:02:03.5``."""
    units = round(seconds * 10) if tenths else 10 * round(seconds)
    minutes, rest = divmod(units, 600)
    hours, minutes = divmod(minutes, 60)
    last = f"{rest / 10:04.1f}" if tenths else f"{rest // 10:02}"
    return f"{hours}:{minutes:02}:{last}" if hours else f"{minutes}:{last}"


def _summary(table: FaceTable, count: int) -> str:
    if not len(table):
        return "No face"
    frames = len(np.unique(table.time_s))
    persons = "1 person" if count == 1 else f"{count} people"
    first, last = float(table.time_s[0]), float(table.time_s[-1])
    tenths = last - first < SHORT_S
    return f"{persons}, from {time_text(first, tenths)} to {time_text(last, tenths)}; faces in {frames:,} frames"


def _card(card: Card, names: Sequence[str], colours: Sequence[str]) -> str:
    person = card.person
    tenths = person.last_s - person.first_s < SHORT_S
    source = _data("jpeg", card.thumbnail) if card.thumbnail else ""
    face = f'<img class="face" src="{source}" alt="">' if source else '<span class="face"></span>'
    return CARD.substitute(
        face=face,
        number=person.track_id,
        emotion=_text(max(_with_unclear(person.shares, names, colours))[1]),
        seen=time_text(person.seen_s, tenths),
        first=time_text(person.first_s, tenths),
        last=time_text(person.last_s, tenths),
        bar=_bar(person.shares, names, colours),
    )


def _more(count: int) -> str:
    """A line on those who are not shown."""
    if not count:
        return ""
    who = "1 other was" if count == 1 else f"{count} others were"
    return f'<p class="soft more">{who} seen for a shorter time; people.csv has them all.</p>'


def _bar(shares: np.ndarray, names: Sequence[str], colours: Sequence[str]) -> str:
    parts = []
    for share, name, colour in _with_unclear(shares, names, colours):
        figure = f"{share:.0%}" if share >= SMALLEST_SHARE else ""
        label = f"{_text(name)} {share:.0%}"
        parts.append(f'<span style="width:{100 * share:.2f}%;background:{colour}" title="{label}">{figure}</span>')
    return f'<div class="bar">{"".join(parts)}</div>'


def _key(shares: np.ndarray, names: Sequence[str], colours: Sequence[str]) -> str:
    return "".join(
        f'<li><span class="dot" style="background:{colour}"></span>{_text(name)} {share:.0%}</li>'
        for share, name, colour in _with_unclear(shares, names, colours)
    )


def _with_unclear(shares: np.ndarray, names: Sequence[str], colours: Sequence[str]) -> Iterator[tuple[float, str, str]]:
    """Share, name and colour of each emotion and, where there is any, of the time that was unclear."""
    yield from zip(shares.tolist(), names, colours)
    unclear = 1 - float(shares.sum())
    if unclear >= SMALLEST_UNCLEAR:
        yield unclear, "unclear", "var(--unclear)"


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _text(text: str) -> str:
    """Escaped; what a file's name holds that is no text becomes a question mark."""
    return escape(text.encode("utf-8", "replace").decode())
