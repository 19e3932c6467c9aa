"""Identities: which face of a frame is whose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import lap
import numpy as np

from live_emotion.faces.boxes import intersection_over_union, mirrored_boxes
from live_emotion.faces.merging import Presence, one_person, unit
from live_emotion.types import Face

LOST_S = 1.0
"""How long, in seconds, a face may be out of sight and be known again by its place."""

REMEMBERED_S = 60.0
"""How long, in seconds, a face may be out of sight and be known again by what it looks like."""

SMALLEST_OVERLAP = 0.15
"""Least intersection over union of a face and the place where its track expects it."""

FIRM_OVERLAP = 0.5
"""A face that overlaps its track by less is looked at again before it goes on."""

LOOK_S = 0.2
"""How often a face is looked at, in seconds, while nothing is in doubt."""

LATEST_LOOK_S = 0.6
"""After so long it is, in seconds, even if another has the turn."""

DIFFERENT = 0.3
"""Likeness under which a face is somebody else, or none at all, though it is where a track expects it."""

SAME = 0.68
"""Likeness from which a face is somebody who was away. These two were chosen on videos of
``benchmarks/identities.py``; those that are reported are others."""

YOUNG_S = 1.5
"""For how long, in seconds, a new track may turn out to be somebody who was away."""

YOUNG_LOOK_S = 0.05
"""How often it is looked at until :data:`YOUNG_LOOKS`, in seconds."""

YOUNG_LOOKS = 6

FEWEST_LOOKS = 2
"""Of a track, for it to be merged with others by their mean."""

LOOKS_AVERAGED = 30
"""Over how many looks the mean goes: what is older fades."""

FREE = 0.2
"""Intersection over union with another face of the frame from which a face is no longer free to be looked at."""

MOST_TRACKS = 500
"""How many tracks are remembered; of more, those seen last."""

Look = Callable[[int], "np.ndarray | None"]
"""Gives what the i-th face of a frame looks like, a vector of length 1, as :mod:`live_emotion.faces.appearance` does;
None where that cannot be told. It is called where there is a doubt, and for everyone from time to time."""


@dataclass(eq=False)
class _Track:
    """What is remembered of a face."""

    track_id: int
    box: np.ndarray  # (4,) float64, where it was last seen
    time_s: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))  # pixels a second
    stretches: list[tuple[float, float]] = field(default_factory=list)  # first and last time of each presence
    mean: np.ndarray | None = None  # (D,) of its looks, of length 1
    last: np.ndarray | None = None  # (D,) the last of them
    looks: int = 0
    looked_s: float = 0.0

    def expected_box(self, time_s: float) -> np.ndarray:
        """Where the face should be now if it goes on as it went."""
        shift = self.velocity * (time_s - self.time_s)
        return self.box + np.concatenate([shift, shift])

    def move(self, box: np.ndarray, time_s: float) -> None:
        """Takes the track on to a new frame."""
        elapsed = time_s - self.time_s
        if elapsed > 0:
            moved = (box[:2] + box[2:] - self.box[:2] - self.box[2:]) / 2
            self.velocity = 0.5 * self.velocity + 0.5 * moved / elapsed
        self.box, self.time_s = box, time_s
        self.stretches[-1] = self.stretches[-1][0], time_s

    def begin(self, box: np.ndarray, time_s: float) -> None:
        """Goes on elsewhere, or begins."""
        self.box, self.time_s, self.velocity = box, time_s, np.zeros(2)
        self.stretches.append((time_s, time_s))

    def see(self, look: np.ndarray, time_s: float) -> None:
        """Takes in what the face looks like now."""
        self.looks = min(self.looks + 1, LOOKS_AVERAGED)
        self.mean = look if self.mean is None else unit(self.mean + (look - self.mean) / self.looks)
        self.last, self.looked_s = look, time_s

    def is_young(self, time_s: float) -> bool:
        """Whether it may still turn out to be somebody who was away."""
        return len(self.stretches) == 1 and time_s - self.stretches[0][0] <= YOUNG_S

    def is_due(self, time_s: float) -> bool:
        """Whether it is time for another look."""
        is_unknown = self.is_young(time_s) and self.looks < YOUNG_LOOKS
        return time_s - self.looked_s >= (YOUNG_LOOK_S if is_unknown else LOOK_S)

    def likeness(self, look: np.ndarray) -> float:
        """How much a face looks like this one, by the mean or by the last look; at most 1."""
        return max((float(each @ look) for each in (self.mean, self.last) if each is not None), default=-1.0)


class Tracker:
    """Joins the faces of successive frames into tracks.

    Faces and tracks are paired so that the overlap of all pairs together is largest (linear assignment; Jonker and
    Volgenant, 1987). Where it can be told what faces look like, that decides between those who overlap; a track ends
    where another thing is at its place; and whoever was away, or is elsewhere after a cut, is known again.

    Args:
        lost_s: how long a face may be out of sight and be known by its place, in seconds.
    """

    def __init__(self, lost_s: float = LOST_S) -> None:
        self.lost_s = lost_s
        self._tracks: list[_Track] = []  # that may go on at their place
        self._away: list[_Track] = []  # that may be known again, those who left first before the others
        self._renumbered: dict[int, int] = {}
        self._turn: _Track | None = None  # whose turn it is to be looked at
        self._next_id = 1
        self._waits = False
        self._now_s = -np.inf

    @property
    def track_ids(self) -> frozenset[int]:
        """Of all faces that were in view a moment ago and may go on at their place."""
        return frozenset(track.track_id for track in self._tracks)

    def update(
        self, faces: Sequence[Face], time_s: float, look: Look = lambda index: None, is_cut: bool = False
    ) -> list[int]:
        """Takes in a frame.

        Args:
            faces: N detected faces.
            time_s: of the frame, in seconds; frames come in order. A time before the last frame's starts anew.
            look: tells what they look like.
            is_cut: whether another scene begins with the frame, so that places say nothing.

        Returns:
            N track ids, 1, 2, ..., in the order of ``faces``.
        """
        if self._waits:
            for track in self._tracks:
                track.time_s, track.velocity = time_s, np.zeros(2)
        elif time_s < self._now_s:
            self.forget()
        self._waits = False
        self._now_s = time_s
        here = _FrameFaces(faces, look)
        lost = [t for t in self._tracks if is_cut or time_s - t.time_s > self.lost_s]
        self._tracks = [t for t in self._tracks if t not in lost]
        self._away = [*self._away, *lost][-MOST_TRACKS:]
        matches = self._match(here, time_s)
        for i, track in matches.items():
            track.move(here.boxes[i], time_s)
        matches |= self._known_again(here, matches, time_s)
        for i in range(len(faces)):
            if i not in matches:
                matches[i] = self._new(here.boxes[i], time_s)
            self._look(here, i, matches[i], time_s)
        return [matches[i].track_id for i in range(len(faces))]

    def wait(self) -> None:
        """Nobody looks until the next frame: whoever is at the same place then, however late it is, is the same."""
        self._waits = True

    def forget(self) -> None:
        """Ends all tracks, as before another camera; the numbers go on."""
        self._tracks, self._away = [], []

    def mirror(self, width: int) -> None:
        """Turns all tracks left to right, as the frames, ``width`` pixels wide, are from now on."""
        for track in self._tracks:
            track.box = mirrored_boxes(track.box, width)
            track.velocity = track.velocity * np.array([-1.0, 1.0])

    def merged(self, names: Mapping[int, str] = {}) -> dict[int, int]:
        """The numbers that turned out to be of somebody who had another before, each with that one.

        Args:
            names: by numbers, of people who are known; two of different names are two.
        """
        presences = [
            Presence((t.track_id,), tuple(t.stretches), t.mean, t.looks, names.get(t.track_id, ""))
            for t in [*self._away, *self._tracks]
            if t.mean is not None and t.looks >= FEWEST_LOOKS
        ]
        first = {number: min(person.numbers) for person in one_person(presences) for number in person.numbers}
        for number, other in self._renumbered.items():
            while other in self._renumbered:
                other = self._renumbered[other]
            first[number] = first.get(other, other)
        return {number: other for number, other in first.items() if number != other}

    def _new(self, box: np.ndarray, time_s: float) -> _Track:
        track = _Track(self._next_id, box, time_s)
        track.begin(box, time_s)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _match(self, here: _FrameFaces, time_s: float) -> dict[int, _Track]:
        """Tracks by the index of the face that continues them at their place."""
        self._turn = None
        if not self._tracks or not len(here.boxes):
            return {}
        overlap = intersection_over_union(here.boxes, np.array([t.expected_box(time_s) for t in self._tracks]))
        near = overlap >= SMALLEST_OVERLAP
        contested = near & ((near.sum(axis=0) > 1)[None] | (near.sum(axis=1) > 1)[:, None])
        gain = overlap.copy()
        for face, track in zip(*np.nonzero(contested)):
            look = here.look(face)
            if look is not None and self._tracks[track].mean is not None:
                gain[face, track] += self._tracks[track].likeness(look)
        _, columns, _ = lap.lapjv(gain.max() - gain, extend_cost=True)  # a face without a track has column -1
        pairs = [(f, self._tracks[c]) for f, c in enumerate(columns) if c >= 0 and near[f, c]]
        # one a frame, so that frames cost alike
        self._turn = min((track for _, track in pairs if track.is_due(time_s)), key=lambda t: t.looked_s, default=None)
        found = {}
        for face, track in pairs:
            column = columns[face]
            is_firm = overlap[face, column] >= FIRM_OVERLAP and not contested[face, column]
            if (is_firm and not self._has_turn(track, time_s)) or not self._is_other(here, face, track):
                found[face] = track
        return found

    def _has_turn(self, track: _Track, time_s: float) -> bool:
        """Whether a face is to be looked at in this frame though nothing is in doubt."""
        return track is self._turn or time_s - track.looked_s >= LATEST_LOOK_S

    def _is_other(self, here: _FrameFaces, face: int, track: _Track) -> bool:
        """Whether another thing is where a track was expected."""
        look = here.look(face) if track.mean is not None else None
        return look is not None and track.likeness(look) < DIFFERENT

    def _known_again(self, here: _FrameFaces, matches: dict[int, _Track], time_s: float) -> dict[int, _Track]:
        """Tracks by the index of the face that looks like them, of those faces that are new at their place."""
        new = [i for i in range(len(here.boxes)) if i not in matches]
        away = self._absent(time_s) if new else []
        looks = {i: look for i in new if (look := here.look(i)) is not None} if away else {}
        found: dict[int, _Track] = {}
        if looks:
            likeness = np.array([[track.likeness(look) for track in away] for look in looks.values()])
            _, columns, _ = lap.lapjv(1 - likeness, extend_cost=True)
            for row, (i, column) in enumerate(zip(looks, columns)):
                if column >= 0 and likeness[row, column] >= SAME:
                    found[i] = self._return(away[column], here.boxes[i], time_s)
        return found

    def _absent(self, time_s: float) -> list[_Track]:
        """Who is not in the frame of this time, but may be known again."""
        gone = [t for t in [*self._away, *self._tracks] if t.time_s < time_s <= t.time_s + REMEMBERED_S]
        return [t for t in gone if t.mean is not None]

    def _return(self, track: _Track, box: np.ndarray, time_s: float) -> _Track:
        if track not in self._tracks:
            self._away.remove(track)
            self._tracks.append(track)
        track.begin(box, time_s)
        return track

    def _look(self, here: _FrameFaces, face: int, track: _Track, time_s: float) -> None:
        """Takes in what a face looks like, if it is time, and asks of a new track whether it is somebody's."""
        is_wanted = self._has_turn(track, time_s) or here.was_looked_at(face)
        is_due = track.mean is None or (is_wanted and track.is_due(time_s) and here.is_free(face))
        look = here.look(face) if is_due else None
        if look is None:
            return
        track.see(look, time_s)
        first_s = track.stretches[0][0]
        away = [t for t in self._absent(time_s) if t.time_s < first_s] if track.is_young(time_s) else []
        likest = max(away, key=lambda t: t.likeness(look), default=None)
        if likest is not None and likest.likeness(look) >= SAME:
            self._join(track, likest)

    def _join(self, track: _Track, before: _Track) -> None:
        """A new track is somebody's who was away."""
        self._renumbered[track.track_id] = before.track_id
        (self._away if before in self._away else self._tracks).remove(before)
        track.track_id, track.stretches = before.track_id, before.stretches + track.stretches
        if before.mean is not None and track.mean is not None:
            track.mean = unit(before.looks * before.mean + track.looks * track.mean)
        track.looks = min(before.looks + track.looks, LOOKS_AVERAGED)


class _FrameFaces:
    """The faces of a frame, each of which is looked at once at most."""

    def __init__(self, faces: Sequence[Face], look: Look) -> None:
        self.boxes = np.array([face.box for face in faces], np.float64).reshape(-1, 4)
        self._overlap = intersection_over_union(self.boxes, self.boxes) - np.eye(len(self.boxes))
        self._give = look
        self._looks: dict[int, np.ndarray | None] = {}

    def look(self, index: int) -> np.ndarray | None:
        """What a face looks like; None where that cannot be told."""
        if index not in self._looks:
            self._looks[index] = self._give(index)
        return self._looks[index]

    def was_looked_at(self, index: int) -> bool:
        """Whether what it looks like is known already."""
        return index in self._looks

    def is_free(self, index: int) -> bool:
        """Whether no other face hides a part of it, or is hidden by it."""
        return bool(self._overlap[index].max() < FREE)
