"""Runs commands in processes forked off one that has everything imported already, each within limits.

A program of its own, started by ``fuzz.py`` for ``live_emotion``, or ``--with-torch`` for the others: reads one job a
line as JSON on standard input, and answers each with a line. A job names the ``program`` (``live_emotion``, ``train``,
``calls`` or ``clients``), its ``arguments``, the ``folder`` that it runs in, further ``environment``, ``stdout``
(``file``, ``full``, ``closed`` or ``gone``), ``limit_s`` and ``limits``, by the names that ``resource`` has for them.
The child leaves the loop and ends as any Python does, so that what goes wrong at the very end is seen as well.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time

PRELOADED = (
    *("cv2", "av", "mediapipe", "matplotlib.figure", "PIL.Image", "jinja2", "pyarrow.parquet", "pillow_heif"),
    *("live_emotion.api", "live_emotion.cli.main", "live_emotion.pipelines.videos.video"),
    *("live_emotion.visualization.report.report", "live_emotion.pipelines.photos"),
    *("live_emotion.server.run", "websockets.sync.client", "materials"),
)
"""What costs time to import; what is not installed is left out."""

PRELOADED_WITH_TORCH = ("live_emotion.models.torch_network", "train.engine.trainer", "train.export.onnx")
"""The same for all but the command ``live_emotion``: it makes each process end four times as slow."""

IDLE_S = 0.05
"""A process that uses less of the processor in the whole time of its limit waits for something that never comes."""

WITH_TORCH = "--with-torch"

OUTPUT, ERRORS = "stdout.txt", "stderr.txt"


def preload(with_torch: bool) -> None:
    """Imports all that commands import, and starts no thread."""
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    from live_emotion.emotions.onnx import import_onnxruntime
    from live_emotion.faces.detection.blazeface import _lazy_plotting

    import_onnxruntime()
    with _lazy_plotting():
        from live_emotion.cli.main import LazyGroup

        groups, names = [LazyGroup], list(PRELOADED)
        if with_torch:
            from train.cli.main import TrainGroup

            groups.append(TrainGroup)
            names += PRELOADED_WITH_TORCH
        for name in (*names, *(f"{group.package}.{command}" for group in groups for command in group.short_helps)):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()  # no child goes through all of it again, which takes a second


def become(job: dict) -> None:
    """Turns this process into the one that runs a job."""
    os.setsid()
    os.chdir(job["folder"])
    os.environ.update(job["environment"])
    errors = os.open(os.path.join(job["logs"], ERRORS), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(errors, 2)
    if job["stdout"] == "closed":  # as Python begins where there is none
        os.close(1)
        sys.stdout = None
    elif job["stdout"] == "gone":
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
    else:
        path = "/dev/full" if job["stdout"] == "full" else os.path.join(job["logs"], OUTPUT)
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    for name, value in job["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if job["bound"]:  # root may write anywhere by its capabilities, of which none is left (capset(2), version 3)
        ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
    arguments = [argument.encode("utf-8", "surrogateescape") for argument in job["arguments"]]
    if job["fresh"]:
        os.execv(sys.executable, [sys.executable, "-m", job["program"], *arguments])
    sys.argv = [job["program"], *map(os.fsdecode, arguments)]


def used_s(pid: int) -> float:
    """Seconds of processor time that a process has used (proc(5), fields 14 and 15 of its stat)."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait(pid: int, limit_s: float) -> dict:
    """Waits for a child, and ends it, with all that it started, where it takes too long.

    That is so where it uses as much time of the processor, or does nothing for as long; that the machine is busy with
    something else does not count.
    """
    begin, used, is_late = time.monotonic(), 0.0, False
    handle = os.pidfd_open(pid)
    while not is_late and not select.select([handle], [], [], limit_s)[0]:
        before, used = used, used_s(pid)
        is_late = used > limit_s or used - before < IDLE_S
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.close(handle)
    _, status, usage = os.wait4(pid, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "late": is_late,
        "peak_mb": usage.ru_maxrss / 1024,
        "seconds": time.monotonic() - begin,
    }


def serve() -> dict | None:
    """Answers jobs until there are no more; in a child it gives the job that it is to run."""
    for line in sys.stdin.buffer:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            become(job)
            return job
        print(json.dumps(wait(pid, job["limit_s"])), flush=True)
    return None


if __name__ == "__main__":
    preload(with_torch=sys.argv[1:] == [WITH_TORCH])
    print("ready", flush=True)
    if job := serve():
        if job["program"] == "calls":
            from calls import main
        elif job["program"] == "clients":
            from clients import main
        elif job["program"] == "train":
            from train.cli.main import main
        else:
            from live_emotion.cli.main import main
        main()
