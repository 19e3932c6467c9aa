"""The VGG-like network that training builds by default, with attention for its blocks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from live_emotion.faces.preprocessing import FACE_SIZE

REDUCTION = 16
"""How much narrower the hidden layer of channel attention is, as in both papers; at least 4 units are kept."""


class SqueezeExcitation(nn.Module):
    """Weighs channels by what is in the whole picture (Hu et al., CVPR 2018): (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = _bottleneck(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Features times a factor of 0 to 1 for each channel."""
        return features * torch.sigmoid(self.weigh(features.mean(dim=(2, 3), keepdim=True)))


class CBAM(nn.Module):
    """Weighs channels, then places (Woo et al., ECCV 2018): (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = _bottleneck(channels)
        self.place = nn.Conv2d(2, 1, kernel_size=7, padding=3)

    def forward(self, features: Tensor) -> Tensor:
        """Features times a factor of 0 to 1 for each channel, then one for each place."""
        mean, largest = features.mean(dim=(2, 3), keepdim=True), features.amax(dim=(2, 3), keepdim=True)
        features = features * torch.sigmoid(self.weigh(mean) + self.weigh(largest))
        summary = torch.cat([features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)], dim=1)
        return features * torch.sigmoid(self.place(summary))


ATTENTION: dict[str, type[nn.Module]] = {"se": SqueezeExcitation, "cbam": CBAM}
"""Kinds of attention by name."""

MOST_HALVINGS = 5
"""Halvings that leave one pixel of 48."""


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

    Raises:
        ValueError: no block, more than 48 pixels can be halved, or no such attention.
    """

    num_classes: int = 4
    channels: tuple[int, ...] = (64, 128, 256)
    block_dropout: float = 0.25
    hidden: tuple[int, ...] = (512, 256)
    hidden_dropout: float = 0.5
    attention: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.channels) <= MOST_HALVINGS:
            raise ValueError(f"channels must be 1 to {MOST_HALVINGS} numbers, not {len(self.channels)}")
        if self.attention and self.attention not in ATTENTION:
            raise ValueError(f"attention must be one of {', '.join(ATTENTION)}, not {self.attention!r}")


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


def _bottleneck(channels: int) -> nn.Sequential:
    hidden = max(4, channels // REDUCTION)
    return nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1))
