"""Several processes that train one network together, as ``torchrun`` starts them; or one alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from live_emotion.models.device import pick_device
from train.console import read_place


def rank() -> int:
    """This process's number, from 0."""
    return read_place().rank


def size() -> int:
    """How many processes train together."""
    return read_place().size


@contextlib.contextmanager
def processes(device: str) -> Iterator[torch.device]:
    """Joins the processes that ``torchrun`` started, and yields this one's device.

    Raises:
        DeviceError: the device is not available.
        ArgumentError: what the environment says of the processes makes no sense.
    """
    chosen = pick_device(device)
    if size() == 1:
        yield chosen
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", read_place().local_rank)
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield chosen
        dist.barrier()  # whoever is done first must not hang up on the others
    finally:
        dist.destroy_process_group()


def shared(model: nn.Module, device: torch.device) -> nn.Module:
    """The network as the processes train it together: each step averages their gradients."""
    if size() == 1:
        return model
    return nn.parallel.DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def sums(values: Sequence[float], device: torch.device) -> list[float]:
    """Each value's sum over the processes."""
    if size() == 1:
        return list(values)
    kind = torch.float32 if device.type == "mps" else torch.float64
    tensor = torch.tensor(values, dtype=kind, device=device)
    dist.all_reduce(tensor)
    return tensor.tolist()


def from_main(value: Any, device: torch.device) -> Any:
    """What process 0 passes, in every process."""
    if size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, device=device)
    return box[0]
