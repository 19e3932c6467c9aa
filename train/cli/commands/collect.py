"""``python -m train collect``."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import camera_option, detector_option, min_confidence_option


def _folder_name(ctx: click.Context, parameter: click.Parameter, label: str) -> str:
    if not label.strip() or label.startswith(".") or any(sign in label for sign in '/\\:*?"<>|'):
        raise click.BadParameter("it becomes a folder's name, such as happy.")
    return label


@click.command("collect")
@click.option(
    "--label", required=True, callback=_folder_name, metavar="CLASS", help="What the faces show, such as happy."
)
@camera_option
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    metavar="DIR",
    help="Training folder; the faces go to DIR/<split>/<label>/.",
)
@click.option(
    "--split",
    default="train",
    show_default=True,
    type=click.Choice(("train", "val", "test")),
    help="What they are for. Record val at another time than train: frames of one moment are all alike.",
)
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="How many faces to record.")
@click.option(
    "--every",
    type=click.IntRange(1),
    default=6,
    show_default=True,
    metavar="N",
    help="Store a face of every N-th frame at most; cameras give about 30 frames a second.",
)
@click.option("--window/--no-window", default=None, help="Show the window.  [default: where there is a display]")
@detector_option
@min_confidence_option
def command(
    label: str,
    camera: str,
    data: Path,
    split: str,
    count: int,
    every: int,
    window: bool | None,
    detector: str,
    min_confidence: float,
) -> None:
    """Record own faces from the camera into a training folder.

    Stores the largest face of a frame as 48x48 grey PNG, and nothing else of the frame. Move your head and change
    the light while it records. q, Esc, closing the window or Ctrl-C end it; what is recorded stays.

    \b
    python -m train collect --label happy
    python -m train collect --label happy --split val --count 25
    """
    from live_emotion.io.camera import is_camera
    from live_emotion.io.display.screen import has_display
    from live_emotion.io.display.window import Window
    from live_emotion.io.live_source import mirrored, open_camera

    with contextlib.ExitStack() as stack:
        # screen and camera first: what is missing is said before anything slow is loaded
        screen = stack.enter_context(Window()) if (has_display() if window is None else window) else None
        source = stack.enter_context(open_camera(camera))

        from live_emotion.faces.detection.detector import FaceDetector
        from train.console import progress
        from train.data.sources.collect import Tally, collect

        faces = stack.enter_context(FaceDetector(detector, min_confidence))
        folder = data / split / label
        frames = map(mirrored, source) if is_camera(camera) else source
        tally = Tally()
        with progress(total=count, desc=label, unit="face") as bar, contextlib.suppress(KeyboardInterrupt):
            for tally in collect(frames, faces, folder, count, every, screen.show if screen else lambda _: True):
                bar.update(tally.stored - bar.n)
    total = sum(1 for _ in folder.glob("*.png"))
    say(f"Stored {tally.stored} faces in {folder}, which now has {total}.")
    if tally.faceless:
        say(f"{tally.faceless} of {tally.frames} frames showed no face.")
    if not tally.stored:
        click.echo("Look into the camera with light on your face, or try --detector tiled from further away.", err=True)
