"""Leads somebody through an enrolment: a state machine of frames, times and keys, that knows no window and no clock."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import NamedTuple

from live_emotion.emotions.profile import NEUTRAL
from live_emotion.errors import InputError
from live_emotion.pipelines.enrolment import FEWEST, Enrolment, Shown, face_of
from live_emotion.types import Frame
from live_emotion.visualization.guide import Scene

COUNTDOWN_S, RECORDING_S, PRAISE_S = 3.0, 2.0, 1.5
"""How long each takes, in seconds."""

WORDS = {
    "angry": "Look angry: brows down, lips pressed together",
    "happy": "Smile, as broadly as you can",
    "neutral": "Relax your face, mouth closed",
    "sad": "Look sad: corners of the mouth down, brows up in the middle",
}
"""What to do to show an emotion."""

SAME, CLOSE = 0.96, 0.9
"""Cosines of the mean embeddings of two recordings from which they show the same, or nearly so. Of JAFFE's people all
resting portraits are at 0.977 and more to the mean of the person's others, their other emotions at 0.94 and less."""

START, RETAKE, SKIP = " ", "r", "n"
"""Keys: space begins, and keeps what was recorded."""

SOURCE = "the picture"
"""How messages call the camera's frame."""


class Review(NamedTuple):
    """What a recording is worth: in words, and whether it is good enough to go on by itself."""

    text: str
    is_good: bool


class Phase(enum.Enum):
    """Where it stands."""

    PREVIEW = enum.auto()
    COUNTDOWN = enum.auto()
    RECORDING = enum.auto()
    VERDICT = enum.auto()
    DONE = enum.auto()


class Guide:
    """Asks for one emotion after the other, the resting face first, and takes what the frames show.

    Args:
        enrolment: takes the faces; what it holds in the end is what was kept.
        emotions: names of those to ask for.

    Attributes:
        phase: where it stands.
    """

    def __init__(self, enrolment: Enrolment, emotions: Sequence[str]) -> None:
        self.enrolment = enrolment
        self.emotions = sorted(emotions, key=lambda name: name != NEUTRAL)
        self.phase = Phase.PREVIEW
        self._step, self._since_s, self._note = 0, 0.0, ""
        self._review = Review("", False)

    @property
    def emotion(self) -> str:
        """That is asked for."""
        return self.emotions[self.number - 1]

    @property
    def number(self) -> int:
        """Which of the emotions that is, from 1."""
        return min(self._step + 1, len(self.emotions))

    def _judge(self) -> Review:
        """What the recording of the emotion is worth, beside those that were taken before."""
        if self.enrolment.labels.count(self.emotion) < FEWEST:
            return Review("Again: too few pictures could be used", False)
        if self.emotion == NEUTRAL and (looks := self.enrolment.resting_doubt()):
            return Review(f"Again? That looked {looks}", False)
        name, likeness = self.enrolment.nearest(self.emotion)
        other = "your resting face" if name == NEUTRAL else name
        if likeness >= SAME:
            return Review(f"Again? That looked the same as {other}", False)
        if likeness >= CLOSE:
            return Review(f"Again, more clearly? That looked much like {other}", False)
        return Review(f"Good: clearly other than {other}" if name else "Good", True)

    def step(self, frame: Frame | None, time_s: float, key: str = "") -> Scene:
        """What there is to see now.

        Args:
            frame: that has just come, as the camera took it; None: no new one.
            time_s: now, in seconds on any clock that goes on.
            key: that was pressed; empty: none.
        """
        self._press(key, time_s)
        passed = time_s - self._since_s
        if self.phase is Phase.COUNTDOWN and passed >= COUNTDOWN_S:
            self._enter(Phase.RECORDING, time_s)
        elif self.phase is Phase.RECORDING and passed >= RECORDING_S:
            self._enter(Phase.VERDICT, time_s)
        elif self.phase is Phase.VERDICT and self._review.is_good and passed >= PRAISE_S:
            self._next(time_s)
        if frame is not None:
            self._look_at(frame)
        return self._scene(time_s - self._since_s)

    def _press(self, key: str, time_s: float) -> None:
        if key == START and self.phase is Phase.PREVIEW:
            self._enter(Phase.COUNTDOWN, time_s)
        elif key == START and self.phase is Phase.VERDICT:
            self._next(time_s)
        elif key == RETAKE and self.phase in (Phase.RECORDING, Phase.VERDICT):
            self.enrolment.forget(self.emotion)
            self._enter(Phase.COUNTDOWN, time_s)
        elif key == SKIP and self.phase not in (Phase.PREVIEW, Phase.DONE):
            self.enrolment.forget(self.emotion)
            self._next(time_s)

    def _next(self, time_s: float) -> None:
        self._step += 1
        self._enter(Phase.COUNTDOWN if self._step < len(self.emotions) else Phase.DONE, time_s)

    def _enter(self, phase: Phase, time_s: float) -> None:
        self.phase, self._since_s = phase, time_s
        if phase is Phase.VERDICT:
            self._review = self._judge()

    def _look_at(self, frame: Frame) -> None:
        """Takes the frame while it is recorded; looks whether it could be taken else."""
        if self.phase in (Phase.VERDICT, Phase.DONE):
            return
        try:
            if self.phase is Phase.RECORDING:
                self.enrolment.take(Shown(frame, self.emotion, SOURCE))
            else:
                face_of(frame, self.enrolment.analyzer, SOURCE)
            self._note = ""
        except InputError as error:
            self._note = str(error)

    def _scene(self, passed_s: float) -> Scene:
        title = f"{self.number}/{len(self.emotions)}  {WORDS.get(self.emotion, f'Show this: {self.emotion}')}"
        if self.phase is Phase.PREVIEW:
            return Scene("Look into the camera", note=self._note, keys="space: begin   q: quit")
        if self.phase is Phase.COUNTDOWN:
            count = max(1, math.ceil(COUNTDOWN_S - passed_s))
            return Scene(title, self.emotion, count, note=self._note, keys="n: skip   q: quit")
        if self.phase is Phase.RECORDING:
            share = passed_s / RECORDING_S
            return Scene(title, self.emotion, progress=share, note=self._note, keys="r: again   n: skip   q: quit")
        if self.phase is Phase.VERDICT:
            title, is_good = self._review
            keep = "space: keep   r: again" if is_good else "r: again   space: keep what there is"
            note = "" if is_good else self._note
            return Scene(title, self.emotion, is_good=is_good, note=note, keys=f"{keep}   n: skip   q: quit")
        return Scene("Done")
