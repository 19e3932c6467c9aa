"""``python -m train distill``."""

from __future__ import annotations

from typing import Any

import click

from train.cli.grouped_help import GroupedHelp
from train.cli.run_options import run_options, setting_options, start


@click.command("distill", cls=GroupedHelp)
@run_options
@setting_options()
@click.pass_context
def command(ctx: click.Context, /, resume: bool, force: bool, **options: Any) -> None:
    """Train a network on the soft targets of one or more others, its teachers: knowledge distillation.

    Trains as ``python -m train`` does, but for the targets: the teachers' mean probabilities on each training image
    are mixed into them.

    \b
    python -m train distill --teacher a.pth --teacher b.pth --data faces -o runs/small --network channels=32,64,128
    """
    if not options["teacher"] and not resume:
        raise click.UsageError("Give the weights to learn from with --teacher, once or more.")
    start(ctx, resume, force, options)
