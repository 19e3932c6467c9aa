"""Server-Sent Events: what a session or a webcam sees, for whoever listens (WHATWG HTML, 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from live_emotion.server.access.gate import CALLER
from live_emotion.server.answers import Answer
from live_emotion.server.live.sessions import Sessions
from live_emotion.server.problem import ProblemError

WEBCAM = "webcam"
"""The channel of ``webcam --publish``."""

COMMENT_S = 15.0
"""How long nothing is sent before a comment tells that the connection lives, in seconds."""

BEGINNING = "retry: 2000\n\n"
ENDING = "event: end\ndata: {}\n\n"


class _Listener:
    """Keeps the newest event for somebody who may be slow."""

    def __init__(self) -> None:
        self.newest: Answer | None = None
        self.is_over = False
        self.change = asyncio.Event()


class EventHub:
    """Hands what is seen to whoever listens; its methods are for the event loop's thread.

    Args:
        most: listeners at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._channels: dict[str, set[_Listener]] = {}

    @property
    def listeners(self) -> int:
        """How many there are."""
        return sum(map(len, self._channels.values()))

    def publish(self, channel: str, answer: Answer) -> None:
        """Tells the listeners of a channel; those that are slow miss what came before."""
        for listener in self._channels.get(channel, ()):
            listener.newest = answer
            listener.change.set()

    def end(self, channel: str) -> None:
        """Says goodbye to the listeners of a channel."""
        for listener in self._channels.get(channel, ()):
            listener.is_over = True
            listener.change.set()

    def close(self) -> None:
        """Says goodbye to all."""
        for channel in self._channels:
            self.end(channel)

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """The events of a channel as text, until it ends."""
        listener = _Listener()
        self._channels.setdefault(channel, set()).add(listener)
        try:
            yield BEGINNING
            while not listener.is_over:
                try:
                    await asyncio.wait_for(listener.change.wait(), COMMENT_S)
                except asyncio.TimeoutError:
                    yield ": still here\n\n"
                    continue
                listener.change.clear()
                if listener.newest is not None:
                    yield f"event: faces\ndata: {json.dumps(listener.newest)}\n\n"
                    listener.newest = None
            yield ENDING
        finally:
            self._channels[channel].discard(listener)
            if not self._channels[channel]:
                del self._channels[channel]

    def check_room(self) -> None:
        """Looks whether one more may listen.

        Raises:
            ProblemError: there are too many.
        """
        if self.listeners >= self._most:
            raise ProblemError(503, f"{self._most} listen already; try again when one has gone.", 10)


class EventRoutes:
    """The route of the events.

    Args:
        hub: has them.
        sessions: whose events may be asked for; None: there are those of the webcam alone.
    """

    def __init__(self, hub: EventHub, sessions: Sessions | None) -> None:
        self._hub, self._sessions = hub, sessions

    async def events(self, request: Request) -> StreamingResponse:
        """``GET /v1/events``."""
        self._hub.check_room()
        channel = self._channel(request)
        return StreamingResponse(self._hub.listen(channel), media_type="text/event-stream")

    def _channel(self, request: Request) -> str:
        if self._sessions is None:
            return WEBCAM
        asked = request.query_params.get("session")
        if asked is not None:
            return self._sessions.known(asked).id
        session = self._sessions.newest(request.scope[CALLER])
        if session is None:
            raise ProblemError(404, "You have no live session, and none is open to all; name one with ?session=ID.")
        return session.id
