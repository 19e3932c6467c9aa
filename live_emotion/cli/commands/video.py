"""``live-emotion video``: annotated copies of videos, data and reports."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from live_emotion.cli.clips import ClipType
from live_emotion.cli.console import say
from live_emotion.cli.options import analysis_options, force_option, profile_option
from live_emotion.errors import LiveEmotionError, one_line
from live_emotion.io.few_lines import FewLines

if TYPE_CHECKING:
    from live_emotion.pipelines.config import AnalysisConfig
    from live_emotion.pipelines.videos.batch import Outcome, Progress, Stop
    from live_emotion.pipelines.videos.planning import VideoTask
    from live_emotion.pipelines.videos.video import VideoOptions

MOST_NAMED = 5
"""Of the videos that failed."""


@click.command("video")
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IN...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="OUT.mp4|DIR",
    help="The annotated copy: H.264 in MP4, every frame at its own time, with the audio; for several videos a folder.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="FILE",
    help="Also write a row for each face in each frame: to a .csv, .jsonl or .parquet file, or by csv, jsonl or "
    "parquet alone to a file beside each annotated video, or beside the one video. - prints JSON Lines. May be given "
    "several times.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also make a report to read in a browser: the emotions of each person over time. For several videos a report "
    "each, and index.html, a page that lists them.",
)
@click.option("--no-video", is_flag=True, help="Data and report only: no annotated video, and so quicker.")
@click.option("--clip", type=ClipType(), metavar="FROM-TO", help="Only this part of each video, as 1:30-2:10.")
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Read faces in every N-th frame only; the video stays whole.",
)
@click.option(
    "--fps",
    type=click.FloatRange(0, min_open=True),
    metavar="F",
    help="Read faces in at most so many frames a second; the video stays whole.",
)
@click.option(
    "--quality",
    type=click.IntRange(0, 51),
    default=20,
    show_default=True,
    metavar="N",
    help="Of the annotated video: H.264's constant rate factor, 0 (best, largest) to 51.",
)
@force_option
@click.option("--resume", is_flag=True, help="In a folder: go on where it stopped; videos that are complete are left.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many videos at once, each in a process.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Spread the videos over the machines of a Dask cluster, as tcp://host:8786; they must see the same files.",
)
@profile_option
@analysis_options
def command(
    inputs: tuple[Path, ...],
    output: Path | None,
    data: tuple[str, ...],
    report: Path | None,
    no_video: bool,
    clip: tuple[float, float] | None,
    every: int,
    fps: float | None,
    quality: int,
    force: bool,
    resume: bool,
    workers: int,
    cluster: str | None,
    **analysis: Any,
) -> None:
    """Annotate videos: boxes, emotions and how sure they are, in every frame. Get data and reports of them.

    Reads everything that FFmpeg reads: one video, many, or the videos in a folder. Ctrl-C leaves a playable video of
    what was done; in a folder it is named .part, and --resume goes on from there.

    \b
    live-emotion video talk.mov -o talk-emotions.mp4
    live-emotion video talk.mov -o part.mp4 --clip 1:30-2:10 --data part.csv
    live-emotion video talk.mov --report talk-report --fps 5
    live-emotion video lessons/ -o annotated --data csv --workers 4 --resume
    """
    if output is None and not data and report is None:
        raise click.UsageError("Say what to make: an annotated video with -o, rows with --data, or a --report.")
    if force and resume:
        raise click.UsageError("--force does all videos again and --resume leaves the complete ones; give one of them.")
    if every > 1 and fps:
        raise click.UsageError("--every and --fps both say how many frames are read; give one of them.")
    if cluster and workers > 1:
        raise click.UsageError("--workers is for this machine and --cluster for others; give one of them.")

    from live_emotion.cli.progress import VideosBar
    from live_emotion.concurrency.interrupts import StopRequest
    from live_emotion.io.results_writer import STANDARD_OUTPUT
    from live_emotion.pipelines.config import AnalysisConfig
    from live_emotion.pipelines.videos.dask_cluster import check_cluster
    from live_emotion.pipelines.videos.planning import plan, prepare_outputs, refuse_done
    from live_emotion.pipelines.videos.video import VideoOptions
    from live_emotion.visualization.report.index import check_index, write_index

    if cluster:
        check_cluster()
    planned = plan(inputs, output, data, report, not no_video)
    if resume and not planned[0].in_folder:
        raise click.UsageError("--resume is for videos in a folder; name one with -o.")
    tasks = [task for task in planned if not (resume and task.is_done)]
    if not (force or resume):
        refuse_done(tasks)
    listed = report if report and planned[0].report != report else None
    if listed:
        check_index(listed, force)
    prepare_outputs(tasks)
    start_s, end_s = clip or (0.0, math.inf)
    options = VideoOptions(start_s, end_s, every, fps or 0.0, quality)
    outcomes: list[Outcome] = []
    numbers = {task.source: number for number, task in enumerate(tasks)}
    config = AnalysisConfig(**analysis, track=True)
    with StopRequest() as request, VideosBar([path.name for path in numbers], _weights(tasks, clip)) as bar:
        errors = FewLines(functools.partial(bar.write, to_stderr=True))
        for outcome in _run(tasks, config, options, workers, cluster, bar.show, lambda: request.requested):
            outcomes.append(outcome)
            summary = outcome.summary
            if summary is None or summary.is_complete:
                bar.end(numbers[outcome.task.source], summary.frames if summary else 0)
            if outcome.error is None:
                bar.write(_describe(outcome), to_stderr=STANDARD_OUTPUT in data)
            elif len(planned) > 1:
                errors.say(f"Error: {outcome.error}")
    if listed and (page := write_index(listed)):
        say(f"Saved {page}")
    _conclude(planned, tasks, outcomes, request.requested)


def _run(
    tasks: Sequence[VideoTask],
    config: AnalysisConfig,
    options: VideoOptions,
    workers: int,
    cluster: str | None,
    progress: Progress,
    stop: Stop,
) -> Iterator[Outcome]:
    """Does the tasks where they are to be done."""
    from live_emotion.pipelines.videos.batch import run_here
    from live_emotion.pipelines.videos.dask_cluster import run_on_cluster
    from live_emotion.pipelines.videos.process_pool import run_in_processes

    if not tasks:
        return
    if cluster:
        yield from run_on_cluster(tasks, config, options, cluster, progress, stop)
    elif min(workers, len(tasks)) > 1:
        yield from run_in_processes(tasks, config, options, workers, progress, stop)
    else:
        yield from run_here(tasks, config, options, progress, stop)


def _weights(tasks: Sequence[VideoTask], clip: tuple[float, float] | None) -> list[int]:
    """How much work each video should be: as large as its file; parts are all the same."""
    return [1 if clip or not task.source.is_file() else max(1, task.source.stat().st_size) for task in tasks]


def _describe(outcome: Outcome) -> str:
    """What came of a video that could be read, in a line or a few."""
    from live_emotion.pipelines.videos.remarks import remarks

    source, summary = one_line(str(outcome.task.source)), outcome.summary
    assert summary is not None
    people = len(summary.people)
    frames = "frame" if summary.frames == 1 else "frames"
    lines = [
        f"{source}: {summary.frames} {frames}, {people or 'no'} {'person' if people == 1 else 'people'}, "
        f"{summary.frames / max(summary.seconds, 1e-9):.1f} frames/s"
    ]
    lines += [f"  {remark}" for remark in remarks(summary, can_resume=outcome.task.in_folder)]
    if outcome.saved:
        end = "" if summary.is_complete else " up to where you stopped it"
        lines.append(f"  Saved {', '.join(one_line(str(path)) for path in outcome.saved)}{end}")
    return "\n".join(lines)


def _conclude(
    planned: Sequence[VideoTask], tasks: Sequence[VideoTask], outcomes: Sequence[Outcome], stopped: bool
) -> None:
    """The summary of several videos, and the exit code.

    Raises:
        LiveEmotionError: a video could not be read, or what comes of it not be written.
        Abort: the work was stopped.
        Exit: with 1, where a video broke off.
    """
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if len(planned) == 1 and failed:
        raise LiveEmotionError(failed[0].error)
    read = [outcome.summary for outcome in outcomes if outcome.summary and outcome.summary.is_complete]
    done = sum(1 for summary in read if summary.is_whole)
    if len(planned) > 1 or len(tasks) < len(planned):
        skipped = len(planned) - len(tasks)
        parts = [f"{done} of {len(planned)} videos done"]
        parts += [f"{skipped} complete before"] if skipped else []
        parts += [f"{len(read) - done} broken off"] if len(read) > done else []
        parts += [f"{len(failed)} failed"] if failed else []
        say(", ".join(parts) + ".", err=bool(failed))
    if stopped:
        if planned[0].in_folder:
            say("Go on with --resume.", err=True)
        raise click.Abort
    if failed:
        names = ", ".join(str(outcome.task.source) for outcome in failed[:MOST_NAMED])
        more = ", ..." if len(failed) > MOST_NAMED else ""
        raise LiveEmotionError(f"{len(failed)} of {len(planned)} videos failed: {names}{more}.")
    if len(read) > done:  # which was said where each was told of
        raise click.exceptions.Exit(1)
