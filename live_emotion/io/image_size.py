"""How large a picture is, found out before it is decoded: a small file may hold one that fills the memory."""

from __future__ import annotations

import io
import re
import warnings
from typing import NamedTuple

import numpy as np

from live_emotion.errors import InputError

MOST_MEGAPIXELS = 100.0
"""Of a picture, unless somebody asks for more; it takes about 15 bytes a pixel to read and annotate one."""


class PictureInfo(NamedTuple):
    """What a picture says of itself.

    Attributes:
        width: in pixels, as it is stored.
        height: in pixels, as it is stored.
        has_alpha: whether it has, or may have, transparent parts.
        is_deep: whether its pixels may be of 32 bits a channel.
    """

    width: int
    height: int
    has_alpha: bool
    is_deep: bool = False


def picture_info(encoded: np.ndarray) -> PictureInfo | None:
    """What the header of an image file says, uint8 (n,); None where it has none that can be read."""
    from PIL import Image

    file = io.BytesIO(encoded.tobytes())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how large it is
            with Image.open(file) as image:
                return PictureInfo(*image.size, image.has_transparency_data, image.mode in ("I", "F"))
    except Image.DecompressionBombError as error:  # which tells the pixels alone
        found = re.search(r"\d+", str(error))
        return PictureInfo(int(found.group()) if found else 2**62, 1, True)
    except Exception:  # a damaged file raises nearly any
        return None


def check_size(info: PictureInfo, most_megapixels: float) -> None:
    """Refuses a picture that is too large.

    Raises:
        InputError: it is.
    """
    megapixels = info.width * info.height / 1e6
    if megapixels > most_megapixels:
        raise InputError(
            f"it has {megapixels:,.0f} megapixels, and {most_megapixels:g} are allowed; make it smaller, or give image "
            "or train prepare a higher --max-megapixels."
        )
