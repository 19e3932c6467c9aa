"""The version of live-emotion, as ``setup.cfg`` says it and its installation knows it."""

from __future__ import annotations

from importlib import metadata

try:
    __version__ = metadata.version("live-emotion")
except metadata.PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"
