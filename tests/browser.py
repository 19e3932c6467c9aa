"""A browser without a window, as tests of pages use it: Chromium, driven through its own pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)

needs_browser = pytest.mark.skipif(
    BROWSER is None or sys.platform == "win32", reason="needs Chromium or Chrome, and the pipes of Linux or macOS"
)

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe")


class Browser:
    """A page in a window of a chosen width and theme; coordinates are CSS pixels.

    Args:
        profile: a folder for the browser's own files.
    """

    def __init__(self, profile: Path) -> None:
        from_test, self._commands = os.pipe()
        self._answers, to_test = os.pipe()
        # the browser listens on 3 and answers on 4
        script = f'exec "$@" 3<&{from_test} 4>&{to_test}'
        command = ["bash", "-c", script, "bash", str(BROWSER), *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, pass_fds=(from_test, to_test), **quiet)
        os.close(from_test)
        os.close(to_test)
        self._number, self._rest = 0, b""
        self._events: list[str] = []
        self._session: str | None = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def open(self, page: Path, width: int = 412, theme: str = "light") -> None:
        """Opens a page and waits until it is there with all that it loads."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 800
        )
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self._events.clear()
        self._ask("Page.navigate", url=page.resolve().as_uri())
        while "Page.loadEventFired" not in self._events:
            self._read()

    def run(self, script: str) -> Any:
        """The value of a script, or of what it promises, as JSON holds it."""
        found = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Moves the mouse or clicks: ``mouseMoved``, ``mousePressed`` or ``mouseReleased``."""
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tap(self, x: float, y: float) -> None:
        """A finger."""
        self._ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self._ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def accessibility(self) -> list[dict[str, Any]]:
        """What a screen reader is told: the nodes of the page."""
        return self._ask("Accessibility.getFullAXTree")["nodes"]

    def screenshot(self) -> np.ndarray:
        """The whole page: (H, W, 3) uint8 BGR."""
        data = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)

    def close(self) -> None:
        """Ends the browser."""
        for pipe in (self._commands, self._answers):
            os.close(pipe)
        self._process.terminate()
        self._process.wait(timeout=30)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "result" in answer, answer
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        """The next message of the browser."""
        while b"\0" not in self._rest:
            piece = os.read(self._answers, 1 << 16)
            assert piece, "the browser has gone"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        answer = json.loads(message)
        self._events.append(answer.get("method", ""))
        return answer
