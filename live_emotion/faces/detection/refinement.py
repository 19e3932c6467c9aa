"""What is remembered from frame to frame: which faces are due for the second stage, which are confirmed, and where they
have gone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from live_emotion.faces.boxes import mirrored, overlap
from live_emotion.faces.detection.second_stage import CERTAIN_SCORE, CLEAR_SCORE, VIEWS, FaceView, is_enough
from live_emotion.types import Face

FIRST_RECHECK_S = 0.03
"""How long after its first second stage a face is due for another, in seconds: the next frame at 30 a second. A new
face may be none; each that confirms it doubles the time to the next."""

LONGEST_RECHECK_S = 0.4
"""How long at most, in seconds."""

WEAK_TURN_S = 0.13
"""How often one of the new weak proposals gets its second stage, in seconds; most of them are no faces and stay."""

SEARCH_TURN_S = 0.08
"""How often one more view of a frame without faces is searched, in seconds, so that it costs little more than one with
faces."""

FOLLOWED = 0.7
"""Part of the smaller box that a face and the same face in the next frame share at least."""


@dataclass(frozen=True)
class RefinedFace:
    """A face in the last frame.

    Attributes:
        proposed: as the first stage saw it there.
        seen: as the second stage saw it, or would have.
        checked_s: time of the frame in which it last did, in seconds.
        checks: how often it did.
        scores: of the last three of these looks, 0 to 1.
        is_confirmed: whether it counts as a face.
    """

    proposed: Face
    seen: Face
    checked_s: float
    checks: int = 1
    scores: tuple[float, ...] = ()
    is_confirmed: bool = False

    @classmethod
    def first_seen(cls, face: Face, seen: Face | None, time_s: float) -> RefinedFace | None:
        """A new face after its first look, or None where neither this nor its proposal saw enough."""
        if seen is None and face.score < CERTAIN_SCORE:
            return None
        if seen is None:
            return cls(face, face, time_s, 1, (0.0,))
        return cls(face, seen, time_s, 1, (seen.score,), seen.score >= CLEAR_SCORE)

    @property
    def view(self) -> FaceView:
        """How it should be looked at the next time; those of confirmed faces give true boxes."""
        return VIEWS[2 * (self.checks % 2)] if self.is_confirmed else VIEWS[self.checks % len(VIEWS)]

    def seen_again(self, seen: Face | None, time_s: float, likely: float) -> RefinedFace | None:
        """This face after another look, at what :attr:`proposed` is now.

        Args:
            seen: what was seen, or None.
            time_s: of the frame, in seconds.
            likely: mean score that the best two looks need, as
                :data:`live_emotion.faces.detection.second_stage.LIKELY_SCORE`.

        Returns:
            the face, or None where it is none.
        """
        is_certain = self.proposed.score >= CERTAIN_SCORE
        scores = (*self.scores, seen.score if seen else 0.0)[-len(VIEWS) :]
        is_last = len(scores) == len(VIEWS)
        is_confirmed = self.is_confirmed or is_enough(scores, likely) or (is_last and is_certain)
        is_gone = seen is None and self.is_confirmed and not is_certain
        if is_gone or (is_last and not is_confirmed):
            return None
        return RefinedFace(self.proposed, seen or self.seen, time_s, self.checks + 1, scores, is_confirmed)

    def is_due(self, time_s: float) -> bool:
        """Whether it should go through the second stage again in the frame of this time, in seconds."""
        wait_s = min(FIRST_RECHECK_S * 2 ** (self.checks - 1), LONGEST_RECHECK_S)
        return not 0 <= time_s - self.checked_s < wait_s

    def continues_in(self, face: Face) -> bool:
        """Whether a proposal in the next frame is this face: nearly the same place and size."""
        before, now = self.proposed.box, face.box
        sides = sorted((before[2] - before[0], now[2] - now[0]))
        return overlap(before, now) >= FOLLOWED and sides[0] >= FOLLOWED * sides[1]

    def carried_to(self, face: Face) -> RefinedFace:
        """This face in the next frame, moved and scaled as its proposal went."""
        before, now = self.proposed.box, face.box
        scale = (now[2] - now[0]) / (before[2] - before[0])
        old, new = np.array(before[:2]), np.array(now[:2])
        x1, y1, x2, y2 = ((np.array(self.seen.box).reshape(2, 2) - old) * scale + new).ravel().tolist()
        points = ((self.seen.keypoints - old) * scale + new).astype(np.float32)
        return replace(self, proposed=face, seen=replace(self.seen, box=(x1, y1, x2, y2), keypoints=points))


@dataclass
class RefinementMemory:
    """What a detector remembers of the last frame of a camera or a video, so that not every face needs the second
    stage in every frame.

    Attributes:
        faces: those of the last frame.
    """

    faces: list[RefinedFace] = field(default_factory=list)
    _turn: int = 0
    _turn_s: float = -math.inf
    _search: int = -1
    _search_s: float = -math.inf

    def take_turn(self, weak: Sequence[int], time_s: float) -> set[int]:
        """Which of the new weak proposals gets the second stage in the frame of this time: one of them, or none."""
        if not weak or 0 <= time_s - self._turn_s < WEAK_TURN_S:
            return set()
        self._turn, self._turn_s = self._turn + 1, time_s
        return {weak[self._turn % len(weak)]}

    def take_search(self, time_s: float) -> int | None:
        """Number of the view, 0, 1, ..., that is searched in a frame of this time without faces; None: none now."""
        if 0 <= time_s - self._search_s < SEARCH_TURN_S:
            return None
        self._search, self._search_s = self._search + 1, time_s
        return self._search

    def last(self, face: Face) -> RefinedFace | None:
        """The face in the last frame that a proposal continues."""
        return next((f for f in self.faces if f.continues_in(face)), None)

    def mirror(self, width: int) -> None:
        """Turns all places left to right, as the frames, ``width`` pixels wide, are from now on."""
        self.faces = [
            replace(f, proposed=mirrored(f.proposed, width), seen=mirrored(f.seen, width)) for f in self.faces
        ]
