"""What an image says of itself at its beginning: its format and its size, before any library sees it.

What ``decode_image`` asks of Pillow comes too late here: Pillow makes room for a whole WebP as it opens one.
"""

from __future__ import annotations

from live_emotion.errors import InputError
from live_emotion.io.first_bytes import JPEG, LONGEST_BRANDS, PNG, WEBP, image_format

STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""JPEG's markers without a length behind them (ITU T.81, table B.1)."""

FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's markers of a frame's header, which holds the size."""


def image_size(encoded: bytes) -> tuple[str, int, int]:
    """Format, width and height of an image, the latter in pixels and as they are stored, not turned by EXIF.

    Args:
        encoded: a JPEG, PNG or WebP file.

    Raises:
        InputError: it is none, or its beginning is damaged.
    """
    kind = image_format(encoded[:LONGEST_BRANDS])
    if kind not in SIZES:
        raise InputError("This is no image that is read here; send JPEG, PNG or WebP.")
    size = SIZES[kind](encoded)
    if size is None or not all(size):
        raise InputError(f"This {kind} image is damaged; send it whole.")
    return kind, *size


def _jpeg(encoded: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 4 <= len(encoded):
        if encoded[at] != 0xFF:
            return None
        marker = encoded[at + 1]
        if marker == 0xFF:  # fills up
            at += 1
        elif marker in STANDALONE:
            at += 2
        elif marker in FRAME_HEADERS:
            height, width = encoded[at + 5 : at + 7], encoded[at + 7 : at + 9]
            return (int.from_bytes(width, "big"), int.from_bytes(height, "big")) if len(width) == 2 else None
        else:
            at += 2 + max(2, int.from_bytes(encoded[at + 2 : at + 4], "big"))
    return None


def _png(encoded: bytes) -> tuple[int, int] | None:
    if encoded[12:16] != b"IHDR" or len(encoded) < 24:
        return None
    return int.from_bytes(encoded[16:20], "big"), int.from_bytes(encoded[20:24], "big")


def _webp(encoded: bytes) -> tuple[int, int] | None:
    """By the three kinds of the first chunk (developers.google.com/speed/webp/docs/riff_container)."""
    chunk, data = encoded[12:16], encoded[20:30]
    if len(data) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if chunk == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
    return None


SIZES = {JPEG: _jpeg, PNG: _png, WEBP: _webp}
"""What finds the width and height in each format that is read, or gives None."""
