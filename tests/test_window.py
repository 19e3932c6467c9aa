"""Looking for a display. The window itself is in test_real_window.py."""

from __future__ import annotations

import socket
import sys

import pytest

from live_emotion.errors import DisplayError
from live_emotion.io.display.screen import check_display, has_display
from live_emotion.io.display.window import Window

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these always have a display")


def test_no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not has_display()
    with pytest.raises(DisplayError, match="--no-window"):
        Window()


@pytest.mark.parametrize("display", [":4242", "nonsense", ":", "localhost:4242", ":x.0"])
def test_a_display_that_does_not_answer(monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(DisplayError, match="does not answer"):
        check_display()


def test_a_display_that_answers(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if port < 6000:
            pytest.skip("the system gave a port below X's")
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{port - 6000}.0")
        check_display()
