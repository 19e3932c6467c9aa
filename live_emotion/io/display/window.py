"""A window on the screen."""

from __future__ import annotations

import os

import numpy as np

from live_emotion.io.display.letterbox import Letterbox, Size, opening_size
from live_emotion.io.display.screen import check_display, screen_size

ESCAPE = chr(27)

F11 = (0xFFC8, 0x7A0000, 0xF70E)
"""What OpenCV gives for this key on Linux, on Windows and on macOS."""

SCREEN_SHARE = 0.85
"""Part of the screen's width and height that a window opens at: title and panels need the rest."""

NATURAL = 1.25
"""An image that could be enlarged by less than this is shown as it is, which is sharpest."""


class Window:
    """Shows images until somebody closes it. ``f`` or F11 fill the screen and come back, as does Esc.

    Args:
        title: of the window.

    Attributes:
        key: that was pressed while the last image was shown, in lower case; empty where none was, or where it was
            the window's own.

    Raises:
        DisplayError: there is no screen.
    """

    def __init__(self, title: str = "live-emotion") -> None:
        check_display()
        # Qt complains of fonts that OpenCV's wheel does not carry; it finds the system's.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        # One pixel of an image is one of the screen: Qt would enlarge ours on dense screens, and blur the text.
        os.environ.setdefault("QT_AUTO_SCREEN_SCALE_FACTOR", "0")
        # Loaded before PyAV, whose own libxcb would make Qt hang (PyAV issue 978).
        import cv2  # noqa: F401

        self.title = title
        self.key = ""
        self._ratio: float | None = None  # width to height of the images that it was fitted to; None: not open
        self._last_size: Size = (1, 1)
        self._is_full = False

    def fit(self, width: int, height: int) -> Size:
        """Opens it for images of this size, or gives it their ratio where those before had another.

        Returns:
            width and height in pixels at which images are shown best.
        """
        import cv2

        asked = None
        ratio = width / height
        if self._ratio is None:
            # OpenCV may keep the ratio only by stretching what is shown; borders are drawn into the image instead
            cv2.namedWindow(self.title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        if (self._ratio is None or abs(self._ratio / ratio - 1) > 0.01) and not self._is_full:
            screen = screen_size()
            asked = opening_size((width, height), screen, SCREEN_SHARE, NATURAL)
            cv2.resizeWindow(self.title, *asked)
            cv2.moveWindow(self.title, (screen[0] - asked[0]) // 2, (screen[1] - asked[1]) // 3)
        self._ratio = ratio
        return asked or self._size() or (width, height)

    def show(self, image: np.ndarray) -> bool:
        """Shows (H, W, 3) uint8 BGR; False once it was closed, or ended with ``q`` or Esc.

        An image of another size than the window's comes on dark borders.
        """
        import cv2

        height, width = image.shape[:2]
        size = self.fit(width, height) if self._ratio is None else self._size()
        if size is None:
            return False
        cv2.imshow(self.title, Letterbox((width, height), size).apply(image))
        self.key = _letter(cv2.waitKeyEx(1))
        if self.key == "f" or (self.key == ESCAPE and self._is_full):
            self._fill_screen(not self._is_full)
            self.key = ""
        return self._size() is not None and self.key not in ("q", ESCAPE)

    def _fill_screen(self, full: bool) -> None:
        import cv2

        if self._size():
            self._is_full = full
            mode = cv2.WINDOW_FULLSCREEN if full else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self.title, cv2.WND_PROP_FULLSCREEN, mode)

    def _size(self) -> Size | None:
        """Width and height of what it shows, in pixels; None where it was closed."""
        import cv2

        try:
            if cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1:
                return None
            _, _, width, height = cv2.getWindowImageRect(self.title)
        except cv2.error:  # with the last window its close button takes away all that Qt could be asked
            return None
        if width > 0 and height > 0:  # else it is minimised
            self._last_size = width, height
        return self._last_size

    def close(self) -> None:
        """Takes the window from the screen."""
        import cv2

        if self._size():
            cv2.destroyWindow(self.title)
        self._ratio, self._is_full = None, False

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _letter(code: int) -> str:
    """The key of OpenCV's code, in lower case; empty for none, and for keys that write nothing, such as arrows."""
    if code in F11:
        return "f"
    # the low byte alone, as cv2.waitKey gives it, would make Left, Up and Right into q, r and s
    return chr(code).lower() if 0 < code < 0xFF00 else ""
