"""Images that are sent: looked at before they are decoded."""

from __future__ import annotations

import contextlib
import threading

import numpy as np

from live_emotion.errors import InputError
from live_emotion.io.images import decode_image
from live_emotion.server.uploads.image_header import image_size

LARGE = 10_000_000
"""Of images with more pixels one is decoded at a time, so that several don't fill the memory."""

_large = threading.Lock()


def open_image(encoded: bytes, most_pixels: int) -> np.ndarray:
    """Decodes a JPEG, PNG or WebP image.

    Args:
        encoded: the file.
        most_pixels: that it may have.

    Returns:
        (H, W, 3) uint8 BGR, upright.

    Raises:
        InputError: it is none, is damaged, or has more pixels.
    """
    kind, width, height = image_size(encoded)
    if width * height > most_pixels:
        raise InputError(
            f"This image has {width}x{height} pixels; send one of at most {most_pixels / 1e6:g} megapixels."
        )
    with _large if width * height > LARGE else contextlib.nullcontext():
        image = decode_image(np.frombuffer(encoded, np.uint8), most_pixels / 1e6)
    if image is None:
        raise InputError(f"This {kind} image is damaged; send it whole.")
    return image
