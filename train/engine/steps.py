"""One step of training, the order of an epoch's batches, and predictions: tensors and numbers only, no files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from live_emotion.faces.preprocessing import normalize_faces
from train.config import TrainConfig
from train.data.augmentation import augment, mix
from train.data.dataset import FaceSet
from train.engine import distributed


@dataclass
class Totals:
    """Sums over the batches of an epoch.

    Attributes:
        loss: of the losses of all images.
        right: images whose most probable class was predicted.
        count: images.
    """

    loss: float = 0.0
    right: int = 0
    count: int = 0


def batch_order(data: FaceSet, config: TrainConfig, epoch: int) -> list[np.ndarray]:
    """The batches of an epoch as index arrays; a function of the data, the seed and the epoch alone.

    Each image comes once; or, with weights, as often in the mean as its weight says; with balanced sampling, each class
    equally often in the mean. A last batch that is too small for BatchNorm, two images a process, joins the one before
    it.
    """
    rng = np.random.default_rng([config.seed, epoch])
    if config.balanced_sampling or len(data.weights):
        chances = data.weights if len(data.weights) else np.ones(len(data))
        if config.balanced_sampling:
            frequency = class_frequency(data)
            drawn = frequency > 0  # of a class that is none of the shown ones, all images may have no weight
            chances = chances * (data.targets[:, drawn] / frequency[drawn]).sum(axis=1, dtype=np.float64)
        order = rng.choice(len(data), len(data), p=chances / chances.sum())
    else:
        order = rng.permutation(len(data))
    starts = list(range(config.batch_size, len(data), config.batch_size))
    if starts and len(data) - starts[-1] < 2 * distributed.size():
        starts.pop()
    return np.split(order, starts)


def class_frequency(data: FaceSet) -> np.ndarray:
    """float64 (C,), the part of what is drawn that each class has; their sum is 1."""
    return np.average(data.targets, axis=0, weights=data.weights if len(data.weights) else None)


def seed_step(config: TrainConfig, epoch: int, step: int) -> torch.Generator:
    """Seeds everything random in one step by its place in the run, so that a resumed run needs no saved states.

    Returns:
        a generator for augmentation; torch's own, which mixing and dropout use, is seeded too.
    """
    place = [config.seed, epoch, step] + ([distributed.rank()] if distributed.rank() else [])
    first, second = np.random.SeedSequence(place).generate_state(2)
    torch.manual_seed(int(first))
    return torch.Generator().manual_seed(int(second))


class Objective:
    """Cross entropy between predicted and target distributions.

    Logit adjustment balances the classes that are shown. The further ones keep their frequency, against each other and
    against the shown ones together, since nobody wants contempt to be expected as often as a neutral face.

    Args:
        data: the training faces, whose class frequencies count.
        config: says how much label smoothing and logit adjustment, and whether classes are weighed.
        device: of the logits.
    """

    def __init__(self, data: FaceSet, config: TrainConfig, device: torch.device) -> None:
        frequency = torch.from_numpy(class_frequency(data)).float().to(device)
        self.smoothing = config.label_smoothing
        shown = frequency[: len(frequency) - len(config.others)]
        self.offset = torch.zeros_like(frequency)
        self.offset[: len(shown)] = config.logit_adjustment * (shown / shown.mean()).log()
        weight = torch.where(frequency > 0, 1 / (frequency * len(frequency)), 0)
        self.weight = weight if config.class_weights else None

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean over a batch: logits (N, C), targets (N, C) with rows that sum to 1 -> a number."""
        adjusted = logits.float() + self.offset
        return F.cross_entropy(adjusted, targets, weight=self.weight, label_smoothing=self.smoothing)


def make_batch(
    data: FaceSet, index: np.ndarray, config: TrainConfig, generator: torch.Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The augmented and mixed faces at ``index``, uint8 (N, 48, 48), and their targets, float32 (N, C)."""
    faces = augment(torch.from_numpy(data.faces[index]).to(device), config, generator)
    return mix(faces, torch.from_numpy(data.targets[index]).to(device), config)


class Stepper:
    """Takes steps of the optimiser.

    Args:
        model: in training mode, on its device.
        optimizer: of its parameters.
        objective: the loss.
        dtype: in which the network computes.
    """

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, objective: Objective, dtype: torch.dtype
    ) -> None:
        self.model, self.optimizer, self.objective, self.dtype = model, optimizer, objective, dtype
        self.device = next(model.parameters()).device
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=dtype == torch.float16)

    def step(self, faces: Tensor, targets: Tensor, share: float = 1.0) -> Totals:
        """Learns from a batch.

        Args:
            faces: uint8 (N, 48, 48).
            targets: float32 (N, C).
            share: how many times more images this process has than the mean of all processes; their gradients
                are averaged, and so become those of all images together.

        Returns:
            the sums over this batch; if its loss is not finite, nothing was learnt.
        """
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits = self.model(to_network(faces))
        loss = self.objective(logits, targets)
        right = int((logits.argmax(1) == targets.argmax(1)).sum())
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss * share).backward()
        if torch.isfinite(loss):
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return Totals(loss.item() * len(faces), right, len(faces))


def to_network(faces: Tensor) -> Tensor:
    """Normalised faces in the memory layout that convolutions are fastest with."""
    return normalize_faces(faces).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def predict_logits(
    model: nn.Module, faces: np.ndarray, dtype: torch.dtype = torch.float32, batch_size: int = 256
) -> np.ndarray:
    """Logits of many faces.

    Args:
        model: in evaluation mode.
        faces: uint8 (N, 48, 48).
        dtype: in which the network computes.
        batch_size: faces at a time.

    Returns:
        float32 (N, C).
    """
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    parts = []
    for i in range(0, len(faces), batch_size):
        batch = to_network(torch.from_numpy(faces[i : i + batch_size]).to(device))
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            parts.append(model(batch).float().cpu())
    return torch.cat(parts).numpy()
