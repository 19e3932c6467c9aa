"""``live-emotion webcam``: emotions live in a window."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from live_emotion.options import analysis_options, force_option


@click.command("webcam")
@click.option(
    "--camera",
    default="0",
    show_default=True,
    metavar="SOURCE",
    help="Number of a camera, a URL such as rtsp://host/stream, or a video file, which plays at its own speed.",
)
@click.option(
    "--mirror/--no-mirror",
    default=None,
    help="Turn the picture left to right, as a mirror does.  [default: on for a camera, off for URLs and files]",
)
@click.option("--window/--no-window", default=True, show_default=True, help="Show the window.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE.mp4", help="Record the annotated film.")
@click.option(
    "--log",
    metavar="FILE",
    help="Write a row for each face in each frame to a .csv or .jsonl file; - writes JSON Lines to standard output.",
)
@force_option
@analysis_options
def command(
    camera: str, mirror: bool | None, window: bool, record: Path | None, log: str | None, force: bool, **analysis: Any
) -> None:
    """Read emotions live from a camera, in a window.

    Every face gets a box with its emotion and how sure that is, in percent. q, Esc, closing the window or Ctrl-C
    end it; recordings and logs are complete then, too. Nothing is stored without --record or --log.

    \b
    live-emotion webcam
    live-emotion webcam --record me.mp4 --log me.csv
    live-emotion webcam --camera rtsp://192.168.1.20/stream --no-window --log -
    """
    from live_emotion.camera import NewestFrame, is_camera, mirrored, open_camera
    from live_emotion.files import refuse_existing
    from live_emotion.window import Window

    files = [path for path in (record, log if log != "-" else None) if path]
    for path in files:
        refuse_existing(path, force)
    with contextlib.ExitStack() as stack:
        # screen and camera first: what is missing is said before anything slow is loaded
        screen = stack.enter_context(Window()) if window else None
        frames = stack.enter_context(open_camera(camera))

        from live_emotion.film import FilmWriter
        from live_emotion.pipeline import EmotionAnalyser, annotate, deliver
        from live_emotion.rate import FrameRate
        from live_emotion.sinks import open_data_sink

        analyser = stack.enter_context(EmotionAnalyser.open(**analysis, track=True))
        film = stack.enter_context(FilmWriter(record)) if record else None
        sink = stack.enter_context(open_data_sink(log, analyser.class_names)) if log else None
        if is_camera(camera) if mirror is None else mirror:
            frames = mirrored(frames)
        newest = stack.enter_context(NewestFrame(frames))
        rate = FrameRate()
        results = annotate(newest, analyser, lines=lambda: [f"{rate.tick():.0f} FPS"])
        with contextlib.suppress(KeyboardInterrupt):
            deliver(results, film, sink, screen)
    dropped = newest.captured - newest.taken
    click.echo(f"{newest.captured} frames captured, {newest.taken} read, {dropped} dropped.", err=True)
    for path in files:
        click.echo(f"Saved {path}", err=True)
