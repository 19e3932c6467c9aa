"""The settings of a run as a TOML file: ``run.toml``, which every run writes and ``--config`` and ``--resume`` read."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from live_emotion.errors import ArgumentError, DataError
from live_emotion.io.files.inputs import read_file
from train.config import check, kinds
from train.settings import shorten

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETTINGS_FILE = "run.toml"

PLACE = re.compile(r"(?P<fault>.*) \(at (?P<place>.*)\)", re.DOTALL)
"""How a fault in a TOML document is told."""

LARGEST_FILE = 100_000
"""Bytes that no file of settings has."""


def to_toml(values: Mapping[str, Any]) -> str:
    """A TOML document of texts, numbers, truth values and lists of them; None is left out.

    TOML writes all of these as JSON does, but for the sign that means delete, which must be escaped.
    """
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value is not None]
    return "\n".join(lines).replace("\x7f", "\\u007f") + "\n"


def read_config(path: Path) -> dict[str, Any]:
    """Settings from a TOML file, as :func:`to_toml` writes them, each of the type and in the range it should be.

    Hyphens in names count as underscores, and classes may also be one text with commas between.

    Raises:
        DataError: the file is missing or no TOML, has a setting that there isn't, or one that it cannot be.
    """
    found = _parse(_read(path), path)
    settings = {}
    for name, value in found.items():
        name = name.replace("-", "_")
        if name not in kinds():
            raise DataError(f"{path} has the unknown setting {shorten(name)}; python -m train --help lists all.")
        settings[name] = _from_toml(value, kinds()[name])
        try:
            check(name, settings[name])
        except ArgumentError as error:
            raise DataError(f"{path} cannot be used: {error} Correct it.") from error
    return settings


def split_names(text: str) -> tuple[str, ...]:
    """The names in a text with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _read(path: Path) -> str:
    try:
        return read_file(path, LARGEST_FILE).decode()
    except OSError as error:
        raise DataError(f"Cannot read the settings in {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a valid TOML file: it is no text in UTF-8; choose a run.toml.") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        found = PLACE.fullmatch(str(error))
        reason = f"{found['place']}: {found['fault']}" if found else "a value in it is none of a setting"
        raise DataError(f"{path} is not a valid TOML file: {reason}; correct it.") from error


def _from_toml(value: Any, kind: Any) -> Any:
    """A value as the setting's type; one that has no such form stays as it is, for the check to refuse."""
    if get_origin(kind) is tuple:
        if isinstance(value, list):
            return tuple(_from_toml(item, get_args(kind)[0]) for item in value)
        return split_names(value) if isinstance(value, str) and kind == tuple[str, ...] else value
    return Path(value) if isinstance(value, str) and (kind is Path or Path in get_args(kind)) else value
