"""Whether there is a screen, and how large it is."""

from __future__ import annotations

import os
import socket
import sys

from live_emotion.errors import DisplayError
from live_emotion.io.display.letterbox import Size

Address = str | tuple[str, int]
"""Of a socket: a path, or a host and a port."""

USUAL: Size = (1920, 1080)
"""Taken for the size of a screen that does not tell its own."""


def screen_size() -> Size:
    """Width and height of the primary screen in pixels."""
    import mss

    try:
        with mss.MSS() as screens:
            first = screens.primary_monitor
    except mss.ScreenShotError:
        return USUAL
    return first["width"], first["height"]


def has_display() -> bool:
    """Whether there is a screen to open windows on."""
    try:
        check_display()
    except DisplayError:
        return False
    return True


def check_display() -> None:
    """Looks for a screen before Qt does, which ends the whole program where it finds none.

    Raises:
        DisplayError: there is none.
    """
    if sys.platform in ("win32", "darwin"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise DisplayError("There is no display to open a window on; add --no-window, with --record or --log.")
    if not _answers(display):
        raise DisplayError(f"The display {display} does not answer; check DISPLAY, or add --no-window.")


def _answers(display: str) -> bool:
    """Whether an X server takes a connection at ``[host]:number[.screen]``."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdecimal():
        return False
    path = f"/tmp/.X11-unix/X{number}"
    places: list[tuple[int, Address]] = [(socket.AF_UNIX, "\0" + path), (socket.AF_UNIX, path)]
    if host and host != "unix":
        places = [(socket.AF_UNIX, display)] if host.startswith("/") else [(socket.AF_INET, (host, 6000 + int(number)))]
    return any(_connects(family, address) for family, address in places)


def _connects(family: int, address: Address) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
