"""Frames -> faces, in two stages: one model proposes faces, another confirms and refines them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import numpy as np

from live_emotion.checks import check_number
from live_emotion.errors import ArgumentError
from live_emotion.faces.boxes import SAME_FACE, by_size, merge, overlap
from live_emotion.faces.detection.blazeface import BlazeFace
from live_emotion.faces.detection.following import hold, refine
from live_emotion.faces.detection.refinement import RefinedFace, RefinementMemory
from live_emotion.faces.detection.search import squares, with_margin
from live_emotion.faces.detection.second_stage import LIKELY_SCORE, VIEWS, confirm, look
from live_emotion.faces.detection.tiles import doubt_cut, tiles
from live_emotion.types import DETECTORS, Box, Face

PROPOSAL_SCORE = 0.07
"""Lowest score at which the full-range model proposes a face for the second stage. Of 240 faces of 96 to 400 pixels in
1280x720 pictures 98 % are found, and of close-ups 97 % where they are 48 pixels made larger, all where they are sharp
(``benchmarks/detection.py``)."""

TILE_SCORE = 0.15
"""Lowest score of a proposal within a tile, where there are many."""

LENIENCE = 0.15
"""How much more than ``min_confidence`` two looks need on average, where that is lower than usual."""

MOST_SEARCHED = 2
"""Most proposals of one more view that go through the second stage in a frame of a camera or a video."""


class FaceDetector:
    """Finds faces.

    The full-range model sees a frame at 192 pixels. Its boxes are rough, and now and then it takes lettering for a
    face. So what it proposes goes through a second stage: the short-range model looks at it close up, confirms it and
    gives the truer box. Where that leaves nothing, other views of the picture are searched, for faces that fill it or
    are small in it.

    Args:
        kind: ``full``: the full-range model on the whole frame. ``tiled``: also on overlapping tiles, for groups and
            faces far away. ``short``: the short-range model proposes, too; quicker, for a face that fills the picture.
        min_confidence: lowest score of a face, 0 to 1.

    Raises:
        WeightsError: a model file is missing.
        ArgumentError: an unknown kind, or a score of none.
    """

    def __init__(self, kind: str = "full", min_confidence: float = 0.5) -> None:
        if kind not in DETECTORS:
            raise ArgumentError(f"detector must be one of {', '.join(DETECTORS)}, not {kind!r}")
        self.kind = kind
        self.min_confidence = check_number("min_confidence", min_confidence, "a number from 0 to 1", 0, 1)
        self._likely = min(LIKELY_SCORE, min_confidence + LENIENCE)
        with contextlib.ExitStack() as opened:
            self._short = opened.enter_context(contextlib.closing(BlazeFace("short", min_confidence)))
            self._full = None if kind == "short" else BlazeFace("full", PROPOSAL_SCORE)
            opened.pop_all()

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
                along with the proposals. What is not seen clearly is confirmed by looks in several frames, and is
                not given before that. Of new weak proposals one at a time gets its turn, and so does one view at a
                time where there is no face.
            time_s: of the frame, in seconds, for the memory.

        Returns:
            faces, the largest first.

        Raises:
            ArgumentError: another shape or dtype, or the detector is closed.
        """
        faces = self.propose(image) if proposed is None else proposed
        if memory is not None:
            return by_size(self._follow(image, faces, memory, time_s))
        found = self._confirmed(image, faces)
        for area in () if found else self._other_views(image):
            found = found or self._confirmed(image, self._proposed_in(image, area))
        return by_size(found)

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

    def _confirmed(self, image: np.ndarray, proposed: list[Face]) -> list[Face]:
        """The proposed faces that are faces, as far as this picture alone tells."""
        seen = (confirm(self._short, image, face, self._likely) for face in proposed)
        return self._sure(face for face in seen if face)

    def _sure(self, faces: Iterable[Face]) -> list[Face]:
        """One of each of the faces that are as sure as asked for."""
        return merge([face for face in faces if face.score >= self.min_confidence])

    def _follow(self, image: np.ndarray, proposed: list[Face], memory: RefinementMemory, time_s: float) -> list[Face]:
        """The faces of a camera's or a video's next frame, as far as they are confirmed."""
        refined = refine(self._short, image, proposed, memory, time_s, self._likely)
        refined = hold(self._short, image, refined, memory, time_s, self._likely)
        if not any(face.is_confirmed for face in refined):
            refined += self._search(image, refined, memory, time_s)
        memory.faces = refined
        return self._sure(face.seen for face in refined if face.is_confirmed)

    def _search(
        self, image: np.ndarray, refined: list[RefinedFace], memory: RefinementMemory, time_s: float
    ) -> list[RefinedFace]:
        """New faces in one more view of a frame without any, if one is due."""
        turn = memory.take_search(time_s)
        if turn is None:
            return []
        whole, *parts = self._other_views(image)
        proposed = self._proposed_in(image, parts[turn // 2 % len(parts)] if turn % 2 and parts else whole)
        new = [face for face in proposed if all(overlap(face.box, r.seen.box) < SAME_FACE for r in refined)]
        seen = [(face, look(self._short, image, face, VIEWS[0])) for face in new[:MOST_SEARCHED]]
        found = (RefinedFace.first_seen(face, closer, time_s) for face, closer in seen)
        return [face for face in found if face]

    def _other_views(self, image: np.ndarray) -> list[Box]:
        """Where else to look in a picture in which nothing was found; the first is the whole with a margin."""
        height, width = image.shape[:2]
        return [with_margin(width, height), *(squares(width, height) if self.kind == "full" else ())]

    def _proposed_in(self, image: np.ndarray, area: Box) -> list[Face]:
        """What may be a face in another view."""
        has_margin = min(area) < 0
        model = self._short if has_margin or self._full is None else self._full
        return merge([face for face in model.find(image, area) if face.score >= TILE_SCORE])

    def close(self) -> None:
        """Frees the models; closing twice does nothing."""
        for model in (self._short, self._full):
            if model:
                model.close()

    def __enter__(self) -> FaceDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
