"""What training tells its user: lines and progress bars, once for all processes that train together."""

from __future__ import annotations

import os
from typing import Any

from tqdm import tqdm

from live_emotion.errors import printable


def is_main() -> bool:
    """Whether this process prints and writes files: the only one, or the first of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str) -> None:
    """Prints a line, beside progress bars; what files are named does nothing to the terminal."""
    if is_main():
        tqdm.write(printable(text))


def progress(*arguments: Any, **options: Any) -> tqdm:
    """A progress bar, as :class:`tqdm.tqdm` makes it, where there is a terminal to show it."""
    return tqdm(*arguments, **options, disable=None if is_main() else True)
