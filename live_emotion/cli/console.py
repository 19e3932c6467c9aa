"""What commands print for people to read."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from live_emotion.errors import OutputError, printable


def say(text: str, err: bool = False) -> None:
    """Prints lines on standard output, or on standard error; what files are named does nothing to the terminal."""
    click.echo(printable(text), err=err)


def print_json(value: Any) -> None:
    """Prints JSON on standard output, for another program to read.

    Raises:
        OutputError: there is none.
    """
    if sys.stdout is None:
        raise OutputError("There is no standard output to print JSON on; do not close it.")
    click.echo(json.dumps(value, indent=2))
