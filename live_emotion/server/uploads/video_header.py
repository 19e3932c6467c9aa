"""What a video is by its first bytes. FFmpeg also reads lists that name other files and addresses, which is refused."""

from __future__ import annotations

from live_emotion.errors import InputError

LENGTH = 400
"""How many bytes tell."""

TS_PACKET, TS_SYNC = 188, 0x47
"""MPEG transport streams are packets of this length, each of which begins with this byte (ISO 13818-1, 2.4.3.2)."""


def video_suffix(begin: bytes) -> str:
    """The suffix of a video's format.

    Args:
        begin: its first :data:`LENGTH` bytes.

    Raises:
        InputError: it is no video that is read here.
    """
    if begin[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return ".mp4"
    if begin[:4] == b"\x1a\x45\xdf\xa3":
        return ".webm" if b"webm" in begin[:64] else ".mkv"
    if begin[:4] == b"RIFF" and begin[8:12] == b"AVI ":
        return ".avi"
    if begin[:4] == b"OggS":
        return ".ogv"
    if begin[:3] == b"FLV":
        return ".flv"
    if begin[:4] == b"\x30\x26\xb2\x75":
        return ".wmv"
    if begin[:4] in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"):
        return ".mpg"
    if begin[:1] == begin[TS_PACKET : TS_PACKET + 1] == bytes((TS_SYNC,)):
        return ".ts"
    raise InputError("This is no video that is read here; send MP4, MOV, WebM, MKV, AVI, MPEG, Ogg, FLV or WMV.")
