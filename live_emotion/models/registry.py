"""Every architecture by name: grey faces (N, 1, 48, 48) in, logits (N, classes) out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

from live_emotion.models.backbones import (
    BackboneConfig,
    EmotionResNet,
    ResNetConfig,
    ViTConfig,
    efficientnet_b0,
    resnet18,
    vit_b_16,
)
from live_emotion.models.emotion_cnn import EmotionCNN, EmotionCNNConfig
from live_emotion.models.mobilenet import MobileNet, MobileNetConfig


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


LARGEST_DIMENSION = 10_000
"""Of a dimension, so that a mistyped one does not fill the memory."""

MOST_PARAMETERS = 200_000_000
"""Of a network, for the same reason; the largest one that is known here, vit_b_16, has 86 million."""


def build_model(arch: str, **config: object) -> nn.Module:
    """Builds a network with fresh weights; its ``config`` attribute holds the configuration.

    Args:
        arch: a key of :data:`ARCHITECTURES`.
        **config: fields of its configuration class; what is left out takes its default.

    Raises:
        KeyError: no such architecture.
        ValueError: no such field, or a value that makes no sense for it.
    """
    architecture = ARCHITECTURES[arch]
    defaults = _defaults(arch)
    for name, value in config.items():
        if name not in defaults:
            raise ValueError(f"{arch} has no dimension {name}")
        if not _fits(value, defaults[name]):
            raise ValueError(f"{value!r} is no value for {name}, which is {defaults[name]!r} by default")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    made = architecture.config(**values)
    with torch.device("meta"):  # shapes alone
        parameters = sum(each.numel() for each in architecture.network(made).parameters())
    if parameters > MOST_PARAMETERS:
        raise ValueError(
            f"{arch} of these dimensions has {parameters / 1e6:,.0f} million parameters, more than "
            f"{MOST_PARAMETERS // 10**6}"
        )
    return architecture.network(made)


def parse_config(arch: str, settings: Sequence[str]) -> dict[str, Any]:
    """Fields of an architecture's configuration from texts such as ``channels=16,32``.

    Raises:
        ValueError: a text is no such pair, or the architecture has no such field.
    """
    known = _defaults(arch)
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


def _defaults(arch: str) -> dict[str, Any]:
    config = ARCHITECTURES[arch].config()
    return {item.name: getattr(config, item.name) for item in fields(config)}


def _fits(value: object, default: object) -> bool:
    """Whether a value is of the type of a dimension's default, and within sensible bounds."""
    if isinstance(default, tuple):
        return isinstance(value, (tuple, list)) and all(_fits(item, LARGEST_DIMENSION) for item in value)
    if isinstance(default, float):  # all are rates of dropout
        return isinstance(value, (int, float)) and 0 <= value <= 1
    if isinstance(default, int):
        return type(value) is int and 1 <= value <= LARGEST_DIMENSION
    return isinstance(value, str)
