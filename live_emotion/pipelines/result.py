"""What the analyzer makes of a frame: the faces that it found, and what it read in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from live_emotion.faces.appearance import LOOK_SIZE, look
from live_emotion.io.results_writer import rows
from live_emotion.types import Face, Frame, Row, TrackedFace
from live_emotion.visualization.overlay import draw


@dataclass(frozen=True)
class FoundFaces:
    """A frame and the faces that were found in it, not yet read.

    Attributes:
        frame: as it was looked at.
        faces: N of them.
        crops: theirs, uint8 (N, 48, 48).
        is_mirrored: whether the frame was turned left to right.
        found: how many there were; ``faces`` are the largest of them.
    """

    frame: Frame
    faces: list[Face]
    crops: np.ndarray
    is_mirrored: bool = False
    found: int = 0

    def only(self, index: np.ndarray) -> FoundFaces:
        """Those of the faces at ``index``, int (M,); the others are none."""
        if len(index) == len(self.faces):
            return self
        faces = [self.faces[i] for i in index]
        return replace(self, faces=faces, crops=self.crops[index], found=self.found - len(self.faces) + len(faces))


@dataclass(frozen=True)
class Result:
    """What came of a frame.

    Attributes:
        frame: as it was read.
        faces: that were read in it, at most ``max_faces``.
        class_names: in the order of the faces' probabilities.
        found: how many there were; ``faces`` are the largest of them.
    """

    frame: Frame
    faces: list[TrackedFace]
    class_names: tuple[str, ...]
    found: int = 0

    def draw(self, bars: bool = True, lines: Sequence[str] = ()) -> np.ndarray:
        """An annotated copy of the frame, (H, W, 3) uint8 BGR; the arguments are those of ``overlay.draw``."""
        return draw(self.frame.image, self.faces, self.class_names, bars, lines)

    def rows(self) -> list[Row]:
        """One dictionary a face, with the columns of ``--log`` and ``--data``."""
        return list(rows(self.frame, self.faces, self.class_names))


def looks_of(found: FoundFaces) -> np.ndarray:
    """What a frame's faces look like: float32 (N, LOOK_SIZE), 0 where it's not known."""
    looks = np.zeros((len(found.faces), LOOK_SIZE), np.float32)
    for row, face in zip(looks, found.faces):
        if (seen := look(found.frame.image, face, found.is_mirrored)) is not None:
            row[:] = seen
    return looks
