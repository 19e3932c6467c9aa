"""Progress bars of the commands, on standard error."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from live_emotion.cli.console import say
from live_emotion.errors import printable

Item = TypeVar("Item")

BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
BAR_WITHOUT_END = "{desc}: {elapsed}{postfix}"
"""Where nobody knows how long it will take."""


def count_frames(frames: Iterable[Item], total: int, name: str) -> Iterable[Item]:
    """Shows a bar while it hands on frames of a known number."""
    from tqdm import tqdm

    return tqdm(frames, total=total, unit="frame", desc=printable(name))


class VideosBar:
    """Progress over one or more videos: the share that is done, the time left, and frames a second.

    The share of a video is that of its frames, which is known once it is open. Over several, each counts by its weight
    until then, so that nothing has to be opened before its turn. The bar shows once frames are done.

    Args:
        names: of the videos.
        weights: how much work each should be, compared with the others; positive.
    """

    def __init__(self, names: Sequence[str], weights: Sequence[float]) -> None:
        self._names = names
        self._weights = weights
        self._shares = [0.0] * len(names)
        self._frames = [0] * len(names)
        self._ended = 0
        self._before = 0
        self._bar: Any = None

    def show(self, number: int, frames: int, expected: int) -> None:
        """Takes in that so many frames of a video are done, of so many that there should be; 0: unknown."""
        if frames > self._frames[number]:
            self._frames[number] = frames
            if self._bar is None:
                self._open(is_known=len(self._names) > 1 or expected > 0)
            self._advance(number, min(1.0, frames / expected) if expected else 0.0)

    def end(self, number: int, frames: int) -> None:
        """Takes in that a video is done with, after so many frames."""
        self._ended += 1
        self._frames[number] = max(frames, self._frames[number])
        if self._bar is not None:
            self._bar.set_description_str(self._title(), refresh=False)
            self._advance(number, 1.0)

    def write(self, text: str, to_stderr: bool) -> None:
        """Prints lines above the bar."""
        if self._bar is None:
            say(text, err=to_stderr)
            return
        with self._bar.external_write_mode():
            say(text, err=to_stderr)

    def __enter__(self) -> VideosBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _open(self, is_known: bool) -> None:
        from tqdm import tqdm

        self._before = sum(self._frames)
        self._bar = tqdm(
            total=sum(self._weights),
            desc=self._title(),
            bar_format=BAR if is_known else BAR_WITHOUT_END,
            smoothing=0.1,
            miniters=0,  # or what is unknown would look like standing still
        )

    def _title(self) -> str:
        count = len(self._names)
        return printable(self._names[0]) if count == 1 else f"{self._ended} of {count} videos"

    def _advance(self, number: int, share: float) -> None:
        frames, seconds = sum(self._frames), self._bar.format_dict["elapsed"]
        rate = (frames - self._before) / seconds if seconds else 0.0
        self._bar.set_postfix_str(f"{frames} frame{'' if frames == 1 else 's'}, {rate:.1f} frames/s", refresh=False)
        self._shares[number] = share
        self._bar.update(sum(map(operator.mul, self._weights, self._shares)) - self._bar.n)
