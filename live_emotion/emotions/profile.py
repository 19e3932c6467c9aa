"""A person's resting face: what the network sees in it when it shows nothing, and the correction for that."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from live_emotion.errors import InputError
from live_emotion.io.atomic import atomic_write_text, make_folder

NEUTRAL = "neutral"

EXPECTED = 0.6
"""Probability of neutral that a resting face is brought up to: a clear lead, and room for what comes on top."""

STRENGTH = 0.75
"""Part of the way to there that is gone: the photo of a resting face is only one."""


LARGEST_OFFSET = 20.0
"""Either way. What is learnt is far below, and more would make any face one emotion, or overflow."""

LONGEST_NAME = 64
"""Of a profile, in characters, so that every file system takes it."""


@dataclass(frozen=True)
class Profile:
    """A correction for one person.

    Attributes:
        class_names: in the order of the probabilities.
        offsets: added to the logarithms of the probabilities, one a class.
    """

    class_names: tuple[str, ...]
    offsets: tuple[float, ...]

    def correct(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities as they would be if the resting face read as neutral: float32 (N, C) -> the same."""
        shifted = probabilities * np.exp(np.array(self.offsets, np.float32))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def check(self, class_names: Sequence[str]) -> None:
        """Looks whether it fits the classes of a network.

        Raises:
            InputError: it doesn't.
        """
        if self.class_names != tuple(class_names):
            raise InputError(
                f"This profile is for the classes {', '.join(self.class_names)}, the weights know "
                f"{', '.join(class_names)}; make it again with 'live-emotion calibrate --force' and these weights."
            )


def learn_profile(probabilities: np.ndarray, class_names: Sequence[str]) -> Profile:
    """The correction that makes a person's resting face read as neutral.

    It lowers what the resting face wrongly shows, each class in proportion to how much it shows of it, and leaves
    alone what it shows no trace of. A face that reads as neutral already is left as it is.

    Args:
        probabilities: (N, C) float, of N images of the resting face.
        class_names: C names, with neutral among them.

    Raises:
        InputError: the weights don't know neutral.
    """
    if NEUTRAL not in class_names:
        raise InputError("These weights have no class neutral, so there is nothing to calibrate.")
    neutral = list(class_names).index(NEUTRAL)
    mean = np.exp(np.log(np.clip(probabilities, 1e-4, 1)).mean(axis=0))
    mean /= mean.sum()
    allowed = (1 - EXPECTED) / (len(class_names) - 1) * mean[neutral] / EXPECTED  # as much beside so much neutral
    offsets = STRENGTH * np.minimum(0, np.log(allowed / mean))
    offsets[neutral] = 0
    return Profile(tuple(class_names), tuple(round(float(v), 4) for v in offsets))


def profile_path(name: str) -> Path:
    """Where a profile of this name lies, or would lie.

    Raises:
        InputError: it cannot be a file's name.
    """
    if not name.replace("-", "").replace("_", "").isalnum() or len(name) > LONGEST_NAME:
        raise InputError(f"A profile's name is of letters, digits, - and _, at most {LONGEST_NAME}, not {name!r}.")
    paths = [folder / f"{name}.json" for folder in _folders()]
    return next((path for path in paths if path.exists()), paths[0])


def profile_names() -> list[str]:
    """The names of all profiles, sorted."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("*.json")})


def save_profile(profile: Profile, name: str) -> Path:
    """Stores a profile: a number and a name for each class, no image.

    Raises:
        InputError: the name cannot be one.
        OutputError: the file cannot be written.
    """
    path = profile_path(name)
    make_folder(path.parent)
    content = {"class_names": profile.class_names, "offsets": profile.offsets}
    atomic_write_text(path, json.dumps(content, indent=2) + "\n")
    return path


def load_profile(name: str) -> Profile:
    """Reads a profile.

    Raises:
        InputError: there is none of this name, it cannot be read, or it is damaged.
    """
    path = profile_path(name)
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        there = ", ".join(profile_names()) or "none yet"
        raise InputError(
            f"There is no profile {name}; make it with: live-emotion calibrate --profile {name} (there are: {there})."
        ) from error
    except OSError as error:
        raise InputError(f"Cannot read the profile {path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The profile {path} is damaged ({str(error).splitlines()[0]}); "
            f"make it again with: live-emotion calibrate --profile {name} --force"
        ) from error


def _parse(content: object) -> Profile:
    """What a profile's file holds, looked at closely: anybody may have edited it.

    Raises:
        ValueError: it is no profile.
    """
    if not isinstance(content, dict) or set(content) != {"class_names", "offsets"}:
        raise ValueError("it must hold class_names and offsets")
    names, offsets = content["class_names"], content["offsets"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError("class_names must be a list of names")
    if len(set(names)) < len(names):
        raise ValueError("a class is named twice")
    if not isinstance(offsets, list) or len(offsets) != len(names):
        raise ValueError("it must hold one offset for each class")
    if not all(type(v) in (int, float) and abs(v) <= LARGEST_OFFSET for v in offsets):  # neither is true nor NaN
        raise ValueError(f"an offset must be a number from {-LARGEST_OFFSET:g} to {LARGEST_OFFSET:g}")
    return Profile(tuple(names), tuple(map(float, offsets)))


def _folders() -> list[Path]:
    """Where profiles are stored, and behind that where an earlier release stored them."""
    folders = [platformdirs.user_config_path("live-emotion", appauthor=False, roaming=True)]
    if sys.platform == "darwin":  # platformdirs minds XDG_CONFIG_HOME there, the earlier release did not
        folders.append(Path("~/Library/Application Support/live-emotion").expanduser())
    return [folder / "profiles" for folder in folders]
