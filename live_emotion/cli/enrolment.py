"""What the commands that learn a person's face have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from live_emotion.emotions.profile import NEUTRAL
from live_emotion.errors import InputError

if TYPE_CHECKING:
    from live_emotion.concurrency.interrupts import StopRequest
    from live_emotion.emotions.trial import Trial
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
        """Tells them all on standard error."""
        for reason, count in self._counts.most_common():
            click.echo(f"Not taken{f' ({count} frames)' if count > 1 else ''}: {reason}", err=True)


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


def learn_and_save(enrolment: Enrolment, name: str, say: Callable[[str], object] = click.echo) -> str:
    """Makes a profile of what was taken, says what it is worth and stores it.

    Returns:
        what it is worth, in words; nothing where nothing was tested.

    Raises:
        InputError: it is worth nothing, or the faces do not show what they are said to show.
        OutputError: the file cannot be written.
    """
    trial = enrolment.learn()
    result = outcome(trial)
    if not trial.is_worth_it:
        raise InputError(
            f"No better: {result}. Nothing was saved; show each emotion as clearly as you can, in good light."
        )
    path = trial.profile.save(name)
    say(f"{_read(enrolment.labels)}: {result or 'saved, not tested, which takes two images of an emotion'}")
    say(f"Saved {path}; use it with --profile {name}")
    return result


def _read(labels: Sequence[str]) -> str:
    """``Read 1 image of the resting face, 2 of happy``."""
    counts = [(n, "the resting face" if label == NEUTRAL else label) for label, n in Counter(labels).items()]
    first, label = counts[0]
    rest = [f"{n} of {label}" for n, label in counts[1:]]
    return "Read " + ", ".join([f"{first} image{'' if first == 1 else 's'} of {label}", *rest])


def outcome(trial: Trial) -> str:
    """What a trial showed, in words; nothing where nothing was tested."""
    if not trial.before or not trial.after:
        return ""
    parts = [f"recognised {trial.before.recall:.0%} before, {trial.after.recall:.0%} now"]
    if trial.before.recall == trial.after.recall:
        parts.append(f"with a probability of {trial.before.certainty:.0%} before, {trial.after.certainty:.0%} now")
        if trial.after.certainty < trial.before.certainty:  # of a profile of the resting face alone
            parts.append("so that weak signs of the others count more")
    return ", ".join(parts)
