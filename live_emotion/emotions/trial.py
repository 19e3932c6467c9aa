"""Whether a profile helps its person: half of the faces make one, the other half test it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import Profile
from live_emotion.errors import ArgumentError


@dataclass(frozen=True)
class Reading:
    """How well faces were read.

    Attributes:
        recall: mean over the emotions shown of the share that was recognised, 0 to 1.
        certainty: mean over the emotions shown of the probability of what was shown, 0 to 1.
    """

    recall: float
    certainty: float


@dataclass(frozen=True)
class Trial:
    """A profile and what it is worth.

    Attributes:
        profile: made of all faces.
        tested: emotions that the figures are of: those of which there were two faces or more.
        before: how their test faces were read without a profile; None where nothing could be tested.
        after: how, with the profile that the other half of the faces made; None as well.
    """

    profile: Profile
    tested: tuple[str, ...] = ()
    before: Reading | None = None
    after: Reading | None = None

    @property
    def is_worth_it(self) -> bool:
        """Whether more is recognised, or all as before and more surely; of one emotion alone, not less.

        What was not tested counts as worth it.
        """
        if not self.before or not self.after:
            return True
        if len(self.profile.prototypes) == 1:  # what the resting face gives away is to the good of the others
            return self.after.recall >= self.before.recall
        sure = self.before.recall == 1 and self.after.certainty > self.before.certainty
        return self.after.recall > self.before.recall or (self.after.recall == 1 and sure)


def try_out(
    faces: np.ndarray, labels: Sequence[str], classifier: EmotionClassifier, looks: np.ndarray | None = None
) -> Trial:
    """Makes a person's profile, and tests what half as many faces would have made of the rest.
    Of each emotion the first half, rounded up, is learnt from: what was recorded later is as unlike as it gets.

    Args:
        faces: uint8 (N, 48, 48), of one person, in the order in which they were taken.
        labels: N names of emotions: what the faces show.
        classifier: with the weights to fit.
        looks: (M, LOOK_SIZE) float, of the same person's faces, as :meth:`Profile.fit` takes them.

    Raises:
        ArgumentError: another shape or dtype, or a label that the weights don't know.
        InputError: the faces do not show what the labels say.
    """
    profile = Profile.fit(faces, labels, classifier, looks)
    if len(labels) != len(faces):
        raise ArgumentError(f"there must be one label for each face, not {len(labels)} for {len(faces)}")
    names = np.array(labels)
    is_learnt = np.zeros(len(names), bool)
    for name in set(labels):
        places = np.flatnonzero(names == name)
        is_learnt[places[: (len(places) + 1) // 2]] = True
    if is_learnt.all():
        return Trial(profile)
    half = Profile.fit(faces[is_learnt], list(names[is_learnt]), classifier)
    probabilities, embeddings = classifier.read(faces[~is_learnt])
    truth = names[~is_learnt]
    before, after = (
        _reading(rows, truth, classifier.class_names)
        for rows in (probabilities, half.correct(probabilities, embeddings))
    )
    return Trial(profile, tuple(name for name in classifier.class_names if name in truth), before, after)


def _reading(probabilities: np.ndarray, truth: np.ndarray, class_names: Sequence[str]) -> Reading:
    columns = np.array([list(class_names).index(name) for name in truth])
    is_right = probabilities[:, : len(class_names)].argmax(axis=1) == columns
    certainty = probabilities[range(len(columns)), columns]
    shown = np.unique(columns)
    return Reading(
        float(np.mean([is_right[columns == column].mean() for column in shown])),
        float(np.mean([certainty[columns == column].mean() for column in shown])),
    )
