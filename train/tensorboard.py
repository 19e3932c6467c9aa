"""TensorBoard logging, where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

FOLDER = "tensorboard"


def log_epoch(entry: dict[str, Any], folder: Path) -> None:
    """Adds an epoch's figures to the log in ``folder/tensorboard``; does nothing without TensorBoard.

    Args:
        entry: as in ``history.jsonl``.
        folder: of the run.
    """
    if importlib.util.find_spec("tensorboard") is None:
        return
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / FOLDER), purge_step=entry["epoch"]) as writer:
        for name in ("loss", "accuracy"):
            for split in ("train", "val"):
                writer.add_scalar(f"{name}/{split}", entry[f"{split}_{name}"], entry["epoch"])
        for name, (right, count) in entry["per_class"].items():
            writer.add_scalar(f"class_accuracy/{name}", right / count, entry["epoch"])
        writer.add_scalar("learning_rate", entry["lr"], entry["epoch"])
