"""TensorBoard logging, where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from live_emotion.io.files.atomic import write_error

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


class TensorBoardLog:
    """Figures of epochs in one event file, which is made at the first of them; nothing without TensorBoard.

    Args:
        folder: of the run; the file is in its folder ``tensorboard``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._writer: SummaryWriter | None = None

    def write(self, entry: dict[str, Any]) -> None:
        """Adds an epoch's figures. What another file there says of this epoch and later ones, no longer counts.

        Args:
            entry: as in ``history.jsonl``.

        Raises:
            OutputError: it cannot be written.
        """
        if importlib.util.find_spec("tensorboard") is None:
            return
        try:
            self._writer = self._writer or self._open(entry["epoch"])
            for name, value in _figures(entry).items():
                self._writer.add_scalar(name, value, entry["epoch"])
            self._writer.flush()
        except OSError as error:
            raise write_error(self.folder, error) from error

    def _open(self, epoch: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(self.folder), purge_step=epoch)

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer:
            self._writer.close()


def _figures(entry: dict[str, Any]) -> dict[str, float]:
    """Names and values of what is logged of an epoch."""
    values = {
        f"{name}/{split}": entry[f"{split}_{name}"] for name in ("loss", "accuracy") for split in ("train", "val")
    }
    values |= {f"class_accuracy/{name}": right / count for name, (right, count) in entry["per_class"].items()}
    return values | {"learning_rate": entry["lr"]}
