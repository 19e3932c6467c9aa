"""``python -m train``: alone it trains; its subcommands prepare data, and measure, calibrate and export weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from live_emotion.cli.main import LazyGroup, run_cli
from live_emotion.errors import MissingExtraError
from train.cli.options import GroupedHelp, GroupedOption, read_config, resumed_config, setting_options, to_config

COMMANDS = {
    "evaluate": "Measure weights: accuracy, calibration, confusion, mistakes.",
    "calibrate": "Make the confidence of weights true.",
    "prepare": "Make a training folder of fer2013.csv or of photos.",
    "collect": "Record own faces from the camera into a training folder.",
    "distill": "Teach a network what one or more others know.",
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


def run_options(command: Any) -> Any:
    """The options of a run that are no settings: where they come from, and whether to go on with an old run."""
    config = click.option(
        "--config",
        cls=GroupedOption,
        group="Output",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_take_config,
        metavar="FILE",
        help="Take settings from this TOML file, such as the run.toml that every run writes. Options win over it.",
    )
    resume = click.option(
        "--resume",
        cls=GroupedOption,
        group="Output",
        is_flag=True,
        help="Go on with the run in the output folder, with its settings, to the same numbers.",
    )
    force = click.option(
        "--force", cls=GroupedOption, group="Output", is_flag=True, help="Overwrite the run in the output folder."
    )
    return config(resume(force(command)))


def _take_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path:
        ctx.default_map = read_config(path)


def start(ctx: click.Context, resume: bool, force: bool, options: dict[str, Any]) -> None:
    """Trains with the options of a command line."""
    given = {name for name in options if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
    config = resumed_config(options, given) if resume else to_config(options)
    from train.engine.trainer import train

    train(config, resume, force)


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
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # not every console knows the check mark
    run_cli(cli, "python -m train")
