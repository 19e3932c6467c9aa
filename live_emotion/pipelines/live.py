"""The live loop: camera, detector, network and window each at their own pace, and the keys."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from live_emotion.concurrency.cpu import cores, network_threads
from live_emotion.concurrency.latest import Latest
from live_emotion.concurrency.worker import BackgroundWorker
from live_emotion.faces.detector import FaceDetector
from live_emotion.io.camera import CameraMode
from live_emotion.io.images import write_image
from live_emotion.io.live_source import LiveSource, mirrored
from live_emotion.io.results_writer import ResultsWriter
from live_emotion.io.window import Window
from live_emotion.pipelines.analyzer import EmotionAnalyzer, Result, find_faces
from live_emotion.pipelines.rate import FrameRate, Latencies
from live_emotion.pipelines.recorder import Recorder, timestamp
from live_emotion.types import Face, LiveFrame
from live_emotion.visualization.overlay import with_lines

POLL_S = 0.03
"""How long the window waits for a frame before it looks for keys, in seconds."""

NOTICE_S = 3.0
"""How long a message stays on the screen, in seconds."""

ROWS_TO_LOG = 1_000
"""How many frames' rows may wait to be written."""

STALLED_S = 2.0
"""How long a camera may give no frame before that is said, in seconds; most systems wait far longer to tell."""

STALLED = "The camera gives no picture at the moment"

WAITING_SIZE = (480, 640)
"""Height and width in pixels of the picture before the first frame, where the source does not say its own."""

WAITING_GREY = 32
"""Grey level of that picture."""

KEYS = {
    "q": "quit (or Esc)",
    "p": "pause",
    "m": "mirror",
    "s": "screenshot",
    "r": "record on and off",
    "b": "bars on and off",
    "i": "info",
    "h": "this help",
}
"""What each key does."""


@dataclass
class Settings:
    """What the keys change.

    Attributes:
        mirror: turn the picture left to right.
        bars: draw the chart of probabilities.
        info: show latency and counts.
        help: show the keys.
        paused: hold the picture.
    """

    mirror: bool = False
    bars: bool = True
    info: bool = False
    help: bool = False
    paused: bool = False


@dataclass
class Statistics:
    """How it went.

    Attributes:
        captured: frames that came from the camera.
        shown: of them, those that were read and shown, or handed on where there is no window.
        latency: from the moment a frame came to the moment it was on the screen.
        unrecorded: frames that came faster than they could be encoded.
        unlogged: frames whose rows came faster than they could be written.
    """

    captured: int = 0
    shown: int = 0
    latency: Latencies = field(default_factory=Latencies)
    unrecorded: int = 0
    unlogged: int = 0

    def lines(self) -> list[str]:
        """The figures, a few to a line."""
        lines = [
            f"{self.captured} frames captured, {self.shown} shown, {self.captured - self.shown} dropped",
            f"capture to screen {self.latency}",
        ]
        lines += [f"{self.unrecorded} not recorded"] if self.unrecorded else []
        return lines + ([f"{self.unlogged} not logged"] if self.unlogged else [])

    def __str__(self) -> str:
        return "; ".join(self.lines())


@dataclass(frozen=True)
class Found:
    """A frame and what was found in it.

    Attributes:
        frame: mirrored or not.
        faces: N of them.
        crops: theirs, uint8 (N, 48, 48).
        mirror: whether the frame is mirrored.
    """

    frame: LiveFrame
    faces: list[Face]
    crops: np.ndarray
    mirror: bool


def find_live(frames: Iterable[LiveFrame], detector: FaceDetector, settings: Settings) -> Iterator[Found]:
    """Finds the faces of frames, mirrored or not as the settings say at the time."""
    for frame in frames:
        mirror = settings.mirror
        shown = mirrored(frame) if mirror else frame
        yield Found(shown, *find_faces(detector, shown.image), mirror)


def read_live(found: Iterable[Found], analyzer: EmotionAnalyzer) -> Iterator[Result]:
    """Reads the faces that were found; they keep their identity when mirroring goes on or off."""
    mirror = None
    for item in found:
        if mirror not in (None, item.mirror) and analyzer.tracker:
            analyzer.tracker.mirror(item.frame.image.shape[1])
        mirror = item.mirror
        faces = analyzer.read(item.faces, item.crops, item.frame.time_s)
        yield Result(item.frame, faces, analyzer.class_names)


class LiveLoop:
    """Shows, records and logs what is read from a camera until it ends or somebody ends it.

    The camera, the detector, the network and the window run side by side; whoever is slow drops frames and holds
    nobody up.

    Args:
        analyzer: reads the frames; nobody else may use it meanwhile.
        settings: the keys change them.
        recorder: records what is shown.
        window: shows it; None: nothing is shown.
        sink: takes the rows.
        profile: its name, which is shown all the time.
        about: a line or more for the info display.
        say: told, once each time, what is wrong with the camera.
    """

    def __init__(
        self,
        analyzer: EmotionAnalyzer,
        settings: Settings,
        recorder: Recorder,
        window: Window | None = None,
        sink: ResultsWriter | None = None,
        profile: str | None = None,
        about: Sequence[str] = (),
        say: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.analyzer, self.settings, self.recorder = analyzer, settings, recorder
        self.window, self.sink, self.profile, self.about, self.say = window, sink, profile, about, say
        self.statistics = Statistics()
        self.saved: list[Path] = []
        self._alarm = ""
        self._notice, self._notice_until = "", 0.0
        self._rate, self._fps = FrameRate(), 0.0
        self._shown: np.ndarray | None = None

    def run(self, source: LiveSource, stopped: Callable[[], bool] = lambda: False) -> None:
        """Runs until the frames end, the window is closed, or ``stopped`` says so.

        Args:
            source: read in a thread of its own. The window opens before its first frame.
            stopped: asked a few times a second.

        Raises:
            LiveEmotionError: the camera gives no frames any more, or a file cannot be written.
        """
        if self.window:
            self._shown = np.full((*_size(source.mode), 3), WAITING_GREY, np.uint8)
            if not self._show(None):
                return
        with (
            network_threads(max(1, cores() // 2)),
            BackgroundWorker(ROWS_TO_LOG) as log,
            Latest(iter(source)) as newest,
            Latest(find_live(newest, self.analyzer.detector, self.settings)) as found,
            Latest(read_live(found, self.analyzer)) as results,
            contextlib.ExitStack() as first,
        ):
            first.callback(newest.stop)  # ends the others, so that of all a camera that hangs alone is waited for
            while not stopped():
                result = results.take(POLL_S)
                self.statistics.captured = newest.received
                stalled = STALLED if newest.received and newest.idle_s > STALLED_S else ""
                self._set_alarm(source.alarm or stalled)
                if result:
                    if self.sink and not self.settings.paused:
                        log.call(self.sink.write, result.frame, result.faces)
                        self.statistics.unlogged = log.dropped
                    self._take(result)
                elif results.ended:
                    break
                if not self._show(result):
                    break

    def _set_alarm(self, text: str) -> None:
        if text and text != self._alarm:
            self.say(text)
        self._alarm = text

    def _take(self, result: Result) -> None:
        """Draws and records a new result, unless the picture is held."""
        if self.settings.paused:
            return
        self._fps = self._rate.tick()
        self.statistics.shown += 1
        if self.window or self.recorder.is_on:
            self._shown = result.draw(self.settings.bars)
            self.recorder.write(self._shown, result.frame.time_s)
            self.statistics.unrecorded = self.recorder.dropped

    def _show(self, result: Result | None) -> bool:
        """Puts the picture on the screen; False once the window was closed."""
        if self.window:
            if not self.window.show(with_lines(self._shown, self._lines())):
                return False
            if self.window.key:
                self.press(self.window.key)
        if result and not self.settings.paused:
            self.statistics.latency.add(time.monotonic() - result.frame.clock_s)
        return True

    def _lines(self) -> list[str]:
        states = [f"{self._fps:.0f} FPS" if self.statistics.shown else "waiting for the camera"]
        states += [f"profile {self.profile}"] if self.profile else []
        lines = ["   ".join(states + (["REC"] if self.recorder.is_on else []))]
        if self.settings.paused:
            lines.append("paused - p goes on")
        if self._alarm:
            lines.append(self._alarm)
        if time.monotonic() < self._notice_until:
            lines.append(self._notice)
        if self.settings.info:
            lines += [*self.statistics.lines(), *self.about]
        if self.settings.help:
            lines += [f"{key}  {action}" for key, action in KEYS.items()]
        return lines

    def notice(self, text: str) -> None:
        """Shows a line for a while."""
        self._notice, self._notice_until = text, time.monotonic() + NOTICE_S

    def press(self, key: str) -> None:
        """Does what a key stands for."""
        switches = {"p": "paused", "m": "mirror", "b": "bars", "i": "info", "h": "help"}
        if key in switches:
            name = switches[key]
            setattr(self.settings, name, not getattr(self.settings, name))
        elif key == "s" and self.statistics.shown:
            path = self.recorder.folder / f"{timestamp()}.png"
            write_image(path, self._shown)
            self.saved.append(path)
            self.notice(f"saved {path.name}")
        elif key == "r" and self.recorder.is_on:
            self.recorder.stop()
            self.notice(f"saved {self.recorder.saved[-1].name}")
        elif key == "r":
            self.notice(f"recording {self.recorder.start().name}")


def _size(mode: CameraMode | None) -> tuple[int, int]:
    """Height and width of the pictures that will come, as far as that is known."""
    return (mode.height, mode.width) if mode and mode.height and mode.width else WAITING_SIZE
