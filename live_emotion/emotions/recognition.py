"""Which of the faces in view are those of enrolled people."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from live_emotion.emotions.profile import Profile

LEAST_LIKENESS = 0.83
"""Likeness from which a face may be an enrolled person's. ``benchmarks/enrolment.py`` says how often that errs."""

LONGEST_MEMORY = 30
"""Over how many frames the likeness of a tracked face is averaged."""


class Recognizer:
    """Gives each profile to the face that looks most like its person, if one looks enough like it.

    A face gets one profile at most, and of a profile that knows no look, each that is left. Who is followed and was
    known once stays known as long as nobody looks more like it: a face looks less like itself while it turns away.

    Args:
        profiles: of the people who may be in view.
    """

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self.profiles = tuple(profiles)
        self._seen: dict[int, tuple[np.ndarray, int]] = {}  # by track id: mean likeness to each profile, of N frames
        self._known: dict[int, int] = {}  # by track id: whose it was in its last frame

    def assign(
        self, looks: np.ndarray, track_ids: Sequence[int] | None = None, kept: Collection[int] = ()
    ) -> list[int | None]:
        """Whose the faces of a frame are.

        Args:
            looks: (N, LOOK_SIZE) float, of :func:`live_emotion.faces.appearance.look`; 0 where nothing is known.
            track_ids: N, for faces that are tracked: what was seen of them before counts, too.
            kept: track ids of all who may still come back.

        Returns:
            N indices of profiles, None where a face is nobody's.
        """
        likeness = np.stack([profile.likeness(looks) for profile in self.profiles], axis=1)
        if track_ids is not None:
            self._seen = {track_id: seen for track_id, seen in self._seen.items() if track_id in kept}
            likeness = np.stack([self._mean(*each) for each in zip(track_ids, likeness)])
            for face, track_id in enumerate(track_ids):
                if (person := self._known.get(track_id)) is not None:
                    likeness[face, person] = max(likeness[face, person], LEAST_LIKENESS)
        owners: list[int | None] = [None] * len(likeness)
        named = [bool(profile.look) for profile in self.profiles]
        for face, person in zip(*np.unravel_index(np.argsort(-likeness, axis=None), likeness.shape)):
            if (
                named[person]
                and owners[face] is None
                and person not in owners
                and likeness[face, person] >= LEAST_LIKENESS
            ):
                owners[face] = int(person)
        if track_ids is not None:
            now = {track_id: owner for track_id, owner in zip(track_ids, owners) if owner is not None}
            away = {track_id: person for track_id, person in self._known.items() if track_id in kept}
            taken = set(now.values())
            self._known = {t: p for t, p in away.items() if t not in track_ids and p not in taken} | now
        anybodys = next((i for i, is_named in enumerate(named) if not is_named), None)
        return [anybodys if owner is None else owner for owner in owners]

    def _mean(self, track_id: int, likeness: np.ndarray) -> np.ndarray:
        mean, count = self._seen.get(track_id, (likeness, 0))
        count = min(count + 1, LONGEST_MEMORY)
        mean = mean + (likeness - mean) / count
        self._seen[track_id] = mean, count
        return mean
