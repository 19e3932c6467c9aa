"""What commands print for people to read."""

from __future__ import annotations

import click

from live_emotion.errors import printable


def say(text: str, err: bool = False) -> None:
    """Prints lines on standard output, or on standard error; what files are named does nothing to the terminal."""
    click.echo(printable(text), err=err)
