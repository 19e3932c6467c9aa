"""``python -m train``: alone it trains; its subcommands prepare data, and measure, calibrate and export weights."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from live_emotion.cli.guard import run_cli
from live_emotion.cli.main import LazyGroup
from live_emotion.errors import MissingExtraError
from train.cli.grouped_help import GroupedHelp
from train.cli.run_options import run_options, setting_options, start

COMMANDS = {
    "evaluate": "Measure weights: accuracy, calibration, confusion, mistakes.",
    "calibrate": "Calibrate the confidence of weights: temperature scaling.",
    "prepare": "Make a training folder of fer2013.csv or of photos.",
    "collect": "Record own faces from the camera into a training folder.",
    "distill": "Train on the soft targets of other networks: knowledge distillation.",
    "export": "Write weights as ONNX, also in int8, or for torch.export.",
}
"""Every subcommand with its short help. It lives here so that ``--help`` needs to load none of them."""


EXTRA = ("torch", "torchvision", "scipy")
"""Modules that come with the extra ``train``."""


class TrainGroup(GroupedHelp, LazyGroup):
    """Trains by itself, and has subcommands that are imported when they are called."""

    package = "train.cli.commands"
    short_helps = COMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        """Runs it, or says what to install for it."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if error.name not in EXTRA:
                raise
            raise MissingExtraError("This needs PyTorch; install it with: pip install 'live-emotion[train]'") from error


@click.group(
    cls=TrainGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@run_options
@setting_options(leave_out=("Distillation",))
@click.pass_context
def cli(ctx: click.Context, /, resume: bool, force: bool, **options: Any) -> None:
    """Train an emotion network on a folder of faces, and use it live with no code.

    \b
    python -m train prepare photos -o faces       photos/<class>/* -> faces/train/<class>/*
    python -m train --data faces -o runs/mine     train on them
    python -m train --resume -o runs/mine         go on where it stopped
    python -m train evaluate --weights runs/mine/best_emotion_model.pth --data faces
    live-emotion webcam --weights runs/mine/best_emotion_model.pth
    """
    if ctx.invoked_subcommand is None:
        start(ctx, resume, force, options)
        return
    lost = [n for n in ctx.params if ctx.get_parameter_source(n) is ParameterSource.COMMANDLINE]
    lost += ["config"] if ctx.default_map else []
    if lost:
        raise click.UsageError(f"--{lost[0].replace('_', '-')} has no effect before {ctx.invoked_subcommand}.")


def main() -> None:
    """Entry point of ``python -m train`` and ``live-emotion-train``."""
    run_cli(cli, "python -m train")
