"""``live-emotion doctor``: what is wrong on this machine."""

from __future__ import annotations

import click

from live_emotion.errors import LiveEmotionError


@click.command("doctor")
def command() -> None:
    """Look for what goes wrong on people's machines, and say how to fix it.

    Looks at Python's packages, the models and weights and their licence terms, the processor, the display and the
    cameras. Exits with 1 where something is missing that nothing works without.
    """
    from live_emotion.cli.diagnostics import examine

    fatal = 0
    for finding in examine():
        mark = click.style("ok", fg="green")
        if finding.fix:
            mark = click.style("bad", fg="red") if finding.is_fatal else click.style("warn", fg="yellow")
        click.echo(f"{mark:>{4 + len(mark) - len(click.unstyle(mark))}}  {finding.name:10} {finding.text}")
        if finding.fix:
            click.echo(f"{'':18}-> {finding.fix}")
        fatal += finding.is_fatal
    if fatal:
        raise LiveEmotionError(f"{fatal} of these must be fixed first.")
