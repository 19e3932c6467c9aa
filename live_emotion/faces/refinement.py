"""Faces from one frame to the next: which need not be looked at closely again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from live_emotion.faces.boxes import shared
from live_emotion.types import Face

LOOK_AGAIN = 12
"""In how many frames a face that is followed for long gets a closer look once."""

WEAK_TURN = 4
"""In how many frames one of the new weak proposals gets a closer look; most of them are no faces and stay."""

FOLLOWED = 0.7
"""Part of the smaller box that a face and the same face in the next frame share at least."""


@dataclass(frozen=True)
class Followed:
    """A face in the last frame.

    Attributes:
        proposed: as the full-range model saw it there.
        seen: as the short-range model saw it close up, or would have.
        age: frames since it did.
        looks: in how many frames it did.
    """

    proposed: Face
    seen: Face
    age: int = 0
    looks: int = 1

    @property
    def is_due(self) -> bool:
        """Whether it should get a closer look in the next frame: a new face soon, since it may be none, then rarely."""
        return self.age + 1 >= min(2 ** (self.looks - 1), LOOK_AGAIN)

    def continues_in(self, face: Face) -> bool:
        """Whether a proposal in the next frame is this face: nearly the same place and size."""
        before, now = self.proposed.box, face.box
        sides = sorted((before[2] - before[0], now[2] - now[0]))
        return shared(before, now) >= FOLLOWED and sides[0] >= FOLLOWED * sides[1]

    def carried_to(self, face: Face) -> Followed:
        """This face in the next frame, moved and scaled as its proposal went."""
        before, now = self.proposed.box, face.box
        scale = (now[2] - now[0]) / (before[2] - before[0])
        old, new = np.array(before[:2]), np.array(now[:2])
        corners = (np.array(self.seen.box).reshape(2, 2) - old) * scale + new
        points = ((self.seen.keypoints - old) * scale + new).astype(np.float32)
        return Followed(face, Face(tuple(corners.ravel().tolist()), self.seen.score, points), self.age + 1, self.looks)


@dataclass
class Following:
    """What a detector remembers of the last frame, so that not every face needs a closer look in every frame.

    Attributes:
        faces: those of the last frame.
        turn: counts the frames with new weak proposals, so that each of these gets its turn.
    """

    faces: list[Followed] = field(default_factory=list)
    turn: int = 0

    def take_turn(self, weak: list[int]) -> set[int]:
        """Which of the new weak proposals gets a closer look in this frame: one of them, or none."""
        turn, rest = divmod(self.turn, WEAK_TURN)
        self.turn += bool(weak)
        return {weak[turn % len(weak)]} if weak and not rest else set()

    def last(self, face: Face) -> Followed | None:
        """The face in the last frame that a proposal continues."""
        return next((f for f in self.faces if f.continues_in(face)), None)
