"""Ctrl-C and how systems ask a program to end, answered when it suits."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
from types import FrameType
from typing import Any

TERMINATIONS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""How systems ask a program to end. SIGHUP comes where its terminal closes; SIGBREAK is Windows's, whose SIGTERM nobody
can send."""

SIGNALS = (signal.SIGINT, *TERMINATIONS)


def is_ignored(kind: signal.Signals) -> bool:
    """Whether whoever started this program, such as nohup, wants a signal to be ignored."""
    return signal.getsignal(kind) == signal.SIG_IGN


def forget_terminal(number: int) -> None:
    """After SIGHUP, sends to nowhere what would be written to the terminal that is no longer there.

    From then on SIGHUP is ignored: a closing terminal may say so more than once, even while the program exits.
    """
    if number == getattr(signal, "SIGHUP", None):
        signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in (1, 2):
                if not _is_file(descriptor):
                    os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _is_file(descriptor: int) -> bool:
    """Whether an open file is one that is still there, and no terminal: those that closed say so of nothing."""
    try:
        return not stat.S_ISCHR(os.fstat(descriptor).st_mode)
    except OSError:
        return False


class StopRequest:
    """Notes the first Ctrl-C or one of :data:`TERMINATIONS` within its block; a second one ends the program at once.

    Attributes:
        requested: whether one came.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        forget_terminal(number)
        if is_ignored(signal.Signals(number)):  # SIGHUP from now on, which stays so
            self._before.pop(signal.Signals(number))
        else:
            self._restore()

    def _restore(self) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)
        self._before = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            self._before = {kind: signal.signal(kind, self._note) for kind in SIGNALS if not is_ignored(kind)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
