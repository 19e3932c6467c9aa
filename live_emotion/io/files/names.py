"""Names of files that every system takes, and that none takes for one another.

Files go from one system to another, on disks and in archives, so that names are looked at the same way everywhere.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from live_emotion.errors import OutputError

RESERVED = frozenset(
    {
        "con",
        "conin$",
        "conout$",
        "prn",
        "aux",
        "nul",
        *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789¹²³"),
    }
)
"""What Windows takes for a device, in any case and whatever stands behind a dot."""

REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
"""What stands in no file's name on Windows."""

LONGEST_NAME = 240
"""In bytes of UTF-8, without the end that an output gets, such as ``_annotated.png``: file systems take 255."""


def is_reserved(name: str) -> bool:
    """Whether Windows takes a file of this name for a device.

    Example:
        >>> is_reserved("Con.mp4"), is_reserved("console.mp4")
        (True, False)
    """
    return name.partition(".")[0].rstrip().lower() in RESERVED


def is_text(name: str) -> bool:
    """Whether it is text, and some: names may hold any bytes, at which OpenCV ends the process.

    Example:
        >>> is_text("talk.mp4"), is_text("\udcff.mp4")
        (True, False)
    """
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def same_name(name: str) -> str:
    """What names have in common that some system takes for one.

    Windows and macOS mind no case, and macOS takes é for e with an accent.

    Example:
        >>> same_name("Zoë.MP4") == same_name("zoe\u0308.mp4")
        True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def cut(name: str, most: int) -> str:
    """The beginning of a name that takes no more than so many bytes of UTF-8.

    Example:
        >>> cut("Zoë", 3), cut("Zoë", 4)
        ('Zo', 'Zoë')
    """
    name = name[: max(0, most)]  # no letter takes less than a byte
    while name and len(name.encode("utf-8", "surrogatepass")) > most:  # a byte that is no text counts as three
        name = name[:-1]
    return name


def portable_name(name: str, most: int = LONGEST_NAME) -> str:
    """A name without suffix as every system takes it; one that is so already stays as it is.

    What Windows refuses becomes ``_``, dots and spaces at the end go, since Windows drops them, and what it would take
    for a device gets a ``_``.

    Example:
        >>> portable_name("12:30. "), portable_name("nul")
        ('12_30', 'nul_')
    """
    name = cut(REFUSED.sub("_", name), most).rstrip(". ")
    if name and not is_reserved(name):
        return name
    begin, dot, rest = name.partition(".")
    return f"{begin.rstrip()}_{dot}{rest}"


def unique_names(names: Iterable[str]) -> list[str]:
    """The names as :func:`portable_name` makes them, with numbers where one system or another would mix them up.

    Example:
        >>> unique_names(["talk", "Talk", "walk"])
        ['talk', 'Talk_2', 'walk']
    """
    taken: set[str] = set()
    next_number: dict[str, int] = {}
    unique = []
    for each in names:
        name = portable_name(each)
        base = same_name(name)
        while same_name(name) in taken:
            number = next_number[base] = next_number.get(base, 1) + 1
            name = f"{portable_name(each, LONGEST_NAME - len(str(number)) - 1)}_{number}"
        taken.add(same_name(name))
        unique.append(name)
    return unique


def output_names(sources: Sequence[Path]) -> list[str]:
    """A name without suffix for what is written for each file, no two of them the same on any system.

    It is the file's own, as :func:`portable_name` has it; where others of that name end otherwise, its suffix joins
    it, and where that is not enough, a number.

    Example:
        >>> output_names([Path("a/talk.mov"), Path("b/talk.mp4"), Path("a/walk.mp4"), Path("b/walk.mp4")])
        ['talk_mov', 'talk_mp4', 'walk', 'walk_2']
    """
    stems = [same_name(portable_name(source.stem)) for source in sources]
    suffixes: dict[str, set[str]] = {}
    for stem, source in zip(stems, sources):
        suffixes.setdefault(stem, set()).add(source.suffix.casefold())
    return unique_names(
        source.stem if len(suffixes[stem]) == 1 else source.name.replace(".", "_")
        for stem, source in zip(stems, sources)
    )


def refuse_clashes(outputs: Sequence[Path], sources: Sequence[Path] = ()) -> None:
    """Protects what is read, and each output from the others.

    Args:
        outputs: files that are to be written.
        sources: files that are read.

    Raises:
        OutputError: an output is a source, by whatever name, or two outputs are one file on some system.
    """
    read = {place for source in sources for place in _places(source)}
    for path in outputs:
        if read.intersection(_places(path)):
            raise OutputError(f"{path} is a file that is read; choose another name or folder for the output.")
    written: dict[str, Path] = {}
    for path in outputs:
        other = written.setdefault(same_name(os.path.realpath(path)), path)
        if other is not path:
            raise OutputError(f"{other} and {path} are one file, on some systems at least; name two files.")


def _places(path: Path) -> set[object]:
    """By what a file can be told: where it is, and, where there is one, which it is."""
    places: set[object] = {os.path.realpath(path)}
    try:
        about = path.stat()
    except (OSError, ValueError):
        return places
    return places | ({(about.st_dev, about.st_ino)} if about.st_ino else set())
