"""All live sessions: who has which, how many there may be, and when they are forgotten."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio
import anyio.to_thread

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import profile_path
from live_emotion.errors import LiveEmotionError
from live_emotion.server.config import ServerConfig
from live_emotion.server.live.session import Session
from live_emotion.server.problem import ProblemError
from live_emotion.types import Sink

ID = re.compile(r"[A-Za-z0-9_-]{22,64}")

MOST_KEPT = 8
"""Sessions, live ones and others; beyond, the one that ended first is forgotten."""

RETRY_S = 10


class Sessions:
    """The sessions of a server; its methods are for the event loop's thread.

    Args:
        config: of the server.
        classifier: that all sessions share.
        forgotten: told the ID of each session that is forgotten.
        clock: gives seconds.

    Attributes:
        sinks: take the results of all sessions that are opened from now on.
    """

    def __init__(
        self,
        config: ServerConfig,
        classifier: EmotionClassifier,
        forgotten: Callable[[str], object] = lambda id: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._classifier, self._forgotten = config, classifier, forgotten
        self.sinks: Sequence[Sink] = ()
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._opening: set[str] = set()
        self._learnt: dict[str, list[str]] = {}  # by owner: profiles that they made here

    @property
    def live(self) -> int:
        """How many have a socket, or are about to."""
        return len(self._opening) + sum(session.left_s is None for session in self._sessions.values())

    async def open(self, owner: str, id: str | None = None) -> tuple[Session, bool]:
        """A session for a new socket, and whether it goes on with an earlier one.

        Args:
            owner: who asks.
            id: of the session to go on with; one that is not known becomes a new one's.

        Raises:
            ProblemError: there are too many, or it is somebody else's.
        """
        await self.sweep()
        if id is not None and not ID.fullmatch(id):
            raise ProblemError(
                400, "A session's ID is of 22 to 64 letters, digits, - and _; leave it out for a new one."
            )
        before = self._sessions.get(id or "")
        if (before and before.owner != owner) or id in self._opening:
            raise ProblemError(403, "This session is not yours, or is being opened; leave its ID out for a new one.")
        most = self._config.limits.sessions
        if self.live >= most and not (before and before.left_s is None):
            raise ProblemError(429, f"{most} sessions are live already; try again when one has ended.", RETRY_S)
        if before:
            before.left_s = None
            self._sessions[before.id] = self._sessions.pop(before.id)  # the newest now
            return before, True
        new = id or secrets.token_urlsafe(16)
        learnt = [name for name in self._learnt.get(owner, ()) if profile_path(name).exists()]  # some may be deleted
        profiles = tuple(dict.fromkeys((*self._config.analysis.profiles, *learnt)))
        analysis = replace(self._config.analysis, profile=profiles)
        self._opening.add(new)
        try:
            session = await anyio.to_thread.run_sync(
                Session, new, owner, analysis, self._classifier, self._config.limits, self.sinks
            )
        except LiveEmotionError as error:  # such as a profile that was deleted
            raise ProblemError(500, str(error)) from error
        finally:
            self._opening.discard(new)
        self._sessions[new] = session
        return session, False

    def leave(self, session: Session) -> None:
        """Notes that a session's socket has gone; it is kept for a while."""
        session.left_s = self._clock()

    def learnt(self, session: Session, name: str) -> None:
        """Notes a profile that a session's owner made, for sessions to come."""
        self._learnt.setdefault(session.owner, []).append(name)

    def of(self, owner: str, id: str) -> Session:
        """Somebody's session.

        Raises:
            ProblemError: there is none of this ID that is theirs.
        """
        session = self._sessions.get(id)
        if session is None or session.owner != owner:
            raise ProblemError(404, "There is no such session of yours; it may be forgotten by now.")
        return session

    def known(self, id: str) -> Session:
        """Anybody's session; who knows its ID may listen to it.

        Raises:
            ProblemError: there is none.
        """
        session = self._sessions.get(id)
        if session is None:
            raise ProblemError(404, "There is no such session; it may be forgotten by now.")
        return session

    def newest(self, owner: str) -> Session | None:
        """Somebody's live session that was opened last; where there is none, the last that is open to all."""
        live = [session for session in self._sessions.values() if session.left_s is None]
        found = [s for s in live if s.owner == owner] or [s for s in live if s.overlay]
        return found[-1] if found else None

    async def forget(self, session: Session) -> None:
        """Frees a session with all that it saw."""
        if self._sessions.pop(session.id, None):
            self._forgotten(session.id)
            await anyio.to_thread.run_sync(session.close)

    async def sweep(self) -> None:
        """Forgets sessions that ended long ago, and the oldest of too many."""
        ended = sorted((s for s in self._sessions.values() if s.left_s is not None), key=lambda s: s.left_s or 0)
        too_many = len(self._sessions) - MOST_KEPT + 1
        now = self._clock()
        for number, session in enumerate(ended):
            if session.left_s is None:  # somebody came back to it while another was freed
                continue
            if number < too_many or now - session.left_s > self._config.limits.kept_s:
                await self.forget(session)

    async def close(self) -> None:
        """Forgets all."""
        for session in [*self._sessions.values()]:
            await self.forget(session)
