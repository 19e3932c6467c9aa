"""What a weights file says of its network, the same in ``.pth`` and ``.onnx``, and whether that can be so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live_emotion.checks import is_name
from live_emotion.errors import WeightsError
from live_emotion.faces import preprocessing
from live_emotion.resources import check_intact, check_is_file
from live_emotion.types import StrPath

FORMAT = "live-emotion"
VERSION = 2
"""2 says which of a network's outputs are no classes; what 1 says is still understood."""

PREPROCESSING = {
    "face_size": preprocessing.FACE_SIZE,
    "pixel_mean": preprocessing.PIXEL_MEAN,
    "pixel_scale": preprocessing.PIXEL_SCALE,
    "box_in_crop": preprocessing.BOX_IN_CROP,
    "crop_rise": preprocessing.CROP_RISE,
}

TEMPERATURES = (0.01, 100.0)
"""Beyond these a temperature is no calibration but damage; fitted ones lie well inside."""

CHECKPOINT_BEGINS = (b"PK", b"\x80")
"""How files of ``torch.save`` begin: as ZIP archives, in old ones as pickles."""

KINDS: dict[str, tuple[type, ...]] = {
    "version": (int,),
    "preprocessing": (dict,),
    "arch": (str,),
    "config": (dict,),
    "class_names": (list, tuple),
    "other_names": (list, tuple),
    "temperature": (int, float),
    "metadata": (dict,),
}
"""The types of each part of a description."""


@dataclass(frozen=True, kw_only=True)
class NetworkDescription:
    """All that must be known of a network, beside its weights, to use it.

    Attributes:
        arch: name of the architecture, a key of ``models.registry.ARCHITECTURES``.
        config: fields of its configuration.
        class_names: of the network's first outputs, in their order.
        other_names: of the outputs after those, which are no classes: what a face shows that shows none of them.
        temperature: what the logits are divided by before the softmax; 1 where nothing was calibrated.
        metadata: how it was trained, for people to read: epoch, accuracy, options.
    """

    arch: str
    config: dict[str, Any]
    class_names: tuple[str, ...]
    other_names: tuple[str, ...] = ()
    temperature: float = 1.0
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all outputs, in their order."""
        return self.class_names + self.other_names


def describe(network: NetworkDescription) -> dict[str, Any]:
    """A description as texts, numbers, lists and dictionaries, for a file."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "preprocessing": PREPROCESSING,
        "arch": network.arch,
        "config": _plain(network.config),
        "class_names": list(network.class_names),
        "other_names": list(network.other_names),
        "temperature": network.temperature,
        "metadata": _plain(network.metadata),
    }


def parse_description(content: Mapping[str, Any], path: StrPath) -> NetworkDescription:
    """Reads what :func:`describe` gave, from a file that may hold anything.

    Args:
        content: what the file holds; other names in it are passed over.
        path: the file, for the messages.

    Raises:
        WeightsError: the file is not live-emotion's, of a newer format, made with another preprocessing, or damaged.
    """
    if not isinstance(content.get("format"), str) or content["format"] != FORMAT:
        raise WeightsError(f"{path} holds no network of live-emotion; give a file that its training or export wrote.")
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise WeightsError(f"{path} was written by a newer live-emotion (format {version}); update it.")
    content = {"other_names": []} | dict(content)
    try:
        fault = _find_fault(content)
    except RecursionError:
        fault = "it is nested without end"
    if fault:
        raise damaged(path, fault)
    if content["preprocessing"] != PREPROCESSING:
        raise WeightsError(f"{path} was trained with another preprocessing than this version's; train it again.")
    return NetworkDescription(
        arch=content["arch"],
        config=content["config"],
        class_names=tuple(content["class_names"]),
        other_names=tuple(content["other_names"]),
        temperature=float(content["temperature"]),
        metadata=content["metadata"],
    )


def check_weights_file(path: StrPath) -> None:
    """Looks whether a weights file is there, and is whole where it comes with live-emotion.

    Raises:
        WeightsError: it is not.
    """
    check_is_file(path)
    check_intact(path)


def check_checkpoint_file(path: StrPath) -> None:
    """Looks whether a file may be a checkpoint, without PyTorch, which it would take to read it.

    Raises:
        WeightsError: it is missing, it cannot be read, or it is something else.
    """
    check_weights_file(path)
    try:
        with open(path, "rb") as file:
            begins = file.read(max(map(len, CHECKPOINT_BEGINS)))
    except OSError as error:
        raise WeightsError(f"Cannot read {path}: {error.strerror}.") from error
    if not begins.startswith(CHECKPOINT_BEGINS):
        raise WeightsError(f"{path} is no weights file; give an .onnx or .pth file.")


def damaged(path: StrPath, fault: str) -> WeightsError:
    """The error for a weights file in which something cannot be."""
    return WeightsError(f"{path} is damaged: {fault}; get it again or train anew.")


def _find_fault(content: Mapping[str, Any]) -> str:
    """What cannot be in a description; empty where all is well."""
    for name, kinds in KINDS.items():
        if name not in content:
            return f"its {name} is missing"
        if type(content[name]) not in kinds or not _is_plain(content[name]):
            return f"its {name} is of the wrong type"
    if content["version"] < 1:
        return "its version is below 1"
    names = [*content["class_names"], *content["other_names"]]
    if not all(map(is_name, names)):
        return "a class has no proper name"
    if not content["class_names"] or len(set(names)) != len(names):
        return "its class names are not distinct"
    if content["config"].get("num_classes") != len(names):
        return f"it names {len(names)} classes and others for {content['config'].get('num_classes')} outputs"
    if not TEMPERATURES[0] <= content["temperature"] <= TEMPERATURES[1]:  # also for NaN
        return "its temperature makes no sense"
    return ""


def _is_plain(value: Any) -> bool:
    """Whether a value is made of what JSON knows, so that comparing it is safe."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


def _plain(value: Any) -> Any:
    """``value`` with tuples as lists and paths as text, which every reader of the file understands."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
