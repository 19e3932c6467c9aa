"""Names of people on the command line."""

from __future__ import annotations

import re
from typing import Any

import click

LONGEST_NAME = 60
"""Of a person, in characters."""


class NamesType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """``1=Anna,2+13+24=Ben`` as ``{1: "Anna", 2: "Ben", 13: "Ben", 24: "Ben"}``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[int, str]:
        """Reads the text."""
        from live_emotion.checks import is_name

        if isinstance(value, dict):
            return value
        names: dict[int, str] = {}
        for part in value.split(","):
            numbers, _, name = (text.strip() for text in part.partition("="))
            if not name or not re.fullmatch(r"\d{1,9}(\s*\+\s*\d{1,9})*", numbers):
                self.fail(f"{part.strip()!r} names nobody; write it as 1=Anna,2+13+24=Ben.", param, ctx)
            if not is_name(name) or len(name) > LONGEST_NAME:
                self.fail(f"a name is a text that can be shown, of at most {LONGEST_NAME} characters.", param, ctx)
            for number in map(int, numbers.split("+")):
                if number in names:
                    self.fail(f"person {number} is named twice.", param, ctx)
                names[number] = name
        return names
