"""Targets from networks that know already, for one that is to learn from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.errors import DataError
from train.config import TrainConfig
from train.console import progress, say
from train.data.dataset import FaceSet

BATCH = 256


def load_teachers(config: TrainConfig) -> EmotionClassifier | None:
    """The teachers that a run names, if it does.

    Raises:
        WeightsError: a teacher's file is missing or damaged, or they differ in their classes.
    """
    return EmotionClassifier(config.teacher, config.device) if config.teacher else None


def add_teachers(data: FaceSet, config: TrainConfig, teachers: EmotionClassifier) -> FaceSet:
    """Mixes the teachers' mean probabilities into the targets (Hinton et al., 2015).

    Each teacher's own calibrated temperature is used, so that its doubts count as much as they should. Of an image in
    which they see none of the classes the label alone counts.

    Args:
        data: the training faces.
        config: names the classes and the teachers' share of the targets.
        teachers: whose mean it is.

    Raises:
        DataError: the teachers don't know one of the classes, or see none of them in any image.
    """
    names = teachers.class_names + teachers.other_names
    if unknown := [name for name in config.outputs if name not in names]:
        known = ", ".join(names)
        raise DataError(f"The teachers don't know the class {unknown[0]}, only {known}; choose with --classes.")
    batches = progress(range(0, len(data), BATCH), desc="Asking the teachers", leave=False)
    probabilities = np.concatenate([teachers.predict_all(data.faces[i : i + BATCH]) for i in batches])
    own = probabilities[:, [names.index(name) for name in config.outputs]]
    total = own.sum(axis=1, keepdims=True)
    blind = total[:, 0] == 0
    if blind.all():
        raise DataError("The teachers see none of the classes in any training image; choose others with --classes.")
    if blind.any():
        say(f"The teachers see none of the classes in {blind.sum()} of {len(data)} images; their labels alone count.")
    targets = config.teacher_share * own / np.where(total, total, 1) + (1 - config.teacher_share) * data.targets
    targets[blind] = data.targets[blind]
    return replace(data, targets=targets.astype(np.float32))
