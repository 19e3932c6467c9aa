"""A window on the screen."""

from __future__ import annotations

import os
import socket
import sys

import numpy as np

from live_emotion.errors import DisplayError

ENDING = ("q", chr(27))
"""Keys that end it: q and Esc."""

Address = str | tuple[str, int]
"""Of a socket: a path, or a host and a port."""

LARGEST = (1600, 900)
"""Width and height in pixels beyond which a window opens smaller than its image."""


class Window:
    """Shows images until somebody closes it.

    Args:
        title: of the window.

    Attributes:
        key: that was pressed while the last image was shown, in lower case; empty where none was.

    Raises:
        DisplayError: there is no screen.
    """

    def __init__(self, title: str = "live-emotion") -> None:
        check_display()
        # Qt complains of fonts that OpenCV's wheel does not carry; it finds the system's.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        # Loaded before PyAV, whose own libxcb would make Qt hang (PyAV issue 978).
        import cv2  # noqa: F401

        self.title = title
        self.key = ""
        self._size: tuple[int, ...] | None = None  # of the images; None: not open

    def show(self, image: np.ndarray) -> bool:
        """Shows (H, W, 3) uint8 BGR; False once it was closed, or ended with ``q`` or Esc.

        The window takes the image's size when that is another than the last one's.
        """
        import cv2

        if self._size is None:
            cv2.namedWindow(self.title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        if self._size != image.shape[:2]:
            self._size = image.shape[:2]
            shrink = min(1.0, LARGEST[0] / image.shape[1], LARGEST[1] / image.shape[0])
            cv2.resizeWindow(self.title, round(image.shape[1] * shrink), round(image.shape[0] * shrink))
        cv2.imshow(self.title, image)
        key = cv2.waitKey(1)
        self.key = chr(key & 0xFF).lower() if key >= 0 else ""
        closed = cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1
        return not closed and self.key not in ENDING

    def close(self) -> None:
        """Takes the window from the screen."""
        import cv2

        if self._size and cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1:
            cv2.destroyWindow(self.title)
        self._size = None

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
