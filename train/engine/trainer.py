"""A training run from start to end: data in, checkpoints, history and plot out."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from live_emotion.concurrency.interrupts import StopRequest
from live_emotion.errors import DataError, LiveEmotionError
from train.config import TrainConfig
from train.console import is_main, progress, say
from train.data.dataset import FaceSet
from train.data.held_out import note_held_out
from train.data.splits import load_splits
from train.engine import distributed
from train.engine.distillation import add_teachers, load_teachers
from train.engine.history import is_exhausted, is_stuck, say_epoch
from train.engine.run_folder import BEST, STATE, RunFolder, open_run_folder
from train.engine.run_state import Run, read_run
from train.engine.steps import Totals, batch_order, make_batch, predict_logits, seed_step
from train.metrics import accuracy, confusion_matrix

SAVE_SECONDS = 300
"""How much work a crash can cost within an epoch."""


def train(config: TrainConfig, resume: bool = False, force: bool = False) -> None:
    """Trains a network and writes checkpoints, history, plot and settings into ``config.output``.

    Ctrl-C ends it after the batch, with everything saved. Under ``torchrun`` all processes train one network.

    Args:
        config: the run's settings.
        resume: go on with the run whose state lies in ``config.output``.
        force: start anew even if there is one.

    Raises:
        DataError: the data don't fit, or the loss is not finite.
        OutputError: a file cannot be written, or there is a run already.
        LiveEmotionError: the memory does not suffice.
        KeyboardInterrupt: it was stopped, and saved.
    """
    try:
        with (
            open_run_folder(config.output, resume, force) as folder,
            distributed.processes(config.device) as device,
            StopRequest() as stop,
        ):
            _train(config, folder, resume, device, stop)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(config) from error
    except RuntimeError as error:
        if "allocate" in str(error) or "out of memory" in str(error).lower():
            raise _out_of_memory(config) from error
        raise


def _out_of_memory(config: TrainConfig) -> LiveEmotionError:
    saved = " Or free memory and go on with --resume." if (config.output / STATE).exists() else ""
    return LiveEmotionError(
        f"Out of memory with batches of {config.batch_size} images; start again with --batch-size "
        f"{max(2, config.batch_size // 2)} or a smaller --network.{saved}"
    )


def _train(config: TrainConfig, folder: RunFolder, resume: bool, device: torch.device, stop: StopRequest) -> None:
    state, teachers = (read_run(folder.path / STATE) if resume else None), load_teachers(config)
    train_faces, val_faces, config = load_splits(config)
    if len(train_faces) < 2 * distributed.size():
        raise DataError(f"{len(train_faces)} training images are too few; each process needs two at least.")
    if teachers:
        train_faces = add_teachers(train_faces, config, teachers)
    held_out = note_held_out(val_faces, config.outputs) if config.hold_out else None
    run = Run(config, train_faces, device, held_out)
    if state is not None:
        run.load(state, folder.path / STATE)
    else:
        folder.begin(config)
    while run.epoch < config.epochs and not is_exhausted(run.history, config.patience):
        started, first = time.monotonic(), run.step
        _train_epoch(run, train_faces, folder, stop)
        entry = distributed.from_main(_validate(run, val_faces) if is_main() else None, device)
        _check_loss(run, entry["val_loss"], "on the validation images")
        seconds = time.monotonic() - started
        _finish_epoch(run, entry | {"seconds": round(seconds, 1)}, folder)
        _say_pace(run, len(train_faces) * (1 - first / run.epoch_steps), seconds)
    if run.epoch < config.epochs:
        say(f"Stopped: no better validation accuracy for {config.patience} epochs (--patience).")
    count = len(run.history)
    say(f"Done: {count} epoch{'' if count == 1 else 's'}. The best weights are in {folder.path / BEST}.")


def _train_epoch(run: Run, faces: FaceSet, folder: RunFolder, stop: StopRequest) -> None:
    say(f"Epoch {run.epoch + 1}/{run.config.epochs}")
    run.to_training()
    batches = batch_order(faces, run.config, run.epoch)
    saved = started = time.monotonic()
    seen = 0
    with progress(total=len(batches), initial=run.step, desc="Training") as bar:
        for step in range(run.step, len(batches)):
            stopped = _train_step(run, faces, batches[step], f"batch {step + 1} of {len(batches)}", stop)
            seen += len(batches[step])
            bar.set_postfix_str(f"{seen / (time.monotonic() - started):.0f} images/s", refresh=False)
            bar.update()
            if stopped or time.monotonic() - saved > SAVE_SECONDS:
                folder.write_state(run)
                saved = time.monotonic()
            if stopped:
                raise _stopped(run, folder, len(batches))


def _train_step(run: Run, faces: FaceSet, index: np.ndarray, place: str, stop: StopRequest) -> bool:
    """Learns from a batch, together with the other processes; True if one of them was asked to stop."""
    generator = seed_step(run.config, run.epoch, run.step)
    own = index[distributed.rank() :: distributed.size()]
    batch = make_batch(faces, own, run.config, generator, run.stepper.device)
    totals = run.stepper.step(*batch, share=len(own) * distributed.size() / len(index))
    values = [totals.loss, totals.right, totals.count, stop.requested]
    loss, right, count, stopped = distributed.sums(values, run.stepper.device)
    _check_loss(run, loss / count, place)
    run.after_step()
    run.totals = Totals(run.totals.loss + loss, run.totals.right + int(right), run.totals.count + int(count))
    run.step += 1
    return stopped > 0


def _check_loss(run: Run, loss: float, place: str) -> None:
    """Ends a training that goes wrong, before anything of it is written.

    Raises:
        DataError: the loss is not finite.
    """
    if not math.isfinite(loss):
        kept = " The last good checkpoint is kept." if run.history else ""
        raise DataError(f"The loss became {loss} in epoch {run.epoch + 1}, {place}; try a smaller --lr.{kept}")


def _stopped(run: Run, folder: RunFolder, steps: int) -> KeyboardInterrupt:
    say(
        f"Saved after batch {run.step} of {steps} in epoch {run.epoch + 1}; "
        f"go on with: python -m train --resume -o {folder.path}"
    )
    return KeyboardInterrupt()


def _validate(run: Run, val: FaceSet) -> dict[str, Any]:
    """The epoch's figures, by the evaluated network."""
    run.evaluated.eval()
    logits = predict_logits(run.evaluated, val.faces, run.stepper.dtype)
    confusion = confusion_matrix(val.labels, logits.argmax(1), len(run.config.outputs))
    return {
        "epoch": run.epoch + 1,
        "train_loss": run.totals.loss / run.totals.count,
        "train_accuracy": run.totals.right / run.totals.count,
        "val_loss": float(F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(val.targets))),
        "val_accuracy": accuracy(confusion),
        "per_class": {
            c: [int(row[i]), int(row.sum())] for i, (c, row) in enumerate(zip(run.config.outputs, confusion))
        },
        "lr": run.lr,
    }


def _finish_epoch(run: Run, entry: dict[str, Any], folder: RunFolder) -> None:
    """Moves on to the next epoch, reports, and writes everything that this one changes."""
    run.history.append(entry)
    run.epoch, run.step, run.totals = run.epoch + 1, 0, Totals()
    if run.config.schedule == "plateau":
        run.schedule.step(entry["val_loss"])
    say_epoch(entry)
    folder.write_epoch(run)


def _say_pace(run: Run, images: float, seconds: float) -> None:
    """Says how fast it goes and how long it will take, and what to do where the loss does not fall."""
    left = (run.config.epochs - run.epoch) * run.history[-1]["seconds"]
    if left:
        time_left = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        say(f"{images / seconds:.0f} images/s with validation, about {time_left} left")
    if is_stuck(run.history) and not run.config.pretrained:
        say(f"The loss does not fall; try another learning rate, such as --lr {run.config.lr / 10:g}.")
