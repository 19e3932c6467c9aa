"""Who is who in a report: names of enrolled people that the rows have, and those that a user gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.results_reader import FaceTable

MOST_NUMBERS = 12
"""How many people's numbers a message lists."""


def groups(table: FaceTable, given: Mapping[int, str]) -> dict[str, list[int]]:
    """The people's names, each with the numbers in the rows that are this person; without a name, ``Person N``.

    Args:
        table: the rows.
        given: names by numbers; numbers of one name are one person. They go before those that the rows have.

    Raises:
        InputError: a number is nobody's.
    """
    numbers = np.unique(table.track_id).tolist()
    strangers = [number for number in given if number not in numbers]
    if strangers:
        there = ", ".join(map(str, numbers[:MOST_NUMBERS])) + (", ..." if len(numbers) > MOST_NUMBERS else "")
        raise InputError(f"There is no person {strangers[0]} in the rows; there are: {there or 'none'}.")
    names = {**enrolled(table), **given}
    taken = set(names.values())
    found: dict[str, list[int]] = {}
    for number in [*names, *(number for number in numbers if number not in names)]:
        name = names.get(number, f"Person {number}")
        if number not in names and name in taken:
            name = f"Person {number} (no name)"  # somebody else was named like that
        found.setdefault(name, []).append(number)
    return found


def enrolled(table: FaceTable) -> dict[int, str]:
    """Names by numbers, of people who had one in most rows. Of two in one frame only one can be the enrolled person."""
    names: dict[int, str] = {}
    when: dict[str, np.ndarray] = {}
    rows = rows_by_number(table)
    for number in np.unique(table.track_id[table.name != ""]).tolist():
        mine = rows[number]
        name, times = Counter(table.name[mine].tolist()).most_common(1)[0][0], table.time_s[mine]
        if name and np.isin(times, when.get(name, times[:0])).any():
            names[number] = f"{name} ({number})"
        elif name:
            names[number] = name
            when[name] = np.concatenate([when.get(name, times[:0]), times])
    return names


def shortened(name: str, most: int) -> str:
    """A name of at most so many characters, that leaves room for what is beside it: rows may have any.

    Example:
        >>> shortened("Anna", 4), shortened("Annabell", 4)
        ('Anna', 'Ann…')
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"


def rows_by_number(table: FaceTable) -> dict[int, np.ndarray]:
    """The rows of each number, as indices in order of time; found for all at once, since there may be thousands."""
    order = np.argsort(table.track_id, kind="stable")
    numbers, begins = np.unique(table.track_id[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, begins[1:])))
