"""Attention for convolution blocks: which channels and which places matter. Input and output have one shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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


def _bottleneck(channels: int) -> nn.Sequential:
    hidden = max(4, channels // REDUCTION)
    return nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1))
