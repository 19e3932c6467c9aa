"""One live session: an analyzer of its own, and what it saw. Its methods block: they are for one thread at a time."""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.errors import InputError
from live_emotion.io.live_source import mirrored
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.server.answers import Answer, live_answer
from live_emotion.server.config import Limits
from live_emotion.server.live.enrolling import Enrolling
from live_emotion.server.live.row_log import RowLog
from live_emotion.server.uploads.images import open_image
from live_emotion.types import LiveFrame, Sink

HEAD = struct.Struct("<Id")
"""Before a frame's image: its number, and its time on the camera's clock in seconds."""

LONGEST_JUMP_S = 60.0
"""A camera's clock that is further ahead of ours than this, in seconds, was set anew."""

SHORTEST_STEP_S = 0.0005
"""Between two frames, in seconds; where the camera's clock says less, ours is believed."""

LONGEST_NAME = 40
"""Of a person or a marker, in characters."""

MOST_NAMES, MOST_MARKERS = 1_000, 10_000


class FrameError(InputError):
    """A frame that cannot be read.

    Args:
        message: why.
        number: that the client gave it, if it came as far as that.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class SessionClock:
    """Turns a camera's times, which may begin anew, into seconds since the session's first frame."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self._last: tuple[float, float] | None = None

    def tick(self, camera_s: float, came_s: float) -> float:
        """The time of the next frame.

        Args:
            camera_s: on the camera's clock.
            came_s: when it came, on ours.
        """
        if self._last:
            passed_s, ours_s = camera_s - self._last[0], came_s - self._last[1]
            if not SHORTEST_STEP_S <= passed_s < ours_s + LONGEST_JUMP_S:
                passed_s = max(ours_s, SHORTEST_STEP_S)
            self.time_s += passed_s
        self._last = camera_s, came_s
        return self.time_s


class Session:
    """What one client's camera sees, and saw.

    Args:
        id: nobody can guess it.
        owner: who opened it.
        config: how faces are found and read.
        classifier: shared with the other sessions.
        limits: of frames.
        sinks: that take the results, too.

    Attributes:
        rows: of all faces.
        names: that were given to people, by their numbers.
        markers: times in seconds and labels.
        overlay: whether anybody with the token may follow its events without knowing its ID.
        left_s: when its socket went, on the monotonic clock; None: it is live.
    """

    def __init__(
        self,
        id: str,
        owner: str,
        config: AnalysisConfig,
        classifier: EmotionClassifier,
        limits: Limits,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self.id, self.owner = id, owner
        self.rows = RowLog()
        self.names: dict[int, str] = {}
        self.markers: list[tuple[float, str]] = []
        self.left_s: float | None = None
        self.mirrored = self.overlay = False
        self.enrolling: Enrolling | None = None
        self._limits, self._sinks = limits, sinks
        self._clock = SessionClock()
        self._index = 0
        self._busy = threading.Lock()
        self.analyzer = EmotionAnalyzer(replace(config, track=True), classifier=classifier)

    @property
    def time_s(self) -> float:
        """Of the last frame."""
        return self._clock.time_s

    def read(self, message: bytes, came_s: float) -> Answer:
        """Reads the faces of a frame.

        Args:
            message: as it came: number, time and image.
            came_s: when it came, on the monotonic clock.

        Raises:
            FrameError: it cannot be read.
        """
        began = time.perf_counter()
        number, camera_s, image = self._opened(message)
        with self._busy:
            if self.enrolling:
                return self._enrol(number, camera_s, image)
            time_s = self._clock.tick(camera_s, came_s)
            frame = LiveFrame(self._index, time_s, image, came_s)
            self._index += 1
            (result,) = self.analyzer.read([self.analyzer.find(frame, self.mirrored)])
            self.rows.add(result.rows())
            for sink in self._sinks:
                sink.write(frame, result.faces)
            return live_answer(result, number, time.perf_counter() - began, self.names)

    def _opened(self, message: bytes) -> tuple[int, float, np.ndarray]:
        if len(message) <= HEAD.size:
            raise FrameError("A frame is its number (uint32), its time (float64), both little-endian, and an image.")
        number, camera_s = HEAD.unpack_from(message)
        encoded = message[HEAD.size :]
        if not math.isfinite(camera_s):
            raise FrameError("The frame's time is no number; send seconds.", number)
        if len(encoded) > self._limits.frame:
            raise FrameError(f"The frame's image has more than {self._limits.frame} bytes; send a smaller one.", number)
        try:
            return number, camera_s, open_image(encoded, self._limits.pixels)
        except InputError as error:
            raise FrameError(str(error), number) from error

    def _enrol(self, number: int, camera_s: float, image: np.ndarray) -> Answer:
        assert self.enrolling
        frame = LiveFrame(number, camera_s, image)
        answer = self.enrolling.step(mirrored(frame) if self.mirrored else frame)
        if answer["phase"] == "done":
            self.analyzer.add_profile(self.enrolling.name)
        if answer["phase"] in ("done", "refused"):
            self.end_enrolment()
        return {**answer, "frame": number}

    def change(self, mirrored: bool, detector: str, max_faces: int) -> None:
        """Reads frames otherwise from now on."""
        with self._busy:
            self.mirrored = mirrored
            self.analyzer.change(detector, max_faces)

    def enrol(self, name: str) -> None:
        """Begins an enrolment under a name; frames go to it until it ends.

        Raises:
            InputError: it cannot be a name, or there is a profile of it.
        """
        with self._busy:
            self.end_enrolment()
            self.enrolling = Enrolling(name, self.analyzer)

    def end_enrolment(self) -> None:
        """Frees what the enrolment needed, if there was one."""
        if self.enrolling:
            self.enrolling.close()
        self.enrolling = None

    def name(self, track_id: int, name: str) -> None:
        """Gives a person a name, or takes it away with an empty one.

        Raises:
            InputError: there are too many.
        """
        self.names.pop(track_id, None)
        if len(self.names) >= MOST_NAMES:
            raise InputError(f"A session has at most {MOST_NAMES} names; take some away.")
        if name:
            self.names[track_id] = name

    def mark(self, label: str) -> float:
        """Sets a marker at the last frame, whose time it gives.

        Raises:
            InputError: there are too many.
        """
        if len(self.markers) >= MOST_MARKERS:
            raise InputError(f"A session has at most {MOST_MARKERS} markers; begin another.")
        self.markers.append((round(self.time_s, 6), label))
        return self.time_s

    def close(self) -> None:
        """Frees the detectors, once the frame that is being read is done."""
        with self._busy:
            self.end_enrolment()
            self.analyzer.close()
