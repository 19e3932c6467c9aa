"""The second stage in frames that follow each other: which faces of the last are still there, and which are new."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from live_emotion.faces.boxes import SAME_FACE, overlap
from live_emotion.faces.detection.blazeface import BlazeFace
from live_emotion.faces.detection.refinement import RefinedFace, RefinementMemory
from live_emotion.faces.detection.second_stage import VIEWS, look
from live_emotion.types import Face

WEAK_SCORE = 0.4
"""New proposals with a lower score wait for their turn."""


def refine(
    model: BlazeFace,
    image: np.ndarray,
    proposed: list[Face],
    memory: RefinementMemory,
    time_s: float,
    likely: float,
) -> list[RefinedFace]:
    """The proposed faces that may be faces; of the confirmed and of the others one each goes through the second stage.

    Args:
        model: the short-range one.
        image: as :meth:`BlazeFace.find` takes it.
        proposed: by the first stage for it.
        memory: of the last frame.
        time_s: of this frame, in seconds.
        likely: mean score that the best two looks need, as
            :data:`live_emotion.faces.detection.second_stage.LIKELY_SCORE`.
    """
    known = [memory.last(face) for face in proposed]
    weak = [i for i, face in enumerate(proposed) if known[i] is None and face.score < WEAK_SCORE]
    left_out = set(weak) - memory.take_turn(weak, time_s)
    found: list[RefinedFace | None] = []
    rechecked = set()
    for i, (face, last) in enumerate(zip(proposed, known)):
        if last is None:
            if i not in left_out:
                found.append(RefinedFace.first_seen(face, look(model, image, face, VIEWS[0]), time_s))
            continue
        moved = last.carried_to(face)
        if last.is_confirmed not in rechecked and last.is_due(time_s):
            rechecked.add(last.is_confirmed)
            found.append(moved.seen_again(look(model, image, face, last.view), time_s, likely))
        else:
            found.append(moved)
    return [face for face in found if face]


def hold(
    model: BlazeFace,
    image: np.ndarray,
    refined: list[RefinedFace],
    memory: RefinementMemory,
    time_s: float,
    likely: float,
) -> list[RefinedFace]:
    """Adds the faces of the last frame that are still there though the first stage did not propose them.

    Args:
        model: and ``image``, ``memory``, ``time_s`` and ``likely`` are those of :func:`refine`.
        image: the frame.
        refined: what :func:`refine` gave.
        memory: of the last frame.
        time_s: of this frame, in seconds.
        likely: score that one look needs here.
    """
    held = list(refined)
    for last in memory.faces:
        same = [i for i, face in enumerate(held) if overlap(face.seen.box, last.seen.box) >= SAME_FACE]
        for i in same:  # one that has moved by more takes its confirmation along
            held[i] = replace(held[i], is_confirmed=held[i].is_confirmed or last.is_confirmed)
        if not same and (seen := look(model, image, last.seen, last.view)) and seen.score >= likely:
            again = replace(last, proposed=seen).seen_again(seen, time_s, likely)
            held += [again] if again else []
    return held
