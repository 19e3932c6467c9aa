"""One epoch of training, and predictions for a set: tensors and numbers only, no files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from live_emotion.errors import DataError
from live_emotion.preprocess import faces_to_tensor
from train.augment import augment
from train.config import TrainConfig
from train.data import FaceSet


@dataclass
class Totals:
    """Sums over the batches of an epoch."""

    loss: float = 0.0
    right: int = 0
    count: int = 0


def batch_order(count: int, config: TrainConfig, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch as index arrays; a function of the seed and the epoch alone.

    A last batch of a single image is left out, since BatchNorm can't learn from it.
    """
    order = np.random.default_rng([config.seed, epoch]).permutation(count)
    batches = np.split(order, range(config.batch_size, count, config.batch_size))
    return [batch for batch in batches if len(batch) > 1]


def seed_step(config: TrainConfig, epoch: int, step: int) -> torch.Generator:
    """Seeds everything random in one step by its place in the run, so that a resumed run needs no saved states.

    Returns:
        a generator for augmentation; torch's own, which dropout uses, is seeded too.
    """
    first, second = np.random.SeedSequence([config.seed, epoch, step]).generate_state(2)
    torch.manual_seed(int(first))
    return torch.Generator().manual_seed(int(second))


def log_prior(data: FaceSet) -> Tensor:
    """float32 (C,): logarithm of how often each class is the target."""
    return torch.from_numpy(np.log(data.targets.mean(axis=0))).float()


def target_loss(logits: Tensor, targets: Tensor, config: TrainConfig, prior: Tensor) -> Tensor:
    """Cross entropy between predicted and target distributions, mean over the batch.

    Args:
        logits: (N, C).
        targets: (N, C), rows that sum to 1.
        config: says how much label smoothing and logit adjustment.
        prior: (C,) log frequencies of the classes.
    """
    adjusted = logits + config.logit_adjustment * prior
    return F.cross_entropy(adjusted, targets, label_smoothing=config.label_smoothing)


def train_steps(
    model: nn.Module,
    data: FaceSet,
    config: TrainConfig,
    optimizer: torch.optim.Optimizer,
    epoch: int,
    first_step: int,
    totals: Totals,
    after_step: Callable[[], None],
) -> Iterator[int]:
    """Trains on the batches of an epoch, from ``first_step`` on, and yields each step's number when it is done.

    Args:
        model: in training mode, on its device.
        data: the training faces.
        config: the run's settings.
        optimizer: of the model's parameters.
        epoch: from 0.
        first_step: where to begin in the epoch.
        totals: added to.
        after_step: called after each step of the optimiser: schedule, moving average.

    Raises:
        DataError: the loss is not finite.
    """
    device = next(model.parameters()).device
    prior = log_prior(data).to(device)
    batches = batch_order(len(data), config, epoch)
    for step in range(first_step, len(batches)):
        generator = seed_step(config, epoch, step)
        index = batches[step]
        faces = augment(torch.from_numpy(data.faces[index]).to(device), config, generator)
        targets = torch.from_numpy(data.targets[index]).to(device)
        logits = model(to_network(faces))
        loss = target_loss(logits, targets, config, prior)
        if not math.isfinite(value := loss.item()):
            raise DataError(
                f"The loss became {value} in epoch {epoch + 1}, batch {step + 1} of {len(batches)}; "
                "try a smaller --lr. The last good checkpoint is kept."
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        after_step()
        totals.loss += value * len(index)
        totals.right += int((logits.argmax(1) == targets.argmax(1)).sum())
        totals.count += len(index)
        yield step


def to_network(faces: Tensor) -> Tensor:
    """Normalised faces in the memory layout that convolutions are fastest with."""
    return faces_to_tensor(faces).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def predict_logits(model: nn.Module, faces: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Logits of many faces.

    Args:
        model: in evaluation mode.
        faces: uint8 (N, 48, 48).
        batch_size: faces at a time.

    Returns:
        float32 (N, C).
    """
    device = next(model.parameters()).device
    parts = [
        model(to_network(torch.from_numpy(faces[i : i + batch_size]).to(device))).float().cpu()
        for i in range(0, len(faces), batch_size)
    ]
    return torch.cat(parts).numpy()
