"""What was read in a frame, as JSON holds it; the same over the socket, in events and for images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from live_emotion.pipelines.result import Result
from live_emotion.types import TrackedFace
from live_emotion.version import __version__
from live_emotion.visualization.palette import hex_colours

Answer = dict[str, Any]


def about_answer(class_names: Sequence[str], model: str) -> Answer:
    """What a client gets to know of a server.

    Args:
        class_names: in the order of the probabilities.
        model: names of the weights' files.
    """
    colors = dict(zip(class_names, hex_colours(class_names)))
    return {"version": __version__, "model": model, "class_names": [*class_names], "colors": colors}


def face_answer(face: TrackedFace, class_names: Sequence[str], name: str | None = None) -> Answer:
    """A face: box in pixels, probabilities 0 to 1.

    Args:
        face: the face.
        class_names: in the order of its probabilities.
        name: of the person, where somebody gave one; None: what recognition says.
    """
    return {
        "track_id": face.track_id,
        "name": face.name if name is None else name,
        "box": [round(float(v), 1) for v in face.box],
        "score": round(float(face.score), 4),
        "emotion": face.emotion,
        "confidence": round(face.confidence, 4),
        "probabilities": {n: round(p, 4) for n, p in zip(class_names, face.probabilities)},
        "other": round(face.other, 4),
        "note": face.note,
    }


def frame_answer(result: Result, names: Mapping[int, str] | None = None) -> Answer:
    """What was read in an image.

    Args:
        result: of it.
        names: that were given to people, by their numbers.
    """
    height, width = result.frame.image.shape[:2]
    given = names or {}
    faces = [face_answer(face, result.class_names, given.get(face.track_id)) for face in result.faces]
    return {"width": width, "height": height, "found": result.found, "faces": faces}


def live_answer(result: Result, number: int, seconds: float, names: Mapping[int, str] | None = None) -> Answer:
    """What was read in a live frame.

    Args:
        result: of it.
        number: that the client gave the frame.
        seconds: that it took.
        names: that were given to people, by their numbers.
    """
    timing = {"frame": number, "time_s": round(result.frame.time_s, 6), "ms": round(1000 * seconds, 2)}
    return {"type": "result", **timing, **frame_answer(result, names)}
