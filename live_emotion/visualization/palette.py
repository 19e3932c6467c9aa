"""The colours of emotions, in overlays, figures and reports alike."""

from __future__ import annotations

from collections.abc import Sequence

from live_emotion.types import EMOTIONS

Colour = tuple[int, int, int]
"""Blue, green and red, 0 to 255 each."""

PALETTE: dict[str, Colour] = {
    "angry": (0, 94, 213),
    "happy": (66, 228, 240),
    "neutral": (200, 200, 200),
    "sad": (233, 180, 86),
}
"""Vermilion, yellow, grey and sky blue, distinct to colour-blind eyes (Okabe and Ito, 2008)."""

MORE_COLOURS: tuple[Colour, ...] = ((115, 158, 0), (167, 121, 204), (0, 159, 230), (178, 114, 0))
"""For classes with other names: the palette's green, purple, orange and blue."""

DARK: Colour = (24, 24, 24)
LIGHT: Colour = (245, 245, 245)

QUIET: Colour = (160, 160, 160)
"""For faces whose emotion is not to be trusted."""


def emotion_colours(class_names: Sequence[str]) -> list[Colour]:
    """One colour for each class; the known emotions keep theirs wherever they stand."""
    others = [name for name in class_names if name not in EMOTIONS]
    extra = {name: MORE_COLOURS[i % len(MORE_COLOURS)] for i, name in enumerate(others)}
    return [PALETTE.get(name) or extra[name] for name in class_names]


def hex_colours(class_names: Sequence[str]) -> list[str]:
    """The same as web pages and matplotlib take them, ``#rrggbb``.

    Example:
        >>> hex_colours(["angry"])
        ['#d55e00']
    """
    return [f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in emotion_colours(class_names)]
