"""Which faces go through the second stage in a frame, and where the others have gone since they last did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from live_emotion.faces.boxes import mirrored, overlap
from live_emotion.types import Face

FIRST_RECHECK_S = 0.03
"""How long after its first second stage a face is due for another, in seconds: the next frame at 30 a second. A new
face may be none; each that confirms it doubles the time to the next."""

LONGEST_RECHECK_S = 0.4
"""How long at most, in seconds."""

WEAK_TURN_S = 0.13
"""How often one of the new weak proposals gets its second stage, in seconds; most of them are no faces and stay."""

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
    """

    proposed: Face
    seen: Face
    checked_s: float
    checks: int = 1

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
        return RefinedFace(face, Face((x1, y1, x2, y2), self.seen.score, points), self.checked_s, self.checks)


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

    def take_turn(self, weak: Sequence[int], time_s: float) -> set[int]:
        """Which of the new weak proposals gets the second stage in the frame of this time: one of them, or none."""
        if not weak or 0 <= time_s - self._turn_s < WEAK_TURN_S:
            return set()
        self._turn, self._turn_s = self._turn + 1, time_s
        return {weak[self._turn % len(weak)]}

    def last(self, face: Face) -> RefinedFace | None:
        """The face in the last frame that a proposal continues."""
        return next((f for f in self.faces if f.continues_in(face)), None)

    def mirror(self, width: int) -> None:
        """Turns all places left to right, as the frames, ``width`` pixels wide, are from now on."""
        self.faces = [
            RefinedFace(mirrored(f.proposed, width), mirrored(f.seen, width), f.checked_s, f.checks) for f in self.faces
        ]
