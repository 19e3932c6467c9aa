"""Parts of a video on the command line."""

from __future__ import annotations

import math
import re
from typing import Any

import click


class ClipType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """``1:30-2:10`` as ``(90.0, 130.0)`` in seconds; either side may be left out."""

    name = "clip"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Reads the text."""
        if isinstance(value, tuple):
            return value
        start, dash, end = value.partition("-")
        try:
            clip = _seconds(start) if start else 0.0, _seconds(end) if end else math.inf
        except ValueError:
            dash = ""
        if not dash or not (start or end):
            self.fail(f"{value!r} is not a part of a video; write it as 1:30-2:10, 90-130, 1:30- or -2:10.", param, ctx)
        if clip[0] >= clip[1]:
            self.fail(f"{value!r} ends before it begins.", param, ctx)
        return clip


class LabelledClipType(ClipType):
    """``0:03-0:06=angry`` as ``(3.0, 6.0, "angry")``."""

    name = "label"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Reads the text."""
        if isinstance(value, tuple):
            return value
        clip, _, label = value.partition("=")
        if not label:
            self.fail(f"{value!r} names no emotion; write it as 0:03-0:06=angry.", param, ctx)
        return (*super().convert(clip, param, ctx), label)


def _seconds(text: str) -> float:
    """``1:02:03.5`` -> 3723.5."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text):
        raise ValueError(text)
    return sum(float(part) * 60**i for i, part in enumerate(reversed(text.split(":"))))
