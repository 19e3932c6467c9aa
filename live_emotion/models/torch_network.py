"""Runs networks by PyTorch, as fast as its device can."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from live_emotion.faces.preprocessing import normalize_faces
from live_emotion.models.checkpoint import load_checkpoint
from live_emotion.models.class_maps import WithClassMaps
from live_emotion.models.device import fast_dtype, pick_device
from live_emotion.models.embedding import WithEmbedding
from live_emotion.types import StrPath


class TorchNetwork:
    """A copy of a network, in the type and memory layout that its device computes fastest with.

    In bfloat16 99.5 % of PublicTest's faces keep their emotion (``benchmarks/network.py``).

    Args:
        model: maps float32 (N, 1, 48, 48) in [-1, 1] to logits (N, C + K).
        class_names: C names, of the first logits in their order.
        temperature: what the logits are to be divided by.
        metadata: how it was trained.
        threads: processor cores that PyTorch may use from now on, in this whole process; 0: as many as it does.
        other_names: K names, of the logits after those: what is none of the classes.

    Attributes:
        map_offset: where class maps begin inside the face, from the left and from the top, in sides of it.
    """

    def __init__(
        self,
        model: nn.Module,
        class_names: Sequence[str],
        temperature: float = 1.0,
        metadata: Mapping[str, Any] | None = None,
        threads: int = 0,
        other_names: Sequence[str] = (),
    ) -> None:
        self.class_names, self.other_names = tuple(class_names), tuple(other_names)
        self.temperature = temperature
        self.metadata = dict(metadata or {})
        self.map_offset = float(getattr(model, "map_offset", 0.0))
        self.device = next(model.parameters(), torch.empty(0)).device
        merged: Any = merge_norms(copy.deepcopy(model).eval())
        self.model: Any = copy.deepcopy(merged).to(fast_dtype(self.device)).to(memory_format=torch.channels_last)
        if hasattr(merged, "precise"):
            self.model.precise.float().load_state_dict(merged.precise.state_dict())
        self.dtype = next(self.model.parameters(), torch.empty(0)).dtype
        self._lock = threading.Lock()
        if threads:
            torch.set_num_threads(threads)

    @torch.inference_mode()
    def logits(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C + K)."""
        return self.model(self._batch(faces)).float().cpu().numpy()

    @torch.inference_mode()
    def run(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (N, 48, 48) -> logits, float32 (N, C + K), and the embedding that they are made of, float32 (N, D).

        Raises:
            ArgumentError: the network has no fully connected layer.
        """
        with self._lock:  # two at a time would hear each other's layer
            logits, embedding = WithEmbedding(self.model)(self._batch(faces))
        return logits.float().cpu().numpy(), embedding.float().cpu().numpy()

    @torch.inference_mode()
    def maps(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> class maps, float32 (N, C + K, h, w), whose means over the face are the logits.

        Raises:
            ArgumentError: the network has none.
        """
        with self._lock:
            maps = WithClassMaps(self.model)(self._batch(faces))[2]
        return maps.float().cpu().numpy()

    def _batch(self, faces: np.ndarray) -> torch.Tensor:
        batch = normalize_faces(torch.from_numpy(faces))
        return batch.to(self.device, self.dtype, memory_format=torch.channels_last)


def load_module(path: StrPath, device: str = "auto") -> tuple[nn.Module, tuple[str, ...]]:
    """The network in a checkpoint, in float32 and evaluation mode.

    Returns:
        the network, with the attributes ``class_names``, ``other_names``, ``temperature`` and ``metadata`` of its file,
        and the first.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
    """
    checkpoint = load_checkpoint(path)
    model = checkpoint.build().to(pick_device(device))
    names = ("class_names", "other_names", "temperature", "metadata")
    vars(model).update({name: getattr(checkpoint, name) for name in names})
    return model, checkpoint.class_names


def load_torch_network(path: StrPath, device: str = "auto", threads: int = 0) -> TorchNetwork:
    """The network in a checkpoint, ready to run; ``threads`` is that of :class:`TorchNetwork`.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
    """
    about = load_checkpoint(path)
    model = about.build().to(pick_device(device))
    return TorchNetwork(model, about.class_names, about.temperature, about.metadata, threads, about.other_names)


def merge_norms(model: nn.Module) -> nn.Module:
    """Merges each BatchNorm into the convolution or the linear layer before it, in place; both are in evaluation mode.

    The outputs stay the same but for rounding, with a third fewer layers to run.
    """
    for parent in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        for (first, layer), (second, norm) in itertools.pairwise(list(parent.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, first, fuse_conv_bn_eval(layer, norm))
            elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                setattr(parent, first, fuse_linear_bn_eval(layer, norm))
            else:
                continue
            setattr(parent, second, nn.Identity())
    return model
