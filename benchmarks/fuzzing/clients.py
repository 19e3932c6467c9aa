"""What clients may send to the server: each request is answered, and by no fault of the server's own."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import random
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

from cases import a_picture, a_video
from mutate import as_json, changed_tree
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.server.app import LiveApp
from live_emotion.server.config import Limits, ServerConfig
from live_emotion.server.run import BackgroundServer, open_port
from live_emotion.server.uploads.jobs import RUNNING

VISITS = 10
"""In a process."""

TOKEN = "a-token-of-the-fuzzer"

PATHS = (
    *("/", "/about", "/docs", "/openapi.json", "/overlay", "/session", "/metrics", "/health/ready", "/v1/status"),
    *("/v1/analyze", "/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/rows", "/v1/jobs/{id}/report", "/v1/jobs/{id}/video"),
    *("/v1/live", "/v1/sessions/{id}", "/v1/sessions/{id}/rows.csv", "/v1/sessions/{id}/rows.jsonl"),
    *("/v1/sessions/{id}/markers.csv", "/v1/sessions/{id}/report.html", "/page/{id}", "/{id}"),
)

IDS = ("x", "..", "%2e%2e%2f", "%00", "%ff", "-1", "a" * 3000, "app.js", "..%2f..%2fetc%2fpasswd", "*", "")

QUERIES = ("detector", "max_faces", "every", "session", "download", "token", "x")

VALUES = (
    "",
    "full",
    "tiled",
    "nan",
    "-1",
    "0",
    "1",
    "3",
    "1e999",
    "9" * 5000,
    "%ff",
    "%00",
    "true",
    "<b>",
    "%F0%9F%98%80",
)

METHODS = ("GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "NONE")

MESSAGES = (
    {"type": "start", "mirrored": True, "detector": "short", "max_faces": 3, "overlay": False},
    *({"type": "marker", "label": "here"}, {"type": "name", "track_id": 1, "name": "anna"}, {"type": "ping"}),
    *({"type": "enrol", "name": "anna"}, {"type": "enrol_key", "key": "begin"}, {"type": "enrol_key", "key": "keep"}),
)

REFUSED = (501, 503, 507)
"""What is no fault: not known, busy, no space."""

ANSWER_S = 15.0
"""For an answer: what sends less than it says is given up earlier."""


def content(root: Path, chance: random.Random) -> bytes:
    """A body: an image, a video or something else, damaged or not."""
    kind = chance.randrange(8)
    if kind < 3:
        return a_picture(root, chance)[1]
    if kind == 3:
        return (root / "pictures" / "a.jpg").read_bytes()
    if kind < 6:
        return a_video(root, chance)[1]
    return chance.choice([b"", b"{}", b"[" * 5000, b"\xff\xfe", bytes(1_000_000), b"#EXTM3U\nfile:///etc/passwd\n"])


def form(root: Path, chance: random.Random) -> tuple[bytes, str]:
    """A form of several bodies, and what its header says of it."""
    boundary = chance.choice(["between", "x" * 70, "", "a b", '"'])
    parts = []
    for _ in range(chance.choice([0, 1, 2, 3, 40])):
        name = chance.choice(["images", "images", "x" * 300, 'a"b', ""])
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{chance.choice(IDS[:4])}"'
        more = chance.choice(["", "Content-Type: image/jpeg\r\n", f"X: {'y' * 9000}\r\n"])
        head = f"--{boundary}\r\n{disposition}\r\n{more}\r\n"
        parts.append(head.encode() + content(root, chance)[:300_000] + b"\r\n")
    end = chance.choice([f"--{boundary}--\r\n", f"--{boundary}--\r\n", ""])
    return b"".join(parts) + end.encode(), f"multipart/form-data; boundary={boundary}"


def request(root: Path, chance: random.Random, known: list[str]) -> tuple[bytes, str]:
    """A request as it goes over the wire, and its method and path."""
    method = chance.choice(METHODS)
    path = chance.choice(PATHS) if chance.random() < 0.6 else chance.choice(["/v1/analyze", "/v1/jobs"])
    path = path.replace("{id}", chance.choice([*IDS, *known * 4]))
    if chance.random() < 0.4:
        pairs = [f"{chance.choice(QUERIES)}={chance.choice(VALUES)}" for _ in range(chance.choice([1, 2, 300]))]
        path += "?" + "&".join(pairs)
    body, kind = b"", ""
    if method in ("POST", "PUT"):
        body, kind = form(root, chance) if chance.random() < 0.3 else (content(root, chance), "")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {chance.choice(['localhost'] * 9 + ['evil.example', ''])}"]
    if chance.random() < 0.95:
        lines.append(f"Authorization: Bearer {chance.choice([TOKEN] * 12 + ['x', '', '¿'])}")
    if kind:
        lines.append(f"Content-Type: {kind}")
    sizes = [len(body)] * 12 + [-1, "abc", 10**14, len(body) + 5, max(0, len(body) - 5), "1, 2"]
    if chance.random() < 0.9:
        lines.append(f"Content-Length: {chance.choice(sizes)}")
    else:
        lines.append("Transfer-Encoding: chunked")
        size = chance.choice([f"{len(body):x}"] * 3 + ["zz", "-1", "f" * 30])
        body = size.encode() + b"\r\n" + body + b"\r\n0\r\n\r\n"
    odd = ("Origin: http://evil.example", "Range: bytes=0-", "Expect: 100-continue", "Content-Encoding: gzip", "A: ÿ")
    lines += [*chance.sample(odd, chance.choice([0, 0, 1, 2])), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body, f"{method} {path[:100]}"


def answer(port: int, sent: bytes, ends: bool) -> tuple[int, bytes]:
    """Sends a request; the status and the body of what comes back, 0 where the server hangs up without one.

    Args:
        port: of the server.
        sent: the request.
        ends: whether the client says that nothing more comes.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        with contextlib.suppress(ConnectionError):  # it refuses the rest
            connection.sendall(sent)
        if ends:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        reply = http.client.HTTPResponse(connection)
        try:
            reply.begin()
            return reply.status, reply.read(1_000_000)
        except (http.client.HTTPException, ConnectionError):
            return 0, b""


def message(root: Path, chance: random.Random) -> str | bytes:
    """What a client says on the live socket: a message, or a frame with its number and time."""
    if chance.random() < 0.5:
        said = dict(chance.choice(MESSAGES))
        if chance.random() < 0.7:
            said = changed_tree(said, chance)
        text = as_json(said, chance).decode("utf-8", "replace")
        return text if chance.random() < 0.9 else text.encode()
    number = chance.choice([0, 1, 2, 2**32 - 1])
    time_s = chance.choice([0.0, 0.1, 0.2, 1.0, -1.0, 1e300, float("inf"), float("nan")])
    return struct.pack("<Id", number, time_s)[: chance.choice([12, 12, 12, 3])] + a_picture(root, chance)[1]


def talk(port: int, root: Path, chance: random.Random, known: list[str]) -> None:
    """Says several things on the live socket, each of which is answered, and goes, perhaps without a goodbye."""
    query = chance.choice(["", f"?session={chance.choice([*IDS[:6], *known * 3])}"])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with contextlib.suppress(WebSocketException, ConnectionError):
        socket_ = connect(f"ws://127.0.0.1:{port}/v1/live{query}", additional_headers=headers, max_size=None)
        with contextlib.closing(socket_):
            for _ in range(chance.choice([1, 4, 12])):
                socket_.send(message(root, chance))
            socket_.send(json.dumps({"type": "start"}))
            known += listen(socket_)
            if chance.random() < 0.3:
                socket_.socket.close()


def listen(live: ClientConnection) -> list[str]:
    """Takes the answers up to that to a ``start``; the names of sessions in them.

    Raises:
        RuntimeError: an answer tells of a fault.
    """
    while True:
        text = str(live.recv(timeout=ANSWER_S))
        check(text.encode(), "a message")
        said = json.loads(text)
        if "server's log" in said.get("detail", ""):
            raise RuntimeError(f"answered {text[:200]}")
        if said["type"] == "ready":
            return [said["session"]]


def check(body: bytes, what: str) -> None:
    """Looks for what no answer should hold.

    Raises:
        RuntimeError: it does.
    """
    if b"Traceback (most" in body or b"root:x:0" in body:
        raise RuntimeError(f"{what} is answered with what is none of the client's business: {body[:200]!r}")
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body, parse_constant=lambda name: print(f"{what}: NaN"))


def visit(port: int, root: Path, chance: random.Random, known: list[str]) -> None:
    """One request, or one live socket.

    Raises:
        RuntimeError: the answer is a fault of the server.
    """
    if chance.random() < 0.3:
        talk(port, root, chance, known)
        return
    sent, what = request(root, chance, known)
    status, body = answer(port, sent, ends=chance.random() < 0.3)
    if status >= 500 and status not in REFUSED:
        raise RuntimeError(f"{what} is answered with {status}: {body[:200]!r}")
    check(body, what)
    if status == 202:
        known.append(json.loads(body)["id"])
        wait_for_job(port, known[-1])


def wait_for_job(port: int, name: str) -> None:
    """Waits until a video is read, or refused."""
    sent = (
        f"GET /v1/jobs/{name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )
    while json.loads(answer(port, sent.encode(), False)[1])["state"] == RUNNING:
        time.sleep(0.1)


def main() -> None:
    """Visits a server from the seed in ``sys.argv``; the first fault ends it."""
    chance, root = random.Random(sys.argv[1]), Path(sys.argv[2])
    logging.getLogger("websockets.client").setLevel(logging.CRITICAL)  # the client's library minds how it leaves
    kept = Path(tempfile.mkdtemp(dir="."))
    tempfile.tempdir = str(kept)
    analysis = AnalysisConfig(weights=(root / "weights" / "small.onnx",))
    config = ServerConfig(TOKEN, analysis, limits=Limits(header_s=3, body_s=5))
    listening = open_port("127.0.0.1", 0)
    port, known = listening.getsockname()[1], []
    with BackgroundServer(LiveApp(config), listening):
        for _ in range(VISITS):
            visit(port, root, chance, known)
        alive = answer(port, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", False)
        if alive != (200, b"live"):
            raise RuntimeError(f"the server lives no more: {alive}")
    if left := [path.name for path in kept.iterdir()]:
        raise RuntimeError(f"the server left {', '.join(left)}")
