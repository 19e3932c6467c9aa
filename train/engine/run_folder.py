"""The files that a run writes into its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from live_emotion.errors import DataError, OutputError
from live_emotion.io.files.atomic import atomic_write_text, refuse_existing, write_error
from live_emotion.io.files.folders import exclusive_folder, make_folder
from live_emotion.models.checkpoint import save_checkpoint
from live_emotion.types import BEST_WEIGHTS
from train.config import TrainConfig
from train.config_file import SETTINGS_FILE, to_toml
from train.console import is_main, say
from train.engine.history import is_best, plot_history
from train.engine.run_state import Run
from train.engine.tensorboard import TensorBoardLog

BEST = BEST_WEIGHTS
FINAL = "final_emotion_model.pth"
STATE = "training_state.pth"
HISTORY = "history.jsonl"
PLOT = "training_history.png"


class RunFolder:
    """A run's folder, into which only the main process writes.

    Args:
        path: the folder.
        log: in it.
    """

    def __init__(self, path: Path, log: TensorBoardLog) -> None:
        self.path = path
        self._log = log

    @property
    def has_state(self) -> bool:
        """Whether there is a state to go on from."""
        return (self.path / STATE).exists()

    def begin(self, config: TrainConfig) -> None:
        """Writes ``run.toml``, and forgets the state of a run that was here before.

        Raises:
            OutputError: the folder cannot be written.
        """
        if is_main():
            try:
                (self.path / STATE).unlink(missing_ok=True)
            except OSError as error:
                raise write_error(self.path / STATE, error) from error
            atomic_write_text(self.path / SETTINGS_FILE, to_toml(config.plain()))

    def write_state(self, run: Run) -> None:
        """Writes what :meth:`Run.load` goes on from."""
        if is_main():
            run.save(self.path / STATE)

    def write_epoch(self, run: Run) -> None:
        """Writes all that an epoch changes.

        The state comes last: if the program is killed before, the resumed run does the epoch again, and writes the
        other files again.
        """
        if is_main():
            save_checkpoint(run.checkpoint(), self.path / FINAL)
            if is_best(run.history):
                save_checkpoint(run.checkpoint(), self.path / BEST)
                say(f"✓ Saved best model with accuracy: {run.history[-1]['val_accuracy']:.2%}")
            atomic_write_text(self.path / HISTORY, "".join(json.dumps(entry) + "\n" for entry in run.history))
            plot_history(run.history, self.path / PLOT)
            self._log.write(run.history[-1])
            self.write_state(run)


@contextmanager
def open_run_folder(path: Path, resume: bool, force: bool) -> Iterator[RunFolder]:
    """Makes a run's folder, and closes its log in the end.

    Args:
        path: the folder.
        resume: go on with the run in it.
        force: start anew even if there is one.

    Raises:
        DataError: there is no run to go on with.
        OutputError: it cannot be made, there is a run or one of its files already, or another one is going on in it.
    """
    make_folder(path)
    with exclusive_folder(path) if is_main() else nullcontext(), TensorBoardLog(path) as log:
        folder = RunFolder(path, log)
        if folder.has_state and not (resume or force):
            raise OutputError(f"{path} holds a run already; go on with --resume, choose another -o, or use --force.")
        if resume and not folder.has_state:
            raise DataError(f"The run in {path} ended before it was first saved; start it anew with --force.")
        if not (resume or force):
            for name in (BEST, FINAL, HISTORY, PLOT):  # of another program, or of a run that was killed
                refuse_existing(path / name)
        yield folder
