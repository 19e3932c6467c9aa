"""What is on the screen: an image at the window's size, and over it, just as sharp, what was read in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from live_emotion.io.display.letterbox import Letterbox, Size
from live_emotion.types import TrackedFace
from live_emotion.visualization.heat import lay_heat
from live_emotion.visualization.history import Band
from live_emotion.visualization.overlay import Overlay


class View:
    """Draws an image and what was read in it at any size.

    Args:
        class_names: C names in the order of the probabilities.

    Attributes:
        image: that is shown, (H, W, 3) uint8 BGR; black before the first.
        faces: that were read in it.
        heat: a map to lay over one of them, float32 (48, 48), and the number of its track; None: none.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.image = np.zeros((1, 1, 3), np.uint8)
        self.faces: list[TrackedFace] = []
        self.heat: tuple[int, np.ndarray] | None = None
        self._overlay = Overlay(class_names)
        self._scaled: np.ndarray | None = None  # the image in the window, nothing drawn

    @property
    def size(self) -> Size:
        """Of the image."""
        return self.image.shape[1], self.image.shape[0]

    def update(self, image: np.ndarray, faces: Sequence[TrackedFace] = ()) -> None:
        """Takes the next image."""
        self.image, self.faces, self._scaled = image, list(faces), None

    def draw(
        self, window: Size, bars: bool = True, lines: Sequence[str] = (), bands: Sequence[Band] = ()
    ) -> np.ndarray:
        """(H, W, 3) uint8 BGR of the window's size; the other arguments are those of :meth:`Overlay.draw`."""
        letterbox = Letterbox(self.size, window)
        if self._scaled is None or self._scaled.shape[1::-1] != window:
            self._scaled = letterbox.apply(self.image)
        faces = [letterbox.place(face) for face in self.faces]
        return self._overlay.draw(self._heated(self._scaled, faces), faces, bars, lines, bands)

    @property
    def heated(self) -> np.ndarray:
        """The image with the map on it, (H, W, 3) uint8 BGR."""
        return self._heated(self.image, self.faces)

    def _heated(self, image: np.ndarray, faces: Sequence[TrackedFace]) -> np.ndarray:
        for face in faces:
            if self.heat and face.track_id == self.heat[0]:
                return lay_heat(image, face.box, self.heat[1])
        return image
