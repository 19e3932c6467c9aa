"""The errors a user can cause.

Each message is one line: what happened, with which file or device, and what to do. The command line prints it
and exits with 1; a library user catches :class:`LiveEmotionError`.
"""

from __future__ import annotations

import re

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Line breaks, and what else moves a terminal's cursor."""

MOVING = re.compile(r"(?![\n\t])" + CONTROLS.pattern)
"""Those that no text of several lines has."""

LONGEST_MESSAGE = 800
"""In characters: what quotes a file may quote much."""


def printable(text: str) -> str:
    """A text of any lines as a terminal shows it, whatever the files are named that it tells of."""
    return encodable(MOVING.sub("?", text))


def encodable(text: str) -> str:
    """A text whose bytes that are no text stand as ``\\udcff``."""
    return text.encode(errors="backslashreplace").decode()


def one_line(text: str) -> str:
    """A text as a line of bounded length that a terminal shows as it is."""
    kept = (
        text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE // 2]} ... {text[-LONGEST_MESSAGE // 2 :]}"
    )
    return encodable(CONTROLS.sub("?", kept))


class LiveEmotionError(Exception):
    """Base of every error that this package raises on purpose."""

    def __str__(self) -> str:
        return one_line(super().__str__())  # files may be named with anything


class ArgumentError(LiveEmotionError, ValueError):
    """What a Python program passed makes no sense: another shape or dtype, not a number, an unknown name."""


class InputError(LiveEmotionError):
    """A photo or video is missing, unreadable, empty, or shows no face."""


class OutputError(LiveEmotionError):
    """A result cannot be written: no such folder, no permission, no space, or it exists already."""


class CameraError(LiveEmotionError):
    """No such camera, a camera in use, or one that gives no frames."""


class DisplayError(LiveEmotionError):
    """There is no screen to open a window on."""


class WeightsError(LiveEmotionError):
    """A weights or model file is missing, damaged, or of another kind."""


class DeviceError(LiveEmotionError):
    """The computing device that was asked for is not there."""


class DataError(LiveEmotionError):
    """Training data are missing, empty or inconsistent."""


class ServerError(LiveEmotionError):
    """The server cannot start: its port is in use, or its certificate cannot be used."""


class MissingExtraError(LiveEmotionError):
    """An optional package is needed and not installed."""
