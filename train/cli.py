"""The command line of training."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from train.config import TrainConfig

_PATHS = {"data", "output", "votes"}


def _options(command: click.Command) -> click.Command:
    """Adds an option for each field of TrainConfig."""
    for field in reversed(fields(TrainConfig)):
        kind: Any = Path if field.name in _PATHS else str if field.name == "classes" else type(field.default)
        flag = "-o" if field.name == "output" else None
        names = [f"--{field.name.replace('_', '-')}"] + ([flag] if flag else [])
        default = ",".join(field.default) if field.name == "classes" else field.default
        command = click.option(*names, type=kind, default=default, show_default=True, is_flag=kind is bool)(command)
    return command


@click.command()
@_options
@click.option("--resume", is_flag=True, help="Go on with the run in the output folder.")
def main(resume: bool, classes: str, **options: Any) -> None:
    """Train an emotion network on a folder of faces."""
    from train.run import train

    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    train(TrainConfig(classes=names, **options), resume)
