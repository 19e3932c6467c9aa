"""The ``live-emotion`` command: finds the subcommand, turns errors into one line."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any

import click

from live_emotion.errors import LiveEmotionError

COMMANDS = {
    "webcam": "Read emotions live from a camera.",
    "video": "Annotate video files, get data and reports of them.",
    "report": "Show the emotions of each person in a video over time.",
    "image": "Read emotions in photos.",
    "demo": "Show it all at work, with no camera and no file.",
    "serve": "A page in the browser with the live camera, and an API for other programs.",
    "enrol": "Learn how your face shows emotions, in half a minute.",
    "calibrate": "Learn how your face looks at rest, so that it is not called sad.",
    "profiles": "List, show and delete what was learnt of people.",
    "weights": "List the networks that come with it.",
    "cameras": "List the cameras of this machine.",
    "doctor": "Look for what is wrong on this machine, and say how to fix it.",
}
"""Every subcommand with its short help. It lives here so that ``--help`` needs to load none of them."""


LONGEST_SHOWN = 200
"""Of a file in a message, in characters."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says where nothing more can be written. Where it names no file, that is standard output, since
those of files come as OutputErrors."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called.

    Attributes:
        package: where ``<package>.<name>.command`` is.
        short_helps: every name with its short help.
    """

    package = "live_emotion.cli.commands"
    short_helps = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of ``short_helps``."""
        return list(self.short_helps)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in self.short_helps:
            return None
        return importlib.import_module(f"{self.package}.{cmd_name}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; where there is none, names that are like it are said."""
        name = args[0]
        near = [] if name in self.short_helps else difflib.get_close_matches(name, self.short_helps)
        if near and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}. Did you mean {' or '.join(map(repr, near))}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; one that writes nothing leaves no folders behind."""
        from live_emotion.io.atomic import without_empty_folders

        with without_empty_folders():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without loading them."""
        with formatter.section("Commands (each has its own --help)"):
            formatter.write_dl(list(self.short_helps.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="live-emotion", prog_name="live-emotion")
def cli() -> None:
    """Read emotions from faces: live, in videos and in photos.

    Everything stays on this machine: nothing is uploaded, downloaded or stored unless you ask for it.

    \b
    live-emotion webcam                        a window with the camera's frames
    live-emotion image photo.jpg -o results    an annotated copy of a photo
    live-emotion video in.mp4 -o out.mp4       an annotated copy of a video
    """


def run_cli(command: click.Command, program: str) -> None:
    """Runs a command line and exits.

    With 0; 1 for an error that a user can fix; 2 for wrong usage; 130 for Ctrl-C; 143 for SIGTERM, which ends it as
    tidily. Where the reader of our output has gone, as in ``| head``, it ends with 1 and says nothing.
    """
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what is wrong with a file, we say in a line
    try:
        sys.exit(command.main(prog_name=program, standalone_mode=False) or 0)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except LiveEmotionError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is not None:  # such as a name that is too long for the system
            click.echo(f"Error: Cannot use {_shortened(error.filename)}: {error.strerror}.", err=True)
            sys.exit(1)
        if error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails once more as it exits
        click.echo(f"Error: Cannot write to standard output: {error.strerror}.", err=True)
        sys.exit(1)


def _shortened(name: object) -> str:
    """A file's name for a message, of any length and encoding."""
    text = os.fsdecode(name) if isinstance(name, bytes) else str(name)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _terminate(number: int, _: FrameType | None) -> None:
    """Lets SIGTERM unwind what is going on, so that no half of a file is left behind."""
    sys.exit(128 + number)


def main() -> None:
    """Entry point of ``live-emotion`` and ``python -m live_emotion``."""
    run_cli(cli, "live-emotion")
