"""A run's state: network, optimiser, schedule, average, and where it is; saved and taken up again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from live_emotion.errors import DataError, WeightsError
from live_emotion.models.checkpoint import Checkpoint, load_state, save_state
from live_emotion.models.device import fast_dtype
from live_emotion.models.registry import ARCHITECTURES
from train.config import TrainConfig
from train.data.dataset import FaceSet
from train.data.held_out import HeldOut
from train.engine import distributed
from train.engine.network import first_layers, make_model
from train.engine.optimization import kept_by_optimizer, make_average, make_optimizer, make_schedule
from train.engine.state_check import find_difference, find_fault
from train.engine.steps import Objective, Stepper, Totals, batch_order
from train.settings import shorten

MAY_CHANGE = frozenset({"patience", "device", "output"})
"""Settings that a resumed run may have otherwise."""

ANEW = "Start anew with --force, or in another folder with -o."


class Run:
    """All that changes while a run goes on.

    Args:
        config: its settings, with the classes filled in.
        data: the training faces.
        device: of the network.
        held_out: what :func:`train.data.held_out.note_held_out` noted; None where there is a validation folder.

    Raises:
        WeightsError: the pretrained weights can't be used.
        DataError: a setting of the network makes no sense.
    """

    def __init__(
        self, config: TrainConfig, data: FaceSet, device: torch.device, held_out: HeldOut | None = None
    ) -> None:
        self.config, self.held_out = config, held_out
        self.fingerprint = hashlib.blake2b(
            data.faces.tobytes() + data.targets.tobytes() + data.weights.tobytes()
        ).hexdigest()
        torch.manual_seed(config.seed)
        self.model = make_model(config).to(device).to(memory_format=torch.channels_last)
        self.shared = distributed.shared(self.model, device)
        self.average = make_average(self.model, config.ema) if config.ema else None
        dtype = fast_dtype(device) if config.precision == "auto" else getattr(torch, config.precision)
        optimizer = make_optimizer(self.model, config)
        self.stepper = Stepper(self.shared, optimizer, Objective(data, config, device), dtype)
        self.images, self.epoch_steps = len(data), len(batch_order(data, config, 0))
        self.schedule = make_schedule(optimizer, config, self.epoch_steps * config.epochs)
        self.epoch = 0
        self.step = 0
        self.totals = Totals()
        self.history: list[dict[str, Any]] = []

    @property
    def evaluated(self) -> nn.Module:
        """The network that validation sees and checkpoints hold: the average, if there is one."""
        return self.average.module if self.average else self.model

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self.stepper.optimizer.param_groups[0]["lr"]

    def to_training(self) -> None:
        """Puts the network into training mode, but for its frozen part, whose BatchNorm keeps its statistics."""
        self.shared.train(not self.config.freeze)
        if self.config.freeze:
            getattr(self.model, ARCHITECTURES[self.config.arch].head).train()
        for layer in first_layers(self.model, self.config.freeze_first):
            layer.training = False

    def after_step(self) -> None:
        """Moves schedule and average on by a step."""
        if self.config.schedule != "plateau":
            self.schedule.step()
        if self.average:
            self.average.update_parameters(self.model)

    def save(self, path: Path) -> None:
        """Writes all that :meth:`load` needs to go on to the same numbers.

        Raises:
            OutputError: the file cannot be written.
        """
        save_state(self._content(), path)

    def load(self, content: Mapping[str, Any], path: Path) -> None:
        """Takes up the state that :meth:`save` wrote to a file and :func:`read_run` read, after all of it was checked.

        Raises:
            DataError: the state is damaged, none of a run, or of one with other settings or other images.
        """
        self._check(content, path)
        self.model.load_state_dict(content["model"])
        if self.average:
            self.average.load_state_dict(content["average"])
        self.stepper.optimizer.load_state_dict(content["optimizer"])
        if content["scaler"] and self.stepper.scaler.is_enabled():
            self.stepper.scaler.load_state_dict(content["scaler"])
        self.schedule.load_state_dict(content["schedule"])
        self.epoch, self.step = content["epoch"], content["step"]
        self.totals = Totals(**content["totals"])
        self.history = content["history"]

    def _content(self) -> dict[str, Any]:
        return {
            "config": self.config.public(),
            "fingerprint": self.fingerprint,
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimizer": self.stepper.optimizer.state_dict(),
            "scaler": self.stepper.scaler.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "totals": asdict(self.totals),
            "history": self.history,
        }

    def _check(self, content: Mapping[str, Any], path: Path) -> None:
        own = self._content()
        if content.keys() != own.keys() or not isinstance(content["config"], dict):
            raise DataError(f"Cannot resume: {path} holds no state of a run. {ANEW}")
        self._check_settings(content["config"])
        if find_difference(content["fingerprint"], self.fingerprint):
            raise DataError("Cannot resume: the training images have changed. Start anew in another folder with -o.")
        kept = kept_by_optimizer(self.model, self.config)
        if fault := find_fault(content, own, self.config, kept, self.epoch_steps, self.images):
            raise DataError(f"Cannot resume: {path} is damaged: {fault}. {ANEW}")

    def _check_settings(self, had: Mapping[str, Any]) -> None:
        may_change = MAY_CHANGE | ({"epochs"} if self.config.schedule == "plateau" else set())
        had = TrainConfig().public() | dict(had)  # a run that is older than a setting has its default
        for name, value in self.config.public().items():
            if name not in may_change and find_difference(had[name], value):
                raise DataError(
                    f"Cannot resume with {name} {shorten(value)}: the run has {shorten(had[name])}. "
                    "Leave the option out, or start anew in another folder with -o."
                )

    def checkpoint(self) -> Checkpoint:
        """The evaluated network with the last epoch's figures, the settings, and the images held out."""
        config = self.config
        metadata = self.history[-1] | {"options": config.public()}
        if self.held_out:
            metadata["held_out"] = self.held_out
        made = Checkpoint.of(self.evaluated, config.arch, config.classes, **metadata)
        return replace(made, other_names=config.others)


def read_run(path: Path) -> dict[str, Any]:
    """Reads what :meth:`Run.save` wrote; whether it fits a run is asked by :meth:`Run.load`.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return load_state(path)
    except WeightsError as error:
        raise DataError(f"Cannot resume: {path} is damaged or holds no state of a run. {ANEW}") from error
