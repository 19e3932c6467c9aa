"""``live-emotion video``: an annotated copy of a film."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from live_emotion.options import analysis_options, force_option


@click.command("video")
@click.argument("source", type=click.Path(path_type=Path), metavar="IN.mp4")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="OUT.mp4",
    help="The annotated copy: H.264 in MP4, every frame at its own time.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write a row for each face in each frame to a .csv or .jsonl file.",
)
@force_option
@analysis_options
def command(source: Path, output: Path, data: Path | None, force: bool, **analysis: Any) -> None:
    """Annotate a film: boxes, emotions and how sure they are, in every frame.

    Reads everything that FFmpeg reads. Ctrl-C leaves a playable film of what was done.

    \b
    live-emotion video talk.mov -o talk-emotions.mp4
    live-emotion video talk.mov -o talk-emotions.mp4 --data talk.csv
    """
    from tqdm import tqdm

    from live_emotion.errors import OutputError
    from live_emotion.files import refuse_existing
    from live_emotion.sources import VideoFile

    for path in filter(None, (output, data)):
        if path.exists() and source.exists() and path.samefile(source):
            raise OutputError(f"{path} is the film itself; choose another name for the copy.")
        refuse_existing(path, force)
    with contextlib.ExitStack() as stack:
        video = stack.enter_context(VideoFile(source))

        from live_emotion.film import FilmWriter
        from live_emotion.pipeline import EmotionAnalyser, annotate, deliver
        from live_emotion.sinks import open_data_sink

        analyser = stack.enter_context(EmotionAnalyser.open(**analysis, track=True))
        film = stack.enter_context(FilmWriter(output))
        sink = stack.enter_context(open_data_sink(data, analyser.class_names)) if data else None
        bar = stack.enter_context(tqdm(video, total=video.frame_count, unit="frame", desc=source.name))
        stopped = False
        try:
            deliver(annotate(bar, analyser), film, sink)
        except KeyboardInterrupt:
            stopped = True
    if video.damaged_s:
        click.echo(f"{len(video.damaged_s)} pictures of {source} are damaged or lost.", err=True)
    for path in filter(None, (output, data)):
        click.echo(f"Saved {path}{' up to where you stopped it' if stopped else ''}")
    if stopped:
        raise click.Abort
