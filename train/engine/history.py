"""The history of a run: its best epoch, its end, what is said of an epoch, and its plot.

An entry holds the figures of an epoch, as ``history.jsonl`` does: epoch (from 1), train_loss, train_accuracy, val_loss,
val_accuracy, per_class (class -> right ones and images), lr, and seconds. Accuracies are 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.io.images import write_figure
from train.console import say

STUCK_EPOCHS = 3
"""After so many epochs the training loss should have fallen by a fiftieth."""

Entry = dict[str, Any]


def is_best(history: Sequence[Entry]) -> bool:
    """Whether the last epoch has a higher validation accuracy than all before."""
    scores = [entry["val_accuracy"] for entry in history]
    return scores[-1] > max(scores[:-1], default=-1.0)


def is_exhausted(history: Sequence[Entry], patience: int) -> bool:
    """Whether validation accuracy has not risen for ``patience`` epochs; 0 waits for ever."""
    scores = [entry["val_accuracy"] for entry in history]
    return bool(patience and scores and len(scores) - 1 - int(np.argmax(scores)) >= patience)


def is_stuck(history: Sequence[Entry]) -> bool:
    """Whether the training loss should have fallen by now, and has not."""
    losses = [entry["train_loss"] for entry in history]
    return len(losses) == STUCK_EPOCHS and min(losses) > 0.98 * losses[0]


def say_epoch(entry: Entry) -> None:
    """Prints the figures of an epoch."""
    say("Per-class accuracy:")
    for name, (right, count) in entry["per_class"].items():
        say(f"  {name}: {right / count:.2%} ({right}/{count})")
    say(f"Train Loss: {entry['train_loss']:.4f} | Train Acc: {entry['train_accuracy']:.2%}")
    say(f"Val Loss: {entry['val_loss']:.4f} | Val Acc: {entry['val_accuracy']:.2%}")


def plot_history(history: Sequence[Entry], path: Path) -> None:
    """Draws loss, accuracy and learning rate over the epochs.

    Args:
        history: one entry an epoch.
        path: the PNG file.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.figure import Figure

    epochs = [entry["epoch"] for entry in history]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    loss, accuracy, rate = figure.subplots(1, 3)
    for axes, kind, factor, title in ((loss, "loss", 1, "Loss"), (accuracy, "accuracy", 100, "Accuracy (%)")):
        for split, colour, label in (("train", "#0072B2", "training"), ("val", "#D55E00", "validation")):
            values = [factor * entry[f"{split}_{kind}"] for entry in history]
            axes.plot(epochs, values, marker="o", markersize=3, color=colour, label=label)
        axes.set(title=title, xlabel="Epoch")
    best = max(history, key=lambda entry: entry["val_accuracy"])
    accuracy.axvline(best["epoch"], color="grey", linewidth=1, linestyle=":", label="best model")
    for axes in (loss, accuracy):
        axes.legend(frameon=False)
    rates = [entry["lr"] for entry in history]
    rate.plot(epochs, rates, marker="o", markersize=3, color="#009E73")
    rate.set(title="Learning rate", xlabel="Epoch", yscale="log" if min(rates) > 0 else "linear")
    for axes in (loss, accuracy, rate):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    write_figure(path, figure, dpi=120)
