"""What a video is by its first bytes. FFmpeg also reads lists that name other files and addresses, which is refused."""

from __future__ import annotations

from live_emotion.errors import InputError
from live_emotion.io.first_bytes import video_format


def video_suffix(begin: bytes) -> str:
    """The suffix of a video's format.

    Args:
        begin: its first :data:`live_emotion.io.first_bytes.LENGTH` bytes.

    Raises:
        InputError: it is no video that is read here.
    """
    if suffix := video_format(begin):
        return suffix
    raise InputError("This is no video that is read here; send MP4, MOV, WebM, MKV, AVI, MPEG, Ogg, FLV or WMV.")
