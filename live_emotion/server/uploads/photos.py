"""Images that are sent and answered at once."""

from __future__ import annotations

import threading
from dataclasses import replace

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live_emotion.concurrency.cpu import cores
from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.errors import InputError
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.server.answers import Answer, frame_answer
from live_emotion.server.config import Limits
from live_emotion.server.live.messages import MOST_FACES
from live_emotion.server.metrics import Metrics
from live_emotion.server.problem import ProblemError
from live_emotion.server.uploads.bodies import read_images
from live_emotion.server.uploads.images import open_image
from live_emotion.server.uploads.queries import ask_detector, ask_number
from live_emotion.types import Frame

MOST_WAITING = 16
"""Requests whose images wait to be read, or are being read."""


class PhotoRoutes:
    """The route of images.

    Args:
        config: how faces are found and read.
        classifier: shared with the sessions.
        limits: of images.
        pool: says how many are read at once.
        about: goes with each answer.
        metrics: counts them.
    """

    def __init__(
        self,
        config: AnalysisConfig,
        classifier: EmotionClassifier,
        limits: Limits,
        pool: anyio.CapacityLimiter,
        about: Answer,
        metrics: Metrics,
    ) -> None:
        self._config, self._classifier, self._limits = config, classifier, limits
        self._pool, self._about, self._metrics = pool, about, metrics
        self._analyzers: dict[str, EmotionAnalyzer] = {}
        self._opening = threading.Lock()
        self._waiting = 0

    async def analyze(self, request: Request) -> Response:
        """``POST /v1/analyze``."""
        detector = ask_detector(request, self._config.detector)
        max_faces = ask_number(request, "max_faces", min(self._config.max_faces, MOST_FACES), MOST_FACES)
        if self._waiting >= MOST_WAITING:
            raise ProblemError(503, "Many images are waiting to be read; send yours again soon.", 2)
        self._waiting += 1
        try:
            images = await read_images(request, self._limits)
            is_alone = len(images) == 1
            results = [await self._read(image, detector, max_faces, is_alone) for image in images]
        finally:
            self._waiting -= 1
        self._metrics.count("images_total", len(images))
        return JSONResponse({"results": results, **self._about})

    async def _read(self, encoded: bytes, detector: str, max_faces: int, is_alone: bool) -> Answer:
        """What is in an image; one of several that cannot be read says so in its place."""
        try:
            return await anyio.to_thread.run_sync(self._analyze, encoded, detector, max_faces, limiter=self._pool)
        except InputError as error:
            if is_alone:
                raise ProblemError(422, str(error)) from error
            return {"error": str(error)}

    def _analyze(self, encoded: bytes, detector: str, max_faces: int) -> Answer:
        image = open_image(encoded, self._limits.pixels)
        analyzer = self._analyzer(detector)
        found = analyzer.find(Frame(0, 0.0, image))
        largest = replace(found, faces=found.faces[:max_faces], crops=found.crops[:max_faces])
        (result,) = analyzer.read([largest])
        return frame_answer(result)

    def _analyzer(self, detector: str) -> EmotionAnalyzer:
        """That of a detector, opened when it is first asked for."""
        with self._opening:
            if detector not in self._analyzers:
                config = replace(self._config, detector=detector, max_faces=MOST_FACES, track=False)
                self._analyzers[detector] = EmotionAnalyzer(config, cores(), self._classifier)
            return self._analyzers[detector]

    def close(self) -> None:
        """Frees the detectors."""
        for analyzer in self._analyzers.values():
            analyzer.close()
