"""What a file is by its first bytes, whatever its name says: an image or a video, and of which format."""

from __future__ import annotations

LENGTH = 400
"""How many bytes tell a video."""

LONGEST_BRANDS = 1024
"""Up to where in a file its brands may lie, in bytes."""

JPEG, PNG, WEBP, GIF, TIFF, BMP, AVIF, HEIC = "JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "AVIF", "HEIC"

AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""By which a file tells that it is one (ISO 23008-12, annex B); AVIF's are among those of HEIF, and have their own."""

TS_PACKET, TS_SYNC = 188, 0x47
"""MPEG transport streams are packets of this length, each of which begins with this byte (ISO 13818-1, 2.4.3.2)."""


def image_format(begin: bytes) -> str:
    """The name of an image's format; nothing where it is none of these.

    Args:
        begin: its first :data:`LONGEST_BRANDS` bytes, or more.
    """
    if begin[:3] == b"\xff\xd8\xff":
        return JPEG
    if begin[:8] == b"\x89PNG\r\n\x1a\n":
        return PNG
    if begin[:4] == b"RIFF" and begin[8:12] == b"WEBP":
        return WEBP
    if begin[:4] == b"GIF8":
        return GIF
    if begin[:4] in (b"II*\0", b"MM\0*"):
        return TIFF
    if begin[:2] == b"BM":
        return BMP
    brands = _brands(begin)
    return AVIF if brands & AVIF_BRANDS else HEIC if brands & HEIF_BRANDS else ""


def video_format(begin: bytes) -> str:
    """The suffix of a video's format; nothing where it is none of these. AVIF and HEIC look like MP4.

    Args:
        begin: its first :data:`LENGTH` bytes, or more.
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
    return ""


def _brands(begin: bytes) -> set[bytes]:
    """What a file of MP4's family says that it is (ISO 14496-12, 4.3); nothing for others."""
    if begin[4:8] != b"ftyp":
        return set()
    box = begin[8 : min(int.from_bytes(begin[:4], "big"), LONGEST_BRANDS)]
    return {box[i : i + 4] for i in range(0, len(box), 4) if i != 4}  # at 4 is a version
