"""Servers that run in the tests' process, on a port that is free, and clients of theirs that say what they like."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import cv2
import numpy as np
from websockets.sync.client import ClientConnection, connect

from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.server.app import EventsApp, LiveApp
from live_emotion.server.config import Limits, ServerConfig
from live_emotion.server.run import BackgroundServer, open_port

ROOT = Path(__file__).resolve().parent.parent

TOKEN = "a-token-for-the-tests-alone"


@dataclass(frozen=True)
class Reply:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        """The body, which is JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    app: EventsApp
    port: int

    @property
    def origin(self) -> str:
        """As browsers send it."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", body=None, token: str | None = TOKEN, **headers: str) -> Reply:
        """Sends a request; names of headers are written with ``_``."""
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())

    def raw(self, content: bytes, wait_s: float = 5.0) -> bytes:
        """Sends bytes and gives what comes back until the server closes, or says nothing for a while."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait_s) as connection:
            connection.sendall(content)
            got = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while part := connection.recv(1 << 16):
                    got += part
            return got

    def cookie(self) -> str:
        """The cookie of another browser."""
        reply = self.ask("/session", "POST", Origin=self.origin)
        assert reply.status == 204
        return reply.headers["set-cookie"].partition(";")[0]

    def live(self, session: str = "", headers: dict[str, str] | None = None, **more) -> ClientConnection:
        """Opens a live socket."""
        query = f"?session={session}" if session else ""
        sent = {"Authorization": f"Bearer {TOKEN}"} if headers is None else headers
        return connect(f"ws://127.0.0.1:{self.port}/v1/live{query}", additional_headers=sent, **more)


@contextlib.contextmanager
def running(app: EventsApp | None = None, **limits) -> Iterator[Running]:
    """Runs a server with these limits."""
    app = app or LiveApp(server_config(**limits))
    port = open_port("127.0.0.1", 0)
    number = port.getsockname()[1]
    with BackgroundServer(app, port):
        yield Running(app, number)


class Served:
    """The command ``serve``, as it runs.

    Attributes:
        address: that it printed.
        process: it runs in.
    """

    def __init__(self, process: subprocess.Popen, errors: IO[str]) -> None:
        self.process, self._errors = process, errors
        self.address = process.stdout.readline().strip()

    @property
    def port(self) -> int:
        """At which it listens."""
        return urlsplit(self.address).port

    def said(self) -> str:
        """What stands on standard error."""
        self._errors.seek(0)
        return self._errors.read()


@contextlib.contextmanager
def serving(*arguments: str, before: Sequence[str] = (), **environment: str) -> Iterator[Served]:
    """Runs the command, behind another one, with the tests' token, on a port that is free."""
    command = [*before, sys.executable, "-m", "live_emotion", "serve", "--no-browser", "--port", "0", *arguments]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"LIVE_EMOTION_TOKEN": TOKEN} | environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Served(process, errors)
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()


def server_config(**limits) -> ServerConfig:
    """A configuration with these limits; there may be many requests in the tests."""
    return ServerConfig(TOKEN, AnalysisConfig(device="cpu"), limits=Limits(**({"burst": 10_000} | limits)))


def encoded(image: np.ndarray, suffix: str = ".jpg") -> bytes:
    """An image's file."""
    return cv2.imencode(suffix, image)[1].tobytes()


def frame(number: int, image: bytes, time_s: float | None = None) -> bytes:
    """A message with a live frame, ten a second."""
    return struct.pack("<Id", number, number / 10 if time_s is None else time_s) + image


def say(socket: ClientConnection, kind: str, **values):
    """Sends a message and gives the answer."""
    socket.send(json.dumps({"type": kind} | values))
    return json.loads(socket.recv(60))


def show(socket: ClientConnection, number: int, image: bytes, time_s: float | None = None):
    """Sends a frame and gives the answer."""
    socket.send(frame(number, image, time_s))
    return json.loads(socket.recv(60))
