"""Enrolment over a socket: what the guide says as JSON, one answer a frame."""

from __future__ import annotations

import time
from dataclasses import replace

from live_emotion.emotions.profile import profile_path
from live_emotion.errors import InputError, LiveEmotionError
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.enrolment import Enrolment
from live_emotion.pipelines.guide import RETAKE, SKIP, START, Guide, Phase
from live_emotion.pipelines.learning import learn_and_save
from live_emotion.server.answers import Answer
from live_emotion.types import Frame
from live_emotion.visualization.pictogram import face_outline

KEYS = {"begin": START, "keep": START, "retake": RETAKE, "skip": SKIP}
"""What a client may press, and the guide's keys for it; ``cancel`` ends it all."""

PHASES = {
    Phase.PREVIEW: ("show", ["begin", "cancel"]),
    Phase.COUNTDOWN: ("count", ["skip", "cancel"]),
    Phase.RECORDING: ("record", ["retake", "skip", "cancel"]),
    Phase.VERDICT: ("review", ["keep", "retake", "skip", "cancel"]),
}
"""What clients call where it stands, and what can be pressed then."""


class Enrolling:
    """Leads whoever sits before a client's camera through an enrolment.

    Args:
        name: of the profile.
        analyzer: of the session, whose weights the profile will fit.

    Raises:
        InputError: it cannot be a profile's name, or there is one of it.
    """

    def __init__(self, name: str, analyzer: EmotionAnalyzer) -> None:
        _refuse_known(name)
        self.name = name
        self._key = ""
        untracked = replace(analyzer.config, profile=None, track=False)
        self._analyzer = EmotionAnalyzer(untracked, classifier=analyzer.classifier)
        self._guide = Guide(Enrolment(self._analyzer), analyzer.class_names)

    def press(self, key: str) -> None:
        """Presses one of :data:`KEYS`, for the next frame."""
        self._key = KEYS[key]

    def step(self, frame: Frame) -> Answer:
        """What there is to see and do now.

        Args:
            frame: that has just come, as the camera took it, not mirrored.
        """
        key, self._key = self._key, ""
        guide = self._guide
        scene = guide.step(frame, time.monotonic(), key)
        if guide.phase is Phase.DONE:
            return self._learn()
        phase, keys = PHASES[guide.phase]
        return {
            "type": "enrol",
            "phase": phase,
            "emotion": scene.emotion,
            "index": guide.number,
            "of": len(guide.emotions),
            "title": scene.title,
            "note": scene.note,
            "count": scene.count,
            "progress": None if scene.progress is None else round(scene.progress, 3),
            "good": scene.is_good,
            "keys": keys,
            "pictogram": face_outline(scene.emotion),
        }

    def _learn(self) -> Answer:
        enrolment = self._guide.enrolment
        try:
            if not enrolment.labels:
                raise InputError("No emotion was recorded; nothing was saved.")
            _refuse_known(self.name)  # another browser may have made it meanwhile
            said: list[str] = []
            learn_and_save(enrolment, self.name, said.append)
        except LiveEmotionError as error:
            return refused(str(error))
        return {"type": "enrol", "phase": "done", "name": self.name, "text": said[0]}

    def close(self) -> None:
        """Frees the detectors."""
        self._analyzer.close()


def _refuse_known(name: str) -> None:
    """Protects the profile of another person.

    Raises:
        InputError: it cannot be a profile's name, or there is one of it.
    """
    if profile_path(name).exists():
        raise InputError(f"There is a profile {name} already; choose another name.")


def refused(text: str) -> Answer:
    """An enrolment that came to nothing, and why."""
    return {"type": "enrol", "phase": "refused", "text": text}
