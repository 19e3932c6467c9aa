"""What a client of the live socket may say, looked at before anything is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from live_emotion.checks import check_choice, check_flag, check_whole, wrong
from live_emotion.errors import InputError
from live_emotion.server.live.enrolling import KEYS
from live_emotion.server.live.session import LONGEST_NAME
from live_emotion.types import DETECTORS

CANCEL = "cancel"

MOST_FACES = 100
"""That a client may ask for in a frame."""


@dataclass(frozen=True)
class Start:
    """How frames are to be read from now on, and whether anybody with the token may follow the session's events."""

    mirrored: bool
    detector: str
    max_faces: int
    overlay: bool


@dataclass(frozen=True)
class Marker:
    """A label for the last frame."""

    label: str


@dataclass(frozen=True)
class Name:
    """A person's name; an empty one takes it away."""

    track_id: int
    name: str


@dataclass(frozen=True)
class Enrol:
    """An enrolment is to begin, under this name."""

    name: str


@dataclass(frozen=True)
class EnrolKey:
    """A key of the enrolment."""

    key: str


@dataclass(frozen=True)
class Ping:
    """The client is there."""


Message = Start | Marker | Name | Enrol | EnrolKey | Ping


def parse(text: str, most: int, defaults: Start) -> Message:
    """Reads a message.

    Args:
        text: JSON.
        most: bytes that it may have.
        defaults: for what a ``start`` leaves out.

    Raises:
        InputError: it is none, and what it should be.
        ArgumentError: a value in it makes no sense.
    """
    if len(text.encode()) > most:
        raise InputError(f"A message has at most {most} bytes; images go as binary messages.")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("The message is no JSON; send an object with a type.") from error
    if not isinstance(content, dict):
        raise InputError("The message is no object; send one with a type, as /docs tells.")
    kind = content.pop("type", None)
    if kind == "start":
        return _start(content, defaults)
    if kind == "marker":
        return Marker(_text(content, "label"))
    if kind == "name":
        number = check_whole("track_id", content.get("track_id"), "a person's number", 1, 2**31)
        return Name(number, _text(content, "name", empty=True))
    if kind == "enrol":
        return Enrol(_text(content, "name"))
    if kind == "enrol_key":
        return EnrolKey(check_choice("key", content.get("key"), (*KEYS, CANCEL)))
    if kind == "ping":
        return Ping()
    raise InputError("The message's type must be start, marker, name, enrol, enrol_key or ping.")


def _start(content: dict[str, Any], defaults: Start) -> Start:
    return Start(
        check_flag("mirrored", content.get("mirrored", defaults.mirrored)),
        check_choice("detector", content.get("detector", defaults.detector), DETECTORS),
        check_whole(
            "max_faces", content.get("max_faces", defaults.max_faces), f"a number from 1 to {MOST_FACES}", 1, MOST_FACES
        ),
        check_flag("overlay", content.get("overlay", defaults.overlay)),
    )


def _text(content: dict[str, Any], name: str, empty: bool = False) -> str:
    text = content.get(name)
    if not isinstance(text, str) or len(text) > LONGEST_NAME or not text.isprintable() or not (empty or text.strip()):
        raise wrong(name, f"a text of at most {LONGEST_NAME} letters", text)
    return text.strip()
