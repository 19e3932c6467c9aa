"""``live-emotion demo``: everything at work, with no camera, no file and no network."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import analysis_options

VIDEO = "demo.mp4"
EXAMPLE = "demo_example.png"


@click.command("demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Folder for the video and the image; made if it is missing.",
)
@click.option("--window/--no-window", default=None, help="Show the window.  [default: where there is a display]")
@analysis_options
def command(output: Path, window: bool | None, **analysis: Any) -> None:
    """See live-emotion at work, with no camera, no file and no network.

    Makes a short video on the spot of two public-domain portraits, reads it as it would read a camera, and saves
    demo.mp4, the annotated video, and demo_example.png, one frame of it with the face as the network saw it.
    """
    from live_emotion.cli.progress import count_frames
    from live_emotion.faces.preprocessing import crop_face
    from live_emotion.io.display.screen import has_display
    from live_emotion.io.display.window import Window
    from live_emotion.io.files.folders import make_folder
    from live_emotion.io.video.demo_clip import FPS, SECONDS, demo_frames
    from live_emotion.io.video.writer import VideoWriter
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.pipelines.config import AnalysisConfig
    from live_emotion.visualization.figures import draw_example
    from live_emotion.visualization.overlay import Overlay
    from live_emotion.visualization.view import View

    make_folder(output)
    with contextlib.ExitStack() as stack:
        screen = stack.enter_context(Window()) if (has_display() if window is None else window) else None
        analyzer = stack.enter_context(EmotionAnalyzer(AnalysisConfig(**analysis, track=True)))
        video = stack.enter_context(VideoWriter(output / VIDEO))
        frames = count_frames(demo_frames(), FPS * SECONDS, "Demo")
        overlay, view = Overlay(analyzer.class_names), View(analyzer.class_names)
        example = None
        for result in map(analyzer.analyze, frames):
            video.write(overlay.draw(result.frame.image, result.faces), result.frame.time_s)
            if len(result.faces) > (len(example.faces) if example else 0):
                example = result
            view.update(result.frame.image, result.faces)
            if screen and not screen.show(view.draw(screen.fit(*view.size))):
                break
        saved = [output / VIDEO]
        if example:
            face = example.faces[0]
            seen = crop_face(example.frame.image, face.box)
            whose = f"Face {face.track_id}" if len(example.faces) > 1 else ""
            draw_example(example.draw(), seen, face.prediction, analyzer.class_names, output / EXAMPLE, whose=whose)
            saved.append(output / EXAMPLE)
    for path in saved:
        say(f"Saved {path}")
