"""The network that a run starts with: fresh, or with weights trained on something else, as far as they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live_emotion.errors import DataError, WeightsError
from live_emotion.models.checkpoint import load_state
from live_emotion.models.registry import ARCHITECTURES, build_model, parse_config
from live_emotion.types import StrPath
from train.config import TrainConfig
from train.console import say

LEAST = 0.5
"""Part of the network's values that must be found in a file for it to count as weights of that network."""


def make_model(config: TrainConfig) -> nn.Module:
    """The network that the settings describe, with pretrained weights and frozen layers.

    Raises:
        WeightsError: the pretrained weights can't be used.
        DataError: a setting of the network makes no sense.
    """
    try:
        dimensions = parse_config(config.arch, config.network)
        model = build_model(config.arch, num_classes=len(config.outputs), **dimensions)
    except (ValueError, AssertionError, KeyError, RuntimeError) as error:
        raise DataError(f"Cannot build the network: {error}. Change --network.") from error
    if config.pretrained:
        share = load_pretrained(model, config.pretrained, config.outputs)
        say(f"Took {share:.0%} of the network's weights from {config.pretrained}.")
    if config.freeze:
        head = ARCHITECTURES[config.arch].head
        for name, parameter in model.named_parameters():
            parameter.requires_grad = name.startswith(f"{head}.")
    for layer in first_layers(model, config.freeze_first):
        layer.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise DataError(f"The first {config.freeze_first} layers are all there are to learn; lower --freeze-first.")
    return model


def first_layers(model: nn.Module, count: int) -> list[nn.Module]:
    """The first modules that hold weights themselves, such as a convolution or a BatchNorm."""
    return [module for module in model.modules() if next(module.parameters(recurse=False), None) is not None][:count]


def load_pretrained(model: nn.Module, path: StrPath, outputs: Sequence[str] = ()) -> float:
    """Fills a network with the weights of a live-emotion checkpoint or a torchvision state dict.

    The kernels of a first layer for three colours are summed, since a grey face has three equal ones; the positions
    and patches of a vision transformer are resampled to the 48x48 input's. Of the last layer the outputs that both
    have are taken. Layers that still don't fit stay as they are.

    Args:
        model: the network, changed in place.
        path: the file.
        outputs: names of the network's outputs.

    Returns:
        the part of the network's values that came from the file, 0 to 1.

    Raises:
        WeightsError: the file is missing, damaged, or of another network.
    """
    content = load_state(path)
    source = content.get("state_dict", content)
    names = [content.get("class_names", ()), content.get("other_names", ())]
    if not isinstance(source, dict) or not all(isinstance(part, (list, tuple)) for part in names):
        raise WeightsError(f"{path} is damaged or is no weights file; get it again or train anew.")
    own, known = model.state_dict(), [name for part in names for name in part]
    last = list(own)[-1].rpartition(".")[0]
    taken = {}
    for name, value in own.items():
        found = source.get(name)
        if isinstance(found, Tensor) and known and outputs and name.rpartition(".")[0] == last:
            found = _choose_rows(found, value, known, outputs)
        if isinstance(found, Tensor) and (fitting := _fit(name, found, value)) is not None:
            taken[name] = fitting.to(value.dtype)
    share = sum(v.numel() for v in taken.values()) / sum(v.numel() for v in own.values())
    if share < LEAST:
        raise WeightsError(f"{path} holds weights of another network; only {share:.0%} of it fit. Choose its --arch.")
    model.load_state_dict(own | taken)
    return share


def _fit(name: str, found: Tensor, wanted: Tensor) -> Tensor | None:
    """``found`` in the shape of ``wanted``, or None where there is no sensible way."""
    found = found.float() if found.is_floating_point() else found
    if found.ndim == wanted.ndim == 4 and found.shape[1] == 3 and wanted.shape[1] == 1:
        found = found.sum(dim=1, keepdim=True)
    if name.endswith("pos_embedding") and found.shape[-1] == wanted.shape[-1]:
        found = _resample_positions(found, wanted.shape[1] - 1)
    elif name.startswith("conv_proj") and found.ndim == 4 and found.shape[:2] == wanted.shape[:2]:
        # a patch of fewer pixels sums fewer terms
        factor = (found.shape[-1] / wanted.shape[-1]) ** 2
        found = F.interpolate(found, size=wanted.shape[-2:], mode="bilinear", antialias=True) * factor
    return found if found.shape == wanted.shape else None


def _choose_rows(found: Tensor, own: Tensor, known: Sequence[str], outputs: Sequence[str]) -> Tensor:
    """``own`` with those rows of ``found`` whose names are among ``outputs``; ``found`` where it has other rows."""
    if len(found) != len(known) or found.shape[1:] != own.shape[1:]:
        return found
    rows = own.clone()
    for i, name in enumerate(outputs):
        if name in known:
            rows[i] = found[known.index(name)].to(own.dtype)
    return rows


def _resample_positions(positions: Tensor, patches: int) -> Tensor:
    """(1, 1 + n*n, D) -> (1, 1 + patches, D), the first token's place kept."""
    first, grid = positions[:, :1], positions[:, 1:]
    side, wanted = math.isqrt(grid.shape[1]), math.isqrt(patches)
    square = grid.transpose(1, 2).reshape(1, -1, side, side)
    resized = F.interpolate(square, size=(wanted, wanted), mode="bicubic", antialias=True)
    return torch.cat([first, resized.flatten(2).transpose(1, 2)], dim=1)
