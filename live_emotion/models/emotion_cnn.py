"""The networks: grey faces (N, 1, 48, 48) in, logits (N, classes) out. Shared by training and live use."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.models.attention import ATTENTION
from live_emotion.models.backbones import (
    BackboneConfig,
    EmotionResNet,
    ResNetConfig,
    ViTConfig,
    efficientnet_b0,
    resnet18,
    vit_b_16,
)
from live_emotion.models.mobilenet import MobileNet, MobileNetConfig


@dataclass(frozen=True)
class EmotionCNNConfig:
    """Dimensions of :class:`EmotionCNN`; they travel inside its checkpoint.

    Attributes:
        num_classes: number of logits.
        channels: of the convolution blocks; each block halves height and width.
        block_dropout: dropout rate after each block's pooling.
        hidden: sizes of the fully connected layers before the last.
        hidden_dropout: dropout rate after each of those.
        attention: of each block: ``se``, ``cbam`` or none.
    """

    num_classes: int = 4
    channels: tuple[int, ...] = (64, 128, 256)
    block_dropout: float = 0.25
    hidden: tuple[int, ...] = (512, 256)
    hidden_dropout: float = 0.5
    attention: str = ""


class EmotionCNN(nn.Module):
    """VGG-like network: three blocks of two 3x3 convolutions, then three fully connected layers.

    Shapes with the default configuration, for N faces:

        (N, 1, 48, 48) -> (N, 64, 24, 24) -> (N, 128, 12, 12) -> (N, 256, 6, 6) -> 9216 -> 512 -> 256 -> (N, 4)
    """

    def __init__(self, config: EmotionCNNConfig = EmotionCNNConfig()) -> None:
        super().__init__()
        self.config = config
        widths = (1, *config.channels)
        self.features = nn.Sequential(*(_block(a, b, config) for a, b in itertools.pairwise(widths)))
        side = FACE_SIZE >> len(config.channels)
        sizes = (config.channels[-1] * side * side, *config.hidden)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            *(_hidden(a, b, config.hidden_dropout) for a, b in itertools.pairwise(sizes)),
            nn.Linear(sizes[-1], config.num_classes),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Logits of normalised faces: (N, 1, 48, 48) float in [-1, 1] -> (N, num_classes)."""
        return self.classifier(self.features(faces))


def _conv(inputs: int, outputs: int) -> list[nn.Module]:
    # BatchNorm's shift makes a bias of the convolution redundant
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _block(inputs: int, outputs: int, config: EmotionCNNConfig) -> nn.Sequential:
    attention = [ATTENTION[config.attention](outputs)] if config.attention else []
    convolutions = [*_conv(inputs, outputs), *_conv(outputs, outputs)]
    return nn.Sequential(*convolutions, *attention, nn.MaxPool2d(2), nn.Dropout(config.block_dropout))


def _hidden(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, outputs, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    )


class Architecture(NamedTuple):
    """A kind of network.

    Attributes:
        config: makes a configuration, a frozen dataclass, of its fields.
        network: makes a network with fresh weights of a configuration.
        head: name of its last part, which transfer learning trains anew.
    """

    config: Callable[..., Any]
    network: Callable[..., nn.Module]
    head: str = "classifier"


ARCHITECTURES = {
    "emotion_cnn": Architecture(EmotionCNNConfig, EmotionCNN),
    "emotion_cnn_se": Architecture(partial(EmotionCNNConfig, attention="se"), EmotionCNN),
    "emotion_cnn_cbam": Architecture(partial(EmotionCNNConfig, attention="cbam"), EmotionCNN),
    "emotion_resnet": Architecture(ResNetConfig, EmotionResNet),
    "mobilenet": Architecture(MobileNetConfig, MobileNet),
    "resnet18": Architecture(BackboneConfig, resnet18, head="fc"),
    "efficientnet_b0": Architecture(BackboneConfig, efficientnet_b0),
    "vit_b_16": Architecture(ViTConfig, vit_b_16, head="heads"),
}
"""Every architecture by the name that checkpoints and ``--arch`` use."""


def build_model(arch: str, **config: object) -> nn.Module:
    """Builds a network with fresh weights; its ``config`` attribute holds the configuration.

    Args:
        arch: a key of :data:`ARCHITECTURES`.
        **config: fields of its configuration class; what is left out takes its default.

    Raises:
        KeyError: no such architecture.
        TypeError: no such field.
    """
    architecture = ARCHITECTURES[arch]
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    return architecture.network(architecture.config(**values))


def parse_config(arch: str, settings: Sequence[str]) -> dict[str, Any]:
    """Fields of an architecture's configuration from texts such as ``channels=16,32``.

    Raises:
        ValueError: a text is no such pair, or the architecture has no such field.
    """
    defaults = ARCHITECTURES[arch].config()
    known = {item.name: getattr(defaults, item.name) for item in fields(defaults)}
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known or not text or name == "num_classes":
            choices = ", ".join(sorted(set(known) - {"num_classes"})) or "none"
            raise ValueError(f"{setting!r} is no NAME=VALUE with one of {arch}'s dimensions ({choices})")
        default = known[name]
        try:
            values[name] = tuple(map(int, text.split(","))) if isinstance(default, tuple) else type(default)(text)
        except ValueError as error:
            raise ValueError(f"{setting!r}: {text} is no value for {name}, which is {default} by default") from error
    return values


def count_parameters(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def pick_device(name: str = "auto") -> torch.device:
    """The device of a name.

    Args:
        name: ``auto`` (CUDA, else MPS, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: the device is not on this machine, or torch has no support for it.
    """
    from live_emotion.errors import DeviceError

    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if has["cuda"] else "mps" if has["mps"] else "cpu")
    kind = name.split(":")[0]
    if not has.get(kind, False):
        there = ", ".join(kind for kind, found in has.items() if found)
        raise DeviceError(f"Device {name} is not available here; there is {there}. Use --device auto.")
    return torch.device(name)


def fast_dtype(device: torch.device) -> torch.dtype:
    """The type in which a device computes fastest with enough precision for these networks.

    bfloat16 on a CPU with instructions for it (AVX512-BF16 or AMX) and on a CUDA device that has it, float16 on an
    older one, float32 elsewhere.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu":
        # a public name since torch 2.10 or so, and the private helpers before it
        if hasattr(torch.cpu, "get_capabilities"):
            able = torch.cpu.get_capabilities()
            return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
        if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
            return torch.bfloat16
    return torch.float32
