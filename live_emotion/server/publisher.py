"""``webcam --publish``: the overlay and the events of a live window, from a small server in its own process."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from live_emotion.pipelines.result import Result
from live_emotion.server.answers import about_answer, live_answer
from live_emotion.server.app import EventsApp
from live_emotion.server.config import ServerConfig
from live_emotion.server.live.events import WEBCAM
from live_emotion.server.run import BackgroundServer
from live_emotion.types import Frame, LiveFrame, TrackedFace


class Publisher:
    """Tells whoever listens what is read in frames; a sink, to be used as a context manager.

    Args:
        port: that ``open_port`` took.
        token: that lets in.
        class_names: in the order of the faces' probabilities.
        model: names of the weights' files.
    """

    def __init__(self, port: socket.socket, token: str, class_names: Sequence[str], model: str) -> None:
        self._class_names = tuple(class_names)
        self._app = EventsApp(ServerConfig(token), about_answer(class_names, model))
        self._server = BackgroundServer(self._app, port)

    def write(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Tells of a frame."""
        seconds = time.monotonic() - frame.clock_s if isinstance(frame, LiveFrame) else 0.0
        result = Result(frame, [*faces], self._class_names, len(faces))
        self._server.call(self._app.hub.publish, WEBCAM, live_answer(result, frame.index, seconds))

    def __enter__(self) -> Publisher:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
