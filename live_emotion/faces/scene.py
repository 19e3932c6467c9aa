"""Cuts: where another scene begins, and places say nothing of who is who."""

from __future__ import annotations

import numpy as np

POINTS_X, POINTS_Y = 32, 18
"""At so many points two frames are compared."""

CUT = 25.0
"""Mean difference there, in grey levels of 255, from which another scene begins. Cuts between walls of other colours
have 35 and more, people who walk close before the camera 20."""


class Scene:
    """Notices cuts. It remembers a few points of the last frame."""

    def __init__(self) -> None:
        self._points: np.ndarray | None = None

    def is_cut(self, image: np.ndarray) -> bool:
        """Whether another scene begins with this frame, (H, W, 3) or (H, W) uint8; not with the first one."""
        height, width = image.shape[:2]
        rows, columns = (
            ((np.arange(n) + 0.5) * size / n).astype(int) for n, size in ((POINTS_Y, height), (POINTS_X, width))
        )
        points = image[rows[:, None], columns].astype(np.int16)
        before, self._points = self._points, points
        if before is None or before.shape != points.shape:
            return before is not None
        return float(np.abs(points - before).mean()) > CUT
