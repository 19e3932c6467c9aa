"""The application: what there is, and at which address."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send

from live_emotion.concurrency.cpu import cores
from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import Profile
from live_emotion.server import metrics as prometheus
from live_emotion.server.access.gate import SESSION, Gate, cookie_name, is_secure
from live_emotion.server.access.tokens import COOKIE_S, Tokens
from live_emotion.server.answers import Answer, about_answer
from live_emotion.server.config import ServerConfig
from live_emotion.server.live.events import EventHub, EventRoutes
from live_emotion.server.live.exports import ExportRoutes
from live_emotion.server.live.sessions import Sessions
from live_emotion.server.live.socket import LiveRoutes
from live_emotion.server.metrics import Metrics
from live_emotion.server.pages import PageRoutes
from live_emotion.server.problem import ProblemError
from live_emotion.server.uploads.jobs import JobRoutes
from live_emotion.server.uploads.photos import PhotoRoutes
from live_emotion.types import Sink


class EventsApp:
    """What every server has: a gate, a way in, pages, events, health and metrics. Alone it serves ``webcam --publish``.

    Args:
        config: of the server.
        about: what clients get to know of it.

    Attributes:
        hub: is told what is seen.
        is_ready: whether it takes requests.
    """

    def __init__(self, config: ServerConfig, about: Answer) -> None:
        self.config, self._about = config, about
        self.metrics = Metrics()
        self.hub = EventHub(config.limits.listeners)
        self.metrics.gauge("listeners", lambda: self.hub.listeners)
        self.is_ready = True
        self._tokens = Tokens(config.token)
        self._gate = Gate(Router(self._routes()), config, self._tokens, self.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request or a socket."""
        await self._gate(scope, receive, send)

    def _routes(self) -> list[Route | WebSocketRoute]:
        pages = PageRoutes()
        return [
            Route("/page/{name}", pages.file),
            Route("/about", pages.page("about.html")),
            Route("/overlay", pages.page("overlay.html")),
            Route("/", pages.page(self.front_page)),
            Route("/docs", pages.docs),
            Route("/openapi.json", pages.openapi),
            Route(SESSION, self.session, methods=["POST"]),
            Route("/health/live", self.live_health),
            Route("/health/ready", self.ready_health),
            Route("/metrics", self.read_metrics),
            Route("/v1/status", self.status),
            Route("/v1/events", EventRoutes(self.hub, self._sessions()).events),
        ]

    front_page = "overlay.html"

    def new_ticket(self) -> str:
        """A token for the browser that is opened here; it is good once."""
        return self._tokens.new_ticket()

    def _sessions(self) -> Sessions | None:
        return None

    async def session(self, request: Request) -> Response:
        """``POST /session``: a cookie for whoever holds the token. A browser that has one stays who it is: its other
        tabs have sessions."""
        response = Response(status_code=204)
        name = cookie_name(request.scope)
        value = self._tokens.new_cookie(self._tokens.browser(request.cookies.get(name, "")))
        secure = is_secure(request.scope)
        response.set_cookie(name, value, COOKIE_S, path="/", secure=secure, httponly=True, samesite="strict")
        return response

    async def status(self, request: Request) -> Response:
        """``GET /v1/status``: among others what a browser cannot learn from a socket that was refused."""
        return JSONResponse({**self._about, **self._state()})

    def _state(self) -> Answer:
        """What of the status changes."""
        return {}

    async def live_health(self, request: Request) -> Response:
        """``GET /health/live``."""
        return PlainTextResponse("live")

    async def ready_health(self, request: Request) -> Response:
        """``GET /health/ready``."""
        if not self.is_ready:
            raise ProblemError(503, "The server ends.", 5)
        return PlainTextResponse("ready")

    async def read_metrics(self, request: Request) -> Response:
        """``GET /metrics``."""
        return PlainTextResponse(self.metrics.text(), media_type=prometheus.MEDIA_TYPE)

    async def tend(self) -> None:
        """Forgets what nobody needs any more; to be called now and then."""

    async def close(self) -> None:
        """Says goodbye to all clients and removes what was theirs."""
        self.is_ready = False
        self.hub.close()


class LiveApp(EventsApp):
    """The server of ``live-emotion serve``.

    Args:
        config: of the server.

    Raises:
        WeightsError: a model file is missing or damaged.
        DeviceError: the device is not available.
        InputError: there is no such profile, or it is for other weights.
    """

    front_page = "index.html"

    def __init__(self, config: ServerConfig) -> None:
        analysis = config.analysis
        self._classifier = EmotionClassifier(analysis.weights, analysis.device, max(1, cores() // 2))
        for name in analysis.profiles:
            self._classifier.check_profile(Profile.load(name))
        sizes = {
            "frame_bytes": config.limits.frame,
            "image_bytes": config.limits.image,
            "upload_bytes": config.limits.upload,
        }
        about = about_answer(self._classifier.class_names, self._classifier.title)
        super().__init__(config, {**about, "limits": sizes})

    def _sessions(self) -> Sessions:
        return self.sessions

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self._classifier.class_names

    def send_to(self, sinks: Sequence[Sink]) -> None:
        """Lets these take what live sessions see, too; to be called before it serves."""
        self.sessions.sinks = sinks

    def _routes(self) -> list[Route | WebSocketRoute]:
        config, limits = self.config, self.config.limits
        pool = anyio.CapacityLimiter(max(2, cores()))
        self.sessions = Sessions(config, self._classifier, self.hub.end)
        self.metrics.gauge("sessions", lambda: self.sessions.live)
        version = {name: self._about[name] for name in ("version", "model")}
        self._live = LiveRoutes(self.sessions, self.hub, self._about, limits, pool, self.metrics)
        self._photos = PhotoRoutes(config.analysis, self._classifier, limits, pool, version, self.metrics)
        self._jobs = JobRoutes(config.analysis, limits, self.metrics)
        exports = ExportRoutes(self.sessions)
        one, job = "/v1/sessions/{id}", "/v1/jobs/{id}"
        return [
            *super()._routes(),
            Route("/v1/analyze", self._photos.analyze, methods=["POST"]),
            Route("/v1/jobs", self._jobs.begin, methods=["POST"]),
            Route(job, self._jobs.state),
            Route(job, self._jobs.remove, methods=["DELETE"]),
            Route(f"{job}/rows", self._jobs.rows),
            Route(f"{job}/report", self._jobs.report),
            Route(f"{job}/video", self._jobs.video),
            WebSocketRoute("/v1/live", self._live.live),
            Route(one, self._live.forget, methods=["DELETE"]),
            Route(f"{one}/rows.csv", exports.rows_csv),
            Route(f"{one}/rows.jsonl", exports.rows_jsonl),
            Route(f"{one}/markers.csv", exports.markers_csv),
            Route(f"{one}/report.html", exports.report_html),
        ]

    def _state(self) -> Answer:
        sessions = {"live": self.sessions.live, "most": self.config.limits.sessions}
        profiles = [*self.config.analysis.profiles]
        return {"profiles": profiles, "sessions": sessions, "job": {"running": self._jobs.is_busy}}

    async def tend(self) -> None:
        """Forgets sessions and videos that ended long ago."""
        await self.sessions.sweep()
        await self._jobs.sweep()

    async def close(self) -> None:
        """Says goodbye to all clients and removes what was theirs."""
        await super().close()
        await self._live.close()
        await self._jobs.close()
        await self.sessions.close()
        await anyio.to_thread.run_sync(self._photos.close)
