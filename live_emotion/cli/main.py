"""The ``live-emotion`` command: finds the subcommand, turns errors into one line."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import click

from live_emotion.cli.guard import run_cli

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
        from live_emotion.io.files.atomic import names_kept_free
        from live_emotion.io.files.folders import without_empty_folders

        with without_empty_folders(), names_kept_free():
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


def main() -> None:
    """Entry point of ``live-emotion`` and ``python -m live_emotion``."""
    run_cli(cli, "live-emotion")
