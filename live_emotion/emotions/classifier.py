"""Face crops -> probabilities. The only place that applies temperature, softmax and class names."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from live_emotion.emotions.onnx import OnnxModel, is_onnx
from live_emotion.errors import WeightsError
from live_emotion.faces.preprocessing import faces_to_tensor
from live_emotion.models.checkpoint import load_checkpoint
from live_emotion.models.emotion_cnn import fast_dtype, pick_device
from live_emotion.resources import weights_file
from live_emotion.types import Prediction, StrPath

DEFAULT_WEIGHTS = "best_emotion_model.pth"


class Network:
    """A copy of a network, in the type and memory layout that its device computes fastest with.

    In bfloat16 99.5 % of PublicTest's faces keep their emotion (``benchmarks/network.py``).

    Args:
        model: maps float32 (N, 1, 48, 48) in [-1, 1] to logits (N, C). One without parameters, as an ONNX model has
            none, is used as it is.
        class_names: C names in the order of the logits.
        temperature: what the logits are to be divided by.
    """

    def __init__(self, model: nn.Module, class_names: Sequence[str], temperature: float) -> None:
        self.class_names = tuple(class_names)
        self.temperature = temperature
        self.model, self.device, self.dtype = model, torch.device("cpu"), torch.float32
        parameter = next(model.parameters(), None)
        if parameter is not None:
            self.device = parameter.device
            merged = merge_norms(copy.deepcopy(model).eval())
            self.model = copy.deepcopy(merged).to(fast_dtype(self.device)).to(memory_format=torch.channels_last)
            if hasattr(merged, "precise"):
                self.model.precise.float().load_state_dict(merged.precise.state_dict())
            self.dtype = next(self.model.parameters()).dtype

    @torch.inference_mode()
    def logits(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C)."""
        batch = faces_to_tensor(faces).to(self.device, self.dtype, memory_format=torch.channels_last)
        return self.model(batch).float().cpu().numpy()


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


def load_network(path: StrPath, device: str = "auto") -> nn.Module:
    """The network in a checkpoint or an ONNX model, in float32 and evaluation mode.

    Returns:
        a network with the attributes ``class_names``, ``temperature`` and ``metadata`` of its file.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
        MissingExtraError: an ONNX model needs onnxruntime.
    """
    if is_onnx(path):
        return OnnxModel(path, device).eval()
    checkpoint = load_checkpoint(path)
    model = checkpoint.build().to(pick_device(device))
    model.class_names, model.temperature = checkpoint.class_names, checkpoint.temperature
    model.metadata = checkpoint.metadata
    return model


class EmotionClassifier:
    """Turns faces into probabilities of emotions.

    Args:
        weights: a checkpoint or ONNX model, several whose probabilities are averaged, or None for the one that comes
            with live-emotion.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Attributes:
        class_names: in the order of the probabilities.

    Raises:
        WeightsError: a file is missing or damaged, or several differ in their classes.
        DeviceError: the device is not available.
        MissingExtraError: an ONNX model needs onnxruntime.
    """

    def __init__(self, weights: StrPath | Sequence[StrPath] | None = None, device: str = "auto") -> None:
        paths = [weights] if isinstance(weights, (str, os.PathLike)) else list(weights or [])
        models = [load_network(path, device) for path in paths or [default_weights()]]
        self._take([Network(model, model.class_names, model.temperature) for model in models])

    @classmethod
    def of(cls, model: nn.Module, class_names: Sequence[str]) -> EmotionClassifier:
        """A classifier around a network in memory; its ``temperature`` attribute is used, if it has one."""
        self = cls.__new__(cls)
        self._take([Network(model, class_names, getattr(model, "temperature", 1.0))])
        return self

    def _take(self, networks: list[Network]) -> None:
        self._networks = networks
        self.class_names = networks[0].class_names
        if any(network.class_names != self.class_names for network in networks):
            raise WeightsError("The weights files differ in their classes; give files that were trained on the same.")

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Probabilities of all faces, by one batch through each network.

        Args:
            faces: uint8 (N, 48, 48), as ``preprocess.crop_face`` cuts them; N may be 0, which runs no network.

        Returns:
            float32 (N, C), rows that sum to 1.
        """
        if len(faces) == 0:
            return np.empty((0, len(self.class_names)), np.float32)
        return np.mean([softmax(n.logits(faces), n.temperature) for n in self._networks], axis=0, dtype=np.float32)

    def classify(self, faces: np.ndarray) -> list[Prediction]:
        """As :meth:`predict`, with names: one :class:`Prediction` a face."""
        return [Prediction.from_probabilities(row, self.class_names) for row in self.predict(faces)]


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of logits divided by a temperature (Guo et al., ICML 2017); rows of (N, C) sum to 1."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def default_weights() -> os.PathLike[str]:
    """The weights file that comes with live-emotion.

    Raises:
        WeightsError: it is missing.
    """
    return weights_file(DEFAULT_WEIGHTS)
