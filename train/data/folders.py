"""A training folder that is written whole or not at all, and goes on after a stop."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from live_emotion.io.files.atomic import atomic_write_text, patiently, refuse_existing, write_error
from live_emotion.io.files.folders import exclusive_folder, make_folder
from train.console import say

SPLITS = ("train", "val", "test")
UNFINISHED_FOLDER = ".unfinished"
ORIGIN = "origin.json"


@contextlib.contextmanager
def publish_folder(
    target: Path, names: Sequence[str], origin: Mapping[str, object], force: bool = False, resumable: bool = False
) -> Iterator[Path]:
    """Yields a hidden folder in ``target``; when the block ends well, what lies in it moves up into ``target``.

    If the block is stopped or fails, and the next call of the same origin can go on with what is in the hidden folder,
    that stays and is named; else it is removed.

    Args:
        target: the training folder; made if it is missing.
        names: what will lie in it in the end.
        origin: says what it is made of; a hidden folder of another origin is thrown away.
        force: put the new in place of what has these names already.
        resumable: whether the block uses what it finds in the hidden folder.

    Raises:
        OutputError: it cannot be written, one of the names is taken, or another program is writing it.
    """
    for name in names:
        refuse_existing(target / name, force)
    unfinished = make_folder(target) / UNFINISHED_FOLDER
    note, text = unfinished / ORIGIN, json.dumps(dict(origin), sort_keys=True)
    with exclusive_folder(target), _as_output_errors(target):
        known = resumable and note.is_file() and note.read_text(encoding="utf-8") == text
        if unfinished.is_dir() and not known:
            shutil.rmtree(unfinished)
        make_folder(unfinished)
        atomic_write_text(note, text)
        try:
            yield unfinished
        except BaseException:
            if resumable and any(path.is_file() and path != note for path in unfinished.rglob("*")):
                say(f"What was made until then stays in {unfinished}; the same command goes on from there.")
            else:
                shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for name in names:
            if (unfinished / name).exists():
                _remove(target / name)
                patiently(functools.partial(os.replace, unfinished / name, target / name))
        shutil.rmtree(unfinished)


@contextlib.contextmanager
def _as_output_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(target, error) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
