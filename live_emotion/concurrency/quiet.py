"""Keeps libraries written in C and C++ from writing to the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_saved = -1


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hides what is written to file descriptor 2 while a block runs, which no log level of those libraries silences.

    It is the whole process's, so blocks should be short; several threads may be in one.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _saved
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        with contextlib.suppress(OSError, ValueError):  # it is closed, or too many files are open: it stays as it is
            if sys.stderr:
                sys.stderr.flush()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                _saved = os.dup(2)
                os.dup2(nowhere, 2)
            finally:
                os.close(nowhere)


def _leave() -> None:
    global _inside, _saved
    with _lock:
        _inside -= 1
        if _inside == 0 and _saved >= 0:
            os.dup2(_saved, 2)
            os.close(_saved)
            _saved = -1
