"""Command line options under headings, made from the settings, and read from configuration files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import Field
from pathlib import Path
from typing import Any, cast

import click

from live_emotion.errors import DataError
from train.config import PATHS, SETTINGS_FILE, TrainConfig, settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHORT = {"output": "-o"}

LISTS = ("classes", "others")
"""Settings that are names with commas between."""

FIRST = ("Distillation", "Data")
"""Headings that come first in the help; the others follow in order of their first appearance."""

checkpoint_option = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    default=Path("runs/latest/best_emotion_model.pth"),
    show_default=True,
    metavar="FILE",
    help="Weights that training wrote.",
)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    metavar="DIR",
    help="Folder that holds the split's folder, or itself one folder of images for each class.",
)
split_option = click.option(
    "--split", default="val", show_default=True, help="Folder in it: val, test, train or another."
)
held_out_option = click.option(
    "--held-out",
    is_flag=True,
    help="Use the images that the weights' run held out of its train folder, with the labels that they had in it.",
)
votes_option = click.option(
    "--votes",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV of people's votes; the most frequent answer is the truth, in place of the folder's name.",
)


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


def setting_options(leave_out: Iterable[str] = ()) -> Callable[[Any], Any]:
    """Adds an option for each setting of a run, except for those under the headings in ``leave_out``."""

    def add(command: Any) -> Any:
        for item in reversed(settings()):
            if item.metadata["group"] not in leave_out:
                command = _option(item)(command)
        return command

    return add


def _option(item: Field[Any]) -> Any:
    name, default = item.name, cast(Any, item.default)
    flag = f"--{name.replace('_', '-')}"
    multiple = isinstance(default, tuple) and name not in LISTS
    return click.option(
        *([SHORT[name]] if name in SHORT else []),
        flag,
        cls=GroupedOption,
        group=item.metadata["group"],
        type=_type(item),
        default=",".join(default) if name in LISTS else default,
        is_flag=isinstance(default, bool),
        multiple=multiple,
        show_default=not (default is None or default == () or default is False),
        help=item.metadata["help"],
        metavar=_metavar(item),
    )


def _type(item: Field[Any]) -> Any:
    more, default = item.metadata, item.default
    if "choices" in more:
        return click.Choice(more["choices"])
    if item.name in PATHS:
        return click.Path(path_type=Path)
    if isinstance(default, bool):
        return bool
    if isinstance(default, int):
        return click.IntRange(more.get("low"), more.get("high"))
    if isinstance(default, float):
        return click.FloatRange(more.get("low"), more.get("high"))
    return str


def _metavar(item: Field[Any]) -> str | None:
    if item.name in ("data", "output"):
        return "DIR"
    if item.name in PATHS:
        return "FILE"
    if isinstance(item.default, (int, float)) and not isinstance(item.default, bool):
        return "N"
    return {"arch": "NAME", "classes": "A,B,...", "others": "A,B,...", "network": "NAME=VALUE"}.get(item.name)


def read_config(path: Path) -> dict[str, Any]:
    """Settings from a TOML file, as :func:`train.config.to_toml` writes them.

    Raises:
        click.UsageError: the file is missing, is no TOML, or has a setting that there isn't.
    """
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise click.UsageError(f"Cannot read the configuration {path}: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"{path} is not a valid TOML file: {error}.") from error
    values = {name.replace("-", "_"): value for name, value in values.items()}
    names = {item.name for item in settings()}
    if unknown := sorted(set(values) - names):
        raise click.UsageError(f"{path} has the unknown setting {unknown[0]!r}; see python -m train --help.")
    return {name: ",".join(v) if name in LISTS and isinstance(v, list) else v for name, v in values.items()}


def to_config(options: dict[str, Any]) -> TrainConfig:
    """The settings that a command line's values describe.

    Raises:
        click.UsageError: two of them exclude each other.
    """
    lists = {item: tuple(name.strip() for name in options[item].split(",") if name.strip()) for item in LISTS}
    config = TrainConfig(**options | lists)
    balanced = [n for n in ("class_weights", "balanced_sampling", "logit_adjustment") if getattr(config, n)]
    if len(balanced) > 1:
        both = " and ".join(f"--{name.replace('_', '-')}" for name in balanced)
        raise click.UsageError(f"{both} correct the same thing twice; choose one.")
    return config


def resumed_config(options: dict[str, Any], given: set[str]) -> TrainConfig:
    """The settings of the run in the output folder, but for those that were ``given`` now.

    Raises:
        DataError: there is no run.
    """
    path = options["output"] / SETTINGS_FILE
    if not path.is_file():
        raise DataError(f"There is no run to resume in {options['output']}; choose its folder with -o.")
    kept = {name: value for name, value in read_config(path).items() if name not in given}
    for name in PATHS:
        if name in kept:
            value = kept[name]
            kept[name] = tuple(map(Path, value)) if isinstance(value, list) else Path(value)
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return to_config(options | kept | {"output": options["output"]})
