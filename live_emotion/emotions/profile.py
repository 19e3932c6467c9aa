"""A person's profile: how a network reads this person, learnt from a few of the person's faces, and kept as numbers."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs

from live_emotion.checks import check_names, is_name, wrong
from live_emotion.emotions import personalization
from live_emotion.emotions.personalization import PULL, log_softmax, similarities
from live_emotion.errors import ArgumentError, InputError
from live_emotion.faces.appearance import LOOK_SIZE, mean_direction
from live_emotion.faces.preprocessing import check_faces
from live_emotion.faces.quality import OTHER
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.files.folders import make_folder
from live_emotion.io.files.inputs import read_file
from live_emotion.io.files.names import is_reserved, same_name

if TYPE_CHECKING:
    from live_emotion.emotions.classifier import EmotionClassifier

NEUTRAL, SMILE = "neutral", "happy"

CERTAIN = 0.95
"""Probability of another emotion from which a face that is said to be at rest is not taken as such."""

LEAST_REST, MOST_SMILE = 0.15, 0.3
"""Probabilities of neutral and of happy below and above which a face is not taken as resting, where nothing else tells
what the person's resting face is. Of FER2013's faces on which eight of ten people agree, 4 % of the neutral ones are
refused, 96 % of the angry, 99 % of the happy and 82 % of the sad ones; of JAFFE's weakly acted portraits 0 %, 3 %, 97 %
and 39 %."""

LARGEST_OFFSET = 20.0
"""Either way. What is learnt is below, and more would make any face one emotion, or overflow."""

MOST_BYTES = 50_000_000
"""Of a profile's file; real ones have less than one million."""

LONGEST_PROFILE_NAME = 60
"""Of a profile, in characters: of four bytes each, and with what a temporary file's name adds, they are the 255 bytes
that file systems take."""

SMALLEST_PROBABILITY = 1e-6
"""Probabilities below this count as this."""


@dataclass(frozen=True)
class Profile:
    """A correction for one person: numbers only, no image.

    Attributes:
        class_names: C names in the order of the probabilities.
        offsets: added to the logarithms of the probabilities, one a class, or also one for each further output.
        prototypes: by the name of an emotion, the direction of its embeddings: unit vectors of D numbers.
        weights: fingerprint of the weights that it fits; empty: any.
        look: direction of what :func:`live_emotion.faces.appearance.look` tells of the face, by which it is known among
            others; empty where it was learnt from cut-out faces alone, and where it corrects every face alike.
    """

    class_names: tuple[str, ...]
    offsets: tuple[float, ...]
    prototypes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    weights: str = ""
    look: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        faces: np.ndarray,
        labels: Sequence[str],
        classifier: EmotionClassifier | None = None,
        looks: np.ndarray | None = None,
    ) -> Profile:
        """Learns a person from a few faces, best one or more of each emotion; neutral matters most.

        Offsets of the largest posterior probability, around those that bring the resting face to where resting faces
        are, and the mean direction of each emotion's embeddings. What was not shown is left to the resting face.

        Args:
            faces: uint8 (N, 48, 48), of one person, as ``preprocessing.crop_face`` cuts them.
            labels: N names of emotions: what the faces show.
            classifier: with the weights to fit; None: those that come with live-emotion.
            looks: (M, LOOK_SIZE) float, what :func:`live_emotion.faces.appearance.look` tells of faces of this person;
                None: with several people in view the profile will not know which one this is.

        Raises:
            ArgumentError: another shape or dtype, or a label that the weights don't know.
            InputError: the faces do not show what the labels say.
        """
        from live_emotion.emotions.classifier import EmotionClassifier

        classifier = EmotionClassifier() if classifier is None else classifier
        if not isinstance(classifier, EmotionClassifier):
            raise wrong("classifier", "an EmotionClassifier or None", classifier)
        names = classifier.class_names
        labels = check_names("labels", labels, "names of emotions")
        check_faces(faces)
        if not len(faces) or len(labels) != len(faces):
            raise ArgumentError(f"there must be one label for each face, not {len(labels)} for {len(faces)}")
        if unknown := sorted(set(labels) - set(names)):
            raise ArgumentError(f"the weights do not know {unknown[0]}; they know {', '.join(names)}")
        probabilities, embeddings = classifier.read(faces)
        known = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
        columns = np.array([names.index(label) for label in labels])
        if set(labels) == {NEUTRAL} and (shown := resting_doubt(probabilities, names)):
            raise InputError(f"This is no resting face, it looks {shown}; relax your face, and try again.")
        prior = (
            _resting(known[columns == names.index(NEUTRAL)], names) if NEUTRAL in labels else np.zeros(known.shape[1])
        )
        if not personalization.are_plausible(known, columns):
            raise InputError(
                "These faces do not show what they are said to show: another order of the emotions fits them better. "
                "Show each emotion clearly, and look for mixed-up files."
            )
        offsets = personalization.fit_offsets(known, columns, prior) if len(set(labels)) > 1 else prior
        prototypes = personalization.prototypes_of(embeddings, columns)
        return cls(
            names,
            tuple(round(float(v), 4) for v in np.clip(offsets, -LARGEST_OFFSET, LARGEST_OFFSET)),
            {names[label]: tuple(round(float(v), 4) for v in vector) for label, vector in prototypes.items()},
            classifier.fingerprint,
            () if looks is None or not len(looks) else tuple(np.round(mean_direction(looks), 3).tolist()),
        )

    def correct(self, probabilities: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        """Probabilities as they are for this person.

        Args:
            probabilities: (N, M) float, of the C classes and perhaps of further outputs; rows sum to 1.
            embeddings: (N, D) float, of the same faces.

        Returns:
            (N, M) float32, rows that sum to 1.
        """
        offsets = np.zeros(probabilities.shape[1])
        offsets[: len(self.offsets)] = self.offsets[: len(offsets)]
        scores = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY)) + offsets
        if len(self.prototypes) > 1:
            near = similarities(embeddings, self._directions)
            pull = np.repeat(near.mean(axis=1, keepdims=True), len(self.class_names), axis=1)
            pull[:, [self.class_names.index(name) for name in self.prototypes]] = near
            scores[:, : pull.shape[1]] += PULL * (pull - pull.mean(axis=1, keepdims=True))
        return np.exp(log_softmax(scores)).astype(np.float32)

    def likeness(self, looks: np.ndarray) -> np.ndarray:
        """How much N faces look like this person: the cosine of looks (N, LOOK_SIZE) to its own, (N,) float, -1 to 1;
        0 where a row is 0.
        """
        if not self.look:
            return np.ones(len(looks))
        own = np.array(self.look)
        return looks @ (own / np.linalg.norm(own))

    @functools.cached_property
    def _directions(self) -> list[np.ndarray]:
        """The prototypes as arrays, which each frame asks for."""
        return [np.array(vector) for vector in self.prototypes.values()]

    def check(self, class_names: Sequence[str], fingerprint: str = "", size: int | None = None) -> None:
        """Looks whether it fits a network.

        Args:
            class_names: the network's.
            fingerprint: of its weights.
            size: D of its embeddings; None: not known.

        Raises:
            InputError: it doesn't.
        """
        if self.class_names != tuple(class_names):
            raise InputError(
                f"This profile is for the classes {', '.join(self.class_names)}, the weights know "
                f"{', '.join(class_names)}; make it again with 'live-emotion enrol --force' and these weights."
            )
        sizes = {len(vector) for vector in self.prototypes.values()}
        if (self.weights and self.weights != fingerprint) or (size and not sizes <= {size}):
            raise InputError(
                "This profile was made with other weights; make it again with 'live-emotion enrol --force' and these."
            )

    def save(self, name: str) -> Path:
        """Stores it under a name.

        Raises:
            InputError: the name cannot be one.
            OutputError: the file cannot be written.
        """
        path = profile_path(name)
        make_folder(path.parent)
        with contextlib.suppress(OSError):  # a face can be known by what is in it: it is nobody else's business
            path.parent.chmod(0o700)
        content = {
            "class_names": self.class_names,
            "offsets": self.offsets,
            "prototypes": self.prototypes,
            "weights": self.weights,
            "look": self.look,
        }
        atomic_write_text(path, json.dumps(content) + "\n")
        return path

    @classmethod
    def load(cls, name: str) -> Profile:
        """Reads the profile of a name.

        Raises:
            InputError: there is none, it cannot be read, or it is damaged.
        """
        path = profile_path(name)
        try:
            return _parse(_from_json(read_file(path, MOST_BYTES)))
        except FileNotFoundError as error:
            there = ", ".join(profile_names()) or "none yet"
            raise InputError(
                f"There is no profile {name}; make it with: live-emotion enrol {name} (there are: {there})."
            ) from error
        except OSError as error:
            raise InputError(f"Cannot read the profile {path}: {error.strerror or error}.") from error
        except ValueError as error:
            raise InputError(
                f"The profile {path} is damaged ({error}); make it again with: live-emotion enrol {name} --force"
            ) from error


def profile_path(name: str) -> Path:
    """Where a profile of this name lies, or would lie; one whose name differs by case alone is the same everywhere.

    Raises:
        InputError: it cannot be a file's name.
    """
    name = unicodedata.normalize("NFC", name)  # macOS may give é as two letters
    is_plain = name.replace("-", "").replace("_", "").isalnum() and len(name) <= LONGEST_PROFILE_NAME
    if not is_plain or is_reserved(name):
        raise InputError(
            f"A profile's name is of letters, digits, - and _, at most {LONGEST_PROFILE_NAME}, and none of Windows's "
            f"devices; not {name!r}."
        )
    paths = [folder / f"{name}.json" for folder in _folders()]
    alike = (path for path in _profiles() if same_name(path.stem) == same_name(name))
    return next((path for path in (*paths, *alike) if path.exists()), paths[0])


def profile_names() -> list[str]:
    """The names of all profiles, sorted."""
    return sorted({unicodedata.normalize("NFC", path.stem) for path in _profiles()})


def _profiles() -> list[Path]:
    return [path for folder in _folders() for path in sorted(folder.glob("*.json"))]


def delete_profile(name: str) -> None:
    """Deletes a profile; nothing else is kept of it.

    Raises:
        InputError: there is none of this name, or it cannot be deleted.
    """
    path = profile_path(name)
    try:
        path.unlink()
    except FileNotFoundError as error:
        raise InputError(f"There is no profile {name}; 'live-emotion profiles' lists them.") from error
    except OSError as error:
        raise InputError(f"Cannot delete the profile {path}: {error.strerror or error}.") from error


def resting_doubt(probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    """What faces that are said to be at rest look like instead; nothing where they may be.

    Args:
        probabilities: (N, M) float, of the C classes and perhaps of further outputs.
        class_names: C names; one is neutral.
    """
    mean = dict(zip(class_names, probabilities.mean(axis=0).tolist()))
    rest = mean.pop(NEUTRAL)
    if mean.get(SMILE, 0.0) > MOST_SMILE:
        return SMILE
    if rest >= LEAST_REST:
        return ""
    mean[OTHER] = 1 - rest - sum(mean.values())
    return max(mean, key=lambda name: mean[name])


def _resting(known: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Offsets by the log probabilities (N, M) of a resting face.

    Raises:
        InputError: it clearly shows something else.
    """
    mean = known.mean(axis=0)
    shown = int(mean[: len(class_names)].argmax())
    if class_names[shown] != NEUTRAL and np.exp(mean[shown]) > CERTAIN:
        raise InputError(f"This is no resting face, it looks {class_names[shown]}; relax your face, and try again.")
    offsets = personalization.resting_offsets(known, list(class_names).index(NEUTRAL))
    further = slice(len(class_names), None)  # of which a resting face has next to nothing, as it should be
    offsets[further] = np.minimum(offsets[further], 0)
    return offsets


def _from_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON") from error


def _parse(content: Any) -> Profile:
    """What a profile's file holds, looked at closely: anybody may have edited it.

    Raises:
        ValueError: it is no profile.
    """
    needed, more = {"class_names", "offsets"}, {"prototypes", "weights", "look"}
    if not isinstance(content, dict) or not needed <= set(content) <= needed | more:
        raise ValueError("it must hold class_names and offsets")
    names, offsets = content["class_names"], content["offsets"]
    prototypes, weights = content.get("prototypes", {}), content.get("weights", "")
    if not isinstance(names, list) or not names or not all(map(is_name, names)):
        raise ValueError("class_names must be a list of names")
    if len(set(names)) < len(names):
        raise ValueError("a class is named twice")
    if not isinstance(offsets, list) or len(offsets) < len(names):
        raise ValueError("it must hold one offset for each class")
    if not _are_numbers(offsets, LARGEST_OFFSET):
        raise ValueError(f"an offset must be a number from {-LARGEST_OFFSET:g} to {LARGEST_OFFSET:g}")
    if not isinstance(prototypes, dict) or not set(prototypes) <= set(names):
        raise ValueError("prototypes must be those of its classes")
    vectors = list(prototypes.values())
    if not all(isinstance(v, list) and v and len(v) == len(vectors[0]) and _are_numbers(v, 1.0) for v in vectors):
        raise ValueError("a prototype must be a list of numbers from -1 to 1, all of one length")
    if not isinstance(weights, str):
        raise ValueError("weights must be a fingerprint")
    look = content.get("look", [])
    if not isinstance(look, list) or len(look) not in (0, LOOK_SIZE) or not _are_numbers(look, 1.0):
        raise ValueError(f"look must be {LOOK_SIZE} numbers from -1 to 1")
    if look and not any(look):
        raise ValueError("look must not be nothing but 0")
    known = {name: tuple(map(float, vector)) for name, vector in prototypes.items()}
    return Profile(tuple(names), tuple(map(float, offsets)), known, weights, tuple(map(float, look)))


def _are_numbers(values: Sequence[object], largest: float) -> bool:
    return all(type(v) in (int, float) and abs(v) <= largest for v in values)  # type: ignore[arg-type]  # no NaN, no True


def _folders() -> list[Path]:
    """Where profiles are stored, and behind that where an earlier release stored them."""
    folders = [platformdirs.user_config_path("live-emotion", appauthor=False, roaming=True)]
    if sys.platform == "darwin":  # platformdirs minds XDG_CONFIG_HOME there, the earlier release did not
        folders.append(Path("~/Library/Application Support/live-emotion").expanduser())
    return [folder / "profiles" for folder in folders]
