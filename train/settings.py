"""What a setting of a run is: its default, its help, and the values it may have."""

from __future__ import annotations

import reprlib
from dataclasses import Field, field
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from live_emotion.errors import ArgumentError

LONGEST_FILE_NAME = 255
"""Bytes that a file system takes for the name of a file or folder."""

LONGEST_PATH = 4096

LARGEST_VALUE = 1_000_000_000
"""What a number may be at most that has no bound of its own."""


def setting(default: Any, group: str, help: str, **more: Any) -> Any:
    """A field of :class:`train.config.TrainConfig` that is also an option of the command line.

    Args:
        default: its value.
        group: heading under which ``--help`` lists it.
        help: what it does.
        more: ``low`` and perhaps ``high`` of a number, ``choices`` of a text, or ``expected``, which is what an error
            calls other texts.
    """
    return field(default=default, metadata={"group": group, "help": help, **more})


def check_setting(item: Field[Any], kind: Any, value: Any) -> None:
    """Refuses what a setting cannot be.

    Args:
        item: made by :func:`setting`.
        kind: its type: bool, int, float, str, Path, Path or None, or a tuple of one of them.
        value: anything.

    Raises:
        ArgumentError: it is of another type, out of range, none of the choices, or not a finite number.
    """
    if not _fits(value, kind, item.metadata):
        raise ArgumentError(f"{item.name} is {shorten(value)}; it should be {_expected(kind, item.metadata)}.")


def shorten(value: Any) -> str:
    """``value`` as Python writes it, in one line that is never long, whatever it is."""
    try:
        return reprlib.repr(str(value) if isinstance(value, Path) else value)
    except ValueError:  # Python writes no more than some thousand digits
        return "a number without end"


def _fits(value: Any, kind: Any, about: Any) -> bool:
    if isinstance(kind, UnionType):
        return value is None or _fits(value, get_args(kind)[0], about)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_fits(item, get_args(kind)[0], about) for item in value)
    if kind in (int, float):
        of_kind = type(value) is int or (kind is float and isinstance(value, float))
        return of_kind and about["low"] <= value <= about.get("high", LARGEST_VALUE)  # also False for NaN
    if kind is str:
        return isinstance(value, str) and (value in about["choices"] if "choices" in about else is_name(value))
    if kind is Path:
        return isinstance(value, Path) and _is_path(value)
    return type(value) is bool


def _expected(kind: Any, about: Any) -> str:
    if "expected" in about:
        return str(about["expected"])
    if "choices" in about:
        return f"one of {', '.join(about['choices'])}"
    if kind in (int, float):
        return (
            f"a {'whole ' if kind is int else ''}number from {about['low']:,} to {about.get('high', LARGEST_VALUE):,}"
        )
    return "true or false" if kind is bool else "the path of a file or folder"


def is_name(text: str) -> bool:
    """Whether a text can be printed in one line, and is not too long for a file's name."""
    return bool(text.strip()) and text.isprintable() and len(text.encode()) <= LONGEST_FILE_NAME


def _is_path(path: Path) -> bool:
    try:
        parts = [part.encode() for part in path.parts]
    except UnicodeEncodeError:  # bytes of a name that are no UTF-8: run.toml cannot hold them
        return False
    return "\0" not in str(path) and len(str(path)) <= LONGEST_PATH and all(len(p) <= LONGEST_FILE_NAME for p in parts)
