"""What the tests share: a real portrait, and pictures made of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import cv2
import matplotlib.cbook
import numpy as np
import pytest


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """The public-domain portrait that matplotlib ships: (600, 512, 3) uint8 BGR, one face. Not to be written to."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    image = cv2.imread(str(path))
    image.setflags(write=False)
    return image


@pytest.fixture(scope="session")
def two_faces(portrait: np.ndarray) -> np.ndarray:
    """The portrait and its mirror image side by side: (600, 1024, 3) uint8 BGR."""
    image = np.hstack([portrait, portrait[:, ::-1]])
    image.setflags(write=False)
    return image


@pytest.fixture(scope="session")
def no_face() -> np.ndarray:
    """A smooth gradient: (480, 640, 3) uint8 BGR."""
    row = np.linspace(60, 180, 640, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (480, 640, 3)))


@pytest.fixture
def full_disk() -> Callable[..., AbstractContextManager[None]]:
    """``with full_disk():`` files can be made, but no more than so many bytes can be written to each, by default none.

    Not for the whole test: pytest itself writes when a test ends, perhaps to a file.
    """
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")

    @contextlib.contextmanager
    def limit(size: int = 0) -> Iterator[None]:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    return limit
