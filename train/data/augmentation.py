"""Augmentation and mixing of a whole batch at once, in training only: uint8 faces in, uint8 faces out."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import v2

from live_emotion.faces.preprocessing import FACE_SIZE
from train.config import TrainConfig

LEAST_ALPHA = 0.001
"""Below it nothing should be mixed, while torch's beta variates, in float32, are all 0.5 from 1e-8 on."""


def augment(faces: Tensor, config: TrainConfig, generator: torch.Generator) -> Tensor:
    """Moves, lights, blurs and covers each face by chance.

    Args:
        faces: uint8 (N, 48, 48).
        config: says how much of what.
        generator: source of every random choice, on the CPU.

    Returns:
        uint8 (N, 48, 48).
    """
    pixels = faces.to(torch.float32).unsqueeze(1)  # (N, 1, 48, 48), 0..255
    if config.flip or config.rotation or config.translation or config.crop:
        pixels = _move(pixels, config, generator)
    if config.blur:
        pixels = _blur(pixels, config.blur, generator)
    if config.gamma:
        pixels = _bend(pixels, config.gamma, generator)
    if config.side_light:
        pixels = _light_side(pixels, config.side_light, generator)
    if config.jitter:
        pixels = _light(pixels, config.jitter, generator)
    if config.erasing:
        pixels = _erase(pixels, config.erasing, generator)
    return pixels.squeeze(1).round().clamp(0, 255).to(torch.uint8)


def mix(faces: Tensor, targets: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor]:
    """Mixes each face and target with its neighbour's: MixUp, CutMix, or by chance one of them.

    Zhang et al., ICLR 2018, and Yun et al., ICCV 2019. The random choices are torch's own.

    Args:
        faces: uint8 (N, 48, 48), in random order.
        targets: float32 (N, C).
        config: says which, and how much.

    Returns:
        uint8 (N, 48, 48) and float32 (N, C).
    """
    kinds = ((v2.MixUp, config.mixup), (v2.CutMix, config.cutmix))
    mixes = [kind(alpha=float(alpha)) for kind, alpha in kinds if alpha >= LEAST_ALPHA]
    if not mixes:
        return faces, targets
    pixels, targets = v2.RandomChoice(mixes)(faces.to(torch.float32).unsqueeze(1), targets)
    return pixels.squeeze(1).round().to(torch.uint8), targets


def _symmetric(count: int, largest: float, generator: torch.Generator) -> Tensor:
    """(count,) values in [-largest, largest]."""
    return (torch.rand(count, generator=generator) * 2 - 1) * largest


def _chosen(count: int, chance: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) < chance


def _move(pixels: Tensor, config: TrainConfig, generator: torch.Generator) -> Tensor:
    """Flip, rotation, translation and crop in one resampling; the border is repeated."""
    count = len(pixels)
    angle = _symmetric(count, math.radians(config.rotation), generator)
    mirror = 1 - 2 * _chosen(count, config.flip, generator).float()
    shift = _symmetric(2 * count, 2 * config.translation, generator).view(2, count)  # the grid spans 2
    cos, sin = torch.cos(angle), torch.sin(angle)
    if config.crop:
        side = 1 + _symmetric(count, config.crop, generator)  # of the crop, in sides of the face
        cos, sin = cos * side, sin * side
    matrix = torch.stack([cos * mirror, -sin, shift[0], sin * mirror, cos, shift[1]], dim=1).view(count, 2, 3)
    grid = F.affine_grid(matrix.to(pixels.device), list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _light(pixels: Tensor, jitter: float, generator: torch.Generator) -> Tensor:
    """Contrast about each face's mean, then brightness, each by a factor within ``1 ± jitter``."""
    contrast, brightness = (1 + _symmetric(2 * len(pixels), jitter, generator)).view(2, -1, 1, 1, 1).to(pixels.device)
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    return ((pixels - mean) * contrast + mean) * brightness


def _bend(pixels: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """Grey values from 0 to 1 to the power of ``exp(± largest)``: black and white stay, what is between moves."""
    exponent = torch.exp(_symmetric(len(pixels), largest, generator)).view(-1, 1, 1, 1).to(pixels.device)
    return (pixels / 255).clamp(0, 1) ** exponent * 255


def _light_side(pixels: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """A factor that falls evenly across the face in any direction, from ``1 + largest`` at most to ``1 - largest``."""
    count = len(pixels)
    strength = torch.rand(count, generator=generator) * largest
    angle = _symmetric(count, math.pi, generator)
    across = torch.linspace(-1, 1, FACE_SIZE)
    slope = torch.cos(angle)[:, None, None] * across + torch.sin(angle)[:, None, None] * across[:, None]
    return pixels * (1 + strength[:, None, None] * slope).clamp(min=0).unsqueeze(1).to(pixels.device)


def _blur(pixels: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """A straight motion of up to 5 pixels, or a face seen at 20 to 40 pixels, half and half."""
    count = len(pixels)
    moved = _chosen(count, chance / 2, generator).to(pixels.device)
    coarse = _chosen(count, chance / 2, generator).to(pixels.device)
    angle = float(torch.rand((), generator=generator)) * math.pi  # one path and size a batch
    length = 1 + 4 * float(torch.rand((), generator=generator))
    side = int(torch.randint(20, 41, (), generator=generator))
    if moved.any():
        kernel = _motion_kernel(length, angle).to(pixels.device)
        padded = F.pad(pixels[moved], (3, 3, 3, 3), mode="replicate")
        pixels[moved] = F.conv2d(padded, kernel[None, None])
    if coarse.any():
        small = F.interpolate(pixels[coarse], size=(side, side), mode="area")
        pixels[coarse] = F.interpolate(small, size=(FACE_SIZE, FACE_SIZE), mode="bilinear", align_corners=False)
    return pixels


def _motion_kernel(length: float, angle: float) -> Tensor:
    """(7, 7) average along a straight path of ``length`` pixels through the centre, its sum 1."""
    steps = torch.linspace(-length / 2, length / 2, 33)
    x, y = 3 + steps * math.cos(angle), 3 + steps * math.sin(angle)
    cells = torch.arange(7, dtype=torch.float32)
    weight_x = (1 - (x[:, None] - cells).abs()).clamp(min=0)
    weight_y = (1 - (y[:, None] - cells).abs()).clamp(min=0)
    return torch.einsum("sy,sx->yx", weight_y, weight_x) / len(steps)


def _erase(pixels: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """A rectangle of a tenth to a third of the area filled with noise (Zhong et al., AAAI 2020)."""
    for i in _chosen(len(pixels), chance, generator).nonzero()[:, 0].tolist():
        share, stretch, top, left = torch.rand(4, generator=generator).tolist()
        area = (0.1 + 0.23 * share) * FACE_SIZE**2
        aspect = math.exp((2 * stretch - 1) * math.log(2))
        height = min(round(math.sqrt(area * aspect)), FACE_SIZE)
        width = min(round(math.sqrt(area / aspect)), FACE_SIZE)
        y, x = int(top * (FACE_SIZE - height + 1)), int(left * (FACE_SIZE - width + 1))
        noise = torch.rand(height, width, generator=generator) * 255
        pixels[i, 0, y : y + height, x : x + width] = noise.to(pixels.device)
    return pixels
