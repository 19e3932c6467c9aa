"""Why the largest face is read as it is, found now and then beside the live loop, which never waits for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from live_emotion.concurrency.worker import BackgroundWorker
from live_emotion.emotions.why import Why
from live_emotion.errors import LiveEmotionError
from live_emotion.faces.boxes import by_size
from live_emotion.pipelines.result import Result
from live_emotion.types import TrackedFace

EVERY_S = 0.2
"""Seconds from one explanation to the next, at least."""

NICENESS = 10
"""Of the thread, where the system has that for threads: it computes when nothing else wants the processor."""

LONGEST_S = 2.0
"""For so long an explanation stays, in seconds, where no newer one comes."""


class Explained(NamedTuple):
    """An explanation, the face that it is of, and when that was."""

    why: Why
    track_id: int
    time_s: float


class Explainer:
    """Explains the largest face that can be read, at most every :data:`EVERY_S` and in a thread of its own.

    Args:
        explain: as ``EmotionAnalyzer.explain``: image, face, and whether a heat map is wanted, to why.
        say: told, once, why there is no heat map.
    """

    def __init__(
        self, explain: Callable[[np.ndarray, TrackedFace, bool], Why | None], say: Callable[[str], object]
    ) -> None:
        self._explain, self._say = explain, say
        self._last: Explained | None = None
        self._asked_s = -EVERY_S
        self._no_heat = ""
        self._said = False

    def offer(self, result: Result, heat: bool, worker: BackgroundWorker) -> None:
        """Explains a result soon, if it is time for that; returns at once."""
        time_s = result.frame.time_s
        if self._no_heat and not self._said:
            self._said = True
            self._say(self._no_heat)
        if 0 <= time_s - self._asked_s < EVERY_S or not result.faces:
            return
        self._asked_s = time_s
        worker.call(self._work, result.frame.image, by_size(result.faces)[0], heat, time_s)

    def _work(self, image: np.ndarray, face: TrackedFace, heat: bool, time_s: float) -> None:
        if sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < NICENESS:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            why = self._explain(image, face, heat and not self._no_heat)
        except LiveEmotionError as error:
            self._no_heat = str(error)
            why = self._explain(image, face, False)
        self._last = Explained(why, face.track_id, time_s) if why else None

    def latest(self, faces: list[TrackedFace], time_s: float) -> Explained | None:
        """The last explanation, as long as it is fresh and its face is there."""
        last = self._last
        is_fresh = last is not None and 0 <= time_s - last.time_s <= LONGEST_S
        return last if is_fresh and last and any(face.track_id == last.track_id for face in faces) else None
