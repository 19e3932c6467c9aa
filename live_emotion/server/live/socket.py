"""The live WebSocket: frames and messages in, answers out; one frame is read at a time, always the newest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Awaitable
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_emotion.errors import LiveEmotionError
from live_emotion.server.access.gate import CALLER, log_fault
from live_emotion.server.access.rates import RateLimit
from live_emotion.server.answers import Answer
from live_emotion.server.config import Limits
from live_emotion.server.live import messages
from live_emotion.server.live.enrolling import refused
from live_emotion.server.live.events import EventHub
from live_emotion.server.live.session import FrameError, Session
from live_emotion.server.live.sessions import Sessions
from live_emotion.server.metrics import Metrics

IDLE = FORGOTTEN = 1000
AWAY, REPLACED = 1001, 1013
"""Codes of closing (RFC 6455, 7.4.1, and IANA's registry): nothing was said, the server ends, another socket came."""

MOST_WAITING = 100
"""Messages that may wait; beyond, no more are taken from the socket until there is room."""


class LiveRoutes:
    """The route of the live socket.

    Args:
        sessions: of all clients.
        hub: is told what each sees.
        about: what a client gets to know at its start.
        limits: of messages.
        pool: says how many frames are read at once.
        metrics: counts them.
    """

    def __init__(
        self,
        sessions: Sessions,
        hub: EventHub,
        about: Answer,
        limits: Limits,
        pool: anyio.CapacityLimiter,
        metrics: Metrics,
    ) -> None:
        self._sessions, self._hub, self.about = sessions, hub, about
        self.limits, self.pool, self.metrics = limits, pool, metrics
        self._open: dict[str, _Connection] = {}

    async def live(self, websocket: WebSocket) -> None:
        """``WS /v1/live``."""
        session, is_resumed = await self._sessions.open(
            websocket.scope[CALLER], websocket.query_params.get("session") or None
        )
        if before := self._open.get(session.id):
            await before.close(REPLACED, "the session was opened elsewhere")
        connection = _Connection(websocket, session, is_resumed, self)
        self._open[session.id] = connection
        try:
            await websocket.accept()
            await connection.run()
        finally:
            if self._open.get(session.id) is connection:
                del self._open[session.id]
                self._sessions.leave(session)

    async def forget(self, request: Request) -> Response:
        """``DELETE /v1/sessions/{id}``: ends the session, if it is live, and forgets what it saw."""
        session = self._sessions.of(request.scope[CALLER], request.path_params["id"])
        if connection := self._open.get(session.id):
            await connection.close(FORGOTTEN, "forgotten")
        await self._sessions.forget(session)
        return Response(status_code=204)

    def publish(self, session: Session, answer: Answer) -> None:
        """Tells what a session saw."""
        self._hub.publish(session.id, answer)

    def learnt(self, session: Session, name: str) -> None:
        """Notes that a session's owner made a profile."""
        self._sessions.learnt(session, name)

    async def close(self) -> None:
        """Says goodbye to all."""
        for connection in [*self._open.values()]:
            await connection.close(AWAY, "the server ends")


class _Connection:
    """A socket that is open, with its session."""

    def __init__(self, websocket: WebSocket, session: Session, is_resumed: bool, routes: LiveRoutes) -> None:
        self._websocket, self._session, self._is_resumed, self._routes = websocket, session, is_resumed, routes
        self._messages: deque[messages.Message] = deque()
        self._frame: tuple[bytes, float] | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._is_closed = False
        self._rate = RateLimit(routes.limits.messages_per_s, routes.limits.messages_per_s)

    async def run(self) -> None:
        """Serves the client until one of both ends it."""
        work = asyncio.ensure_future(self._work())
        try:
            await self._receive()
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def close(self, code: int, reason: str) -> None:
        """Closes the socket, if it is open."""
        if not self._is_closed:
            self._is_closed = True
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has just gone
                await self._websocket.close(code, reason)

    async def _receive(self) -> None:
        """Takes what comes; frames that nobody has read yet give way to newer ones."""
        while not self._is_closed:
            try:
                message = await asyncio.wait_for(self._websocket.receive(), self._routes.limits.idle_s)
            except asyncio.TimeoutError:
                await self.close(IDLE, "idle")
                return
            if message["type"] == "websocket.disconnect":
                self._is_closed = True
                return
            if wait_s := self._rate.wait_s(self._session.id):
                await asyncio.sleep(wait_s)
            if message.get("bytes") is not None:
                if self._frame:
                    self._routes.metrics.count("frames_dropped_total")
                self._frame = message["bytes"], time.monotonic()
            else:
                await self._take(message["text"])
            self._news.set()

    async def _take(self, text: str) -> None:
        session = self._session
        config = session.analyzer.config
        defaults = messages.Start(session.mirrored, config.detector, config.max_faces, session.overlay)
        try:
            message = messages.parse(text, self._routes.limits.text, defaults)
        except LiveEmotionError as error:
            await self._send(_error("This message is not understood", str(error)))
            return
        while len(self._messages) >= MOST_WAITING:
            self._room.clear()
            await self._room.wait()
        self._messages.append(message)

    async def _work(self) -> None:
        """Does what was asked, in order, and reads the newest frame."""
        while not self._is_closed:
            await self._news.wait()
            self._news.clear()
            while self._messages:
                message = self._messages.popleft()
                self._room.set()
                await self._safely("This cannot be done", self._do(message))
            if self._frame:
                frame, self._frame = self._frame, None
                await self._safely("This frame cannot be read", self._read(*frame))

    async def _safely(self, title: str, work: Awaitable[None]) -> None:
        """Does something; what goes wrong with it is told, and the session goes on."""
        try:
            await work
        except LiveEmotionError as error:
            number = error.number if isinstance(error, FrameError) else None
            await self._send(_error(title, str(error), number))
        except Exception as error:
            log_fault(error)
            await self._send(_error(title, "Something went wrong here; the server's log says where."))

    async def _do(self, message: messages.Message) -> None:
        session = self._session
        if isinstance(message, messages.Start):
            session.overlay = message.overlay
            await self._in_thread(session.change, message.mirrored, message.detector, message.max_faces)
            await self._send(self._ready(message))
            self._is_resumed = True
        elif isinstance(message, messages.Marker):
            time_s = session.mark(message.label)
            await self._send({"type": "marked", "label": message.label, "time_s": round(time_s, 6)})
        elif isinstance(message, messages.Name):
            session.name(message.track_id, message.name)
            await self._send({"type": "named", "track_id": message.track_id, "name": message.name})
        elif isinstance(message, messages.Enrol):
            try:
                await self._in_thread(session.enrol, message.name)
            except LiveEmotionError as error:
                await self._send(refused(str(error)))
        elif isinstance(message, messages.EnrolKey):
            await self._press(message.key)
        else:
            await self._send({"type": "pong"})

    def _ready(self, start: messages.Start) -> Answer:
        session = self._session
        return {
            "type": "ready",
            "session": session.id,
            "resumed": self._is_resumed,
            "time_s": round(session.time_s, 6),
            **self._routes.about,
            "profiles": [*session.analyzer.config.profiles],
            "mirrored": start.mirrored,
            "detector": start.detector,
            "max_faces": start.max_faces,
            "overlay": start.overlay,
        }

    async def _press(self, key: str) -> None:
        session = self._session
        if session.enrolling is None:
            await self._send(refused("No enrolment goes on; begin one."))
        elif key == messages.CANCEL:
            session.end_enrolment()
            await self._send(refused("The enrolment ended before all emotions were shown; nothing was saved."))
        else:
            session.enrolling.press(key)

    async def _read(self, frame: bytes, came_s: float) -> None:
        session, metrics = self._session, self._routes.metrics
        began = time.perf_counter()
        try:
            answer = await self._in_thread(session.read, frame, came_s)
        except FrameError:
            metrics.count("frames_refused_total")
            raise
        metrics.count("frames_total")
        metrics.count("analysis_seconds_total", time.perf_counter() - began)
        if answer["type"] == "result":
            metrics.count("faces_total", len(answer["faces"]))
            self._routes.publish(session, answer)
        elif answer["phase"] == "done":
            self._routes.learnt(session, answer["name"])
        await self._send(answer)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self._routes.pool)

    async def _send(self, answer: Answer) -> None:
        if not self._is_closed:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has just gone
                await self._websocket.send_text(json.dumps(answer))


def _error(title: str, detail: str, number: int | None = None) -> Answer:
    answer: Answer = {"type": "error", "title": title, "detail": detail}
    return answer if number is None else {**answer, "frame": number}
