"""The page in a browser and the door for other programs: ``live-emotion serve``. Needs the extra ``serve``."""

from __future__ import annotations

import importlib.util

from live_emotion.errors import MissingExtraError

NEEDED = ("starlette", "uvicorn", "websockets", "python_multipart")


def check_installed() -> None:
    """Looks whether the packages that a server needs are there.

    Raises:
        MissingExtraError: they are not.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("A server needs more packages; install them with: pip install 'live-emotion[serve]'.")
