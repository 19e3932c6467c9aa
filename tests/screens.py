"""A screen for tests: Xvfb, a window that is found, asked to close and typed into as a desktop does it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator

import cv2
import numpy as np

TITLE = "live-emotion"

NEEDED = ("Xvfb", "xdotool", "import")
"""Programs; Debian's packages xvfb, xdotool and imagemagick have them."""

HANGS_S = 300
"""After this a program that does not answer is given up."""

missing = [name for name in NEEDED if not shutil.which(name)]


class ClientMessage(ctypes.Structure):
    """Xlib's XClientMessageEvent, with room for the largest event."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("room", ctypes.c_long * 24),
    ]


class Screen:
    """An X server without a monitor.

    Attributes:
        display: its name, for ``DISPLAY``.
    """

    def __init__(self, display: str) -> None:
        self.display = display
        self.environment = {**os.environ, "DISPLAY": display}

    def xdotool(self, *arguments: str) -> str:
        """What it prints."""
        return self._run("xdotool", *arguments).decode()

    def _run(self, *command: str) -> bytes:
        done = subprocess.run(command, env=self.environment, check=True, timeout=HANGS_S, capture_output=True)
        return done.stdout

    def find_window(self) -> str:
        """The window's number, once it is on the screen."""
        return self.xdotool("search", "--sync", "--onlyvisible", "--name", f"^{TITLE}$").split()[-1]

    def geometry(self, window: str) -> tuple[int, int, int, int]:
        """Left, top, width and height in pixels."""
        lines = self.xdotool("getwindowgeometry", "--shell", window).splitlines()
        values = dict(line.split("=") for line in lines)
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def picture(self, window: str) -> np.ndarray:
        """What a window shows, (H, W, 3) uint8 BGR."""
        bitmap = self._run("import", "-window", window, "bmp:-")
        return cv2.imdecode(np.frombuffer(bitmap, np.uint8), cv2.IMREAD_COLOR)

    def close_window(self, window: str) -> None:
        """Asks it to close, as its close button does: the message WM_DELETE_WINDOW of the protocol ICCCM."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(self.display.encode()))
        protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        client_message = 33
        event = ClientMessage(client_message, 0, 1, display, int(window), protocols, 32)
        event.data[0] = delete
        x11.XSendEvent(display, ctypes.c_ulong(int(window)), 0, ctypes.c_long(0), ctypes.byref(event))
        x11.XSync(display, 0)
        x11.XCloseDisplay(display)


@contextlib.contextmanager
def screen(width: int, height: int) -> Iterator[Screen]:
    """A screen of this size."""
    read, write = os.pipe()
    size = f"{width}x{height}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as number:
            yield Screen(f":{number.readline().strip()}")
    finally:
        server.terminate()
        server.wait()
