"""TensorBoard logging, where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from live_emotion.io.atomic import write_error

FOLDER = "tensorboard"


def log_epoch(entry: dict[str, Any], folder: Path) -> None:
    """Adds an epoch's figures to the log in ``folder/tensorboard``; does nothing without TensorBoard.

    Args:
        entry: as in ``history.jsonl``.
        folder: of the run.

    Raises:
        OutputError: it cannot be written.
    """
    if importlib.util.find_spec("tensorboard") is None:
        return
    from torch.utils.tensorboard import SummaryWriter

    values = {
        f"{name}/{split}": entry[f"{split}_{name}"] for name in ("loss", "accuracy") for split in ("train", "val")
    }
    values |= {f"class_accuracy/{name}": right / count for name, (right, count) in entry["per_class"].items()}
    try:
        with SummaryWriter(str(folder / FOLDER), purge_step=entry["epoch"]) as writer:
            for name, value in (values | {"learning_rate": entry["lr"]}).items():
                writer.add_scalar(name, value, entry["epoch"])
    except OSError as error:
        raise write_error(folder / FOLDER, error) from error
