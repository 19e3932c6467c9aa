"""The gate before all routes: pure ASGI, for HTTP and WebSocket alike. It decides by the scope alone."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from live_emotion.server.access.rates import RateLimit
from live_emotion.server.access.tokens import PROGRAM, Tokens
from live_emotion.server.config import ServerConfig
from live_emotion.server.metrics import Metrics
from live_emotion.server.problem import ProblemError, cause_of, problem_of

logger = logging.getLogger("live_emotion.server")

CALLER = "live_emotion.caller"
"""Where in the scope a route finds who asks: :data:`PROGRAM`, or a browser's name."""

COOKIE = "live_emotion"

OPEN = re.compile(r"/|/page/.*|/(about|overlay|docs|openapi\.json)|/health/(live|ready)")
"""What may be read without a token: there is nothing secret in it."""

SESSION = "/session"
"""Where a browser gets its cookie."""

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(?::\d{1,5})?")
READING = ("GET", "HEAD")
OURS = str(Path(__file__).parents[2])
"""Where in a fault's course our own code lies; what it called is elsewhere."""

ELSEWHERE = ("cross-site", "same-site")
"""What browsers say in Sec-Fetch-Site of a request that another page makes; a site is a host with all its ports."""

CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CLOSED_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), display-capture=(), geolocation=(), microphone=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every response; a page brings a policy of its own."""

CORS_HEADERS = {
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "600",
}


class Gate:
    """Lets a request through to the routes, or answers it.

    Args:
        routes: behind it.
        config: of the server.
        tokens: tells who holds the token.
        metrics: counts the requests.
    """

    def __init__(self, routes: ASGIApp, config: ServerConfig, tokens: Tokens, metrics: Metrics) -> None:
        self._routes, self._config, self._tokens, self._metrics = routes, config, tokens, metrics
        self._rates = RateLimit(config.limits.requests_per_s, config.limits.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or socket."""
        answer = _Answer(scope, send)
        began = time.monotonic()
        try:
            if not await self._is_preflight(scope, answer):
                self._check(scope)
                scope["app"] = self  # so that the routes raise what they do not know
                await self._routes(scope, receive, answer)
        except ProblemError as problem:
            await answer.refuse(problem)
        except HTTPException as error:
            await answer.refuse(ProblemError(error.status_code, _nothing_here(scope, error)), error.headers or {})
        except Exception as error:
            log_fault(error)
            await answer.refuse(problem_of(error))
        finally:
            self._count(scope, answer.status, began)

    def _count(self, scope: Scope, status: int, began: float) -> None:
        endpoint = scope.get("endpoint")
        route, method = getattr(endpoint, "__name__", "none"), scope.get("method", "WS")
        method = method if method in (*READING, "WS", "POST", "DELETE", "OPTIONS") else "other"
        self._metrics.count("requests_total", method=method, route=route, status=str(status))
        logger.info("%s %s %s %.0f ms", method, route, status, 1000 * (time.monotonic() - began))

    def _check(self, scope: Scope) -> None:
        """Lets a request through, and notes who makes it.

        Raises:
            ProblemError: it may not be made.
        """
        client = (scope.get("client") or ("",))[0]
        if wait_s := self._rates.wait_s(client):
            raise ProblemError(429, f"Too many requests; ask again in {wait_s} s.", wait_s)
        host = self._host(scope)
        origin = _one(scope, b"origin")
        path = scope["path"]
        is_websocket = scope["type"] == "websocket"
        is_reading = not is_websocket and scope["method"] in READING
        is_ours = origin == f"{_web_scheme(scope)}://{host}"
        is_cors = not is_websocket and origin in self._config.cors
        if origin is not None and not is_ours and not is_cors:
            raise ProblemError(403, "Pages of other origins may not ask this server; --cors ORIGIN allows one.")
        if _one(scope, b"sec-fetch-site") in ELSEWHERE and not is_cors and not (is_reading and path == "/"):
            raise ProblemError(403, "Other pages may not link here; open the server's own address.")
        caller = self._caller(scope, with_cookie=is_ours or (is_reading and origin is None))
        if not is_reading and origin is None and caller != PROGRAM:
            raise ProblemError(403, "Without an Origin this takes the token: Authorization: Bearer TOKEN.")
        if caller is None and not (is_reading and OPEN.fullmatch(path)):
            raise ProblemError(
                401, "This takes the token: open the address that live-emotion printed, or send it as a bearer token."
            )
        scope[CALLER] = caller

    def _host(self, scope: Scope) -> str:
        """By which name and port the server was called, in lower case.

        Raises:
            ProblemError: it is none of its own, as when a foreign name was made to point here (DNS rebinding).
        """
        host = (_one(scope, b"host") or "").lower()
        match = HOST.fullmatch(host)
        if not match or match[1] not in self._config.hosts:
            raise ProblemError(421, "The server does not go by this name; start it with --allow-host NAME.")
        return host

    def _caller(self, scope: Scope, with_cookie: bool) -> str | None:
        """Who asks; None: nobody who holds a token.

        Raises:
            ProblemError: a wrong token was given.
        """
        given = _one(scope, b"authorization")
        if given is not None:
            kind, _, token = given.partition(" ")
            if kind.lower() == "bearer":
                token = token.strip()
                if self._tokens.is_token(token) or (scope["path"] == SESSION and self._tokens.take_ticket(token)):
                    return PROGRAM
            raise ProblemError(401, "This is not the server's token; it is in the address that live-emotion printed.")
        value = _cookie(scope, cookie_name(scope)) if with_cookie else None
        return self._tokens.browser(value) if value else None

    async def _is_preflight(self, scope: Scope, answer: _Answer) -> bool:
        """Answers a browser that asks whether another origin's page may ask, and marks what such a page may read."""
        origin = _one(scope, b"origin")
        if scope["type"] != "http" or origin not in self._config.cors or origin is None:
            return False
        answer.headers = {
            **answer.headers,
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "location, retry-after",
            "Vary": "Origin",
        }
        if scope["method"] != "OPTIONS":
            return False
        self._host(scope)
        answer.headers = answer.headers | CORS_HEADERS
        await answer({"type": "http.response.start", "status": 204, "headers": []})
        await answer({"type": "http.response.body", "body": b""})
        return True


class _Answer:
    """Sends what the routes answer, with the headers that every response has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self.headers = HEADERS
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.status = message["status"]
            given = message.get("headers", [])
            there = {name.lower() for name, _ in given}
            ours = ((name.lower().encode(), value.encode()) for name, value in self.headers.items())
            more = [header for header in ours if header[0] not in there]
            message = {**message, "headers": [*given, *more]}
        elif message["type"] == "websocket.accept":
            self.status = 101
        await self._send(message)

    async def refuse(self, problem: ProblemError, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """Answers with a problem and more headers, unless another answer has begun."""
        if self.status == 101:
            await self._send({"type": "websocket.close", "code": 1011, "reason": problem.title})
        if self.status:
            return
        kind = "websocket.http.response" if self._scope["type"] == "websocket" else "http.response"
        named = {**problem.headers, **more}
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        await self({"type": f"{kind}.start", "status": problem.status, "headers": headers})
        await self({"type": f"{kind}.body", "body": problem.body})


def log_fault(error: Exception) -> None:
    """Logs where something of ours went wrong, without the error's message, which may hold what is anybody's.

    What the system says is of a few fixed texts, and is logged.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = next((frame for frame in reversed(frames) if frame.filename.startswith(OURS)), frames[-1])
    cause = cause_of(error)
    reason = f" ({cause.strerror})" if cause is not None and cause.strerror else ""
    logger.error("%s%s in %s:%s", type(error).__name__, reason, where.filename, where.lineno)


def cookie_name(scope: Scope) -> str:
    """Of the cookie: cookies are of a host, whatever the port, and several servers may run there."""
    return f"{COOKIE}_{(scope.get('server') or ('', 0))[1]}"


def is_secure(scope: Scope) -> bool:
    """Whether the connection is encrypted."""
    return _web_scheme(scope) == "https"


def _web_scheme(scope: Scope) -> str:
    return "https" if scope["scheme"] in ("https", "wss") else "http"


def _values(scope: Scope, name: bytes) -> Iterable[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _one(scope: Scope, name: bytes) -> str | None:
    """A header that may come once.

    Raises:
        ProblemError: it comes several times.
    """
    values = [*_values(scope, name)]
    if len(values) > 1:
        raise ProblemError(400, f"There are several headers {name.decode()}; send one.")
    return values[0] if values else None


def _cookie(scope: Scope, name: str) -> str | None:
    """A cookie's value; other servers of this host may have set cookies of any form, which come along."""
    found: dict[str, str] = {}
    for text in _values(scope, b"cookie"):
        found |= cookie_parser(text)
    return found.get(name)


def _nothing_here(scope: Scope, error: HTTPException) -> str:
    if error.status_code == 404:
        return "There is nothing here; /docs lists what there is."
    if error.status_code == 405:
        return f"{scope['method']} does nothing here; /docs lists what does."
    return error.detail
