"""Doing the tasks of a plan: one video after the other, and what came of each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_emotion.concurrency.cpu import cores
from live_emotion.errors import InputError, OutputError
from live_emotion.io.files.atomic import PART, may_replace, publish, sweep, write_error
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import STANDARD_OUTPUT
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.planning import VideoTask
from live_emotion.pipelines.videos.video import VideoOptions, VideoSummary, annotate_video
from live_emotion.visualization.report.player import player
from live_emotion.visualization.report.report import write_report

WAIT_S = 0.2
"""How often the progress of other processes and machines is shown and a stop is asked for, in seconds."""

Progress = Callable[[int, int, int], object]
"""Called with the number of a task, how many frames of it are done, and how many it should have; 0: unknown."""

Stop = Callable[[], bool]
"""Says True once the work is to end."""

open_analyzer = functools.lru_cache(maxsize=1)(EmotionAnalyzer)
"""The analyzer of this process for a configuration and a number of workers; it serves video after video."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        task: the task.
        summary: what was read; None where it failed.
        saved: files that were written.
        error: why it failed, in one line, or None.
    """

    task: VideoTask
    summary: VideoSummary | None = None
    saved: tuple[Path, ...] = ()
    error: str | None = None


def run_here(
    tasks: Sequence[VideoTask], config: AnalysisConfig, options: VideoOptions, progress: Progress, stop: Stop
) -> Iterator[Outcome]:
    """Does one task after the other.

    Args:
        tasks: the videos.
        config: how faces are found and read.
        options: how videos are read and written.
        progress: called after each frame.
        stop: asked before each frame.

    Yields:
        outcomes as they come.

    Raises:
        WeightsError: a model file is missing or damaged.
        DeviceError: the device is not available.
    """
    with EmotionAnalyzer(config, cores()) as opened:
        for number, task in enumerate(tasks):
            if stop():
                return
            yield do_task(task, opened, options, functools.partial(progress, number), stop)


def do_task(
    task: VideoTask,
    analyzer: EmotionAnalyzer,
    options: VideoOptions,
    progress: Callable[[int, int], object] = lambda frames, expected: None,
    stop: Stop = lambda: False,
) -> Outcome:
    """Reads a video and writes its outputs. What cannot be read or written is told in the outcome.

    Args:
        task: the video and its outputs.
        analyzer: reads the frames.
        options: how the video is read and written.
        progress: called with how many frames are done and how many there should be; 0: unknown.
        stop: asked before each frame.
    """
    try:
        return _do_task(task, analyzer, options, progress, stop)
    except (InputError, OutputError) as error:
        return Outcome(task, error=str(error))


def _do_task(
    task: VideoTask,
    analyzer: EmotionAnalyzer,
    options: VideoOptions,
    progress: Callable[[int, int], object],
    stop: Stop,
) -> Outcome:
    final = [path for path in (task.annotated, *task.data) if path is not None]
    written = [_part(path) if task.in_folder else path for path in final]
    replaces = [may_replace(path) for path in final]
    annotated = written[0] if task.annotated else None
    data = written[1:] if task.annotated else written
    summary = annotate_video(task.source, analyzer, annotated, data, options, progress, stop)
    if task.in_folder and summary.is_whole:
        for old, new, may in zip(written, final, replaces):
            _rename(old, new, may)
            sweep(old)
        written, annotated, data = final, task.annotated, list(task.data)
    saved = [path for path in written if path.exists()]
    if task.report and summary.frames and (summary.is_complete or not task.in_folder):
        rows = next(path for path in data if str(path) != STANDARD_OUTPUT)
        played = player(annotated, task.report, options.start_s) if annotated else player(task.source, task.report)
        table, title = read_table(rows), task.source.name
        saved.append(
            write_report(table, task.report, title, task.source, played, summary.span_s, explain=analyzer.explain_box)
        )
    return Outcome(task, summary, tuple(saved))


def _part(path: Path) -> Path:
    return path.with_name(f"{path.stem}{PART}{path.suffix}")


def _rename(old: Path, new: Path, replaces: bool) -> None:
    try:
        publish(old, new, replaces)
    except OSError as error:
        raise write_error(new, error) from error
