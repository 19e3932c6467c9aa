"""A person's resting face: what the network sees in it when it shows nothing, and the correction for that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.atomic import atomic_write_text, make_folder

NEUTRAL = "neutral"

EXPECTED = 0.6
"""Probability of neutral that a resting face is brought up to: a clear lead, and room for what comes on top."""

STRENGTH = 0.75
"""Part of the way to there that is gone: the photo of a resting face is only one."""


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
                f"{', '.join(class_names)}; make it anew with 'live-emotion calibrate' and these weights."
            )


def learn_profile(probabilities: np.ndarray, class_names: Sequence[str]) -> Profile:
    """The correction that makes a person's resting face read as neutral.

    It lowers what the resting face wrongly shows, each class in proportion to how much it shows of it, and leaves
    alone what it shows no trace of. A face that reads as neutral already is left as it is.

    Args:
        probabilities: (N, C) float, of N pictures of the resting face.
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
    """Where a profile of this name lies.

    Raises:
        InputError: it cannot be a file's name.
    """
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"A profile's name is of letters, digits, - and _, not {name!r}.")
    return _folder() / f"{name}.json"


def profile_names() -> list[str]:
    """The names of all profiles, sorted."""
    return sorted(path.stem for path in _folder().glob("*.json"))


def save_profile(profile: Profile, name: str) -> Path:
    """Stores a profile: four numbers and the names of the classes, no picture.

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
        InputError: there is none of this name, or it is damaged.
    """
    path = profile_path(name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        profile = Profile(tuple(map(str, content["class_names"])), tuple(map(float, content["offsets"])))
    except FileNotFoundError as error:
        there = ", ".join(profile_names()) or "none yet"
        raise InputError(
            f"There is no profile {name}; make it with: live-emotion calibrate --profile {name} (there are: {there})."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The profile {path} is damaged; make it anew with 'live-emotion calibrate'.") from error
    if len(profile.class_names) != len(profile.offsets) or not np.isfinite(profile.offsets).all():
        raise InputError(f"The profile {path} is damaged; make it anew with 'live-emotion calibrate'.")
    return profile


def _folder() -> Path:
    return Path(click.get_app_dir("live-emotion")) / "profiles"
