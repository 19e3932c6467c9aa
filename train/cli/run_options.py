"""The options of a run under headings, made from its settings, and the settings that they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import Field
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from live_emotion.errors import ArgumentError, DataError
from train.cli.grouped_help import GroupedOption
from train.config import NAMES, PATHS, TrainConfig, settings
from train.config_file import SETTINGS_FILE, read_config, split_names


class Names(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases only
    """Names with commas between, or a tuple of them as settings hold it."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Names as a tuple."""
        return value if isinstance(value, tuple) else split_names(value)


def setting_options(leave_out: Iterable[str] = ()) -> Callable[[Any], Any]:
    """Adds an option for each setting of a run, except for those under the headings in ``leave_out``."""

    def add(command: Any) -> Any:
        for item in reversed(settings()):
            if item.metadata["group"] not in leave_out:
                command = _option(item)(command)
        return command

    return add


def _option(item: Field[Any]) -> Any:
    name, default = item.name, item.default
    return click.option(
        *(["-o"] if name == "output" else []),
        f"--{name.replace('_', '-')}",
        cls=GroupedOption,
        group=item.metadata["group"],
        type=_type(item),
        default=default,
        is_flag=isinstance(default, bool),
        multiple=isinstance(default, tuple) and name not in NAMES,
        show_default=not (default is None or default == () or default is False),
        help=item.metadata["help"],
        metavar=_metavar(item),
    )


def _type(item: Field[Any]) -> Any:
    more, default = item.metadata, item.default
    if "choices" in more:
        return click.Choice(more["choices"])
    if item.name in NAMES:
        return Names()
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


def to_config(options: dict[str, Any]) -> TrainConfig:
    """The settings that a command line's values describe.

    Raises:
        click.UsageError: one of them cannot be, or two exclude each other.
    """
    try:
        return TrainConfig(**options)
    except ArgumentError as error:
        raise click.UsageError(str(error)) from error


def resumed_config(options: dict[str, Any], given: set[str]) -> TrainConfig:
    """The settings of the run in the output folder, but for those that were ``given`` now.

    Raises:
        DataError: there is no run, or its settings are damaged.
        click.UsageError: what was given does not go with them.
    """
    path = options["output"] / SETTINGS_FILE
    if not path.is_file():
        raise DataError(f"There is no run to resume in {options['output']}; choose its folder with -o.")
    kept = {name: value for name, value in read_config(path).items() if name not in given}
    return to_config(options | kept | {"output": options["output"]})


def run_options(command: Any) -> Any:
    """The options of a run that are no settings: where they come from, and whether to go on with an old run."""
    config = click.option(
        "--config",
        cls=GroupedOption,
        group="Output",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_take_config,
        metavar="FILE",
        help="Take settings from this TOML file, such as the run.toml that every run writes. Options win over it.",
    )
    resume = click.option(
        "--resume",
        cls=GroupedOption,
        group="Output",
        is_flag=True,
        help="Go on with the run in the output folder, with its settings, to the same numbers.",
    )
    force = click.option(
        "--force", cls=GroupedOption, group="Output", is_flag=True, help="Overwrite the run in the output folder."
    )
    return config(resume(force(command)))


def _take_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if not path:
        return
    ctx.default_map = read_config(path)
    if ctx.default_map.get("teacher") and all(parameter.name != "teacher" for parameter in ctx.command.params):
        raise click.UsageError(f"{path} names teachers; python -m train distill --config {path} learns from them.")


def start(ctx: click.Context, resume: bool, force: bool, options: dict[str, Any]) -> None:
    """Trains with the options of a command line."""
    given = {name for name in options if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
    config = resumed_config(options, given) if resume else to_config(options)
    from train.engine.trainer import train

    train(config, resume, force)
