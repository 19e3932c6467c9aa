"""Lines of which a folder of bad files gives thousands."""

from __future__ import annotations

from collections.abc import Callable


class FewLines:
    """Says the first of many lines of one kind, so that a folder of thousands of bad files fits on a screen.

    Args:
        say: prints a line.
        most: how many it is asked for; the next one says that the others are counted only.
    """

    def __init__(self, say: Callable[[str], object], most: int = 10) -> None:
        self._say, self._most, self._count = say, most, 0

    def say(self, line: str) -> None:
        """Prints a line, or not."""
        self._count += 1
        if self._count <= self._most:
            self._say(line)
        elif self._count == self._most + 1:
            self._say("There are more of these; they are only counted from here on.")
