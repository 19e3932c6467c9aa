"""What a Python program passes, looked at where it comes in: each check gives the value back, or says what is wrong."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import numpy as np

from live_emotion.errors import ArgumentError

LARGEST_FLOAT = sys.float_info.max
"""Beyond it a number is infinite, or a whole one that overflows where it is computed with."""

WHOLE = (int, np.integer)
"""Types of whole numbers; a bool is an int, too, and refused as one."""

MOST_NAMES = 10_000
"""That are given at once: somebody's collection may have no end."""

LONGEST_VALUE = 80
"""Of a value in a message, in characters."""


def wrong(name: str, wanted: str, value: object) -> ArgumentError:
    """The error for an argument of this name that is not what is wanted."""
    try:
        shown = " ".join(repr(value).split())  # an array's has several lines
    except Exception:  # Python writes no number of 5000 digits, and a class of somebody's may do anything
        shown = type(value).__name__
    return ArgumentError(f"{name} must be {wanted}, not {shown[:LONGEST_VALUE]}{'...' * (len(shown) > LONGEST_VALUE)}")


def check_number(name: str, value: Any, wanted: str, low: float = -LARGEST_FLOAT, high: float = LARGEST_FLOAT) -> float:
    """A number from ``low`` to ``high``, of Python or NumPy.

    Raises:
        ArgumentError: it is none, as NaN and the infinite ones are.
    """
    # a bound beside a narrow type of NumPy would become one of it
    number = float(value) if isinstance(value, np.floating) else value
    if isinstance(number, (*WHOLE, float)) and not isinstance(number, bool) and low <= number <= high:
        return float(number)
    raise wrong(name, wanted, value)


def check_whole(name: str, value: Any, wanted: str, low: int, high: float = LARGEST_FLOAT) -> int:
    """A whole number from ``low`` to ``high``, of Python or NumPy.

    Raises:
        ArgumentError: it is none.
    """
    if isinstance(value, WHOLE) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    raise wrong(name, wanted, value)


def check_flag(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        ArgumentError: it is neither: a text or a number that is meant as one may mean the opposite.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise wrong(name, "True or False", value)


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of several texts.

    Raises:
        ArgumentError: it is none of them.
    """
    if isinstance(value, str) and value in choices:
        return value
    raise wrong(name, f"one of {', '.join(choices)}", value)


def check_device(device: Any) -> str:
    """The name of a device, which may not be there.

    Raises:
        ArgumentError: it is no text.
    """
    if isinstance(device, str):
        return device
    raise wrong("device", "the name of a device, such as auto", device)


def is_string(value: Any) -> bool:
    """Whether something is a text."""
    return isinstance(value, str)


def is_path(value: Any) -> TypeGuard[str | os.PathLike[str]]:
    """Whether something names a file: a text, or an object that gives one, as ``Path`` does."""
    try:
        return isinstance(os.fspath(value), str)
    except Exception:  # none, or a class of somebody's, which may do anything
        return False


def check_names(name: str, value: Any, wanted: str, is_one: Callable[[Any], bool] = is_string) -> tuple[Any, ...]:
    """Texts, or paths, as a tuple: of one alone, of several, of none for None.

    Raises:
        ArgumentError: it is something else, or holds something else.
    """
    if value is None or is_one(value):
        return () if value is None else (value,)
    try:
        several = tuple(itertools.islice(value, MOST_NAMES + 1))
    except Exception as error:  # no collection, or one of somebody's that fails
        raise wrong(name, wanted, value) from error
    if len(several) > MOST_NAMES or not all(map(is_one, several)):
        raise wrong(name, wanted, several if len(several) <= MOST_NAMES else value)
    return several


def check_weights(value: Any) -> tuple[str | os.PathLike[str], ...]:
    """Names of weights files as a tuple, as :func:`check_names` gives it.

    Raises:
        ArgumentError: it is something else.
    """
    return check_names("weights", value, "names of files", is_path)


def is_name(value: Any) -> bool:
    """Whether something can name a class: a text that can be printed on a line, and is not blank."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
