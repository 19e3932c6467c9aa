"""Takes weights that were trained on something else into a network, as far as they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live_emotion.errors import WeightsError
from live_emotion.models.checkpoint import load_state
from live_emotion.types import StrPath

LEAST = 0.5
"""Part of the network's values that must be found in a file for it to count as weights of that network."""


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
    own = model.state_dict()
    known = [*content.get("class_names", ()), *content.get("other_names", ())]
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
