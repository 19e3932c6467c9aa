"""The server: how long a frame takes there and back, four sessions at once, memory over many frames, and nonsense.

Each figure is a ratio, or has its limit beside it: a round trip over the analysis alone plus a bare WebSocket echo,
both measured in turn with it; frames a second of four sessions that ask for ten each; growth of the server's memory.

    python benchmarks/serve.py
    python benchmarks/serve.py --frames 2000 --seconds 5
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import click
import cv2
import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import serve

from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.video.demo_clip import read_portrait
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.types import Frame

WIDTH, HEIGHT = 640, 360
TOKEN = "a-token-of-the-benchmark"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SESSIONS, RATE = 4, 10
WARM = 20
"""Frames that are not counted."""

MOST_RATIO, MOST_GROWTH_MB = 1.5, 20.0
FIRST_FRAMES = 500
"""Frames after which the memory is what it should stay."""


def clip() -> list[bytes]:
    """A second of 640x360 with a face that sways, as JPEG files."""
    portrait = read_portrait()
    small = cv2.resize(portrait, None, fx=340 / portrait.shape[0], fy=340 / portrait.shape[0])
    files = []
    for i in range(30):
        image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        left = round((WIDTH - small.shape[1]) / 2 + 15 * np.sin(2 * np.pi * i / 30))
        image[10 : 10 + small.shape[0], left : left + small.shape[1]] = small[: HEIGHT - 10]
        files.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return files


class Server:
    """``live-emotion serve`` in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "live_emotion", "serve", "--no-browser", "--port", "0"]
        environment = os.environ | {"LIVE_EMOTION_TOKEN": TOKEN}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        address = self._process.stdout.readline()
        self.port = int(re.search(r":(\d+)/", address)[1])

    def live(self) -> ClientConnection:
        """A live socket."""
        return connect(f"ws://127.0.0.1:{self.port}/v1/live", additional_headers=HEADERS, compression=None)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] = HEADERS) -> int:
        """Sends a request and gives the status."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            reply.read()
            return reply.status
        finally:
            connection.close()

    @property
    def memory_mb(self) -> float:
        """Resident memory of the process in MB; Linux tells it."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def send(live: ClientConnection, number: int, image: bytes, time_s: float) -> dict:
    """Sends a frame and waits for its answer."""
    live.send(struct.pack("<Id", number, time_s) + image)
    return json.loads(live.recv(60))


def measure_round_trip(server: Server, files: list[bytes], count: int) -> dict:
    """Milliseconds of a round trip, of the analysis alone and of an echo, frame by frame in turn."""
    trips: list[float] = []
    analyses: list[float] = []
    echoes: list[float] = []
    answer = "x" * 360

    def echo(socket) -> None:
        for _ in socket:
            socket.send(answer)

    with (
        serve(echo, "127.0.0.1", 0, compression=None) as bare,
        EmotionAnalyzer(AnalysisConfig(device="cpu", track=True)) as analyzer,
        server.live() as live,
    ):
        threading.Thread(target=bare.serve_forever, daemon=True).start()
        port = bare.socket.getsockname()[1]
        with connect(f"ws://127.0.0.1:{port}", compression=None) as other:
            for i in range(WARM + count):
                file = files[i % len(files)]
                began = time.perf_counter()
                found = send(live, i, file, i / 30)["faces"]
                there = time.perf_counter()
                image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
                analyzer.analyze(Frame(i, i / 30, image))
                read = time.perf_counter()
                other.send(file)
                other.recv()
                back = time.perf_counter()
                if i >= WARM:
                    assert found, "the face is found"
                    trips.append(there - began)
                    analyses.append(read - there)
                    echoes.append(back - read)
    trip, analysis, bare_echo = (1000 * statistics.median(values) for values in (trips, analyses, echoes))
    return {
        "round_trip_ms": trip,
        "p95_ms": 1000 * statistics.quantiles(trips, n=20)[-1],
        "analysis_ms": analysis,
        "echo_ms": bare_echo,
        "ratio": trip / (analysis + bare_echo),
    }


def measure_sessions(server: Server, files: list[bytes], seconds: float) -> dict:
    """Frames a second of several sessions that each want ten, and how late the answers were."""
    rates: list[float] = []
    delays: list[float] = []

    def client() -> None:
        with server.live() as live:
            send(live, 0, files[0], 0.0)
            began = time.monotonic()
            done = 0
            while (due := began + done / RATE) < began + seconds:
                time.sleep(max(0.0, due - time.monotonic()))
                asked = time.perf_counter()
                send(live, done, files[done % len(files)], done / RATE)
                delays.append(time.perf_counter() - asked)
                done += 1
                if time.monotonic() > began + 2 * seconds:
                    break
            rates.append(done / max(seconds, time.monotonic() - began))

    threads = [threading.Thread(target=client) for _ in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rates) == SESSIONS, "every session came to its end"
    return {
        "sessions": SESSIONS,
        "slowest_fps": min(rates),
        "wanted_fps": RATE,
        "p50_ms": 1000 * statistics.median(delays),
        "p95_ms": 1000 * statistics.quantiles(delays, n=20)[-1],
    }


def measure_memory(server: Server, files: list[bytes], count: int) -> dict:
    """The server's memory in MB after 500 frames of a session and after ``count``."""
    first = server.memory_mb
    with server.live() as live:
        for i in range(count):
            send(live, i, files[i % len(files)], i / 30)
            if i == FIRST_FRAMES:
                first = server.memory_mb
        return {"frames": count, "after_500_mb": first, "growth_mb": server.memory_mb - first}


def measure_nonsense(server: Server, files: list[bytes], count: int) -> dict:
    """Requests and frames that make no sense; afterwards a frame is read as ever."""
    rng = random.Random(0)
    statuses: dict[int, int] = {}

    def nonsense(size: int = 400) -> bytes:
        return rng.randbytes(rng.randrange(size))

    def damaged() -> bytes:
        content = bytearray(rng.choice(files))
        for _ in range(20):
            content[rng.randrange(len(content))] = rng.randrange(256)
        return bytes(content[: rng.randrange(1, len(content))])

    paths = [
        "/v1/analyze",
        "/v1/jobs",
        "/v1/sessions/x/rows.csv",
        "/v1/events?session=x",
        "/page/%00",
        "/session",
        "/%ff",
    ]
    for _ in range(count // 2):
        body = rng.choice([nonsense, damaged])()
        kind = rng.choice(["image/jpeg", "multipart/form-data; boundary=x", "application/json", "\x7f"])
        try:
            status = server.ask(
                rng.choice(["GET", "POST", "DELETE"]), rng.choice(paths), body, HEADERS | {"Content-Type": kind}
            )
        except (HTTPException, OSError):
            status = 0
        statuses[status] = statuses.get(status, 0) + 1
        time.sleep(0.02)  # there is a limit to how often one may ask
    lost = 0
    with contextlib.ExitStack() as sockets:
        live = sockets.enter_context(server.live())
        for i in range(count // 2):
            frame = struct.pack("<Id", i, i) + damaged()
            try:
                live.send(rng.choice([nonsense(), frame, nonsense().decode("latin-1"), '{"type":[]}']))
                live.recv(60)
            except WebSocketException:
                lost += 1
                live = sockets.enter_context(server.live())
        is_well = bool(send(live, 1, files[0], 1.0)["faces"])
    faults = sum(number for status, number in statuses.items() if status >= 500 and status != 503)
    return {"sent": count, "statuses": statuses, "faults": faults, "sockets_lost": lost, "is_well": is_well}


@click.command()
@click.option("--trips", default=300, show_default=True, help="Round trips.")
@click.option("--seconds", default=20.0, show_default=True, help="How long several sessions run.")
@click.option("--frames", default=10_000, show_default=True, help="For the memory; 0 leaves it out.")
@click.option("--nonsense", default=1_000, show_default=True, help="Malformed requests and frames.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(trips: int, seconds: float, frames: int, nonsense: int, json_file: Path | None) -> None:
    """Measure the server."""
    files = clip()
    figures: dict = {}
    with Server() as server:
        f = figures["round_trip"] = measure_round_trip(server, files, trips)
        click.echo(
            f"round trip {f['round_trip_ms']:.1f} ms (p95 {f['p95_ms']:.1f}); analysis {f['analysis_ms']:.1f} + echo "
            f"{f['echo_ms']:.1f} ms: {f['ratio']:.2f} times, at most {MOST_RATIO}"
        )
        f = figures["sessions"] = measure_sessions(server, files, seconds)
        click.echo(
            f"{SESSIONS} sessions: the slowest {f['slowest_fps']:.1f} of {RATE} frames/s; p50 {f['p50_ms']:.0f} ms, "
            f"p95 {f['p95_ms']:.0f} ms"
        )
        if frames:
            f = figures["memory"] = measure_memory(server, files, frames)
            click.echo(
                f"memory after {frames} frames: {f['growth_mb']:+.1f} MB on that after 500, at most {MOST_GROWTH_MB:g}"
            )
        f = figures["nonsense"] = measure_nonsense(server, files, nonsense)
        click.echo(
            f"{nonsense} malformed requests and frames: statuses {f['statuses']}, {f['faults']} faults, "
            f"{f['sockets_lost']} sockets lost; {'well' if f['is_well'] and server.is_alive else 'NOT well'} afterwards"
        )
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
