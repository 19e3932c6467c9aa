"""What the commands that learn a person's face have in common."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING

from live_emotion.cli.console import say
from live_emotion.errors import InputError
from live_emotion.io.few_lines import FewLines

if TYPE_CHECKING:
    from live_emotion.concurrency.interrupts import StopRequest
    from live_emotion.io.display.window import Window
    from live_emotion.io.live_source import LiveSource
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.pipelines.enrolment import Enrolment


class Refusals:
    """Why frames were not taken, each reason once."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, error: InputError) -> None:
        """Notes one."""
        self._counts[str(error)] += 1

    def say(self) -> None:
        """Tells them on standard error."""
        few = FewLines(functools.partial(say, err=True))
        for reason, count in self._counts.most_common():
            few.say(f"Not taken{f' ({count} frames)' if count > 1 else ''}: {reason}")


def from_camera(
    window: Window, source: LiveSource, analyzer: EmotionAnalyzer, is_mirrored: bool, stop: StopRequest
) -> Enrolment:
    """Leads somebody through an enrolment in a window.

    Args:
        window: shows what to do, over the frames.
        source: of the frames.
        analyzer: finds the faces; one that does not track.
        is_mirrored: show the frames turned left to right.
        stop: ends it.

    Raises:
        InputError: it ended early, or nothing was recorded.
        CameraError: the camera gives no frames.
    """
    from live_emotion.pipelines.enrolment import Enrolment
    from live_emotion.pipelines.guide import Guide
    from live_emotion.pipelines.guided import guide_in_window

    enrolment = Enrolment(analyzer)
    guide = Guide(enrolment, analyzer.class_names)
    if not guide_in_window(guide, source, window, is_mirrored, lambda: stop.requested):
        raise InputError("The enrolment ended before all emotions were shown; nothing was saved.")
    if not enrolment.labels:
        raise InputError("No emotion was recorded; nothing was saved.")
    return enrolment
