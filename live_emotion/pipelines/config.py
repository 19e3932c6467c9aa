"""How faces are found, read and followed: one configuration for photos, cameras, videos and Python programs."""

from __future__ import annotations

from dataclasses import dataclass

from live_emotion.checks import (
    check_choice,
    check_device,
    check_flag,
    check_names,
    check_number,
    check_weights,
    check_whole,
)
from live_emotion.types import DETECTORS, StrPath


@dataclass(frozen=True)
class AnalysisConfig:
    """How faces are found, read and followed; the same for a camera, videos, photos and Python programs.

    Attributes:
        weights: checkpoints or ONNX models, or short names of those that come with live-emotion, such as ``cnn``;
            their probabilities are averaged. None: ``default``. A list or another collection, one alone and None
            become a tuple.
        device: where the network runs: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        detector: ``full``, ``short`` or ``tiled``, those of
            :class:`live_emotion.faces.detection.detector.FaceDetector`.
        min_confidence: lowest score of a face, 0 to 1.
        max_faces: most faces to read in a frame: the largest ones.
        profile: name of a person's profile, or several, which correct what is read in the faces that look like
            theirs; None: none. It becomes a tuple, too.
        track: frames follow each other: keep identities and smooth the probabilities. Off for unrelated pictures.

    Raises:
        ArgumentError: a value makes no sense.
    """

    weights: tuple[StrPath, ...] = ()
    device: str = "auto"
    detector: str = "full"
    min_confidence: float = 0.5
    max_faces: int = 10
    profile: str | tuple[str, ...] | None = None
    track: bool = False

    def __post_init__(self) -> None:
        vars(self).update(  # frozen, but not yet
            weights=check_weights(self.weights),
            device=check_device(self.device),
            detector=check_choice("detector", self.detector, DETECTORS),
            min_confidence=check_number("min_confidence", self.min_confidence, "a number from 0 to 1", 0, 1),
            max_faces=check_whole("max_faces", self.max_faces, "a whole number, 1 or more", 1),
            profile=check_names("profile", self.profile, "names of profiles or None"),
            track=check_flag("track", self.track),
        )

    @property
    def profiles(self) -> tuple[str, ...]:
        """The names of the profiles."""
        return tuple(self.profile or ())  # which is a tuple by now
