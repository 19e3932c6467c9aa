"""MobileNet for faces: cheap for what it knows, and there are weights of it that know a great many faces."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from torch import Tensor, nn

INPUT_SIZES = (32, 512)
"""Smallest and largest side: five halvings leave one pixel of the first, and the last costs ten times the default's."""


@dataclass(frozen=True)
class MobileNetConfig:
    """Dimensions of :class:`MobileNet`.

    Attributes:
        num_classes: number of logits.
        input_size: side in pixels to which faces are enlarged, so that kernels that were trained on larger faces see
            what they know; 32 to 512.
        dropout: rate before the last layer.

    Raises:
        ValueError: another side.
    """

    num_classes: int = 4
    input_size: int = 160
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if not INPUT_SIZES[0] <= self.input_size <= INPUT_SIZES[1]:
            raise ValueError(f"input_size must be {INPUT_SIZES[0]} to {INPUT_SIZES[1]}, not {self.input_size}")


WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Channels after the first convolution and after each of the 13 pairs of a depthwise and a pointwise one."""

HALVING = (2, 4, 6, 12)
"""Pairs, counted from 1, that halve height and width, as the first convolution does."""

PRECISE = 3
"""Layers that need more digits: enlarging, the first convolution and the first depthwise one."""


class MobileNet(nn.Module):
    """MobileNet, the first one (Howard et al., arXiv 1704.04861), on grey faces.

    Shapes with the default configuration, for N faces:

        (N, 1, 48, 48) -> (N, 1, 160, 160) -> (N, 32, 80, 80) -> ... -> (N, 1024, 5, 5) -> (N, 4)
    """

    def __init__(self, config: MobileNetConfig = MobileNetConfig()) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = [ConvNorm(1, WIDTHS[0], 3, stride=2)]
        for i, (inputs, outputs) in enumerate(itertools.pairwise(WIDTHS), 1):
            layers.append(ConvNorm(inputs, inputs, 3, stride=2 if i in HALVING else 1, groups=inputs))
            layers.append(ConvNorm(inputs, outputs, 1))
        self.features = nn.Sequential(
            nn.Upsample(size=(config.input_size, config.input_size), mode="bilinear"), *layers
        )
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(WIDTHS[-1], config.num_classes)
        )

    @property
    def precise(self) -> nn.Module:
        """The first layers, which stay in float32 where the others compute in bfloat16: rounding in the two
        convolutions among them moved probabilities three and six times as much as that in any later layer.
        """
        return self.features[:PRECISE]

    @property
    def map_offset(self) -> float:
        """How far the places that its last features tell of begin inside the face, in sides of it, from the left and
        from the top: what is padded at the right and the bottom only lets each halving look half a pixel further.
        """
        return (2 ** (len(HALVING) + 1) - 1) / 2 / self.config.input_size

    def forward(self, faces: Tensor) -> Tensor:
        """Logits of normalised faces: (N, 1, 48, 48) float in [-1, 1] -> (N, num_classes)."""
        features = self.precise(faces.float())
        return self.classifier(self.features[PRECISE:](features.to(self.classifier[-1].weight.dtype)))


class ConvNorm(nn.Sequential):
    """Convolution, BatchNorm and ReLU up to 6.

    Where it halves the size, an even size is padded at the right and the bottom only, as TensorFlow does.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        pad = [nn.ZeroPad2d((0, 1, 0, 1))] if stride == 2 else []
        padding = 0 if pad else kernel // 2
        super().__init__(
            *pad,
            nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(inplace=True),
        )
