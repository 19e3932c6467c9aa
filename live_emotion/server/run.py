"""Opens the port and runs an application on it until Ctrl-C, or in a thread beside other work."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from live_emotion.concurrency.interrupts import StopRequest
from live_emotion.errors import ServerError
from live_emotion.io.files.inputs import open_file
from live_emotion.server.access.gate import CALLER
from live_emotion.server.app import EventsApp
from live_emotion.server.config import Limits
from live_emotion.server.live.session import HEAD

CLOSING_S = 10
"""How long requests that are being answered are waited for at the end, in seconds."""

TEND_TICKS = 50
"""The server looks after what nobody needs any more at every so many ticks, of a tenth of a second each."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def open_port(host: str, port: int) -> socket.socket:
    """Takes a port; who calls it waits until the server runs.

    Args:
        host: name or address.
        port: 0: any that is free.

    Raises:
        ServerError: it cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        opened = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere this lets two servers have one port
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen()  # at once: on Linux two may bind the same one, and the second to listen fails
        except BaseException:
            opened.close()
            raise
        opened.set_inheritable(False)
        return opened
    except (socket.gaierror, UnicodeError) as error:  # the latter of what can be no host's name
        raise ServerError(f"There is no host {host} here; use 127.0.0.1, or an address of this machine.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServerError(
                f"Port {port} is in use, perhaps by another live-emotion; choose another with --port, or 0 for any."
            ) from error
        if error.errno == errno.EACCES:
            raise ServerError(f"Port {port} is for administrators; choose one from 1024 on with --port.") from error
        raise ServerError(f"Cannot use port {port} of {host}: {error.strerror}; choose others.") from error


def check_certificate(certificate: Path, key: Path) -> None:
    """Looks whether a certificate and its key can be used.

    Raises:
        ServerError: they cannot.
    """
    try:
        for file in (certificate, key):
            open_file(file).close()  # OpenSSL would wait for a pipe
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise ServerError(
            f"Cannot use {certificate} with {key}: {error.strerror or error}; give a certificate and its key as PEM."
        ) from error


class _Patience:
    """Calls a function unless it is told in time that nothing is waited for any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, end: Callable[[], object]) -> None:
        self._loop, self._seconds, self._end = loop, seconds, end
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, is_waiting: bool = True) -> None:
        """Says whether something is waited for; the time goes from when it first was."""
        if is_waiting and self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._end)
        elif not is_waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Protocol(H11Protocol):
    """HTTP whose every request and answer goes on, so that nobody holds a connection by saying or taking nothing.

    Who holds the token may take as long over an answer as it likes: a video that is watched waits when it is paused.
    """

    def __init__(self, *arguments: Any, limits: Limits, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._head = _Patience(self.loop, limits.header_s, lambda: self.transport.abort())
        self._taking = _Patience(self.loop, limits.body_s, self._give_up)

    def connection_made(self, transport: Any) -> None:
        """Begins to wait for a request's head."""
        super().connection_made(transport)
        self._look()

    def handle_events(self) -> None:
        """Looks whether a request's head has come."""
        super().handle_events()
        self._look()

    def on_response_complete(self) -> None:
        """Begins to wait for the next request's head."""
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Says that it is no HTTP, where anything may be said: not as an answer to HEAD, nor in the midst of one."""
        with contextlib.suppress(h11.LocalProtocolError):
            super().send_400_response(msg)
        self.transport.close()

    def _look(self) -> None:
        """Waits for a head where nothing is being answered and the connection is not another protocol's."""
        is_between = self.cycle is None or self.cycle.response_complete
        self._head.wait(self in self.connections and is_between)

    def pause_writing(self) -> None:
        """Begins to wait for what was sent to be taken."""
        super().pause_writing()
        self._taking.wait()

    def resume_writing(self) -> None:
        """Waits for that no more."""
        super().resume_writing()
        self._taking.wait(False)

    def _give_up(self) -> None:
        if not self.scope.get(CALLER):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        super().connection_lost(exc)
        self._head.wait(False)
        self._taking.wait(False)


class _Server(uvicorn.Server):
    """Ends by Ctrl-C and SIGTERM without an error, and says goodbye to clients first."""

    def __init__(self, config: uvicorn.Config, app: EventsApp, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._application, self._ready = app, ready
        self._stopped: Callable[[], bool] = lambda: False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen, and says so."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Notes signals; a second one ends the program at once."""
        with StopRequest() as request:
            self._stopped = lambda: request.requested
            yield

    async def on_tick(self, counter: int) -> bool:
        """Whether to end."""
        if counter % TEND_TICKS == 0:
            await self._application.tend()
        return self._stopped() or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the clients' sockets with 1001, and then all others."""
        await self._application.close()
        await super().shutdown(sockets)


def _make_server(app: EventsApp, certificate: tuple[Path, Path] | None, ready: Callable[[], object]) -> _Server:
    limits = app.config.limits
    for name in ("uvicorn.access", "uvicorn.error", "python_multipart"):  # they tell queries, and clients' mistakes
        logging.getLogger(name).setLevel(logging.CRITICAL)
    chain, key = certificate or (None, None)
    config = uvicorn.Config(
        app,
        http=_protocol(limits),
        ws="websockets-sansio",
        ws_max_size=limits.frame + HEAD.size,
        ws_per_message_deflate=False,  # frames are compressed already, and what unpacks to more than it is does harm
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=CLOSING_S,
        ssl_certfile=chain,
        ssl_keyfile=key,
    )
    return _Server(config, app, ready)


def _protocol(limits: Limits) -> type[asyncio.Protocol]:
    class Protocol(_Protocol):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, limits=limits, **more)

    return Protocol


def run(
    app: EventsApp,
    port: socket.socket,
    certificate: tuple[Path, Path] | None = None,
    ready: Callable[[], object] = lambda: None,
) -> None:
    """Runs until Ctrl-C or SIGTERM; a second one ends the program at once.

    Args:
        app: the application.
        port: that :func:`open_port` took.
        certificate: and its key, for HTTPS; None: HTTP.
        ready: called once it listens.
    """
    _make_server(app, certificate, ready).run([port])


class BackgroundServer:
    """Runs an application in a thread, until its block is left.

    Args:
        app: the application.
        port: that :func:`open_port` took.

    Raises:
        ServerError: where its block begins: it cannot start.
    """

    def __init__(self, app: EventsApp, port: socket.socket) -> None:
        self._is_running = threading.Event()
        self._error: BaseException | None = None
        self._server, self._port = _make_server(app, None, self._is_running.set), port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve([self._port])

        try:
            asyncio.run(serve())
        except BaseException as error:
            if self._is_running.is_set():
                raise
            self._error = error
        finally:
            self._is_running.set()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Calls a function soon in the event loop's thread, if the server runs."""
        if self._loop:
            with contextlib.suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(function, *arguments)

    def __enter__(self) -> BackgroundServer:
        self._thread.start()
        self._is_running.wait()
        if self._error:
            reason = getattr(self._error, "strerror", None) or repr(self._error)
            raise ServerError(f"The server cannot start: {reason}; try another port.") from self._error
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
