"""Help that lists options under headings."""

from __future__ import annotations

from typing import Any

import click

FIRST = ("Distillation", "Data")
"""Headings that come first in the help; the others follow in order of their first appearance."""


class GroupedOption(click.Option):
    """An option that ``--help`` lists under a heading."""

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class GroupedHelp(click.Command):
    """A command whose help lists options under their headings, those of the data first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options, and the subcommands of a group."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                sections.setdefault(getattr(parameter, "group", "Other"), []).append(record)
        for title, records in sorted(sections.items(), key=lambda section: section[0] not in FIRST):
            with formatter.section(title):
                formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
