"""What an enrolment comes to: a profile that is worth it, saved, and what it is worth, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from live_emotion.emotions.profile import NEUTRAL
from live_emotion.emotions.trial import Trial
from live_emotion.errors import InputError
from live_emotion.pipelines.enrolment import Enrolment


def learn_and_save(enrolment: Enrolment, name: str, say: Callable[[str], object]) -> str:
    """Makes a profile of what was taken, says what it is worth and stores it.

    Args:
        enrolment: has what was taken.
        name: of the profile.
        say: told what was read and what it is worth, and then where it was saved.

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
