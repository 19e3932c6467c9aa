"""The networks: grey faces (N, 1, 48, 48) in, logits (N, classes) out. Shared by training and live use."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from live_emotion.preprocess import FACE_SIZE


@dataclass(frozen=True)
class EmotionCNNConfig:
    """Dimensions of :class:`EmotionCNN`; they travel inside its checkpoint.

    Attributes:
        num_classes: number of logits.
        channels: of the convolution blocks; each block halves height and width.
        block_dropout: dropout rate after each block's pooling.
        hidden: sizes of the fully connected layers before the last.
        hidden_dropout: dropout rate after each of those.
    """

    num_classes: int = 4
    channels: tuple[int, ...] = (64, 128, 256)
    block_dropout: float = 0.25
    hidden: tuple[int, ...] = (512, 256)
    hidden_dropout: float = 0.5


class EmotionCNN(nn.Module):
    """VGG-like network: three blocks of two 3x3 convolutions, then three fully connected layers.

    Shapes with the default configuration, for N faces:

        (N, 1, 48, 48) -> (N, 64, 24, 24) -> (N, 128, 12, 12) -> (N, 256, 6, 6) -> 9216 -> 512 -> 256 -> (N, 4)
    """

    def __init__(self, config: EmotionCNNConfig = EmotionCNNConfig()) -> None:
        super().__init__()
        self.config = config
        widths = (1, *config.channels)
        self.features = nn.Sequential(*(_block(a, b, config.block_dropout) for a, b in itertools.pairwise(widths)))
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


def _block(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(*_conv(inputs, outputs), *_conv(outputs, outputs), nn.MaxPool2d(2), nn.Dropout(dropout))


def _hidden(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, outputs, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    )


ARCHITECTURES: dict[str, tuple[type, Callable[..., nn.Module]]] = {
    "emotion_cnn": (EmotionCNNConfig, EmotionCNN),
}
"""Every architecture by the name that checkpoints and ``--arch`` use: its configuration class and its network."""


def build_model(arch: str, **config: object) -> nn.Module:
    """Builds a network with fresh weights; its ``config`` attribute holds the configuration.

    Args:
        arch: a key of :data:`ARCHITECTURES`.
        **config: fields of its configuration class; what is left out takes its default.

    Raises:
        KeyError: no such architecture.
        TypeError: no such field.
    """
    config_class, network = ARCHITECTURES[arch]
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    return network(config_class(**fields))


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
