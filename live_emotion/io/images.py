"""Photos from and to disk."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from live_emotion.errors import InputError, OutputError
from live_emotion.faces.preprocessing import flatten_alpha
from live_emotion.io.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff", ".webp"})
"""What a folder's files must end with to count as images."""

JPEG_BEGINS = b"\xff\xd8"

FONTS = (
    "DejaVu Sans",  # comes with matplotlib
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC", "Hiragino Sans", "Malgun Gothic"),
    *("WenQuanYi Zen Hei", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Arial Unicode MS"),
)
"""Those of a figure, the first that has a letter: categories may be named in any writing."""


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a photo, upright as its EXIF data say.

    Returns:
        (H, W, 3) uint8 BGR; transparent parts are shown on grey.

    Raises:
        InputError: no such file, or not an image.
    """

    file = Path(path)
    if os.path.isdir(file):
        raise InputError(f"{file} is a folder; name the photos in it, for example {file}/*.jpg.")
    try:
        encoded = np.fromfile(file, np.uint8)
    except (FileNotFoundError, ValueError) as error:  # the latter for a name that no file can have
        raise InputError(f"There is no file {file}; check the name.") from error
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror}.") from error
    image = decode_image(encoded)
    if image is None:
        raise InputError(f"{file} is not an image that can be read, or it is damaged; use JPEG, PNG or WebP.")
    return image


def decode_image(encoded: np.ndarray) -> np.ndarray | None:
    """Decodes the bytes of an image file, uint8 (n,), to (H, W, 3) uint8 BGR; None if they are none."""
    import cv2

    if not encoded.size:
        return None
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        if image is None:
            return None
        is_jpeg = encoded[:2].tobytes() == JPEG_BEGINS  # which has no alpha channel to look for
        whole = None if is_jpeg else cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    except cv2.error:  # larger than OpenCV takes
        return None
    if whole is not None and whole.ndim == 3 and whole.shape[2] == 4 and whole.dtype == np.uint8:
        return flatten_alpha(whole)
    return image


def write_image(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Writes (H, W, 3) uint8 BGR in the format of the suffix.

    Raises:
        OutputError: the file cannot be written, or the suffix names no image format.
    """
    import cv2

    file = Path(path)
    try:
        done, encoded = cv2.imencode(file.suffix or ".", image)
    except cv2.error as error:
        raise OutputError(f"Cannot write {file}: {file.suffix or 'no suffix'} is no image format; use .png.") from error
    if not done:
        raise OutputError(f"Cannot write {file}: the image cannot be encoded as {file.suffix}.")
    with atomic_path(file) as temporary:
        temporary.write_bytes(encoded.tobytes())


def write_figure(target: str | os.PathLike[str] | IO[bytes], figure: Figure, dpi: int) -> None:
    """Writes a matplotlib figure as PNG to a path or into an open file.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib import font_manager, rc_context

    if isinstance(target, (str, os.PathLike)):
        with atomic_path(target) as temporary, temporary.open("wb") as file:
            write_figure(file, figure, dpi)
        return
    there = set(font_manager.get_font_names())
    with rc_context({"font.sans-serif": [name for name in FONTS if name in there]}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # boxes tell it
        figure.savefig(target, format="png", dpi=dpi, metadata={"Software": None})
