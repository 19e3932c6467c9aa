"""Checkpoints: the only place that saves and loads weights.

A checkpoint describes itself. Whoever reads one needs no option to build the network, name its outputs and
calibrate its confidence. Nothing in it is code: it loads with ``weights_only=True``.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from live_emotion.errors import WeightsError
from live_emotion.io.description import (
    NetworkDescription,
    check_checkpoint_file,
    check_weights_file,
    damaged,
    describe,
    parse_description,
)
from live_emotion.io.files.atomic import atomic_path
from live_emotion.models.registry import ARCHITECTURES, build_model
from live_emotion.types import StrPath

EXPORTED = (".onnx", ".pt2")
"""Suffixes of files that ``python -m train export`` writes."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint(NetworkDescription):
    """A trained network and all that is needed to use it.

    Attributes:
        state_dict: its weights, float32 on the CPU.
        half: whether its file holds the weights in float16.
    """

    state_dict: dict[str, Tensor]
    half: bool = False

    @classmethod
    def of(cls, model: nn.Module, arch: str, class_names: tuple[str, ...], **metadata: Any) -> Checkpoint:
        """Describes ``model``, whose weights are copied."""
        state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
        config = asdict(model.config)  # type: ignore[call-overload]  # of every network in the registry
        return cls(arch=arch, config=config, class_names=tuple(class_names), state_dict=state, metadata=metadata)

    def build(self) -> nn.Module:
        """The network with these weights, in evaluation mode, on the CPU."""
        model = build_model(self.arch, **self.config)
        model.load_state_dict(self.state_dict)
        return model.eval()


def save_checkpoint(checkpoint: Checkpoint, path: StrPath, half: bool = False) -> None:
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


def load_checkpoint(path: StrPath) -> Checkpoint:
    """Reads a checkpoint and checks that this version can use it, before any of its weights is used.

    Raises:
        WeightsError: the file is missing, damaged, not a live-emotion checkpoint, of a newer format, made with
            another preprocessing, or its weights do not fit its architecture.
    """
    content = load_state(path)
    about = parse_description(content, path)
    if about.arch not in ARCHITECTURES:
        raise WeightsError(f"{path} holds the unknown architecture {about.arch!r}; update live-emotion.")
    try:
        with torch.device("meta"):  # shapes alone
            wanted = build_model(about.arch, **about.config).state_dict()
        state, half = _check_state(content.get("state_dict"), wanted)
    except (ValueError, RuntimeError) as error:
        raise damaged(path, f"{error}".splitlines()[0]) from error
    return Checkpoint(**vars(about), state_dict=state, half=half)


def _check_state(found: Any, wanted: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], bool]:
    """Weights in float32, and whether any came in float16.

    Raises:
        ValueError: their names, shapes or kinds are not those of ``wanted``, or a number is impossible.
    """
    if not isinstance(found, dict) or found.keys() != wanted.keys():
        raise ValueError("its weights are of another network than it says")
    state = {}
    for name, like in wanted.items():
        value = found[name]
        if not (isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"):
            raise ValueError(f"its weight {name} is no tensor of numbers")
        if value.shape != like.shape or value.is_floating_point() != like.is_floating_point():
            raise ValueError(f"its weight {name} is {_kind(value)}, not {_kind(like)}")
        state[name] = value.float() if value.is_floating_point() else value
        if not torch.isfinite(state[name]).all() or (name.endswith("running_var") and (state[name] < 0).any()):
            raise ValueError(f"its weight {name} holds impossible numbers")
    return state, any(value.dtype == torch.float16 for value in found.values())


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"


def save_state(content: Mapping[str, Any], path: StrPath) -> None:
    """Writes tensors, numbers, strings, lists and dictionaries; an existing file stays until the new one is whole.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:  # PyTorch opens none whose name is no text
        try:
            torch.save(dict(content), file)
        except RuntimeError as error:  # torch wraps a full disk
            raise OSError(28, "the disk is full or the file cannot be written") from error


def _check_archive(file: BinaryIO) -> None:
    """Looks whether what an open checkpoint unpacks to is no larger than itself, as PyTorch writes it.

    Raises:
        ValueError: it is larger.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > file.seek(0, os.SEEK_END):
            raise ValueError("it is a bomb")
    file.seek(0)


def load_state(path: StrPath) -> dict[str, Any]:
    """Reads what :func:`save_state` wrote, on the CPU, executing nothing from the file.

    Raises:
        WeightsError: the file is missing, unreadable, damaged or not a dictionary.
    """
    check_weights_file(path)
    if Path(path).suffix.lower() in EXPORTED:
        raise WeightsError(f"{path} is an exported model; this needs the .pth checkpoint that it was made of.")
    check_checkpoint_file(path)
    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")  # of what a damaged file may mean
            _check_archive(file)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises nearly any
        raise WeightsError(f"{path} is damaged or is no weights file; get it again or train anew.") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is not a live-emotion checkpoint; give a .pth file that its training wrote.")
    return content
