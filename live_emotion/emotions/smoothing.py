"""What is shown of a face over time: calm where the network wavers, prompt where the expression changes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.faces.quality import doubt
from live_emotion.types import Face, Prediction, TrackedFace


@dataclass(frozen=True)
class Smoothing:
    """How what is shown follows what is read; with all values at 0 each frame speaks for itself.

    A label that follows the largest smoothed probability still flickers where two are about equal. Here the lead of
    another emotion adds up over time and counts once it has come to ``lead``, which is the quickest way to notice a
    change at a given rate of false alarms (cumulative sums; Page, Biometrika 1954): a clear change is shown within 0.2
    seconds, one from 60 to 20 % within 0.4, and a tie never.

    Attributes:
        time_s: time constant of the probabilities, in seconds.
        lead: sum over time of another emotion's probability less that of the one shown, in seconds, from which the
            other is shown; a sum never falls below 0.
        note_s: how long a face must be unreadable, or readable again, before that is shown, in seconds; with another
            emotion it is shown at once. So is doubt in what was read, which goes as slowly.
    """

    time_s: float = 0.15
    lead: float = 0.16
    note_s: float = 0.4


class Smoother:
    """Smooths what is read in one face.

    Args:
        smoothing: says how.
        probabilities: (C,) float, of the first frame.
        note: why it cannot be read, as :mod:`live_emotion.faces.quality` finds, or nothing.

    Attributes:
        probabilities: (C,) float, smoothed.
        shown: class that is shown.
        note: why it is not to be trusted, or nothing.
    """

    def __init__(self, smoothing: Smoothing, probabilities: np.ndarray, note: str) -> None:
        self.smoothing = smoothing
        self._begin(probabilities)
        self._was_read = not note
        self.note = doubt(note, self.probabilities, self.shown)
        self._other_note_s = 0.0

    def update(self, probabilities: np.ndarray, note: str, elapsed_s: float) -> None:
        """Takes in the next frame, ``elapsed_s`` seconds after the last. One that cannot be read changes no emotion."""
        shown = self.shown
        if not note and self._was_read:
            self._follow(probabilities, elapsed_s)
        elif not note:
            self._begin(probabilities)
            self._was_read = True
        is_readable, note = not note, doubt(note, self.probabilities, self.shown)
        self._other_note_s = 0.0 if note == self.note else self._other_note_s + elapsed_s
        is_new_doubt = is_readable and note and not self.note
        if is_new_doubt or self._other_note_s >= self.smoothing.note_s or self.shown != shown:
            self.note, self._other_note_s = note, 0.0

    def _begin(self, probabilities: np.ndarray) -> None:
        self.probabilities = probabilities
        self.shown = int(probabilities.argmax())
        self._leads = np.zeros(len(probabilities))

    def _follow(self, probabilities: np.ndarray, elapsed_s: float) -> None:
        time_s = self.smoothing.time_s
        share = 1 - math.exp(-elapsed_s / time_s) if time_s else 1.0
        self.probabilities = self.probabilities + share * (probabilities - self.probabilities)
        leads = probabilities - probabilities[self.shown]
        self._leads = np.maximum(0, self._leads + leads * elapsed_s)
        if self._leads.max() > self.smoothing.lead:
            self.shown = int(self._leads.argmax())
            self._leads[:] = 0


class EmotionSmoother:
    """Smooths what is read in several faces, each by itself, in seconds, so that a video looks the same at any frame
    rate.

    Args:
        class_names: C names in the order of the probabilities.
        smoothing: says how.
    """

    def __init__(self, class_names: Sequence[str], smoothing: Smoothing = Smoothing()) -> None:
        self.class_names = tuple(class_names)
        self.smoothing = smoothing
        self._smoothers: dict[int, tuple[Smoother, float]] = {}  # by track id, with the time of the last frame

    def update(
        self,
        faces: Sequence[Face],
        track_ids: Sequence[int],
        probabilities: np.ndarray,
        time_s: float,
        kept: Collection[int],
    ) -> list[TrackedFace]:
        """Takes in a frame.

        Args:
            faces: N of them.
            track_ids: N, whose they are.
            probabilities: (N, C) float, what was read in them.
            time_s: of the frame, in seconds; frames come in order.
            kept: track ids of all who may still come back; what others showed is forgotten.

        Returns:
            N faces with what is shown of them, in the order of ``faces``.
        """
        self._smoothers = {track_id: self._smoothers[track_id] for track_id in self._smoothers if track_id in kept}
        for face, track_id, row in zip(faces, track_ids, probabilities):
            if track_id in self._smoothers:
                smoother, last_s = self._smoothers[track_id]
                smoother.update(row, face.note, time_s - last_s)
            else:
                smoother = Smoother(self.smoothing, row, face.note)
            self._smoothers[track_id] = smoother, time_s
        return [self._shown(face, track_id) for face, track_id in zip(faces, track_ids)]

    def _shown(self, face: Face, track_id: int) -> TrackedFace:
        smoother, _ = self._smoothers[track_id]
        values = tuple(float(p) for p in smoother.probabilities)
        prediction = Prediction(self.class_names[smoother.shown], values[smoother.shown], values)
        return TrackedFace(face.box, face.score, face.keypoints, prediction, track_id, smoother.note)


def unsmoothed(face: Face, probabilities: np.ndarray, class_names: Sequence[str]) -> TrackedFace:
    """A detected face with what was read in it in this picture alone; ``probabilities`` is (C,) float."""
    prediction = Prediction.from_probabilities(probabilities, class_names)
    note = doubt(face.note, np.asarray(probabilities), int(np.argmax(probabilities)))
    return TrackedFace(face.box, face.score, face.keypoints, prediction, note=note)
