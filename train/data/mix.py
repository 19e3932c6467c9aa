"""Mixes pairs of faces and their targets, in training only: uint8 faces in, uint8 faces out."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from live_emotion.faces.preprocessing import FACE_SIZE


def mixup(faces: Tensor, targets: Tensor, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Blends each face and target with another's (Zhang et al., ICLR 2018).

    Args:
        faces: uint8 (N, 48, 48).
        targets: float32 (N, C).
        alpha: of the beta distribution that the share is drawn from.
        generator: source of every random choice, on the CPU.

    Returns:
        uint8 (N, 48, 48) and float32 (N, C).
    """
    share, partner = _draw(len(faces), alpha, generator)
    partner = partner.to(faces.device)
    blended = share * faces.float() + (1 - share) * faces[partner].float()
    return blended.round().to(torch.uint8), share * targets + (1 - share) * targets[partner]


def cutmix(faces: Tensor, targets: Tensor, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pastes a rectangle of another face into each; targets by area (Yun et al., ICCV 2019).

    Arguments and results are those of :func:`mixup`.
    """
    share, partner = _draw(len(faces), alpha, generator)
    partner = partner.to(faces.device)
    side = round(FACE_SIZE * math.sqrt(1 - share))
    top, left = torch.randint(0, FACE_SIZE - side + 1, (2,), generator=generator).tolist()
    place = (slice(None), slice(top, top + side), slice(left, left + side))
    mixed = faces.clone()
    mixed[place] = faces[partner][place]
    kept = 1 - (side / FACE_SIZE) ** 2
    return mixed, kept * targets + (1 - kept) * targets[partner]


def _draw(count: int, alpha: float, generator: torch.Generator) -> tuple[float, Tensor]:
    """A share of at least a half for the face itself, and each face's partner."""
    # a beta variate from two gamma variates; torch's own beta distribution takes no generator
    first, second = torch._standard_gamma(torch.full((2,), alpha), generator=generator).tolist()
    share = first / (first + second) if first + second > 0 else 1.0
    return max(share, 1 - share), torch.randperm(count, generator=generator)
