"""Locks on open files, which end with the program that holds them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

fcntl: Any = None  # on Windows
with contextlib.suppress(ImportError):
    import fcntl


def can_lock() -> bool:
    """Whether this system has them."""
    return fcntl is not None


def lock(descriptor: int) -> bool | None:
    """Locks an open file; False where somebody else did, None where the system or the file system cannot."""
    if not can_lock():
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still is the one of a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
