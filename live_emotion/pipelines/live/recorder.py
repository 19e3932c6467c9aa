"""Records what is shown live, without holding it up."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.concurrency.worker import BackgroundWorker
from live_emotion.errors import OutputError
from live_emotion.io.video.writer import VideoWriter

FRAMES_TO_RECORD = 30
"""How many frames may wait to be encoded; what comes on top is left out of the recording."""


class Recorder:
    """Records what is shown, in the background; may be started and stopped at any time.

    A video that cannot be written any more ends, and nothing else does; :meth:`news` and ``failed`` tell.

    Args:
        folder: for screenshots, and for the videos that are started without a name.

    Attributes:
        saved: the videos that are complete.
        failed: why others could not be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved: list[Path] = []
        self.failed: list[OutputError] = []
        self._work = BackgroundWorker(FRAMES_TO_RECORD)
        self._ended: queue.SimpleQueue[tuple[VideoWriter, OutputError | None]] = queue.SimpleQueue()
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
        """Begins a video, by default one named by the time.

        Raises:
            OutputError: it cannot be begun.
        """
        path = path or self.folder / f"{timestamp()}.mp4"
        self._video, self._start_s = VideoWriter(path, live=True), None
        return path

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Adds a frame, if a video is on.

        Args:
            image: (H, W, 3) uint8 BGR; it must not be changed afterwards.
            time_s: when it was taken, in seconds; the video's first is its time 0.
        """
        if self._video:
            self._start_s = time_s if self._start_s is None else self._start_s
            self._work.call(self._encode, self._video, image, time_s - self._start_s)

    def stop(self) -> None:
        """Completes the video, in the background; :meth:`news` tells when that is done."""
        if self._video:
            video, self._video = self._video, None
            self._work.finish(lambda: self._complete(video))

    def news(self) -> Iterator[str | OutputError]:
        """What became of videos that ended since it was last asked, for people to read."""
        while not self._ended.empty():
            video, error = self._ended.get()
            if video is self._video:
                self._video = None
            if error:
                self.failed.append(error)
                yield error
            elif video.frames:
                self.saved.append(video.path)
                yield f"saved {video.path.name}"

    def _encode(self, video: VideoWriter, image: np.ndarray, time_s: float) -> None:
        if not video.closed:  # else it failed while this frame waited
            try:
                video.write(image, time_s)
            except OutputError as error:
                video.discard()
                self._ended.put((video, error))

    def _complete(self, video: VideoWriter) -> None:
        if not video.closed:
            try:
                video.close()
            except OutputError as error:
                self._ended.put((video, error))
            else:
                self._ended.put((video, None))

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()
        self._work.__exit__(*error)
        list(self.news())


def timestamp() -> str:
    """A name for a file by the time to the millisecond."""
    now = time.time()
    return time.strftime("live-emotion-%Y%m%d-%H%M%S", time.localtime(now)) + f"-{int(now * 1000) % 1000:03d}"
