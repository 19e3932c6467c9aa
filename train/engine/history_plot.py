"""Pictures of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live_emotion.io.atomic import atomic_path


def plot_history(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws loss, accuracy and learning rate over the epochs.

    Args:
        history: one entry an epoch, as in ``history.jsonl``.
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
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
