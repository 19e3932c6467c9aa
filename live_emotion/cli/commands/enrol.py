"""``live-emotion enrol``: learns how a person's face shows emotions."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from live_emotion.cli.clips import LabelledClipType
from live_emotion.cli.console import say
from live_emotion.cli.options import camera_option, detector_option, device_option, force_option, weights_option
from live_emotion.errors import DisplayError, InputError

if TYPE_CHECKING:
    from live_emotion.io.display.window import Window
    from live_emotion.io.live_source import LiveSource
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.pipelines.enrolment import Enrolment


@click.command("enrol")
@click.argument("name", default="me")
@click.option(
    "--photos",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Photos of the person, in a folder for each emotion: DIR/happy/1.jpg. Folders may be missing.",
)
@click.option("--video", type=click.Path(path_type=Path), metavar="FILE", help="A recording of the person.")
@click.option(
    "--label",
    "labels",
    type=LabelledClipType(),
    multiple=True,
    metavar="FROM-TO=EMOTION",
    help="What a part of the recording shows, as 0:03-0:06=angry. May be repeated.",
)
@camera_option
@detector_option
@weights_option
@device_option
@force_option
def command(
    name: str,
    photos: Path | None,
    video: Path | None,
    labels: tuple[tuple[float, float, str], ...],
    camera: str,
    detector: str,
    weights: tuple[str, ...],
    device: str,
    force: bool,
) -> None:
    """Learn how the face of NAME shows each emotion, so that webcam, video and image read it right.

    A window leads through it in half a minute: for each emotion it says what to do and counts down, then look so for
    two seconds. Space begins, and keeps what was recorded; r takes it again, n skips an emotion, q ends it and saves
    nothing. Photos or a recording do instead.

    Half of what was shown makes the profile, the other half tests it; one that is no better than none is not saved.
    A picture with no face, several people, or a face that is dark, blurred or turned away is not taken. What is
    stored are numbers, no image. Use it with --profile NAME.

    \b
    live-emotion enrol
    live-emotion enrol anna --photos anna/
    live-emotion enrol --video me.mp4 --label 0:01-0:03=neutral --label 0:05-0:07=angry
    live-emotion webcam --profile me --profile anna
    """
    if photos and video:
        raise click.UsageError("--photos and --video are two ways to the same; give one of them.")
    if bool(video) != bool(labels):
        raise click.UsageError("--video and --label belong together: say which part of the recording shows what.")
    _refuse_overlaps(labels)

    from live_emotion.cli.enrolment import from_camera
    from live_emotion.concurrency.interrupts import StopRequest
    from live_emotion.emotions.profile import profile_path
    from live_emotion.io.camera import is_camera
    from live_emotion.io.files.atomic import refuse_existing

    refuse_existing(profile_path(name), force)
    with contextlib.ExitStack() as stack:
        opened = None if photos or video else _open(camera, stack)

        from live_emotion.pipelines.analyzer import EmotionAnalyzer
        from live_emotion.pipelines.config import AnalysisConfig
        from live_emotion.pipelines.learning import learn_and_save

        analyzer = stack.enter_context(EmotionAnalyzer(AnalysisConfig(weights, device, detector)))
        if opened:
            with StopRequest() as stop:
                enrolment = from_camera(*opened, analyzer, is_camera(camera), stop)
        else:
            enrolment = _from_files(photos, video, labels, analyzer)
        learn_and_save(enrolment, name, say)


def _open(camera: str, stack: contextlib.ExitStack) -> tuple[Window, LiveSource]:
    """The window and the camera: what is missing is said before anything slow is loaded."""
    from live_emotion.io.display.window import Window
    from live_emotion.io.live_source import open_camera

    try:
        window = stack.enter_context(Window())
    except DisplayError as error:
        raise DisplayError(
            "There is no display to show you what to do; learn from pictures with --photos DIR, "
            "or from a recording with --video FILE and --label."
        ) from error
    return window, stack.enter_context(open_camera(camera))


def _from_files(
    photos: Path | None,
    video: Path | None,
    labels: Sequence[tuple[float, float, str]],
    analyzer: EmotionAnalyzer,
) -> Enrolment:
    from live_emotion.cli.enrolment import Refusals
    from live_emotion.pipelines.enrolment import collect, folder_of, other_folders, recording_of

    names = analyzer.class_names
    if unknown := [label for _, _, label in labels if label not in names]:
        raise InputError(f"The weights do not know {unknown[0]}; they know {', '.join(names)}.")
    if photos and photos.is_dir() and (others := other_folders(photos, names)):
        say(others, err=True)
    refusals = Refusals()
    try:
        return collect(
            folder_of(photos, names) if photos else recording_of(video or Path(), labels), analyzer, refusals.add
        )
    finally:
        refusals.say()


def _refuse_overlaps(labels: Sequence[tuple[float, float, str]]) -> None:
    ordered = sorted(labels)
    for (_, end_s, one), (start_s, _, other) in itertools.pairwise(ordered):
        if start_s < end_s:
            raise click.UsageError(f"The parts for {one} and {other} overlap; a frame shows one emotion.")
