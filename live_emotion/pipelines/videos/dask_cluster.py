"""Several videos at once, on the machines of a Dask cluster. One video a task."""

from __future__ import annotations

import importlib.util
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from live_emotion.concurrency.cpu import cores
from live_emotion.errors import DeviceError, MissingExtraError
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.batch import WAIT_S, Outcome, Progress, Stop, do_task, open_analyzer
from live_emotion.pipelines.videos.planning import VideoTask
from live_emotion.pipelines.videos.video import VideoOptions
from live_emotion.resources import is_short_name

TELL_S = 1.0
"""How often a worker tells its progress, in seconds."""

ANSWER_S = 10
"""How long the scheduler may take to answer, in seconds."""


def run_on_cluster(
    tasks: Sequence[VideoTask],
    config: AnalysisConfig,
    options: VideoOptions,
    address: str,
    progress: Progress,
    stop: Stop,
) -> Iterator[Outcome]:
    """Does the tasks on the workers of a Dask cluster, which see the same files under the same paths.

    The task of a worker that dies is done again by another.

    Args:
        tasks: the videos.
        config: how faces are found and read, in each worker.
        options: how videos are read and written.
        address: of the scheduler, as ``tcp://host:8786``.
        progress: called in this process.
        stop: asked in this process.

    Yields:
        outcomes as they come.

    Raises:
        MissingExtraError: ``distributed`` is not installed.
        DeviceError: no cluster answers there, or it is lost on the way, or has no such device.
        WeightsError: a model file is missing or damaged.
    """
    from distributed import TimeoutError, wait

    config = replace(config, weights=tuple(w if is_short_name(w) else _absolute(w) for w in config.weights))
    topic = f"live-emotion-{uuid.uuid4().hex}"
    frames: dict[int, tuple[int, int]] = {}  # by task: how many are done, how many there should be
    halted = False
    with _connect(address) as client:
        client.subscribe_topic(topic, lambda event: frames.update([event[1]]))
        futures = {
            client.submit(
                _do_on_cluster, number, _with_absolute_paths(task), config, options, topic, pure=False
            ): number
            for number, task in enumerate(tasks)
        }
        while futures:
            try:
                done = wait(list(futures), WAIT_S, "FIRST_COMPLETED").done
            except TimeoutError:
                done = set()
            for number, (count, expected) in list(frames.items()):
                progress(number, count, expected)
            for future in done:
                outcome = _outcome_of(future, tasks[futures.pop(future)], address)
                future.release()  # or the cluster does the video again, should the worker that holds the outcome die
                yield outcome
            if stop() and not halted:
                halted = True
                client.run(_halt, topic, on_error="ignore")
                client.cancel([future for future, number in futures.items() if number not in frames])
                futures = {future: number for future, number in futures.items() if number in frames}


def check_cluster() -> None:
    """Finds out before the work whether clusters can be used.

    Raises:
        MissingExtraError: the package for it is not installed.
    """
    if importlib.util.find_spec("distributed") is None:
        raise MissingExtraError(
            "--cluster needs dask.distributed; install it with: pip install 'live-emotion[cluster]', or use --workers."
        )


def _connect(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout=ANSWER_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise DeviceError(
            f"No Dask scheduler answers at {address}; start one with dask scheduler and workers with dask worker."
        ) from error


def _outcome_of(future: Any, task: VideoTask, address: str) -> Outcome:
    from distributed.scheduler import KilledWorker

    if future.status in ("cancelled", "lost"):
        raise DeviceError(f"The cluster at {address} is lost; go on with --resume once it is back.")
    if isinstance(future.exception(), KilledWorker):
        return Outcome(task, error=f"Each worker that read {task.source} was killed; have they enough memory?")
    return replace(future.result(), task=task)


_halted: set[str] = set()
"""In a worker of a cluster: the topics whose tasks are to stop."""


def _halt(topic: str) -> None:
    _halted.add(topic)


def _do_on_cluster(number: int, task: VideoTask, config: AnalysisConfig, options: VideoOptions, topic: str) -> Outcome:
    from distributed import get_worker

    worker, due_s = get_worker(), 0.0

    def progress(done: int, due: int) -> None:
        nonlocal due_s
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + TELL_S
            worker.log_event(topic, (number, (done, due)))

    progress(0, 0)
    return do_task(task, open_analyzer(config, cores()), options, progress, lambda: topic in _halted)


def _with_absolute_paths(task: VideoTask) -> VideoTask:
    annotated, report = (path and _absolute(path) for path in (task.annotated, task.report))
    data = tuple(_absolute(path) for path in task.data)
    return replace(task, source=_absolute(task.source), annotated=annotated, data=data, report=report)


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(path).absolute()
