"""Several videos at once, each in a process of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from live_emotion.concurrency.cpu import cores
from live_emotion.errors import DeviceError
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.batch import WAIT_S, Outcome, Progress, Stop, do_task, open_analyzer
from live_emotion.pipelines.videos.planning import VideoTask
from live_emotion.pipelines.videos.video import VideoOptions

NOT_BEGUN = -1
"""In place of the number of frames that are done, of a task that no process has taken yet."""


def run_in_processes(
    tasks: Sequence[VideoTask],
    config: AnalysisConfig,
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
        config: how faces are found and read, in each process.
        options: how videos are read and written.
        workers: how many processes.
        progress: called in this process.
        stop: asked in this process.

    Yields:
        outcomes as they come.

    Raises:
        WeightsError: a model file is missing or damaged.
        DeviceError: the device is not available, or no process can be started.
    """
    settings = config, max(1, cores() // workers), options
    waiting: Collection[int] = range(len(tasks))
    while waiting and not stop():
        before = len(waiting)
        begun, waiting = yield from _in_pool(tasks, waiting, settings, workers, progress, stop)
        if len(waiting) == before:
            raise DeviceError("The processes that read the videos die as they start; try fewer --workers.")
        for number in begun:
            again, _ = yield from _in_pool(tasks, [number], settings, 1, progress, stop)
            if again:
                name = tasks[number].source
                yield Outcome(tasks[number], error=f"The process that read {name} was killed; is there enough memory?")


def _in_pool(
    tasks: Sequence[VideoTask],
    numbers: Collection[int],
    settings: tuple[AnalysisConfig, int, VideoOptions],
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
    frames = context.RawArray("q", [NOT_BEGUN] * len(tasks))
    expected = context.RawArray("q", len(tasks))
    halt = context.RawValue("b", 0)
    lost = []
    with ProcessPoolExecutor(min(workers, len(numbers)), context, _begin_process, (frames, expected, halt)) as pool:
        futures = {pool.submit(_do_in_process, number, tasks[number], *settings): number for number in numbers}
        try:
            while futures:
                done, _ = wait(futures, WAIT_S, FIRST_COMPLETED)
                for number in numbers:
                    progress(number, max(0, frames[number]), expected[number])
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


_shared: tuple[Any, Any, Any]
"""In a process of the pool: by task, the frames that are done and those that there should be; and whether to stop."""


def _begin_process(*shared: Any) -> None:
    """Sets a process of the pool up: the main process answers Ctrl-C, and none outlives it."""
    global _shared
    _shared = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="follow", daemon=True).start()


def _do_in_process(
    number: int, task: VideoTask, config: AnalysisConfig, threads: int, options: VideoOptions
) -> Outcome:
    frames, expected, halt = _shared
    frames[number] = 0

    def progress(done: int, due: int) -> None:
        frames[number], expected[number] = done, due

    return do_task(task, open_analyzer(config, threads), options, progress, lambda: bool(halt.value))
