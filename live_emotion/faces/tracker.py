"""Identities: which face of a frame is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from live_emotion.emotions.smoothing import Smoother, Smoothing
from live_emotion.faces.quality import doubt
from live_emotion.types import Face, Prediction, TrackedFace

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
    smoother: Smoother
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))  # pixels a second

    def expected_box(self, time_s: float) -> np.ndarray:
        """Where the face should be now if it goes on as it went."""
        shift = self.velocity * (time_s - self.time_s)
        return self.box + np.concatenate([shift, shift])


class Tracker:
    """Joins the faces of successive frames into tracks and smooths what they show.

    Faces and tracks are paired so that the overlap of all pairs together is largest (Hungarian method; Kuhn, 1955).
    What each shows is smoothed by itself, in seconds, so that a video looks the same at any frame rate.

    Args:
        class_names: C names in the order of the probabilities.
        smoothing: of what they show.
        lost_s: how long a face may be out of sight, in seconds.
    """

    def __init__(self, class_names: Sequence[str], smoothing: Smoothing = Smoothing(), lost_s: float = LOST_S) -> None:
        from scipy.optimize import linear_sum_assignment  # here, since it takes longer than a frame to load

        self._assign = linear_sum_assignment
        self.class_names = tuple(class_names)
        self.smoothing = smoothing
        self.lost_s = lost_s
        self._tracks: list[_Track] = []
        self._next_id = 1

    def update(self, faces: Sequence[Face], probabilities: np.ndarray, time_s: float) -> list[TrackedFace]:
        """Takes in a frame.

        Args:
            faces: N detected faces.
            probabilities: (N, C) float, theirs.
            time_s: of the frame, in seconds; frames come in order.

        Returns:
            N faces in the order of ``faces``.
        """
        self._tracks = [t for t in self._tracks if 0 <= time_s - t.time_s <= self.lost_s]
        boxes = np.array([face.box for face in faces], np.float64).reshape(-1, 4)
        matches = self._match(boxes, time_s)
        tracked = []
        for i, face in enumerate(faces):
            if i in matches:
                track = matches[i]
                track.smoother.update(probabilities[i], face.note, time_s - track.time_s)
                _move(track, boxes[i], time_s)
            else:
                track = _Track(self._next_id, boxes[i], time_s, Smoother(self.smoothing, probabilities[i], face.note))
                self._next_id += 1
                self._tracks.append(track)
            tracked.append(self._shown(face, track))
        return tracked

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
        rows, columns = self._assign(overlap, maximize=True)
        return {int(r): self._tracks[c] for r, c in zip(rows, columns) if overlap[r, c] >= SMALLEST_OVERLAP}

    def _shown(self, face: Face, track: _Track) -> TrackedFace:
        shown = track.smoother
        values = tuple(float(p) for p in shown.probabilities)
        prediction = Prediction(self.class_names[shown.shown], values[shown.shown], values)
        return TrackedFace(face.box, face.score, face.keypoints, prediction, track.track_id, shown.note)


def _move(track: _Track, box: np.ndarray, time_s: float) -> None:
    """Takes a track on to a new frame."""
    elapsed = time_s - track.time_s
    if elapsed > 0:
        moved = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / 2
        track.velocity = 0.5 * track.velocity + 0.5 * moved / elapsed
    track.box, track.time_s = box, time_s


def with_prediction(face: Face, prediction: Prediction, track_id: int = 0) -> TrackedFace:
    """A detected face with what was read in it, in this picture alone."""
    note = doubt(face.note, prediction.confidence)
    return TrackedFace(face.box, face.score, face.keypoints, prediction, track_id, note)


def intersection_over_union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Overlap of each box of ``a`` with each of ``b``: (N, 4) and (M, 4) ``x1 y1 x2 y2`` -> (N, M), 0 to 1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b))
    return shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)
