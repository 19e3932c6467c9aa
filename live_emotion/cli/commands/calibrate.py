"""``live-emotion calibrate``: learns a person's resting face."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import camera_option, detector_option, device_option, force_option, weights_option


@click.command("calibrate")
@click.option("--profile", default="me", show_default=True, metavar="NAME", help="Name under which it is stored.")
@click.option(
    "--photo",
    "photos",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A photo of the resting face, in place of the camera. May be repeated.",
)
@camera_option
@click.option(
    "--seconds", type=click.FloatRange(0.5), default=5.0, show_default=True, help="How long the camera is read."
)
@detector_option
@weights_option
@device_option
@force_option
def command(
    profile: str,
    photos: tuple[Path, ...],
    camera: str,
    seconds: float,
    detector: str,
    weights: tuple[str, ...],
    device: str,
    force: bool,
) -> None:
    """Learn how your face looks at rest, so that it is not called sad or angry.

    Look into the camera with a relaxed face for five seconds. What is stored are numbers, no image. Use it with
    --profile NAME. 'live-emotion enrol' learns the other emotions, too, and tests what it learnt; that is worth more.

    \b
    live-emotion calibrate
    live-emotion webcam --profile me
    live-emotion calibrate --profile anna --photo anna-at-rest.jpg
    """
    from tqdm import tqdm

    from live_emotion.cli.enrolment import Refusals
    from live_emotion.emotions.profile import NEUTRAL, profile_path
    from live_emotion.errors import InputError
    from live_emotion.io.files.atomic import refuse_existing
    from live_emotion.io.live_source import open_camera

    refuse_existing(profile_path(profile), force)
    with contextlib.ExitStack() as stack:
        live = None if photos else stack.enter_context(open_camera(camera))

        from live_emotion.pipelines.analyzer import EmotionAnalyzer
        from live_emotion.pipelines.config import AnalysisConfig
        from live_emotion.pipelines.enrolment import FEWEST, camera_of, collect, photos_of
        from live_emotion.pipelines.learning import learn_and_save

        analyzer = stack.enter_context(EmotionAnalyzer(AnalysisConfig(weights, device, detector)))
        if NEUTRAL not in analyzer.class_names:
            raise InputError("These weights have no class neutral, so there is nothing to calibrate.")
        if live:
            say(f"Look into the camera with a relaxed face for {seconds:g} seconds.", err=True)
            refusals = Refusals()
            with tqdm(total=round(seconds, 1), unit="s", disable=None) as bar:
                frames = camera_of(live, NEUTRAL, seconds, lambda passed: bar.update(round(passed - bar.n, 2)))
                enrolment = collect(frames, analyzer, refusals.add, FEWEST)
            refusals.say()
        else:
            enrolment = collect(photos_of(photos, NEUTRAL), analyzer)
        learn_and_save(enrolment, profile, say)
