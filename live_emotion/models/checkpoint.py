"""Checkpoints: the only place that saves and loads weights.

A checkpoint describes itself. Whoever reads one needs no option to build the network, name its outputs and
calibrate its confidence. Nothing in it is code: it loads with ``weights_only=True``.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from live_emotion.errors import WeightsError
from live_emotion.faces import preprocessing as preprocess
from live_emotion.io.atomic import atomic_path
from live_emotion.models.emotion_cnn import ARCHITECTURES, build_model

FORMAT = "live-emotion"
VERSION = 1

EXPORTED = (".onnx", ".pt2")
"""Suffixes of files that ``python -m train export`` writes."""

PREPROCESSING = {
    "face_size": preprocess.FACE_SIZE,
    "pixel_mean": preprocess.PIXEL_MEAN,
    "pixel_scale": preprocess.PIXEL_SCALE,
    "box_in_crop": preprocess.BOX_IN_CROP,
    "crop_rise": preprocess.CROP_RISE,
}


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and all that is needed to use it.

    Attributes:
        arch: name of the architecture, a key of ``model.ARCHITECTURES``.
        config: fields of its configuration.
        class_names: in the order of the network's outputs.
        state_dict: its weights, float32 on the CPU.
        temperature: what the logits are divided by before the softmax; 1 where nothing was calibrated.
        metadata: how it was trained, for people to read: epoch, accuracy, options.
        half: whether its file holds the weights in float16.
    """

    arch: str
    config: dict[str, Any]
    class_names: tuple[str, ...]
    state_dict: dict[str, torch.Tensor]
    temperature: float = 1.0
    metadata: dict[str, Any] = field(default_factory=dict)
    half: bool = False

    @classmethod
    def of(cls, model: nn.Module, arch: str, class_names: tuple[str, ...], **metadata: Any) -> Checkpoint:
        """Describes ``model``, whose weights are copied."""
        state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
        return cls(arch, asdict(model.config), tuple(class_names), state, metadata=metadata)

    def build(self) -> nn.Module:
        """The network with these weights, in evaluation mode, on the CPU."""
        model = build_model(self.arch, **self.config)
        model.load_state_dict(self.state_dict)
        return model.eval()


def save_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str], half: bool = False) -> None:
    """Writes a checkpoint; an existing file stays whole until the new one is complete.

    Args:
        checkpoint: what to write.
        path: the ``.pth`` file.
        half: store weights in float16, which halves the file.

    Raises:
        OutputError: the file cannot be written.
    """
    state = {
        name: value.half() if half and value.is_floating_point() else value
        for name, value in checkpoint.state_dict.items()
    }
    save_state(describe(checkpoint) | {"half": half, "state_dict": state}, path)


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """All that a file says of its network but the weights, as texts, numbers, lists and dictionaries."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "preprocessing": PREPROCESSING,
        "arch": checkpoint.arch,
        "config": _plain(checkpoint.config),
        "class_names": list(checkpoint.class_names),
        "temperature": checkpoint.temperature,
        "metadata": _plain(checkpoint.metadata),
    }


def check_description(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Checks that this version can use what a file says of its network, as :func:`describe` gives it.

    Raises:
        WeightsError: it is not live-emotion's, of a newer format, or made with another preprocessing.
    """
    if content.get("format") != FORMAT:
        raise WeightsError(f"{path} holds no network of live-emotion; give a file that its training or export wrote.")
    if content["version"] > VERSION:
        raise WeightsError(f"{path} was written by a newer live-emotion (format {content['version']}); update it.")
    if content["preprocessing"] != PREPROCESSING:
        raise WeightsError(f"{path} was trained with another preprocessing than this version's; train it again.")


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint and checks that this version can use it.

    Raises:
        WeightsError: the file is missing, damaged, not a live-emotion checkpoint, of a newer format, made with
            another preprocessing, or its weights do not fit its architecture.
    """
    content = load_state(path)
    check_description(content, path)
    if content["arch"] not in ARCHITECTURES:
        raise WeightsError(f"{path} holds the unknown architecture {content['arch']!r}; update live-emotion.")
    checkpoint = Checkpoint(
        arch=content["arch"],
        config=content["config"],
        class_names=tuple(content["class_names"]),
        state_dict={n: v.float() if v.is_floating_point() else v for n, v in content["state_dict"].items()},
        temperature=float(content["temperature"]),
        metadata=content["metadata"],
        half=any(value.dtype == torch.float16 for value in content["state_dict"].values()),
    )
    try:
        checkpoint.build()
    except (RuntimeError, TypeError) as error:
        raise WeightsError(f"The weights in {path} do not fit its architecture {checkpoint.arch}.") from error
    return checkpoint


def save_state(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes tensors, numbers, strings, lists and dictionaries; an existing file stays until the new one is whole.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        try:
            torch.save(dict(content), temporary)
        except RuntimeError as error:  # torch wraps a full disk
            raise OSError(28, "the disk is full or the file cannot be written") from error


def load_state(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads what :func:`save_state` wrote, on the CPU, executing nothing from the file.

    Raises:
        WeightsError: the file is missing, unreadable, damaged or not a dictionary.
    """
    if not Path(path).is_file():
        raise WeightsError(f"There is no weights file {path}; check the name, or leave --weights out.")
    if Path(path).suffix.lower() in EXPORTED:
        raise WeightsError(f"{path} is an exported model; this needs the .pth checkpoint that it was made of.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} is damaged or is no weights file; get it again or train anew.") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is not a live-emotion checkpoint; give a .pth file that its training wrote.")
    return content


def _plain(value: Any) -> Any:
    """``value`` with tuples as lists and paths as text, which every reader of the file understands."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
