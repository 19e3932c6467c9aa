"""What a user of the live window can do: the keys, and the lines that say what they did."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live_emotion.errors import LiveEmotionError
from live_emotion.io.images import write_image
from live_emotion.pipelines.live.camera_ring import CameraRing
from live_emotion.pipelines.live.recorder import Recorder, timestamp

NOTICE_S = 4.0
"""How long a notice stays on the screen, in seconds."""

HINT_S = 6.0
"""How long the hint at the keys stays, in seconds."""

HINT = "h: keys   q: quit"

KEYS = {
    "q": "quit (or Esc)",
    "f": "full screen (or F11)",
    "p": "pause",
    "m": "mirror",
    "c": "next camera",
    "e": "learn my face",
    "s": "screenshot",
    "r": "record on and off",
    "b": "bars on and off",
    "t": "last 30 seconds",
    "w": "why, then a heat map",
    "i": "info",
    "h": "this help",
}
"""What each key does; q and f are the window's own."""

KEYS_A_LINE = 3
"""In the help, which should be low: most faces are not at the upper edge."""

SWITCHES = {"p": "paused", "m": "mirror", "b": "bars", "t": "history", "i": "info", "h": "help"}
"""The settings that keys switch on and off."""


@dataclass
class Settings:
    """What the keys change.

    Attributes:
        mirror: turn the frames left to right.
        bars: draw the charts of probabilities.
        history: draw everybody's last half minute.
        why: say why the largest face is read as it is.
        heat: and show where on it that is seen.
        info: show latency and counts.
        help: show the keys.
        paused: hold what is shown.
    """

    mirror: bool = False
    bars: bool = True
    history: bool = False
    why: bool = False
    heat: bool = False
    info: bool = False
    help: bool = False
    paused: bool = False


class Controls:
    """Does what the keys stand for. What goes wrong with that is a notice on the screen and ends nothing.

    Args:
        settings: switched by the keys.
        recorder: started and stopped by a key; screenshots go to its folder.
        cameras: asked for the next camera, or for the same again for an enrolment; None: there is one only.
        say: told what goes wrong, for those who don't look at the screen.
        clock: gives seconds.

    Attributes:
        saved: the screenshots.
        enrols: whether an enrolment was asked for; whoever does it takes that back.
    """

    def __init__(
        self,
        settings: Settings,
        recorder: Recorder,
        cameras: CameraRing | None = None,
        say: Callable[[str], object] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.recorder, self.say, self._clock = settings, recorder, say, clock
        self._cameras = cameras
        self.saved: list[Path] = []
        self.enrols = False
        self._notice, self._notice_until = "", 0.0
        self._hint_until = clock() + HINT_S

    def press(self, key: str, shown: Callable[[], np.ndarray] | None) -> None:
        """Does what a key stands for.

        Args:
            key: one of :data:`KEYS`; others do nothing.
            shown: draws what is on the screen, (H, W, 3) uint8 BGR at the camera's size without lines of text; None
                before the first frame.
        """
        try:
            if key in SWITCHES:
                name = SWITCHES[key]
                setattr(self.settings, name, not getattr(self.settings, name))
            elif key == "w":
                # off, in words, in words and as a map, off
                self.settings.why, self.settings.heat = not self.settings.heat, self.settings.why > self.settings.heat
            elif key == "s" and shown is not None:
                self._screenshot(shown())
            elif key == "c":
                there_is = self._cameras is not None and self._cameras.ask()
                self.notice("opening the next camera" if there_is else "there is no other camera")
            elif key == "e" and self._cameras:
                self._cameras.again()
                self.enrols = True
            elif key == "r" and self.recorder.is_on:
                self.recorder.stop()
            elif key == "r":
                self.notice(f"recording {self.recorder.start().name}")
        except LiveEmotionError as error:
            self.notice(error)

    def _screenshot(self, shown: np.ndarray) -> None:
        path = self.recorder.folder / f"{timestamp()}.png"
        write_image(path, shown)
        self.saved.append(path)
        self.notice(f"saved {path.name}")

    def notice(self, news: str | LiveEmotionError) -> None:
        """Shows a line for a while."""
        self._notice, self._notice_until = str(news), self._clock() + NOTICE_S
        if isinstance(news, LiveEmotionError):
            self.say(str(news))

    def lines(self) -> list[str]:
        """What is to be read on the screen about it."""
        lines = ["paused - p goes on"] if self.settings.paused else []
        lines += [self._notice] if self._clock() < self._notice_until else []
        if self.settings.help:
            keys = [f"{key}: {action}" for key, action in KEYS.items()]
            return lines + ["   ".join(keys[i : i + KEYS_A_LINE]) for i in range(0, len(keys), KEYS_A_LINE)]
        return lines + ([HINT] if self._clock() < self._hint_until else [])
