"""The colours of emotions, in overlays, figures and reports alike."""

from __future__ import annotations

from collections.abc import Sequence

Colour = tuple[int, int, int]
"""Blue, green and red, 0 to 255 each."""

PALETTE: dict[str, Colour] = {
    "angry": (0, 94, 213),
    "happy": (66, 228, 240),
    "neutral": (200, 200, 200),
    "sad": (233, 180, 86),
    "surprise": (102, 153, 238),
    "fear": (255, 119, 68),
    "disgust": (187, 238, 204),
    "contempt": (119, 119, 187),
}
"""Vermilion, yellow, grey and sky blue (Okabe and Ito, 2008), then light orange, blue, pale green and dusty red.

These and two more, :data:`SPARE`, were searched for so that the nearest two of all ten are as far apart as can be to
colour-blind eyes, too (CIEDE2000 of 12.7 at least under the simulation of Machado et al., 2009), and dark text on each
has a contrast of 4.5 at least.
"""

SPARE: tuple[Colour, ...] = ((170, 119, 153), (255, 238, 68))
"""Purple and cyan, for a ninth and a tenth class."""

FREE_ORDER = ("fear", "surprise", "disgust", "contempt", "angry", "sad", "happy", "neutral")
"""Whose colours classes of other names take, those first that no present emotion needs."""

DARK: Colour = (24, 24, 24)
LIGHT: Colour = (245, 245, 245)

QUIET: Colour = (160, 160, 160)
"""For faces whose emotion is not to be trusted."""


def emotion_colours(class_names: Sequence[str]) -> list[Colour]:
    """One colour for each class, up to ten of them distinct; the known emotions keep theirs wherever they stand."""
    free = [*(PALETTE[name] for name in FREE_ORDER if name not in class_names), *SPARE]
    others = [name for name in class_names if name not in PALETTE]
    extra = {name: free[i % len(free)] for i, name in enumerate(others)}
    return [PALETTE.get(name) or extra[name] for name in class_names]


def hex_colours(class_names: Sequence[str]) -> list[str]:
    """The same as web pages and matplotlib take them, ``#rrggbb``.

    Example:
        >>> hex_colours(["angry"])
        ['#d55e00']
    """
    return [f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in emotion_colours(class_names)]
