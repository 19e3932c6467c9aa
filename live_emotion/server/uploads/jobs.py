"""Videos that are sent: read one at a time in a process of its own, so that a damaged one harms nothing here."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from secrets import token_urlsafe

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from live_emotion.errors import InputError, LiveEmotionError
from live_emotion.io.files.temporary import temporary_folder
from live_emotion.io.first_bytes import LENGTH
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.batch import Outcome
from live_emotion.pipelines.videos.planning import VideoTask, prepare_outputs
from live_emotion.pipelines.videos.process_pool import run_in_processes
from live_emotion.pipelines.videos.remarks import remarks
from live_emotion.pipelines.videos.video import VideoOptions
from live_emotion.server.access.gate import CALLER
from live_emotion.server.answers import Answer
from live_emotion.server.config import Limits
from live_emotion.server.live.exports import report_headers
from live_emotion.server.live.messages import MOST_FACES
from live_emotion.server.metrics import Metrics
from live_emotion.server.problem import ProblemError
from live_emotion.server.uploads.bodies import save_body
from live_emotion.server.uploads.queries import ask_detector, ask_number
from live_emotion.server.uploads.video_header import video_suffix

RUNNING, DONE, FAILED, STOPPED = "running", "done", "failed", "stopped"

RETRY_S = 30

STOPPING_S = 30.0
"""How long a job may take to stop, in seconds; should it hang, its process ends with this one."""

MOST_KEPT = 5
"""Videos of which what came is kept."""

MOST_EVERY = 1000
"""Of every so many frames one may be read."""

PAGE, ROWS, VIDEO = "report", "rows", "video"
"""What a job gives."""


@dataclass
class Job:
    """A video and what comes of it.

    Attributes:
        owner: who sent it.
        config: how faces are found and read.
        options: how the video is read.
        task: the video and what is written of it.
        folder: holds all of those, and is removed as this is closed.
    """

    owner: str
    config: AnalysisConfig
    options: VideoOptions
    task: VideoTask
    folder: contextlib.ExitStack
    id: str = field(default_factory=lambda: token_urlsafe(16))
    state: str = RUNNING
    frames: int = 0
    expected: int = 0
    people: int = 0
    detail: str = ""
    ended_s: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self) -> Answer:
        """What a client gets to know."""
        address = f"/v1/jobs/{self.id}"
        links = {name: f"{address}/{name}" for name in (ROWS, PAGE, VIDEO)} if self.state == DONE else {}
        counts = {"frames": self.frames, "expected": self.expected, "people": self.people}
        return {"id": self.id, "state": self.state, **counts, "detail": self.detail, "links": links}

    def run(self) -> None:
        """Reads the video; it blocks."""
        settings = self.config, self.options, 1, self._progress, self.stop.is_set
        state = STOPPED
        try:
            for outcome in run_in_processes([self.task], *settings):
                state = self._take(outcome)
        except LiveEmotionError as error:
            state, self.detail = FAILED, str(error)
        finally:
            self.task.source.unlink(missing_ok=True)
            self.state, self.ended_s = state, time.monotonic()
            self.over.set()

    def _progress(self, _: int, frames: int, expected: int) -> None:
        self.frames, self.expected = frames, expected

    def _take(self, outcome: Outcome) -> str:
        """Notes what came of the video, and gives the state that it is in then."""
        summary = outcome.summary
        if summary is None:
            self.detail = (outcome.error or "").replace(str(outcome.task.source), "The video")
            return FAILED
        self.frames, self.people, self.detail = summary.frames, len(summary.people), " ".join(remarks(summary))
        return DONE if summary.is_complete else STOPPED

    def remove(self) -> None:
        """Stops it and removes all its files; it blocks until the process has ended, but not for ever."""
        self.stop.set()
        self.over.wait(STOPPING_S)
        self.folder.close()


class JobRoutes:
    """The routes of videos; one is read at a time, and what came of the last few is kept for a while.

    Args:
        config: how faces are found and read.
        limits: of videos.
        metrics: counts them.
    """

    def __init__(self, config: AnalysisConfig, limits: Limits, metrics: Metrics) -> None:
        self._config, self._limits, self._metrics = config, limits, metrics
        self._jobs: dict[str, Job] = {}
        self._is_receiving = False

    @property
    def is_busy(self) -> bool:
        """Whether a video is received or read."""
        return self._is_receiving or any(not job.over.is_set() for job in self._jobs.values())

    async def begin(self, request: Request) -> Response:
        """``POST /v1/jobs``."""
        detector = ask_detector(request, self._config.detector)
        max_faces = ask_number(request, "max_faces", min(self._config.max_faces, MOST_FACES), MOST_FACES)
        every = ask_number(request, "every", 1, MOST_EVERY)
        if self.is_busy:
            raise ProblemError(503, "Another video is being read; send yours when that is done.", RETRY_S)
        self._is_receiving = True
        try:
            for job in [*self._jobs.values()][: max(0, len(self._jobs) - MOST_KEPT + 1)]:
                await self._forget(job)
            config = replace(self._config, detector=detector, max_faces=max_faces, track=True)
            with contextlib.ExitStack() as held:
                folder = await anyio.to_thread.run_sync(held.enter_context, temporary_folder())
                task = await self._receive(request, folder)
                job = Job(request.scope[CALLER], config, VideoOptions(every=every), task, held.pop_all())
            self._jobs[job.id] = job
        finally:
            self._is_receiving = False
        threading.Thread(target=job.run, name="video", daemon=True).start()
        self._metrics.count("videos_total")
        return JSONResponse(job.answer(), 202, {"Location": f"/v1/jobs/{job.id}"})

    async def _receive(self, request: Request, folder: Path) -> VideoTask:
        received = folder / "received"
        await save_body(request, received, self._limits)
        with received.open("rb") as file:
            begin = file.read(LENGTH)
        try:
            source = received.rename(folder / f"video{video_suffix(begin)}")
        except InputError as error:
            raise ProblemError(415, str(error)) from error
        made = folder / "annotated"
        task = VideoTask(source, made / "video.mp4", (made / "rows.jsonl",), folder / "report")
        await anyio.to_thread.run_sync(prepare_outputs, [task])
        return task

    async def state(self, request: Request) -> Response:
        """``GET /v1/jobs/{id}``."""
        return JSONResponse(self._of(request).answer())

    async def rows(self, request: Request) -> Response:
        """``GET /v1/jobs/{id}/rows``."""
        return FileResponse(self._done(request).data[0], media_type="application/jsonl")

    async def report(self, request: Request) -> Response:
        """``GET /v1/jobs/{id}/report``."""
        task = self._done(request)
        assert task.report
        page = await anyio.to_thread.run_sync(partial((task.report / "report.html").read_text, encoding="utf-8"))
        page = page.replace("./../annotated/video.mp4", f"./{VIDEO}")
        return Response(page, media_type="text/html", headers=report_headers(page))

    async def video(self, request: Request) -> Response:
        """``GET /v1/jobs/{id}/video``."""
        task = self._done(request)
        assert task.annotated
        return FileResponse(task.annotated, media_type="video/mp4")

    async def remove(self, request: Request) -> Response:
        """``DELETE /v1/jobs/{id}``."""
        await self._forget(self._of(request))
        return Response(status_code=204)

    def _of(self, request: Request) -> Job:
        """The caller's job.

        Raises:
            ProblemError: there is none of this ID.
        """
        job = self._jobs.get(request.path_params["id"])
        if job is None or job.owner != request.scope[CALLER]:
            raise ProblemError(404, "There is no such job of yours; what came of a video is kept for an hour at most.")
        return job

    def _done(self, request: Request) -> VideoTask:
        """What a job that is done was to write.

        Raises:
            ProblemError: there is no such job, or it is not done.
        """
        job = self._of(request)
        if job.state != DONE:
            raise ProblemError(
                409, f"The job is {job.state}, so there is nothing to get; ask /v1/jobs/ID for how far it is."
            )
        return job.task

    async def sweep(self) -> None:
        """Removes what came of videos long ago."""
        now = time.monotonic()
        for job in [*self._jobs.values()]:
            if job.over.is_set() and now - job.ended_s > self._limits.job_kept_s:
                await self._forget(job)

    async def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        await anyio.to_thread.run_sync(job.remove)

    async def close(self) -> None:
        """Stops the job that goes on, and removes the files of all."""
        for job in [*self._jobs.values()]:
            await self._forget(job)
