"""Finds the model files that come with live-emotion, and says what is known of them."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from live_emotion.errors import WeightsError
from live_emotion.types import BEST_WEIGHTS, StrPath

_PACKAGE = Path(__file__).resolve().parent

WEIGHTS_FOLDERS = (_PACKAGE / "weights", _PACKAGE.parent / "weights")
"""Where they lie: inside an installed package, or beside it in a checkout and an editable install."""

HASHES_FILE = "SHA256SUMS.txt"
"""Beside them, as sha256sum writes it: what each must be."""

_HASH = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<name>[\w.-]+)")

DETECTOR_SUFFIX = ".tflite"

MODEL_SUFFIXES = (".onnx", ".pth", DETECTOR_SUFFIX)
"""Of the files there whose hashes are noted."""

ABOUT_FILE = "weights.json"
"""Beside them: the short name of each network and what is known of it, which the model card tells at length."""

DEFAULT = "default"
"""Short name of the network that is used where nothing is asked for."""

TERMS = {
    "FER2013": "for research use",
    "FER+": "MIT",
    "VGGFace2": "for non-commercial research",
}
"""What a network may be used for depends on what it learnt from; these are the terms of each."""


@dataclass(frozen=True)
class ShippedWeights:
    """A network that comes with live-emotion.

    Attributes:
        name: short, as ``--weights`` takes it.
        file: in ``weights/``.
        classes: in the order of its probabilities.
        others: what it knows beside them, and calls other.
        accuracy: on PublicTest with the majority of people's votes and without ties, 0 to 1.
        mean_recall: of the classes there, 0 to 1.
        about: what it is good for.
        data: that it learnt from, each of :data:`TERMS`.
    """

    name: str
    file: str
    classes: tuple[str, ...]
    others: tuple[str, ...]
    accuracy: float
    mean_recall: float
    about: str
    data: tuple[str, ...]

    @property
    def terms(self) -> str:
        """Of the data that it learnt from."""
        return ", ".join(f"{name} ({TERMS[name]})" for name in self.data)


@functools.cache
def shipped_weights() -> dict[str, ShippedWeights]:
    """The networks that come with live-emotion, by their short names.

    Raises:
        WeightsError: what is known of them is missing or damaged.
    """
    path = weights_file(ABOUT_FILE)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        several = ("classes", "others", "data")
        return {
            name: ShippedWeights(name, **(values | {part: tuple(values[part]) for part in several}))
            for name, values in content.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged; install live-emotion again.") from error


def find_weights(weights: StrPath) -> Path:
    """The file that ``--weights`` means.

    Args:
        weights: a short name of :func:`shipped_weights` as text, or a file. A text without a suffix and without a
            folder is a short name, even where a file is called so: that is ``./name``, or a ``Path``.

    Raises:
        WeightsError: it looks like a short name and is none of them, or there is no such file.
    """
    if is_short_name(weights):
        return weights_file(shipped_weights()[str(weights)].file)
    looks_like_a_name = (
        isinstance(weights, str) and weights == os.path.basename(weights) and not os.path.splitext(weights)[1]
    )
    if looks_like_a_name and not os.path.exists(weights):
        raise WeightsError(
            f"No weights are called {weights}; give {', '.join(shipped_weights())}, or an .onnx or .pth file. "
            "'live-emotion weights' says what they are."
        )
    check_is_file(weights)
    return Path(weights)


def check_is_file(weights: StrPath) -> None:
    """Looks whether there is a weights file of this path.

    Raises:
        WeightsError: there is none, or it is a folder.
    """
    if os.path.isdir(weights):
        best = Path(weights) / BEST_WEIGHTS
        raise WeightsError(f"{weights} is a folder; {f'its weights are {best}' if best.is_file() else 'give a file'}.")
    if not os.path.isfile(weights):
        raise WeightsError(f"There is no weights file {weights}; check the name.")


def is_short_name(weights: StrPath) -> bool:
    """Whether a text is one of the short names of :func:`shipped_weights`; a ``Path`` is none."""
    return isinstance(weights, str) and weights in shipped_weights()


@functools.cache
def shipped_hashes() -> dict[str, str]:
    """SHA-256 of each model file that comes with live-emotion, by its name, as hexadecimal digits.

    Raises:
        WeightsError: the list is missing or damaged.
    """
    path = weights_file(HASHES_FILE)
    try:
        lines = map(_HASH.fullmatch, path.read_text(encoding="utf-8").splitlines())
        return {found["name"]: found["digest"] for found in lines}  # type: ignore[index]  # None is caught
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path} is damaged; install live-emotion again.") from error


def check_intact(path: StrPath) -> None:
    """Looks whether a model file that comes with live-emotion is the one that was shipped; any other is passed over.

    Raises:
        WeightsError: it is another one, or its hash is not noted.
    """
    file = Path(path)
    file = file.parent.resolve() / file.name  # what is in place of a shipped file counts, be it a link
    if file.parent not in WEIGHTS_FOLDERS:
        return
    wanted = shipped_hashes().get(file.name)
    if wanted is None and not is_shipped(file.name):
        return
    about = file.stat()
    if _sha256(file, about.st_mtime_ns, about.st_size) != wanted:
        raise WeightsError(
            f"{path} is not the file that came with live-emotion, by its SHA-256: it is damaged, or was changed; "
            "install live-emotion again, or give a network of your own under another name."
        )


def is_shipped(name: str) -> bool:
    """Whether a model file of this name comes with live-emotion, whether its hash is noted or not."""
    networks = {Path(about.file).stem for about in shipped_weights().values()}
    return name in shipped_hashes() or Path(name).suffix == DETECTOR_SUFFIX or Path(name).stem in networks


def model_files() -> list[str]:
    """The names of the model files that come with live-emotion, and of those that lie among them, sorted."""
    there = {file.name for file in weights_file(HASHES_FILE).parent.iterdir() if file.suffix in MODEL_SUFFIXES}
    return sorted({*there, *shipped_hashes(), *(about.file for about in shipped_weights().values())})


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, changed_ns: int, size: int) -> str:
    """Of a file, computed once unless it changes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def weights_file(name: str) -> Path:
    """The path of a file in ``weights/``.

    Raises:
        WeightsError: it is in neither place.
    """
    for folder in WEIGHTS_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(f"The file {name} is missing from {WEIGHTS_FOLDERS[0]}; install live-emotion again.")
