"""``live-emotion profiles``: what was learnt of people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import weights_option
from live_emotion.errors import InputError, LiveEmotionError

if TYPE_CHECKING:
    from live_emotion.emotions.classifier import EmotionClassifier
    from live_emotion.emotions.profile import Profile


@click.group("profiles", invoke_without_command=True)
@weights_option
@click.pass_context
def command(context: click.Context, weights: tuple[str, ...]) -> None:
    """List, show and delete what 'enrol' and 'calibrate' learnt of people.

    A profile is a file of numbers, no image; it fits the weights that it was made with, and these only.

    \b
    live-emotion profiles                 all of them
    live-emotion profiles show anna       the numbers of one
    live-emotion profiles delete anna     nothing is kept of it
    """
    context.obj = weights
    if context.invoked_subcommand is None:
        context.invoke(list_all)


@command.command("list")
@click.pass_obj
def list_all(weights: tuple[str, ...]) -> None:
    """Print all profiles, and the folder that they lie in."""
    from live_emotion.emotions.classifier import EmotionClassifier
    from live_emotion.emotions.profile import Profile, profile_names, profile_path

    names = profile_names()
    if not names:
        say("There is no profile yet; 'live-emotion enrol' makes one.")
        return
    classifier = EmotionClassifier(weights)
    for name in names:
        try:
            about = describe(Profile.load(name), classifier)
        except InputError as error:
            about = str(error)
        say(f"{name}: {about}")
    say(f"In {profile_path(names[0]).parent}")


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(weights: tuple[str, ...], name: str) -> None:
    """Print what the profile NAME holds: what it corrects each emotion by, and where it lies."""
    from live_emotion.emotions.classifier import EmotionClassifier
    from live_emotion.emotions.profile import Profile, profile_path

    profile = Profile.load(name)
    say(f"{name}: {describe(profile, EmotionClassifier(weights))}")
    for emotion, offset in zip(profile.class_names, profile.offsets):
        vector = profile.prototypes.get(emotion)
        odds = math.exp(offset)
        times = f"{odds:.0f}" if odds >= 10 else f"{odds:.2g}"  # 1000 rather than 1e+03
        learnt = f"its look is known, in {len(vector)} numbers" if vector else "not shown"
        say(f"  {emotion}: odds times {times}; {learnt}")
    say(f"  in {profile_path(name)}")


@command.command("delete")
@click.argument("name")
def delete(name: str) -> None:
    """Delete the profile NAME; nothing is kept of it."""
    from live_emotion.emotions.profile import delete_profile

    delete_profile(name)
    say(f"Deleted the profile {name}.")


def describe(profile: Profile, classifier: EmotionClassifier) -> str:
    """What it was made of, and whether it fits the weights, in a line."""
    learnt = ", ".join(name for name in profile.class_names if name in profile.prototypes) or "resting face"
    try:
        classifier.check_profile(profile)
    except LiveEmotionError as error:
        return f"{learnt}; {error}"
    return f"{learnt}; fits the weights"
