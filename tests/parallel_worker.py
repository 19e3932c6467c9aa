"""What each process does in the tests of training together; ``torchrun`` starts it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from faces import TINY

from train.config import TrainConfig
from train.engine import distributed, trainer
from train.engine.run_state import Run


def observed_run(data: Path, folder: Path) -> None:
    """Trains into ``folder/run`` with BatchNorm in evaluation mode and no dropout.

    Notes which images each step took, the gradients of the first step, and which files were opened for writing, all
    in ``folder`` under this process's number.
    """
    config = TrainConfig(
        data=data,
        output=folder / "run",
        network=TINY,
        epochs=2,
        batch_size=7,  # 4 and 3 in two processes
        optimizer="sgd",
        lr=0.05,
        schedule="cosine",
        class_weights=True,
        flip=0,
        rotation=0,
        translation=0,
        precision="float32",
        device="cpu",
    )
    seen: list[list[int]] = []
    written: list[str] = []
    make_batch, after_step = trainer.make_batch, Run.after_step

    def note_images(data, index, *rest):
        seen.append(index.tolist())
        return make_batch(data, index, *rest)

    def note_gradients(run):
        if len(seen) == 1:
            gradients = {name: p.grad.clone() for name, p in run.model.named_parameters()}
            torch.save(gradients, folder / f"gradients{distributed.rank()}.pt")
        after_step(run)

    def note_files(event, arguments):
        if event == "open" and str(config.output) in str(arguments[0]) and arguments[1] not in ("r", "rb", None):
            written.append(str(arguments[0]))

    sys.addaudithook(note_files)
    trainer.make_batch, Run.after_step = note_images, note_gradients
    Run.to_training = lambda run: run.shared.eval()
    trainer.train(config)
    notes = {"seen": seen, "written": written}
    (folder / f"notes{distributed.rank()}.json").write_text(json.dumps(notes))


if __name__ == "__main__":
    observed_run(Path(sys.argv[1]), Path(sys.argv[2]))
