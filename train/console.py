"""What training tells its user: lines and progress bars, once for all processes that train together."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from tqdm import tqdm

from live_emotion.errors import ArgumentError, printable
from train.settings import shorten


class Place(NamedTuple):
    """Which of the processes that train together this one is.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        local_rank: its number on this machine, from 0.
    """

    rank: int
    size: int
    local_rank: int


def read_place() -> Place:
    """This process's place, as ``torchrun`` tells it by environment variables; without them it is alone.

    Raises:
        ArgumentError: they make no sense.
    """
    place = Place(_number("RANK", 0), _number("WORLD_SIZE", 1), _number("LOCAL_RANK", 0))
    if not max(place.rank, place.local_rank) < place.size:
        raise _no_place(f"RANK {place.rank} and LOCAL_RANK {place.local_rank} are not below WORLD_SIZE {place.size}")
    needed = ("RANK", "MASTER_ADDR", "MASTER_PORT") if place.size > 1 else ()
    if lacking := [name for name in needed if name not in os.environ]:
        raise _no_place(f"WORLD_SIZE is {place.size} without {lacking[0]}")
    return place


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not re.fullmatch("[0-9]{1,6}", text):
        raise _no_place(f"{name} is {shorten(text)}, no whole number")
    return int(text)


def _no_place(reason: str) -> ArgumentError:
    return ArgumentError(
        f"The environment variables of torchrun make no sense: {reason}; unset them, or start with torchrun."
    )


def is_main() -> bool:
    """Whether this process prints and writes files: the only one, or the first of those that ``torchrun`` started."""
    return read_place().rank == 0


def say(text: str) -> None:
    """Prints a line, beside progress bars; what files are named does nothing to the terminal."""
    if is_main():
        tqdm.write(printable(text))


def progress(*arguments: Any, **options: Any) -> tqdm:
    """A progress bar, as :class:`tqdm.tqdm` makes it, where there is a terminal to show it."""
    return tqdm(*arguments, **options, disable=None if is_main() else True)
