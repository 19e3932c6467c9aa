"""Records what is shown live, without holding it up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.concurrency.worker import BackgroundWorker
from live_emotion.io.video_writer import VideoWriter

FRAMES_TO_RECORD = 30
"""How many frames may wait to be encoded; what comes on top is left out of the recording."""


class Recorder:
    """Records what is shown, in the background; may be started and stopped at any time.

    Args:
        folder: for screenshots, and for the videos that are started without a name.

    Attributes:
        saved: the videos so far, without the one that is on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved: list[Path] = []
        self._work = BackgroundWorker(FRAMES_TO_RECORD)
        self._video: VideoWriter | None = None
        self._start_s: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether it records."""
        return self._video is not None

    @property
    def dropped(self) -> int:
        """How many frames came faster than they could be encoded."""
        return self._work.dropped

    def start(self, path: Path | None = None) -> Path:
        """Begins a video, by default one named by the time."""
        path = path or self.folder / f"{timestamp()}.mp4"
        self._video, self._start_s = VideoWriter(path, live=True), None
        return path

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Adds a frame, if a video is on."""
        if self._video:
            self._start_s = time_s if self._start_s is None else self._start_s
            self._work.call(self._video.write, image, time_s - self._start_s)

    def stop(self) -> None:
        """Completes the video."""
        if self._video:
            self.saved.append(self._video.path)
            self._work.finish(self._video.close)
            self._video = None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()
        self._work.__exit__(*error)


def timestamp() -> str:
    """A name for a file by the time to the millisecond."""
    now = time.time()
    return time.strftime("live-emotion-%Y%m%d-%H%M%S", time.localtime(now)) + f"-{int(now * 1000) % 1000:03d}"
