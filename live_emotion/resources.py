"""Finds the model files that come with live-emotion."""

from __future__ import annotations

from pathlib import Path

from live_emotion.errors import WeightsError

_PACKAGE = Path(__file__).resolve().parent

WEIGHTS_FOLDERS = (_PACKAGE / "weights", _PACKAGE.parent / "weights")
"""Where they lie: inside an installed package, or beside it in a checkout and an editable install."""


def weights_file(name: str) -> Path:
    """The path of a file in ``weights/``.

    Raises:
        WeightsError: it is in neither place.
    """
    for folder in WEIGHTS_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(f"The file {name} is missing from {WEIGHTS_FOLDERS[0]}; install live-emotion again.")
