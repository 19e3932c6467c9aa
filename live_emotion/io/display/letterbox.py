"""An image in a window of another shape: as large as it fits, in the middle, on dark borders."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from live_emotion.types import TrackedFace

Size = tuple[int, int]
"""Width and height in pixels."""

BORDER = 24
"""Grey level of what the image does not fill."""


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies in a window.

    Args:
        image: its size.
        window: the window's.
    """

    image: Size
    window: Size

    @property
    def scale(self) -> float:
        """Pixels of the window for one of the image."""
        return min(self.window[0] / self.image[0], self.window[1] / self.image[1])

    @property
    def size(self) -> Size:
        """Of the image in the window; its ratio is kept to the pixel."""
        return max(1, round(self.image[0] * self.scale)), max(1, round(self.image[1] * self.scale))

    @property
    def origin(self) -> tuple[int, int]:
        """Of the image in the window, x and y in pixels."""
        return (self.window[0] - self.size[0]) // 2, (self.window[1] - self.size[1]) // 2

    def apply(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 at the window's size; the image itself where it has that size already."""
        import cv2

        if self.image == self.window:
            return image
        (width, height), (left, top) = self.size, self.origin
        # Linear: a good filter for shrinking takes longer than all the rest of what is done for a frame.
        scaled = cv2.resize(image, self.size, interpolation=cv2.INTER_LINEAR)
        if self.size == self.window:
            return scaled
        canvas = np.full((self.window[1], self.window[0], 3), BORDER, np.uint8)
        canvas[top : top + height, left : left + width] = scaled
        return canvas

    def place(self, face: TrackedFace) -> TrackedFace:
        """The face as it is in the window."""
        left, top = self.origin
        x1, y1, x2, y2 = (v * self.scale for v in face.box)
        points = face.keypoints * np.float32(self.scale) + np.array([left, top], np.float32)
        return replace(face, box=(x1 + left, y1 + top, x2 + left, y2 + top), keypoints=points)


def opening_size(image: Size, screen: Size, share: float, natural: float) -> Size:
    """The size at which a window opens: as large as the screen allows, but not for a little more than 1:1.

    Args:
        image: size of what it will show.
        screen: size of the screen.
        share: part of the screen's width and height that it may take.
        natural: an image that could be enlarged by less than this factor is shown as it is.

    Example:
        >>> opening_size((1920, 1080), (1280, 720), 0.8, 1.25), opening_size((640, 360), (1280, 720), 0.8, 1.25)
        ((1024, 576), (1024, 576))
        >>> opening_size((960, 540), (1280, 720), 0.8, 1.25)
        (960, 540)
    """
    room = int(share * screen[0]), int(share * screen[1])
    box = Letterbox(image, room)
    return image if 1 <= box.scale < natural else box.size
