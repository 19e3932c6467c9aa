"""The settings of a training run."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from live_emotion.errors import ArgumentError
from train.settings import check_setting, setting, shorten

ARCHITECTURES = (
    "emotion_cnn",
    "emotion_cnn_se",
    "emotion_cnn_cbam",
    "emotion_resnet",
    "mobilenet",
    "resnet18",
    "efficientnet_b0",
    "vit_b_16",
)
"""The names of ``live_emotion.models.registry.ARCHITECTURES``, here so that ``--help`` needs no torch."""

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("plateau", "cosine", "one_cycle")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")

PATHS = ("data", "output", "votes", "sample_weights", "pretrained", "teacher")
"""Fields that hold paths, which can name a person: they stay out of checkpoints."""

NAMES = ("classes", "others")
"""Settings that are names of categories, no two alike."""

BALANCING = ("class_weights", "balanced_sampling", "logit_adjustment")
"""Settings of which each makes rare classes count as much as others; two of them would make them count more."""


@dataclass(frozen=True)
class TrainConfig:
    """What a run needs to know; the defaults are the documented recipe. Each field's metadata say what it does.

    Raises:
        ArgumentError: a setting cannot be what it is, or two of them exclude each other.
    """

    data: Path = setting(
        Path("data"),
        "Data",
        "Folder with train/<class>/* and, if you have them, val/<class>/*. "
        "Without val, a part of the training images is held out.",
    )
    output: Path = setting(Path("runs/latest"), "Output", "Folder for checkpoints, history, plot and settings.")
    classes: tuple[str, ...] = setting(
        (),
        "Data",
        "Classes to learn, in the order of the outputs, with commas between. Not given: angry,happy,neutral,sad where "
        "all four are among the folders, else every folder. 'all': every folder.",
        expected="names of folders, no two alike",
    )
    others: tuple[str, ...] = setting(
        (),
        "Data",
        "Further categories to learn, so that a face that shows none of the classes is known as such; what the "
        "network finds is called other. With commas between, such as surprise,fear.",
        expected="names of folders, no two alike",
    )
    votes: Path | None = setting(
        None,
        "Data",
        "CSV of people's votes for each image. They decide what an image teaches, whatever folder it lies in.",
    )
    vote_power: float = setting(
        1.0,
        "Data",
        "With --votes: their shares to this power are learnt; 2 makes the targets sharper.",
        low=0.1,
        high=10,
    )
    sample_weights: Path | None = setting(
        None,
        "Data",
        "CSV with the columns file (below the folder train) and weight: how often an image is drawn, to learn more "
        "from those that look like what the network will see. An image that is not in it is never drawn.",
    )
    per_class: int = setting(
        0, "Data", "At most so many training images a class, a quarter of it in val. 0: all.", low=0
    )
    val_fraction: float = setting(0.1, "Data", "Part of the training images held out for validation.", low=0, high=0.9)
    hold_out: bool = setting(
        False,
        "Data",
        "Hold that part out even where there is a val folder; with --pretrained, what those weights held out.",
    )
    drop_duplicates: bool = setting(
        False, "Data", "Leave out training images that have a copy in validation: in the part held out and in val."
    )

    arch: str = setting("emotion_cnn", "Network", f"One of {', '.join(ARCHITECTURES)}.", choices=ARCHITECTURES)
    network: tuple[str, ...] = setting(
        (),
        "Network",
        "Change a dimension of the network, such as channels=16,32,64. May be repeated.",
        expected="texts such as channels=16,32,64",
    )
    pretrained: Path | None = setting(
        None,
        "Network",
        "Start from the weights in this file: one of live-emotion's, or torchvision's for its networks.",
    )
    freeze: bool = setting(False, "Network", "Train the last layers only.")
    freeze_first: int = setting(
        0, "Network", "Leave the first N layers that hold weights as they are, which saves time.", low=0
    )

    epochs: int = setting(30, "Optimisation", "Passes over the training images.", low=1)
    batch_size: int = setting(64, "Optimisation", "Images a step, over all processes together.", low=2)
    lr: float = setting(0.001, "Optimisation", "Learning rate; the peak, for schedules that move it.", low=0)
    optimizer: str = setting("adam", "Optimisation", "Optimiser.", choices=OPTIMIZERS)
    weight_decay: float = setting(0.0, "Optimisation", "Weight decay of the optimiser.", low=0)
    schedule: str = setting(
        "plateau",
        "Optimisation",
        "plateau: a tenth of the rate after 3 epochs without a better validation loss; cosine: after a warm-up; "
        "one_cycle: up, then down.",
        choices=SCHEDULES,
    )
    patience: int = setting(10, "Optimisation", "Stop after so many epochs without a better accuracy. 0: never.", low=0)
    ema: float = setting(
        0.0, "Optimisation", "Decay of the weights' moving average per step, such as 0.998. 0: none.", low=0, high=1
    )

    label_smoothing: float = setting(
        0.0, "Loss and balance", "Part of each target spread over all classes.", low=0, high=1
    )
    class_weights: bool = setting(False, "Loss and balance", "Weigh the loss so that rare classes count as much.")
    balanced_sampling: bool = setting(False, "Loss and balance", "Draw images so that each class comes equally often.")
    logit_adjustment: float = setting(
        0.0,
        "Loss and balance",
        "Factor on the log class frequencies added to the logits in the loss; 1 makes the network's own outputs "
        "those of balanced classes (Menon et al., ICLR 2021). The others among themselves and against the classes "
        "stay as frequent as they are.",
        low=0,
    )

    flip: float = setting(0.5, "Augmentation", "Chance of a horizontal flip.", low=0, high=1)
    rotation: float = setting(10.0, "Augmentation", "Largest angle in degrees, either way.", low=0, high=180)
    translation: float = setting(0.1, "Augmentation", "Largest shift as a part of the side, either way.", low=0, high=1)
    crop: float = setting(
        0.0, "Augmentation", "Random crop: largest part of the side cut away, or added around.", low=0, high=0.9
    )
    jitter: float = setting(
        0.0, "Augmentation", "Brightness and contrast change by a factor within 1 ± this.", low=0, high=1
    )
    gamma: float = setting(
        0.0,
        "Augmentation",
        "Dark tones get lighter or darker: largest logarithm of the exponent, either way.",
        low=0,
        high=3,
    )
    side_light: float = setting(
        0.0,
        "Augmentation",
        "Light from one side, any: largest part by which it brightens the one edge and darkens the other.",
        low=0,
        high=1,
    )
    blur: float = setting(0.0, "Augmentation", "Chance of motion blur or a loss of resolution.", low=0, high=1)
    erasing: float = setting(0.0, "Augmentation", "Chance of a rectangle filled with noise.", low=0, high=1)
    mixup: float = setting(0.0, "Augmentation", "Alpha of mixup, which blends two faces. 0: none.", low=0)
    cutmix: float = setting(
        0.0, "Augmentation", "Alpha of cutmix, which pastes a part of another face. 0: none.", low=0
    )

    teacher: tuple[Path, ...] = setting(
        (), "Distillation", "Weights to learn from; several are averaged. May be repeated."
    )
    teacher_share: float = setting(
        0.7, "Distillation", "Part of each target that comes from the teachers; the rest is the label's.", low=0, high=1
    )

    seed: int = setting(0, "Machine", "Of every random choice.", low=0)
    device: str = setting(
        "auto",
        "Machine",
        "Where the network runs; auto takes CUDA, else MPS, else the CPU.",
        choices=("auto", "cpu", "cuda", "mps"),
    )
    precision: str = setting(
        "auto",
        "Machine",
        "auto: bfloat16 or float16 where the device computes in it faster, else float32.",
        choices=PRECISIONS,
    )

    def __post_init__(self) -> None:
        for item in settings():
            check(item.name, getattr(self, item.name))
        balancing = [name for name in BALANCING if getattr(self, name)]
        if len(balancing) > 1:
            raise ArgumentError(f"{' and '.join(balancing)} correct the same thing twice; choose one.")

    @property
    def outputs(self) -> tuple[str, ...]:
        """The classes and the others: names of the network's outputs, in their order."""
        return self.classes + self.others

    def public(self) -> dict[str, Any]:
        """The settings without paths, as plain values."""
        return {name: value for name, value in self.plain().items() if name not in PATHS}

    def plain(self) -> dict[str, Any]:
        """All settings as text, numbers and lists."""
        return {item.name: _plain(getattr(self, item.name)) for item in settings()}


def settings() -> tuple[Field[Any], ...]:
    """The fields of :class:`TrainConfig` in order."""
    return fields(TrainConfig)


def check(name: str, value: Any) -> None:
    """Refuses what the setting of this name cannot be.

    Raises:
        ArgumentError: the reason, in one line.
    """
    item = TrainConfig.__dataclass_fields__[name]
    check_setting(item, kinds()[name], value)
    if name in NAMES and not (all(map(_is_folder, value)) and len(set(value)) == len(value)):
        raise ArgumentError(f"{name} is {shorten(value)}; it should be {item.metadata['expected']}.")


@cache
def kinds() -> dict[str, Any]:
    """The type of each setting."""
    return get_type_hints(TrainConfig)


def _is_folder(name: str) -> bool:
    """Whether the images of a category of this name can lie in a folder of that name, which is not hidden."""
    return name == Path(name).name and not name.startswith(".")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
