"""The live loop: camera, detector, network and window each at their own pace."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from live_emotion.concurrency.latest import Latest
from live_emotion.concurrency.worker import BackgroundWorker
from live_emotion.io.camera import CameraMode
from live_emotion.io.display.window import Window
from live_emotion.io.live_source import LiveSource, mirrored
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.crowd import crowd_notice
from live_emotion.pipelines.live.camera_ring import CameraRing
from live_emotion.pipelines.live.controls import Controls, Settings
from live_emotion.pipelines.live.explainer import Explained, Explainer
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.pipelines.live.statistics import EmotionTimes, FrameRate, Statistics
from live_emotion.pipelines.result import FoundFaces, Result
from live_emotion.types import LiveFrame, Sink
from live_emotion.visualization.history import Band, History
from live_emotion.visualization.overlay import Overlay
from live_emotion.visualization.view import View

POLL_S = 0.03
"""How long the window waits for a frame before it looks for keys, in seconds."""

ROWS_TO_LOG = 1_000
"""How many frames' rows may wait to be written."""

STALLED_S = 2.0
"""How long a camera may give no frame before that is said, in seconds; most systems wait far longer to tell."""

STALLED = "The camera gives no frames at the moment"

WAITING_SIZE = (480, 640)
"""Height and width in pixels of the image before the first frame, where the camera does not say its own."""

WAITING_GREY = 32
"""Grey level of that image."""


def find_live(frames: Iterable[LiveFrame], analyzer: EmotionAnalyzer, settings: Settings) -> Iterator[FoundFaces]:
    """Finds the faces of frames, mirrored or not as the settings say at the time."""
    for frame in frames:
        is_mirrored = settings.mirror
        yield analyzer.find(mirrored(frame) if is_mirrored else frame, is_mirrored)


def read_live(found: Iterable[FoundFaces], analyzer: EmotionAnalyzer) -> Iterator[Result]:
    """Reads the faces that were found."""
    for item in found:
        yield from analyzer.read([item])


def resumed(frames: Iterable[LiveFrame], last: LiveFrame | None) -> Iterator[LiveFrame]:
    """Frames of another camera, numbered and timed on from the last frame of the one before; None: there was none."""
    first = None
    for frame in frames:
        first = first or frame
        if last is None:
            yield frame
        else:
            away_s = first.clock_s - last.clock_s
            index, time_s = frame.index - first.index + last.index + 1, frame.time_s - first.time_s
            yield replace(frame, index=index, time_s=last.time_s + away_s + time_s)


class LiveLoop:
    """Shows, records and logs what is read from a camera until it ends or somebody ends it.

    The camera, the detector, the network and the window run side by side; whoever is slow drops frames and holds
    nobody up.

    Args:
        analyzer: reads the frames; nobody else may use it meanwhile.
        settings: the keys change them.
        recorder: records what is shown.
        window: shows it; None: nothing is shown.
        sinks: take what was read; one that fails ends the loop.
        about: a line or more for the info display.
        cameras: gives the next camera when a key asks for it; None: there is one only.
        say: told, once each time, what is wrong with the camera or cannot be written.
        clock: gives seconds; the one that the frames' ``clock_s`` is of.

    Attributes:
        controls: the keys.
        statistics: how it goes.
        emotions: for how long each was shown.
    """

    def __init__(
        self,
        analyzer: EmotionAnalyzer,
        settings: Settings,
        recorder: Recorder,
        window: Window | None = None,
        sinks: Sequence[Sink] = (),
        about: Sequence[str] = (),
        cameras: CameraRing | None = None,
        say: Callable[[str], object] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.analyzer, self.settings, self.recorder = analyzer, settings, recorder
        self.window, self.sinks, self.about, self.say = window, sinks, about, say
        self.cameras = cameras
        self.controls = Controls(settings, recorder, cameras, say, clock)
        self.statistics, self.emotions = Statistics(), EmotionTimes()
        self._clock = clock
        self._alarm = self._crowd = ""
        self._rate, self._fps = FrameRate(), 0.0
        self._view = View(analyzer.class_names)
        self._recorded = Overlay(analyzer.class_names)
        self._history = History(len(analyzer.class_names))
        self._explainer = Explainer(analyzer.explain, self.controls.notice)
        self._explained: Explained | None = None
        self._last: LiveFrame | None = None
        self._camera = ""
        self._mode: CameraMode | None = None

    def run(self, source: LiveSource, stopped: Callable[[], bool] = lambda: False) -> None:
        """Runs until the frames end, the window is closed, a key asks for the camera, or ``stopped`` says so.

        The source is stopped then. Run again, it goes on with another one.

        Args:
            source: the window opens before its first frame.
            stopped: asked a few times a second.

        Raises:
            LiveEmotionError: the camera gives no frames any more, or the rows cannot be written.
        """
        self._mode, self._rate = source.state.mode, FrameRate()
        if self._last is None:
            self._view.update(_waiting_image(self._mode))
        elif self.cameras and self.cameras.camera == self._camera:
            self.analyzer.wait()
        else:
            self.analyzer.forget()
        self._camera = self.cameras.camera if self.cameras else ""
        if not self._show(None):
            return
        before = self.statistics.captured - source.received
        frames = resumed(source, self._last)
        with (
            BackgroundWorker(ROWS_TO_LOG) as log,
            BackgroundWorker(1) as explaining,
            Latest(find_live(frames, self.analyzer, self.settings)) as found,
            Latest(read_live(found, self.analyzer)) as results,
            contextlib.ExitStack() as first,
        ):
            first.callback(source.stop)  # ends the others, so that none of them is waited for
            while not stopped():
                result = results.take(POLL_S)
                self.statistics.captured = before + source.received
                self._look_after(source)
                if result:
                    self._take(result, log, explaining)
                elif results.ended:
                    break
                if not self._show(result):
                    break
                if self.cameras and self.cameras.is_asked:
                    self._show(None)  # with the notice, which stays while the other one opens
                    break

    def _look_after(self, source: LiveSource) -> None:
        """Tells what is wrong with the camera, and what became of recordings."""
        stalled = STALLED if source.received and source.idle_s > STALLED_S else ""
        alarm = source.state.alarm or stalled
        if alarm and alarm != self._alarm:
            self.say(alarm)
        self._alarm = alarm
        for news in self.recorder.news():
            self.controls.notice(news)

    def _take(self, result: Result, log: BackgroundWorker, explaining: BackgroundWorker) -> None:
        """Logs and records a new result and takes it to be shown, unless the image is held."""
        frame = result.frame
        self.statistics.count(frame.index, self.settings.paused)
        self._look_for_a_crowd(result)
        self._last = frame if isinstance(frame, LiveFrame) else None
        if self.settings.paused:
            self._rate = FrameRate()
            return
        for sink in self.sinks:
            log.call(sink.write, frame, result.faces)
        self.statistics.unlogged = log.dropped
        self._fps = self._rate.tick(self._clock())
        self.emotions.count(result.faces, frame.time_s)
        self._history.add(result.faces, frame.time_s)
        self._view.update(frame.image, result.faces)
        self._find_out_why(result, explaining)
        if self.recorder.is_on:
            self.recorder.write(self._still(), frame.time_s)
            self.statistics.unrecorded = self.recorder.dropped

    def _still(self) -> np.ndarray:
        """What is shown, at the camera's size and without lines of text: for recordings and screenshots."""
        return self._recorded.draw(self._view.heated, self._view.faces, self.settings.bars, bands=self._bands())

    def _find_out_why(self, result: Result, explaining: BackgroundWorker) -> None:
        """Has the largest face explained, if that is asked for, and shows the last explanation."""
        self._explained = None
        if self.settings.why:
            self._explainer.offer(result, self.settings.heat, explaining)
            self._explained = self._explainer.latest(result.faces, result.frame.time_s)
        heat = self._explained.why.heat if self._explained and self.settings.heat else None
        self._view.heat = (self._explained.track_id, heat) if self._explained and heat is not None else None

    def _look_for_a_crowd(self, result: Result) -> None:
        """Says once that there are more faces than are read, or many small ones."""
        if not self._crowd:
            self._crowd = crowd_notice(result, self.analyzer.config.detector)
            if self._crowd:
                self.controls.notice(self._crowd)
                self.say(self._crowd)

    def _show(self, result: Result | None) -> bool:
        """Puts the image on the screen, and does what a key asks; False once the window was closed."""
        if self.window:
            size = self.window.fit(*self._view.size)
            image = self._view.draw(size, self.settings.bars, self._lines(), self._bands())
            if not self.window.show(image):
                return False
        if result and isinstance(result.frame, LiveFrame) and not self.settings.paused:
            self.statistics.latency.add(self._clock() - result.frame.clock_s)
        if self.window and self.window.key:
            self.controls.press(self.window.key, self._still if self.statistics.shown else None)
        return True

    def _bands(self) -> list[Band]:
        return self._history.bands() if self.settings.history else []

    def _lines(self) -> list[str]:
        states = [f"{self._fps:.0f} FPS" if self.statistics.shown else "waiting for the camera"]
        names = ", ".join(self.analyzer.config.profiles)
        states += [f"profile {names}"] if names else []
        states += ["REC"] if self.recorder.is_on else []
        lines = ["   ".join(states)]
        lines += [self._alarm] if self._alarm else []
        lines += [f"{self._explained.track_id}: {self._explained.why}"] if self._explained else []
        if self.settings.info:
            lines += [*self.statistics.lines(), *([f"camera {self._mode}"] if self._mode else []), *self.about]
        return lines + self.controls.lines()


def _waiting_image(mode: CameraMode | None) -> np.ndarray:
    """(H, W, 3) uint8, of the size of the frames that will come, as far as that is known."""
    size = (mode.height, mode.width) if mode and mode.height and mode.width else WAITING_SIZE
    return np.full((*size, 3), WAITING_GREY, np.uint8)
