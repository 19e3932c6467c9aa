"""Identities: which face of a frame is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import lap
import numpy as np

from live_emotion.types import Face

LOST_S = 1.0
"""How long, in seconds, a face may be out of sight and keep its identity."""

SMALLEST_OVERLAP = 0.15
"""Least intersection over union of a face and the place where its track expects it."""


@dataclass
class _Track:
    """What is remembered of a face."""

    track_id: int
    box: np.ndarray  # (4,) float64, where it was last seen
    time_s: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))  # pixels a second

    def expected_box(self, time_s: float) -> np.ndarray:
        """Where the face should be now if it goes on as it went."""
        shift = self.velocity * (time_s - self.time_s)
        return self.box + np.concatenate([shift, shift])

    def move(self, box: np.ndarray, time_s: float) -> None:
        """Takes the track on to a new frame."""
        elapsed = time_s - self.time_s
        if elapsed > 0:
            moved = (box[:2] + box[2:] - self.box[:2] - self.box[2:]) / 2
            self.velocity = 0.5 * self.velocity + 0.5 * moved / elapsed
        self.box, self.time_s = box, time_s


class Tracker:
    """Joins the faces of successive frames into tracks.

    Faces and tracks are paired so that the overlap of all pairs together is largest (linear assignment; Jonker and
    Volgenant, 1987).

    Args:
        lost_s: how long a face may be out of sight, in seconds.
    """

    def __init__(self, lost_s: float = LOST_S) -> None:
        self.lost_s = lost_s
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._waits = False

    @property
    def track_ids(self) -> frozenset[int]:
        """Of all faces that may still come back as themselves."""
        return frozenset(track.track_id for track in self._tracks)

    def update(self, faces: Sequence[Face], time_s: float) -> list[int]:
        """Takes in a frame.

        Args:
            faces: N detected faces.
            time_s: of the frame, in seconds; frames come in order. A time before the last frame's starts anew.

        Returns:
            N track ids, 1, 2, ..., in the order of ``faces``.
        """
        if self._waits:
            self._waits = False
            for track in self._tracks:
                track.time_s, track.velocity = time_s, np.zeros(2)
        self._tracks = [t for t in self._tracks if 0 <= time_s - t.time_s <= self.lost_s]
        boxes = np.array([face.box for face in faces], np.float64).reshape(-1, 4)
        matches = self._match(boxes, time_s)
        for i, box in enumerate(boxes):
            if i in matches:
                matches[i].move(box, time_s)
            else:
                matches[i] = _Track(self._next_id, box, time_s)
                self._next_id += 1
                self._tracks.append(matches[i])
        return [matches[i].track_id for i in range(len(boxes))]

    def wait(self) -> None:
        """Nobody looks until the next frame: whoever is at the same place then, however late it is, is the same."""
        self._waits = True

    def forget(self) -> None:
        """Ends all tracks, as at a cut; the numbers go on."""
        self._tracks = []

    def mirror(self, width: int) -> None:
        """Turns all tracks left to right, as the frames, ``width`` pixels wide, are from now on."""
        for track in self._tracks:
            track.box = np.array([width - track.box[2], track.box[1], width - track.box[0], track.box[3]])
            track.velocity = track.velocity * np.array([-1.0, 1.0])

    def _match(self, boxes: np.ndarray, time_s: float) -> dict[int, _Track]:
        """Tracks by the index of the box that continues them."""
        if not self._tracks or not len(boxes):
            return {}
        expected = np.array([t.expected_box(time_s) for t in self._tracks])
        overlap = intersection_over_union(boxes, expected)
        _, columns, _ = lap.lapjv(1 - overlap, extend_cost=True)  # a box without a track has column -1
        return {
            row: self._tracks[column]
            for row, column in enumerate(columns)
            if column >= 0 and overlap[row, column] >= SMALLEST_OVERLAP
        }


def intersection_over_union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Overlap of each box of ``a`` with each of ``b``: (N, 4) and (M, 4) ``x1 y1 x2 y2`` -> (N, M), 0 to 1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b))
    return shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)
