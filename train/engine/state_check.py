"""Whether what a file holds can be the state of a run, found out before any of it is used: values in, faults out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from train.config import TrainConfig
from train.settings import shorten

MOVING = frozenset(
    {"last_epoch", "_step_count", "_last_lr", "_is_initial", "_get_lr_called_within_step"}  # of all schedules
    | {"best", "num_bad_epochs", "cooldown_counter"}  # of the plateau
    | {"lr"}  # of the optimiser
    | {"scale", "_growth_tracker"}  # of the scaler
)
"""What training changes in the states of schedule, optimiser and scaler, beside tensors; the rest are settings."""

NEVER_NEGATIVE = ("running_var", "num_batches_tracked", "n_averaged", "exp_avg_sq", "step")
"""Ends of names of tensors that no run makes negative."""

TOTALS = {"loss": float, "right": int, "count": int}

FIGURES = {
    "epoch": int,
    "train_loss": float,
    "train_accuracy": float,
    "val_loss": float,
    "val_accuracy": float,
    "lr": float,
    "seconds": float,
}
"""The numbers in each entry of a history."""


def find_fault(
    state: Mapping[str, Any],
    like: Mapping[str, Any],
    config: TrainConfig,
    kept: Mapping[int, Mapping[str, Tensor]],
    steps: int,
    images: int,
) -> str:
    """What in a state cannot come from a run of these settings and images.

    Args:
        state: has the parts of ``like``, which may be anything.
        like: the state of such a run before its first step.
        config: its settings, with the classes filled in.
        kept: what its optimiser keeps of each parameter.
        steps: in an epoch.
        images: in an epoch.

    Returns:
        the first fault in a few words; empty where there is none.
    """
    scaler = torch.amp.GradScaler("cpu").state_dict()
    optimizer = like["optimizer"] | {"state": kept}
    fault = (
        _first(find_difference(state[name], like[name], name) for name in ("model", "average", "schedule"))
        or (find_difference(state["scaler"], scaler, "scaler") and find_difference(state["scaler"], {}, "scaler"))
        or find_difference(state["optimizer"], optimizer, "optimizer")
        or _progress_fault(state, config.outputs, steps, images)
    )
    if fault:
        return fault
    if not all(0 <= group["lr"] <= 1.001 * config.lr for group in state["optimizer"]["param_groups"]):
        return "its learning rate is impossible"
    place = state["epoch"] if config.schedule == "plateau" else state["epoch"] * steps + state["step"]
    return "" if state["schedule"]["last_epoch"] == place else "its schedule is of another step"


def find_difference(found: Any, like: Any, name: str = "state") -> str:
    """How a part of a state differs from that of a run of the same settings, beyond what training changes.

    Args:
        found: anything.
        like: the part of such a run: dictionaries, lists, tensors, whose shapes and types count, and plain values; in
            place of a number its type stands for any finite one.
        name: of the part, for the answer.

    Returns:
        the first difference in a few words; empty where there is none.
    """
    if isinstance(like, Tensor):
        return _tensor_fault(found, like, name)
    if isinstance(like, Mapping):
        if not isinstance(found, Mapping) or found.keys() != like.keys():
            return f"its {name} has other parts"
        return _first(find_difference(found[key], value, str(key)) for key, value in like.items())
    if isinstance(like, (list, tuple)):
        if type(found) is not type(like) or len(found) != len(like):
            return f"its {name} has other parts"
        return _first(find_difference(*pair, name) for pair in zip(found, like))
    if name in MOVING or isinstance(like, type):
        return "" if _can_become(found, like) else f"its {name} is {shorten(found)}"
    same_kind = type(found) is type(like) or (_is_number(found) and _is_number(like))
    return "" if same_kind and found == like else f"its {name} is {shorten(found)}, not {shorten(like)}"


def _progress_fault(state: Mapping[str, Any], outputs: Sequence[str], steps: int, images: int) -> str:
    """What is wrong with how far a run says it has come."""
    epoch, step, totals, history = (state[name] for name in ("epoch", "step", "totals", "history"))
    if type(history) is not list or type(epoch) is not int or epoch != len(history):
        return f"its epoch is {shorten(epoch)}, which is not the length of its history"
    entry = FIGURES | {"per_class": {name: [int, int] for name in outputs}}
    if fault := find_difference(history, [entry] * epoch, "history") or find_difference(totals, TOTALS, "totals"):
        return fault
    if [past["epoch"] for past in history] != list(range(1, epoch + 1)):
        return "its history is not in order"
    if type(step) is not int or not 0 <= step <= steps:
        return f"its step is {shorten(step)} of {steps}"
    if not 0 <= totals["right"] <= totals["count"] <= images or (totals["count"] > 0) != (step > 0):
        return "its totals are impossible"
    return ""


def _first(faults: Iterable[str]) -> str:
    return next(filter(None, faults), "")


def _tensor_fault(found: Any, like: Tensor, name: str) -> str:
    if not isinstance(found, Tensor) or found.layout != torch.strided or found.device.type != "cpu":
        return f"its {name} is no tensor of numbers"
    if found.shape != like.shape or found.dtype != like.dtype:
        return f"its {name} has another shape or type"
    if not torch.isfinite(found).all() or (name.endswith(NEVER_NEGATIVE) and (found < 0).any()):
        return f"its {name} holds impossible numbers"
    return ""


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _can_become(found: Any, like: Any) -> bool:
    """Whether a value can be what training made of ``like``, or is of that type."""
    kind = like if isinstance(like, type) else type(like)
    if kind is not float:
        return type(found) is kind
    return _is_number(found) and (math.isfinite(found) or found == like)
