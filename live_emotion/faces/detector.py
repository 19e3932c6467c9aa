"""Frames -> faces, in two stages: one model proposes faces, another confirms and refines them."""

from __future__ import annotations

import numpy as np

from live_emotion.errors import ArgumentError
from live_emotion.faces.blazeface import BlazeFace
from live_emotion.faces.boxes import SAME_FACE, by_size, merge, overlap
from live_emotion.faces.refinement import RefinedFace, RefinementMemory
from live_emotion.faces.tiles import doubt_cut, tiles
from live_emotion.types import Face

DETECTORS = ("full", "short", "tiled")
"""What :class:`FaceDetector` knows."""

PROPOSAL_SCORE = 0.07
"""Lowest score at which the full-range model proposes a face for the second stage. Of 240 faces of 96 to 400 pixels in
1280x720 pictures 72 % are found with 0.4, and 93 % with this (``benchmarks/detection.py``)."""

WEAK_SCORE = 0.4
"""Proposals with a lower score must be seen more clearly in the second stage."""

TILE_SCORE = 0.15
"""Lowest score of a proposal within a tile, where there are many."""

CLEAR_SCORE = 0.6
"""Score that weak proposals need in the second stage: it halves what is taken for a face and is none."""

CERTAIN_SCORE = 0.75
"""Score of the full-range model from which a face counts even if the second stage finds none, as in profile."""

SECOND_STAGE_AREA = 2.0
"""Side of the square in which the short-range model looks, in sides of the proposed box."""


class FaceDetector:
    """Finds faces.

    The full-range model sees a frame at 192 pixels. Its boxes are rough, and now and then it takes lettering for a
    face. So what it proposes goes through a second stage: the short-range model looks at it close up, confirms it and
    gives the truer box.

    Args:
        kind: ``full``: the full-range model on the whole frame. ``tiled``: also on overlapping tiles, for groups and
            faces far away. ``short``: the short-range model alone, quicker, for a face that fills the picture.
        min_confidence: lowest score of a face, 0 to 1.

    Raises:
        WeightsError: a model file is missing.
        ArgumentError: an unknown kind.
    """

    def __init__(self, kind: str = "full", min_confidence: float = 0.5) -> None:
        if kind not in DETECTORS:
            raise ArgumentError(f"detector must be one of {', '.join(DETECTORS)}, not {kind!r}")
        self.kind = kind
        self.min_confidence = min_confidence
        self._short = BlazeFace("short", min_confidence)
        self._full = None if kind == "short" else BlazeFace("full", PROPOSAL_SCORE)

    def detect(
        self,
        image: np.ndarray,
        proposed: list[Face] | None = None,
        memory: RefinementMemory | None = None,
        time_s: float = 0.0,
    ) -> list[Face]:
        """Finds the faces in a picture.

        Args:
            image: (H, W, 3) uint8 BGR, (H, W, 4) BGRA or (H, W) grey.
            proposed: what :meth:`propose` gave for it, if it was asked before.
            memory: of a camera or a video, for its frames in order. A face that was refined in the last frame then
                goes through the second stage now and then only, more often while it is new; in between its box goes
                along with the full-range model's. Of new weak proposals one at a time gets its turn.
            time_s: of the frame, in seconds, for the memory.

        Returns:
            faces, the largest first.

        Raises:
            ArgumentError: another shape or dtype, or the detector is closed.
        """
        faces = self.propose(image) if proposed is None else proposed
        if self._full:
            refined = self._refine(image, faces, memory, time_s)
            if memory:
                memory.faces = refined
            faces = merge([face.seen for face in refined])
        return by_size(faces)

    def propose(self, image: np.ndarray) -> list[Face]:
        """The first stage of :meth:`detect`, which depends on this picture alone: what may be a face.

        Another detector of the same kind, in another thread, may do the second.
        """
        if not self._full:
            return merge(self._short.find(image))
        proposed = self._full.find(image)
        if self.kind == "tiled":
            height, width = image.shape[:2]
            for tile in tiles(width, height):
                found = self._full.find(image, tile)
                proposed += [doubt_cut(face, tile, width, height) for face in found if face.score >= TILE_SCORE]
        return merge(proposed)

    def _refine(
        self, image: np.ndarray, proposed: list[Face], memory: RefinementMemory | None, time_s: float
    ) -> list[RefinedFace]:
        """The proposed faces that are faces; of those in the memory, one at most goes through the second stage."""
        known = [memory.last(face) if memory else None for face in proposed]
        weak = [i for i, face in enumerate(proposed) if known[i] is None and face.score < WEAK_SCORE]
        left_out = set(weak) - memory.take_turn(weak, time_s) if memory else set()
        found: list[RefinedFace] = []
        has_rechecked = False
        for i, (face, last) in enumerate(zip(proposed, known)):
            if last and (has_rechecked or not last.is_due(time_s)):
                found.append(last.carried_to(face))
            elif i not in left_out:
                has_rechecked = has_rechecked or last is not None
                seen = self._second_stage(image, face)
                found += [RefinedFace(face, seen, time_s, last.checks + 1 if last else 1)] if seen else []
        return found

    def _second_stage(self, image: np.ndarray, face: Face) -> Face | None:
        """A proposed face as the short-range model sees it close up; None if it is doubtful and not seen again."""
        x1, y1, x2, y2 = face.box
        reach = SECOND_STAGE_AREA * max(x2 - x1, y2 - y1) / 2
        centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
        square = (centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach)
        needed = CLEAR_SCORE if face.score < WEAK_SCORE else 0.0
        near = (f for f in self._short.find(image, square) if f.score >= needed)
        same = [f for f in near if overlap(f.box, face.box) >= SAME_FACE]
        if same:
            return max(same, key=lambda f: f.score)
        return face if face.score >= max(CERTAIN_SCORE, self.min_confidence) else None

    def close(self) -> None:
        """Frees the models; closing twice does nothing."""
        for model in (self._short, self._full):
            if model:
                model.close()

    def __enter__(self) -> FaceDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
