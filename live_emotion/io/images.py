"""Photos from and to disk."""

from __future__ import annotations

import importlib.util
import io
import os
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from live_emotion.concurrency.quiet import quiet_stderr
from live_emotion.errors import InputError, MissingExtraError, OutputError, encodable
from live_emotion.faces.preprocessing import flatten_alpha
from live_emotion.io.files.atomic import atomic_path
from live_emotion.io.files.inputs import read_file
from live_emotion.io.files.names import is_text
from live_emotion.io.first_bytes import AVIF, GIF, HEIC, LONGEST_BRANDS, PNG, image_format, video_format
from live_emotion.io.image_size import MOST_MEGAPIXELS, PictureInfo, check_size, picture_info

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

IMAGE_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("avif", "bmp", "gif", "heic", "heif", "hif", "jpeg", "jpg"),
        *("pgm", "png", "tif", "tiff", "webp"),
    )
)
"""What a folder's files must end with to count as images."""

MOST_NAMED = 5
"""How many files of a folder are named that are not wanted."""

PNG_BEGINS = b"\x89PNG\r\n\x1a\n"

PNG_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
"""The chunks that make a PNG's pixels (PNG specification, 11.2)."""

EXIF_BEGINS = (b"II*\0", b"MM\0*")

FORMATS = "JPEG, PNG, WebP, AVIF, GIF, TIFF"
"""Those that are read without further packages, beside BMP."""

FONTS = (
    "DejaVu Sans",  # comes with matplotlib
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC", "Hiragino Sans", "Malgun Gothic"),
    *("WenQuanYi Zen Hei", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Arial Unicode MS"),
)
"""Those of a figure, the first that has a letter: categories may be named in any writing."""


def read_image(path: str | os.PathLike[str], most_megapixels: float = MOST_MEGAPIXELS) -> np.ndarray:
    """Reads a photo, upright as its EXIF data say; of an animated one the first frame.

    Args:
        path: the file.
        most_megapixels: that it may have.

    Returns:
        (H, W, 3) uint8 BGR; transparent parts are shown on grey.

    Raises:
        InputError: no such file, not an image, or one that is too large.
    """
    file = Path(path)
    if os.path.isdir(file):
        raise InputError(f"{file} is a folder; name the photos in it, for example {file}/*.jpg.")
    try:
        encoded = np.frombuffer(read_file(file), np.uint8)
    except (FileNotFoundError, ValueError) as error:  # the latter for a name that no file can have
        raise InputError(f"There is no file {file}; check the name.") from error
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror}.") from error
    try:
        image = decode_image(encoded, most_megapixels)
    except (InputError, MissingExtraError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    if image is None:
        raise InputError(f"{file} {_fault(encoded[:LONGEST_BRANDS].tobytes())}")
    return image


def _fault(begin: bytes) -> str:
    """Why a file that begins so is no image that can be read, as the end of a sentence."""
    if not begin:
        return "is empty; copy it anew."
    if kind := image_format(begin):
        return f"cannot be read: this {kind} image is damaged; copy it anew."
    if video_format(begin):
        return "is a video; read it with: live-emotion video"
    return f"is not an image that can be read; use {FORMATS}{', BMP or HEIC' if _reads_heif() else ' or BMP'}."


def decode_image(encoded: np.ndarray, most_megapixels: float = MOST_MEGAPIXELS) -> np.ndarray | None:
    """Decodes the bytes of an image file, uint8 (n,), to (H, W, 3) uint8 BGR; None if they are none.

    Raises:
        InputError: it has more than so many megapixels, or a kind of pixels that is not read.
        MissingExtraError: they are HEIF, and the package for it is not there.
    """
    if not encoded.size:
        return None
    kind = image_format(encoded[:LONGEST_BRANDS].tobytes())
    with quiet_stderr():  # on which libpng, libjpeg and libtiff write
        if kind == HEIC:
            return _decode_by_pillow(_open_heif, encoded, most_megapixels)
        essential = _essential_png(encoded) if kind == PNG else encoded
        info = None if essential is None else picture_info(essential)
        if essential is None or info is None:
            return None
        check_size(info, most_megapixels)
        if kind in (AVIF, GIF):  # which not every OpenCV reads
            return _decode_by_pillow(_open, encoded, most_megapixels)
        image = _decode_by_opencv(essential, info.has_alpha and not _is_deep_png(essential))
    if image is None and info.is_deep:
        raise InputError("it is grey with 32 bits a pixel; save it with 8 or 16.")
    return image


def _decode_by_opencv(encoded: np.ndarray, has_alpha: bool) -> np.ndarray | None:
    import cv2

    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        whole = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if has_alpha and image is not None else None
    except cv2.error:  # larger than OpenCV takes
        return None
    if whole is not None and whole.ndim == 3 and whole.shape[2] == 4 and whole.dtype == np.uint8:
        return flatten_alpha(whole)
    return image


def _is_deep_png(encoded: np.ndarray) -> bool:
    """Whether it is a PNG of 16 bits a channel, whose transparency would take eight bytes a pixel to look at."""
    return encoded[:8].tobytes() == PNG_BEGINS and encoded[24] == 16


def _essential_png(encoded: np.ndarray) -> np.ndarray | None:
    """A PNG with no more than its pixels, its transparency and how it is turned; None where it is damaged.

    Of whatever else is odd in one, libpng complains on standard error.
    """
    data, parts, at = encoded.data, [memoryview(PNG_BEGINS)], len(PNG_BEGINS)
    while at < len(data):
        kind = data[at + 4 : at + 8].tobytes()
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        chunk = data[at:end]
        is_critical = kind[:1].isupper()
        is_whole = end <= len(data) and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if is_critical and not (is_whole and kind in PNG_CRITICAL):
            return None
        is_turn = kind == b"eXIf" and chunk[8:12].tobytes() in EXIF_BEGINS
        if is_critical or (is_whole and (is_turn or kind == b"tRNS")):
            parts.append(chunk)
        if kind == b"IEND":
            return np.frombuffer(b"".join(parts), np.uint8)
        at = end
    return None


def _open(encoded: np.ndarray) -> Image.Image:
    from PIL import Image

    return Image.open(io.BytesIO(encoded.tobytes()))


def _open_heif(encoded: np.ndarray) -> Image.Image:
    """What :func:`_open` does for HEIF; its pixels are decoded when they are asked for.

    Raises:
        MissingExtraError: the package for it is not there.
    """
    if not _reads_heif():
        raise MissingExtraError(
            "HEIC needs pillow-heif; install it with: pip install 'live-emotion[heif]', or use JPEG."
        )
    import pillow_heif

    return pillow_heif.HeifImageFile(io.BytesIO(encoded.tobytes()))


def _reads_heif() -> bool:
    return importlib.util.find_spec("pillow_heif") is not None


def _decode_by_pillow(
    open_file: Callable[[np.ndarray], Image.Image], encoded: np.ndarray, most_megapixels: float
) -> np.ndarray | None:
    """What :func:`decode_image` does, for GIF, AVIF and HEIF."""
    import cv2
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how large it is
            image = open_file(encoded)
            check_size(PictureInfo(*image.size, has_alpha=True), most_megapixels)
            image = ImageOps.exif_transpose(image)
            pixels = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except (InputError, MissingExtraError, MemoryError):
        raise
    except Exception:  # a damaged file raises nearly any
        return None
    if pixels.shape[2] == 4:
        return flatten_alpha(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)


def other_files(folder: Path) -> str:
    """Says in a line what of a folder is no image by its suffix, hidden files aside; nothing where all are.

    Raises:
        InputError: it cannot be read.
    """
    return skipped(folder, lambda path: path.suffix.lower() in IMAGE_SUFFIXES, "no photos by their names")


def skipped(folder: Path, is_wanted: Callable[[Path], bool], what: str) -> str:
    """Says in a line what of a folder is not wanted, hidden files aside; nothing where all is.

    Args:
        folder: the folder.
        is_wanted: chooses what is.
        what: the rest is, for the line.

    Raises:
        InputError: it cannot be read.
    """
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"Cannot read the folder {folder}: {error.strerror}.") from error
    others = [f"{path.name}{os.sep if path.is_dir() else ''}" for path in inside if not is_wanted(path)]
    if not others:
        return ""
    named = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
    return f"Skipped {len(others)} of {len(inside)} in {folder}, {what}: {named}"


def write_image(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Writes (H, W, 3) uint8 BGR in the format of the suffix.

    Raises:
        OutputError: the file cannot be written, or the suffix names no image format.
    """
    import cv2

    file = Path(path)
    try:
        done, encoded = cv2.imencode(file.suffix if is_text(file.suffix) else ".", image)
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
    from matplotlib.text import Text

    if isinstance(target, (str, os.PathLike)):
        with atomic_path(target) as temporary, temporary.open("wb") as file:
            write_figure(file, figure, dpi)
        return
    for text in figure.findobj(Text):  # such as the name of a file, whose bytes may be no text
        text.set_text(encodable(text.get_text()))
    there = set(font_manager.get_font_names())
    with rc_context({"font.sans-serif": [name for name in FONTS if name in there]}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of letters without a font and names too long, which one sees
        figure.savefig(target, format="png", dpi=dpi, metadata={"Software": None})
