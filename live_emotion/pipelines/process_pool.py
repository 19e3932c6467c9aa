"""Several videos at once: in processes of this machine, and on the machines of a Dask cluster. One video a task."""

from __future__ import annotations

import functools
import importlib.util
import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from live_emotion.concurrency.cpu import cores
from live_emotion.errors import DeviceError, MissingExtraError
from live_emotion.pipelines.batch import Outcome, Progress, Stop, VideoTask, do_task
from live_emotion.pipelines.face_reader import FaceReader, ReaderOptions
from live_emotion.pipelines.video import VideoOptions

POLL_S = 0.2
"""How often progress is shown and a stop is looked for, in seconds."""

TELL_S = 1.0
"""How often a worker of a cluster tells its progress, in seconds."""

ANSWER_S = 10
"""How long a cluster's scheduler may take to answer, in seconds."""

NOT_BEGUN = -1

open_reader = functools.lru_cache(maxsize=1)(FaceReader)
"""The reader of this process for some options; it serves video after video."""


def run_in_processes(
    tasks: Sequence[VideoTask],
    reader: ReaderOptions,
    options: VideoOptions,
    workers: int,
    progress: Progress,
    stop: Stop,
) -> Iterator[Outcome]:
    """Does several tasks at once, each in a process; they share the processor's cores.

    Where a process dies, as when memory runs out, the videos that were being read then are read again, one after the
    other; a video at which a process dies again is given up.

    Args:
        tasks: the videos.
        reader: how faces are found and read, in each process.
        options: how videos are read and written.
        workers: how many processes.
        progress: called in this process.
        stop: asked in this process.

    Yields:
        outcomes as they come.

    Raises:
        WeightsError: a model file is missing or damaged.
        DeviceError: the device is not available.
    """
    settings = replace(reader, threads=reader.threads or max(1, cores() // workers)), options
    waiting: Collection[int] = range(len(tasks))
    while waiting and not stop():
        begun, waiting = yield from _in_pool(tasks, waiting, settings, workers, progress, stop)
        for number in begun:
            again, _ = yield from _in_pool(tasks, [number], settings, 1, progress, stop)
            if again:
                name = tasks[number].source
                yield Outcome(tasks[number], error=f"The process that read {name} was killed; is there enough memory?")


def _in_pool(
    tasks: Sequence[VideoTask],
    numbers: Collection[int],
    settings: tuple[ReaderOptions, VideoOptions],
    workers: int,
    progress: Progress,
    stop: Stop,
) -> Generator[Outcome, None, tuple[list[int], list[int]]]:
    """Does some of the tasks until all are done or a process dies.

    Returns:
        the tasks that were being done when a process died, and those that were waiting.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of PyTorch's and MediaPipe's threads
    # no locks here: a process may be killed while it holds one
    frames, halt = context.RawArray("q", [NOT_BEGUN] * len(tasks)), context.RawValue("b", 0)
    lost = []
    with ProcessPoolExecutor(min(workers, len(numbers)), context, _begin_process, (frames, halt)) as pool:
        futures = {pool.submit(_do_in_process, number, tasks[number], *settings): number for number in numbers}
        try:
            while futures:
                done, _ = wait(futures, POLL_S, FIRST_COMPLETED)
                for number in numbers:
                    progress(number, max(0, frames[number]))
                for future in done:
                    number = futures.pop(future)
                    if isinstance(future.exception(), BrokenProcessPool):
                        lost.append(number)
                    else:
                        yield future.result()
                if stop():
                    halt.value = 1
                    futures = {future: number for future, number in futures.items() if not future.cancel()}
        finally:
            halt.value = 1
    return [n for n in lost if frames[n] > NOT_BEGUN], [n for n in lost if frames[n] == NOT_BEGUN]


_shared: tuple[Any, Any]
"""In a process of the pool: frames done by task, and whether to stop."""


def _begin_process(frames: Any, halt: Any) -> None:
    """Sets a process of the pool up: the main process answers Ctrl-C, and none outlives it."""
    global _shared
    _shared = frames, halt
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, name="follow", daemon=True).start()


def _do_in_process(number: int, task: VideoTask, reader: ReaderOptions, options: VideoOptions) -> Outcome:
    frames, halt = _shared
    frames[number] = 0

    def progress(done: int) -> None:
        frames[number] = done

    return do_task(task, open_reader(reader), options, progress, lambda: bool(halt.value))


def run_on_cluster(
    tasks: Sequence[VideoTask],
    reader: ReaderOptions,
    options: VideoOptions,
    address: str,
    progress: Progress,
    stop: Stop,
) -> Iterator[Outcome]:
    """Does the tasks on the workers of a Dask cluster, which see the same files under the same paths.

    The task of a worker that dies is done again by another.

    Args:
        tasks: the videos.
        reader: how faces are found and read, in each worker.
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

    reader = replace(reader, weights=tuple(_absolute(path) for path in reader.weights))
    topic = f"live-emotion-{uuid.uuid4().hex}"
    frames: dict[int, int] = {}
    halted = False
    with _connect(address) as client:
        client.subscribe_topic(topic, lambda event: frames.update([event[1]]))
        futures = {
            client.submit(
                _do_on_cluster, number, _with_absolute_paths(task), reader, options, topic, pure=False
            ): number
            for number, task in enumerate(tasks)
        }
        while futures:
            try:
                done = wait(list(futures), POLL_S, "FIRST_COMPLETED").done
            except TimeoutError:
                done = set()
            for number, count in list(frames.items()):
                progress(number, count)
            for future in done:
                yield _outcome_of(future, tasks[futures.pop(future)], address)
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


def _do_on_cluster(number: int, task: VideoTask, reader: ReaderOptions, options: VideoOptions, topic: str) -> Outcome:
    from distributed import get_worker

    worker, due_s = get_worker(), 0.0

    def progress(done: int) -> None:
        nonlocal due_s
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + TELL_S
            worker.log_event(topic, (number, done))

    progress(0)
    return do_task(task, open_reader(reader), options, progress, lambda: topic in _halted)


def _with_absolute_paths(task: VideoTask) -> VideoTask:
    annotated, report = (path and _absolute(path) for path in (task.annotated, task.report))
    data = tuple(_absolute(path) for path in task.data)
    return replace(task, source=_absolute(task.source), annotated=annotated, data=data, report=report)


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(path).absolute()
