"""What a server is to do, and the limits that keep it from harm."""

from __future__ import annotations

from dataclasses import dataclass, field

from live_emotion.pipelines.config import AnalysisConfig

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """How much of what anybody may send or keep busy. Sizes are in bytes, times in seconds.

    Attributes:
        image: of an image's file.
        images: how many a request may bring.
        batch: of all of them together.
        frame: of a live frame's image.
        text: of a JSON message.
        upload: of a video.
        pixels: of an image or a video's frame.
        sessions: how many may be live.
        listeners: how many may follow events.
        connections: how many may be open.
        requests_per_s: of one client, on average.
        burst: of one client, at once.
        messages_per_s: of one live socket, on average; more are taken later.
        body_s: for a request's body to arrive, an upload's next part in it, and for an answer's next part to be taken.
        header_s: for a request's head to arrive, from when the connection or the last answer was made.
        idle_s: that a live socket may say nothing.
        kept_s: that what a session saw is kept after its socket has gone.
        job_kept_s: that what came of a video is kept.
    """

    image: int = 10 * MB
    images: int = 32
    batch: int = 100 * MB
    frame: int = 4 << 20
    text: int = 64 << 10
    upload: int = 2000 * MB
    pixels: int = 40 * MB
    sessions: int = 4
    listeners: int = 16
    connections: int = 100
    requests_per_s: float = 50.0
    burst: int = 200
    messages_per_s: float = 200.0
    body_s: float = 30.0
    header_s: float = 10.0
    idle_s: float = 300.0
    kept_s: float = 900.0
    job_kept_s: float = 3600.0


@dataclass(frozen=True)
class ServerConfig:
    """How a server behaves.

    Attributes:
        token: that lets in.
        analysis: how faces are found and read.
        hosts: names by which it may be called, lower case, without a port.
        cors: origins of other pages that may ask it, exactly as browsers send them.
        limits: of everything.
    """

    token: str
    analysis: AnalysisConfig = field(default_factory=AnalysisConfig)
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    cors: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
