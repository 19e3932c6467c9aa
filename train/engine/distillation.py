"""Targets from networks that know already, for one that is to learn from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.errors import DataError
from train.config import TrainConfig
from train.console import progress
from train.data.dataset import FaceSet

BATCH = 256


def add_teachers(data: FaceSet, config: TrainConfig) -> FaceSet:
    """Mixes the teachers' mean probabilities into the targets (Hinton et al., 2015), if there are teachers.

    Each teacher's own calibrated temperature is used, so that its doubts count as much as they should.

    Args:
        data: the training faces.
        config: names the teachers and their share of the targets.

    Raises:
        WeightsError: a teacher's file is missing or damaged, or they differ in their classes.
        DataError: the teachers don't know one of the classes.
    """
    if not config.teacher:
        return data
    classifier = EmotionClassifier(config.teacher, config.device)
    names = classifier.class_names + classifier.other_names
    if unknown := [name for name in config.outputs if name not in names]:
        known = ", ".join(names)
        raise DataError(f"The teachers don't know the class {unknown[0]}, only {known}; choose with --classes.")
    batches = progress(range(0, len(data), BATCH), desc="Asking the teachers", leave=False)
    probabilities = np.concatenate([classifier.predict_all(data.faces[i : i + BATCH]) for i in batches])
    own = probabilities[:, [names.index(name) for name in config.outputs]]
    own /= own.sum(axis=1, keepdims=True)
    targets = config.teacher_share * own + (1 - config.teacher_share) * data.targets
    return replace(data, targets=targets.astype(np.float32))
