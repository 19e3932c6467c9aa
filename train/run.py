"""A training run from start to end: data in, checkpoints, history and plot out."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from live_emotion.checkpoint import Checkpoint, load_state, save_checkpoint, save_state
from live_emotion.files import atomic_write_text, make_folder
from live_emotion.model import build_model, pick_device
from train.config import TrainConfig
from train.data import FaceSet
from train.engine import Totals, batch_order, predict_logits, train_steps
from train.metrics import accuracy, confusion_matrix
from train.optim import make_average, make_optimizer, make_schedule
from train.plots import plot_history
from train.splits import load_splits

BEST = "best_emotion_model.pth"
FINAL = "final_emotion_model.pth"
STATE = "training_state.pth"
HISTORY = "history.jsonl"
PLOT = "training_history.png"

SAVE_SECONDS = 300
"""How much work a crash can cost within an epoch."""


class Run:
    """A run's state: network, optimiser, schedule, average, and where it is."""

    def __init__(self, config: TrainConfig, steps_per_epoch: int) -> None:
        self.config = config
        self.device = pick_device(config.device)
        torch.manual_seed(config.seed)
        model = build_model(config.arch, num_classes=len(config.classes))
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.average = make_average(self.model, config.ema) if config.ema else None
        self.optimizer = make_optimizer(self.model, config)
        self.schedule = make_schedule(self.optimizer, config, steps_per_epoch * config.epochs)
        self.epoch = 0
        self.step = 0
        self.totals = Totals()
        self.history: list[dict[str, Any]] = []

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network that validation sees and checkpoints hold: the average, if there is one."""
        return self.average.module if self.average else self.model

    def after_step(self) -> None:
        """Moves schedule and average on by a step."""
        if self.config.schedule != "plateau":
            self.schedule.step()
        if self.average:
            self.average.update_parameters(self.model)

    def save(self, path: Path) -> None:
        """Writes all that :meth:`load` needs to go on to the same numbers."""
        content = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "totals": asdict(self.totals),
            "history": self.history,
        }
        save_state(content, path)

    def load(self, path: Path) -> None:
        """Takes up the state that :meth:`save` wrote.

        Raises:
            WeightsError: the file is missing or damaged.
        """
        content = load_state(path)
        self.model.load_state_dict(content["model"])
        if self.average:
            self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.epoch, self.step = content["epoch"], content["step"]
        self.totals = Totals(**content["totals"])
        self.history = content["history"]

    def checkpoint(self) -> Checkpoint:
        """The evaluated network with the last epoch's figures."""
        config = self.config
        return Checkpoint.of(self.evaluated, config.arch, config.classes, **self.history[-1], options=config.public())


def train(config: TrainConfig, resume: bool = False) -> None:
    """Trains a network and writes checkpoints, history and plot into ``config.output``.

    Args:
        config: the run's settings.
        resume: go on with the run whose state lies in ``config.output``.

    Raises:
        DataError: the data don't fit, or the loss is not finite.
        OutputError: a file cannot be written.
    """
    folder = make_folder(config.output)
    train_faces, val_faces, config = load_splits(config)
    run = Run(config, len(batch_order(len(train_faces), config, 0)))
    if resume:
        run.load(folder / STATE)
    while run.epoch < config.epochs and not _exhausted(run):
        started = time.monotonic()
        _train_epoch(run, train_faces, folder)
        _finish_epoch(run, val_faces, folder, time.monotonic() - started)


def _train_epoch(run: Run, faces: FaceSet, folder: Path) -> None:
    tqdm.write(f"Epoch {run.epoch + 1}/{run.config.epochs}")
    run.model.train()
    total = len(batch_order(len(faces), run.config, run.epoch))
    saved = time.monotonic()
    steps = train_steps(run.model, faces, run.config, run.optimizer, run.epoch, run.step, run.totals, run.after_step)
    with tqdm(total=total, initial=run.step, desc="Training", disable=None) as bar:
        for step in steps:
            run.step = step + 1
            bar.update()
            if time.monotonic() - saved > SAVE_SECONDS:
                run.save(folder / STATE)
                saved = time.monotonic()


def _finish_epoch(run: Run, val: FaceSet, folder: Path, seconds: float) -> None:
    """Validates, reports, and writes everything that the epoch changes."""
    run.evaluated.eval()
    logits = predict_logits(run.evaluated, val.faces)
    confusion = confusion_matrix(val.labels, logits.argmax(1), len(run.config.classes))
    val_loss = float(F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(val.targets)))
    entry = {
        "epoch": run.epoch + 1,
        "train_loss": run.totals.loss / run.totals.count,
        "train_accuracy": run.totals.right / run.totals.count,
        "val_loss": val_loss,
        "val_accuracy": accuracy(confusion),
        "per_class": {
            c: [int(row[i]), int(row.sum())] for i, (c, row) in enumerate(zip(run.config.classes, confusion))
        },
        "lr": run.optimizer.param_groups[0]["lr"],
        "seconds": round(seconds, 1),
    }
    best = max((e["val_accuracy"] for e in run.history), default=0.0)
    run.history.append(entry)
    run.epoch, run.step, run.totals = run.epoch + 1, 0, Totals()
    if run.config.schedule == "plateau":
        run.schedule.step(val_loss)
    _print_epoch(entry)
    save_checkpoint(run.checkpoint(), folder / FINAL)
    if entry["val_accuracy"] > best:
        save_checkpoint(run.checkpoint(), folder / BEST)
        tqdm.write(f"✓ Saved best model with accuracy: {entry['val_accuracy']:.2%}")
    run.save(folder / STATE)
    atomic_write_text(folder / HISTORY, "".join(json.dumps(e) + "\n" for e in run.history))
    plot_history(run.history, folder / PLOT)


def _print_epoch(entry: dict[str, Any]) -> None:
    tqdm.write("Per-class accuracy:")
    for name, (right, count) in entry["per_class"].items():
        tqdm.write(f"  {name}: {right / count:.2%} ({right}/{count})")
    tqdm.write(f"Train Loss: {entry['train_loss']:.4f} | Train Acc: {entry['train_accuracy']:.2%}")
    tqdm.write(f"Val Loss: {entry['val_loss']:.4f} | Val Acc: {entry['val_accuracy']:.2%}")


def _exhausted(run: Run) -> bool:
    """Whether validation accuracy has not risen for ``patience`` epochs."""
    scores = [e["val_accuracy"] for e in run.history]
    stop = bool(run.config.patience and scores and len(scores) - 1 - int(np.argmax(scores)) >= run.config.patience)
    if stop:
        tqdm.write(f"Stopped: no better validation accuracy for {run.config.patience} epochs (--patience).")
    return stop
