"""Why a face is read as it is: what its emotion becomes when a part of the face is hidden, in words and as a map."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import Profile
from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.faces.regions import REGIONS, hide, region_masks

SLIGHT = 0.1
"""A probability that falls by less than this says nothing of the region that is hidden, unless its odds fall far."""

FAR, LEAST = math.log(5), 0.015
"""Falls of the log odds and of the probability that together say something, however sure what is left still is: a smile
is seen in the cheeks, too."""

NEARLY_SURE = 0.975
"""Probability from which a tenth of a per cent is told."""

ALIKE = 0.7
"""Two regions matter alike where hiding one costs at least this part of what hiding the other costs."""

PRONOUNS = {"forehead and brows": "them", "eyes": "them", "nose and cheeks": "them", "mouth": "it", "chin": "it"}


@dataclass(frozen=True)
class Why:
    """What a face's emotion rests on.

    As text it is a line for people: ``mostly the mouth: without it 41% happy instead of 96%``.

    Attributes:
        emotion: that is explained, ``other`` for none of the classes.
        confidence: its probability, 0 to 1.
        without: its probability with each of ``faces.regions.REGIONS`` hidden, by the region's name.
        heat: where on the face the network sees this emotion rather than others, float32 (48, 48) from 0 to 1, over the
            crop that it reads; None where that was not asked for.
    """

    emotion: str
    confidence: float
    without: dict[str, float]
    heat: np.ndarray | None = field(default=None, compare=False, repr=False)

    @property
    def regions(self) -> tuple[str, ...]:
        """One region, or two that matter alike, without which the emotion is clearly less probable; or none."""
        before = _log_odds(self.confidence)
        falls = sorted(((before - _log_odds(p), name) for name, p in self.without.items()), reverse=True)
        largest, dearest = falls[0]
        if self.confidence - self.without[dearest] < (LEAST if largest >= FAR else SLIGHT):
            return ()
        return tuple(name for fall, name in falls[:2] if fall >= ALIKE * largest)

    def __str__(self) -> str:
        regions, before = self.regions, _percent(self.confidence)
        if self.confidence < SLIGHT:  # what is shown was smoothed over other frames
            return f"this image alone shows hardly any of it: {self.emotion} {before}"
        if not regions:
            least = _percent(min(self.without.values()))
            return f"no part alone: {self.emotion} stays at {least} or more, {before} with all"
        left = [_percent(self.without[name]) for name in regions]
        if len(regions) == 1:
            without = PRONOUNS[regions[0]]
            return f"mostly the {regions[0]}: without {without} {left[0]} {self.emotion} instead of {before}"
        parts = " and ".join(f"the {name} (without {PRONOUNS[name]} {p})" for name, p in zip(regions, left))
        return f"{parts}: {self.emotion} {before} with all"


def _percent(probability: float) -> str:
    """For people; near 100 % with a decimal, where odds that differ much would read alike without."""
    return f"{probability:.1%}" if NEARLY_SURE <= probability < 1 else f"{probability:.0%}"


def _log_odds(probability: float) -> float:
    """Of a probability, which counts as one within a millionth of 0 and 1."""
    return math.log(max(probability, 1e-6)) - math.log(max(1 - probability, 1e-6))


def explain(
    classifier: EmotionClassifier,
    face: np.ndarray,
    keypoints: np.ndarray,
    emotion: str,
    profile: Profile | None = None,
    heat: bool = False,
) -> Why:
    """Hides one region of a face after the other, and reads all that in one batch.

    Args:
        classifier: reads it.
        face: uint8 (48, 48).
        keypoints: (6, 2) in pixels of that, as ``faces.regions.crop_keypoints`` gives them.
        emotion: to be explained: a class, or ``other`` for none of them.
        profile: of the person whose face it is, which corrects what is read.
        heat: also give the map.

    Raises:
        LiveEmotionError: the network gives no map, or with a profile no embedding.
    """
    batch = np.stack([face, *(hide(face, mask) for mask in region_masks(keypoints))])
    read = profile.correct(*classifier.read(batch)) if profile else classifier.predict_all(batch)
    names = classifier.class_names
    shown = 1 - read[:, : len(names)].sum(axis=1) if emotion not in names else read[:, names.index(emotion)]
    probabilities = [float(p) for p in shown.clip(0, 1)]
    without = dict(zip((region.name for region in REGIONS), probabilities[1:]))
    return Why(emotion, probabilities[0], without, heat_map(classifier, face, emotion) if heat else None)


def heat_map(classifier: EmotionClassifier, face: np.ndarray, emotion: str) -> np.ndarray:
    """Where on a face a network sees an emotion rather than others: float32 (48, 48), 0 (nothing) to 1 (most).

    A class activation map (Zhou et al., CVPR 2016) less the mean of all classes', of which only what speaks for the
    emotion is shown. Of several networks it is the first one's.

    Args:
        classifier: reads the face.
        face: uint8 (48, 48).
        emotion: a class, or ``other`` for none of them.

    Raises:
        LiveEmotionError: the network has no class maps.
    """
    network = classifier.networks[0]
    maps = network.maps(face[None])[0]
    names = classifier.class_names
    own = maps[names.index(emotion)] if emotion in names else maps[len(names) :].max(axis=0)
    evidence = _over_face(own - maps.mean(axis=0), network.map_offset)
    return (evidence / max(float(evidence.max()), np.finfo(np.float32).tiny)).clip(0, 1)


def _over_face(values: np.ndarray, offset: float) -> np.ndarray:
    """A map's values, (h, w), at the face's pixels, float32 (48, 48); it begins ``offset`` sides inside the face."""
    import cv2

    height, width = values.shape
    at = ((np.arange(FACE_SIZE) + 0.5) / FACE_SIZE - offset) / (1 - offset)  # 0 to 1 over the map
    x, y = np.meshgrid(at * width - 0.5, at * height - 0.5)
    places = x.clip(0, width - 1).astype(np.float32), y.clip(0, height - 1).astype(np.float32)
    return cv2.remap(values.astype(np.float32), *places, cv2.INTER_LINEAR)
