"""Other networks for the same faces: a small residual one, and torchvision's adapted to one channel of 48x48."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from live_emotion.faces.preprocessing import FACE_SIZE

MOST_BLOCKS = 100
"""Deeper networks would be a slip: the deepest of the papers have about so many."""


@dataclass(frozen=True)
class ResNetConfig:
    """Dimensions of :class:`EmotionResNet`.

    Attributes:
        num_classes: number of logits.
        channels: of the stages; each but the first halves height and width.
        blocks: residual blocks a stage.
        dropout: rate before the last layer.

    Raises:
        ValueError: no stage, or more blocks than :data:`MOST_BLOCKS`.
    """

    num_classes: int = 4
    channels: tuple[int, ...] = (64, 128, 256)
    blocks: int = 1
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if not 1 <= len(self.channels) * self.blocks <= MOST_BLOCKS:
            raise ValueError(f"channels and blocks must make 1 to {MOST_BLOCKS} residual blocks")


class EmotionResNet(nn.Module):
    """Residual network (He et al., CVPR 2016) for small faces.

    Shapes with the default configuration, for N faces:

        (N, 1, 48, 48) -> (N, 64, 24, 24) -> (N, 64, 24, 24) -> (N, 128, 12, 12) -> (N, 256, 6, 6) -> (N, 4)
    """

    def __init__(self, config: ResNetConfig = ResNetConfig()) -> None:
        super().__init__()
        self.config = config
        widths = (config.channels[0], *config.channels)
        stages: list[nn.Module] = []
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            stages.append(_ResidualBlock(inputs, outputs, stride=1 if i == 0 else 2))
            stages += [_ResidualBlock(outputs, outputs, stride=1) for _ in range(config.blocks - 1)]
        self.features = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            *stages,
        )
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(widths[-1], config.num_classes)
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Logits of normalised faces: (N, 1, 48, 48) float in [-1, 1] -> (N, num_classes)."""
        return self.classifier(self.features(faces))


class _ResidualBlock(nn.Module):
    """Two convolutions, to whose result the block's input is added."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.stride = stride
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, ceil(H / stride), ceil(W / stride))."""
        # Not a convolution with that stride, which is the same: with fewer than 16 channels in channels_last its
        # gradient writes beyond its memory on CPUs (uxlfoundation/oneDNN issue 6035).
        passed_on = features[..., :: self.stride, :: self.stride]
        return F.relu(self.shortcut(passed_on) + self.body(features), inplace=True)


@dataclass(frozen=True)
class BackboneConfig:
    """Dimensions of ResNet-18 and EfficientNet-B0 that can be chosen: the number of logits."""

    num_classes: int = 4


def resnet18(config: BackboneConfig = BackboneConfig()) -> nn.Module:
    """torchvision's ResNet-18 with one input channel and no stride in its first layer, for faces of 48x48."""
    from torchvision.models import resnet18 as build

    model = build(weights=None, num_classes=config.num_classes)
    model.conv1 = nn.Conv2d(1, 64, 7, stride=1, padding=3, bias=False)
    model.config = config
    return model


def efficientnet_b0(config: BackboneConfig = BackboneConfig()) -> nn.Module:
    """torchvision's EfficientNet-B0 with one input channel and no stride in its first layer."""
    from torchvision.models import efficientnet_b0 as build

    model = build(weights=None, num_classes=config.num_classes)
    model.features[0][0] = nn.Conv2d(1, 32, 3, stride=1, padding=1, bias=False)
    model.config = config
    return model


@dataclass(frozen=True)
class ViTConfig:
    """Dimensions of the vision transformer; the defaults are those of torchvision's ViT-B/16, but for the patch.

    Attributes:
        num_classes: number of logits.
        patch_size: side of a patch in pixels; 48 must be a multiple of it.
        num_layers: encoder blocks.
        num_heads: attention heads a block.
        hidden_dim: width of the tokens.
        mlp_dim: width of the blocks' hidden layer.
        dropout: rate in the blocks.

    Raises:
        ValueError: the patches don't fill a face, the heads don't share the width, or more blocks than
            :data:`MOST_BLOCKS`.
    """

    num_classes: int = 4
    patch_size: int = 8
    num_layers: int = 12
    num_heads: int = 12
    hidden_dim: int = 768
    mlp_dim: int = 3072
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if FACE_SIZE % self.patch_size:
            raise ValueError(f"patch_size must divide {FACE_SIZE}, which {self.patch_size} does not")
        if self.hidden_dim % self.num_heads:
            raise ValueError(
                f"hidden_dim must be a multiple of num_heads, {self.hidden_dim} is none of {self.num_heads}"
            )
        if self.num_layers > MOST_BLOCKS:
            raise ValueError(f"num_layers must be at most {MOST_BLOCKS}, not {self.num_layers}")


def vit_b_16(config: ViTConfig = ViTConfig()) -> nn.Module:
    """torchvision's vision transformer on one channel, 36 patches of 8x8 pixels."""
    from torchvision.models import VisionTransformer

    model = VisionTransformer(
        image_size=FACE_SIZE,
        patch_size=config.patch_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        hidden_dim=config.hidden_dim,
        mlp_dim=config.mlp_dim,
        dropout=config.dropout,
        num_classes=config.num_classes,
    )
    model.conv_proj = nn.Conv2d(1, config.hidden_dim, config.patch_size, stride=config.patch_size)
    model.config = config
    return model
