"""Optimisers, learning rate schedules and the moving average of weights, by name."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel

from train.config import TrainConfig

WARM_UP = 0.1
"""Part of a cosine schedule's steps in which the rate rises."""


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser that ``config.optimizer`` names; SGD with Nesterov momentum 0.9."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.lr, momentum=0.9, nesterov=True, weight_decay=config.weight_decay)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    return kind(parameters, config.lr, weight_decay=config.weight_decay)


def kept_by_optimizer(model: nn.Module, config: TrainConfig) -> dict[int, dict[str, torch.Tensor]]:
    """What the optimiser keeps of each parameter once it has taken a step: shapes and types without values."""
    shapes = copy.deepcopy(model).to("meta")
    optimizer = make_optimizer(shapes, config)
    for parameter in shapes.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    return optimizer.state_dict()["state"]


def make_schedule(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """The schedule that ``config.schedule`` names.

    ``plateau`` is stepped once an epoch with the validation loss and divides the rate by 10 after three epochs
    without a better one; the others are stepped after each of ``steps`` steps of the optimiser.
    """
    if config.schedule == "plateau":
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=3)
    if config.schedule == "one_cycle":
        return lr_scheduler.OneCycleLR(optimizer, config.lr, total_steps=steps + 1, cycle_momentum=False)
    rise = max(1, round(WARM_UP * steps))
    return lr_scheduler.SequentialLR(
        optimizer,
        [
            lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=rise),
            lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(1, steps - rise)),
        ],
        milestones=[rise],
    )


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of ``model`` that follows it by an exponential moving average of weights and buffers.

    Early on the average is over the few steps there were, as the decay rises to ``decay`` with their number.
    """

    def average(averaged: torch.Tensor, current: torch.Tensor, steps: torch.Tensor | int) -> torch.Tensor:
        if not averaged.is_floating_point():
            return current
        kept = min(decay, (1 + float(steps)) / (10 + float(steps)))
        return averaged * kept + current * (1 - kept)

    return AveragedModel(model, avg_fn=average, use_buffers=True)
