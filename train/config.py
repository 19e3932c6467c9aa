"""The settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainConfig:
    """What a run needs to know; the defaults are the documented recipe.

    Attributes:
        data: folder with ``train/<class>/*`` and, if there is one, ``val/<class>/*``.
        output: folder for checkpoints, history and plots.
        classes: class names in the order of the outputs; empty: the folders' names, sorted.
        votes: CSV of people's votes for each image; they replace the folders' labels.
        per_class: at most so many training images a class, and a quarter of it in validation; 0: all.
        val_fraction: part of the training images held out for validation where it is asked for or there is no
            ``val`` folder.
        hold_out: hold out that part even where there is a ``val`` folder.
        arch: architecture.
        epochs: passes over the training images.
        batch_size: images a step.
        lr: learning rate; the peak for schedules that move it.
        optimizer: ``adam``, ``adamw`` or ``sgd``.
        weight_decay: of the optimiser.
        schedule: ``plateau``, ``cosine`` (with warm-up) or ``one_cycle``.
        patience: stop after so many epochs without a better validation accuracy; 0: never.
        label_smoothing: part of each target spread over all classes, 0 to 1.
        logit_adjustment: factor on the log class frequencies added to the logits in the loss; 1 makes the
            network's own outputs those of balanced classes (Menon et al., ICLR 2021).
        ema: decay of the weights' moving average per step; 0: none.
        flip: chance of a horizontal flip.
        rotation: largest angle in degrees, either way.
        translation: largest shift as a part of the side, either way.
        jitter: largest change of brightness and contrast, as a factor's distance from 1.
        blur: chance of a motion or defocus blur and a loss of resolution.
        erasing: chance of a rectangle filled with noise.
        seed: of every random choice.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    data: Path = Path("data")
    output: Path = Path("runs/latest")
    classes: tuple[str, ...] = ()
    votes: Path | None = None
    per_class: int = 0
    val_fraction: float = 0.1
    hold_out: bool = False
    arch: str = "emotion_cnn"
    epochs: int = 30
    batch_size: int = 64
    lr: float = 0.001
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "plateau"
    patience: int = 10
    label_smoothing: float = 0.0
    logit_adjustment: float = 0.0
    ema: float = 0.0
    flip: float = 0.5
    rotation: float = 10.0
    translation: float = 0.1
    jitter: float = 0.0
    blur: float = 0.0
    erasing: float = 0.0
    seed: int = 0
    device: str = "auto"
