"""The window on a screen that nobody looks at, closed, resized and typed into as a desktop does it."""

from __future__ import annotations

import contextlib
import csv
import itertools
import shutil
import subprocess
import sys
import threading
import time

import cv2
import pytest
from screens import HANGS_S, missing, screen

from live_emotion.io.display.letterbox import BORDER
from live_emotion.io.video.reader import VideoFile
from live_emotion.io.video.writer import VideoWriter

pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")

LAST_S = 60
"""Length of the video that stands for a camera, in seconds: longer than any test."""

SHOWS_AN_IMAGE = """
import sys
import numpy as np
from live_emotion.io.display.window import Window

width, height = map(int, sys.argv[1:])
image, told = np.full((height, width, 3), 128, np.uint8), None
with Window() as window:
    while window.show(image):
        if (size := window.fit(width, height)) != told:
            print(*size, flush=True)
            told = size
"""
"""Shows a grey image, and prints each new size of what is shown."""


@pytest.fixture(scope="module")
def desktop():
    with screen(1280, 720) as desktop:
        yield desktop


@pytest.fixture
def managed_desktop():
    """A screen with a window manager, without which no window fills it."""
    manager = shutil.which("openbox") or pytest.skip("needs openbox")
    with screen(1280, 720) as desktop:
        command = [manager, "--startup", "echo ready"]
        with subprocess.Popen(command, env=desktop.environment, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline()
            yield desktop
            process.terminate()


@pytest.fixture(scope="module")
def clip(tmp_path_factory, portrait):
    """A video that stands for a camera: the portrait, five frames a second."""
    path = tmp_path_factory.mktemp("camera") / "clip.mp4"
    with VideoWriter(path) as video:
        for i in range(5 * LAST_S):
            video.write(portrait, i / 5)
    return path


@contextlib.contextmanager
def running(desktop, *arguments, environment=None):
    """A Python program on the screen; whatever happens, it has ended afterwards."""
    command = [sys.executable, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment or desktop.environment, **pipes) as process:
        alarm = threading.Timer(HANGS_S, process.kill)
        alarm.start()
        try:
            yield process
        finally:
            alarm.cancel()
            process.kill()


@contextlib.contextmanager
def showing(desktop, width, height):
    """The window with a grey image of this size, its number, and the size at which it opened."""
    with running(desktop, "-c", SHOWS_AN_IMAGE, width, height) as process:
        size = tuple(map(int, process.stdout.readline().split()))
        yield process, desktop.find_window(), size


def wait_for_size(process, width, height):
    """Reads on until what is shown has this size."""
    for line in process.stdout:
        if tuple(map(int, line.split())) == (width, height):
            return
    pytest.fail(f"it never had the size {width}x{height}; {process.stderr.read()}")


def end_of(process):
    """Exit status and what was said on stderr."""
    _, said = process.communicate()
    return process.returncode, said


def test_the_close_button_ends_the_webcam_and_its_files_are_complete(desktop, clip, tmp_path):
    video = tmp_path / "me.mp4"
    arguments = ("webcam", "--camera", clip, "--log", "-", "--record", video)
    with running(desktop, "-m", "live_emotion", *arguments) as webcam:
        assert '"emotion"' in webcam.stdout.readline()
        desktop.close_window(desktop.find_window())
        status, said = end_of(webcam)
    assert (status, "Traceback" in said) == (0, False), said
    assert "frames captured" in said
    with VideoFile(video) as recorded:
        assert 1 <= len(list(recorded)) < 5 * LAST_S


def test_a_key_leads_through_an_enrolment_and_the_session_goes_on(desktop, clip, tmp_path):
    environment = {**desktop.environment, "XDG_CONFIG_HOME": str(tmp_path / "home")}
    arguments = ("webcam", "--camera", clip, "--log", tmp_path / "rows.csv")
    with running(desktop, "-m", "live_emotion", *arguments, environment=environment) as webcam:
        said = []
        listener = threading.Thread(
            target=lambda: said.extend(itertools.takewhile(lambda line: "nothing was saved" not in line, webcam.stderr))
        )
        listener.start()
        window = desktop.find_window()
        while listener.is_alive():  # skips one emotion after the other; in the live window only e means something
            desktop.xdotool("key", "--window", window, "e", "space", "n")
        time.sleep(1.5)  # some frames later
        desktop.close_window(window)
        status, rest = end_of(webcam)
    assert (status, "Traceback" in "".join(said) + rest) == (0, False), [*said, rest]
    assert "frames captured" in rest
    assert not (tmp_path / "home" / "live-emotion").exists()
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert {row["track_id"] for row in csv.DictReader(file)} == {"1"}, "the person keeps the number"


def test_the_close_button_ends_the_demo(desktop, tmp_path):
    with running(desktop, "-m", "live_emotion", "demo", "-o", tmp_path) as demo:
        desktop.close_window(desktop.find_window())
        status, said = end_of(demo)
    assert (status, "Traceback" in said) == (0, False), said


@pytest.mark.parametrize("key", ["q", "Q", "Escape"])
def test_keys_end_it(desktop, key):
    with showing(desktop, 640, 360) as (process, window, _):
        desktop.xdotool("key", "--window", window, key)
        assert end_of(process)[0] == 0


def test_arrows_are_no_letters(desktop, clip, tmp_path):
    arguments = ("webcam", "--camera", clip, "--log", "-", "-o", tmp_path)
    with running(desktop, "-m", "live_emotion", *arguments) as webcam:
        webcam.stdout.readline()
        window = desktop.find_window()
        desktop.xdotool("key", "--delay", "200", "--window", window, "Left", "Up", "Right")
        desktop.xdotool("key", "--window", window, "s")
        while not (stored := list(tmp_path.glob("live-emotion-*.png"))):
            assert webcam.poll() is None, "Left, whose code ends as that of Q does, has ended it"
        desktop.xdotool("key", "--window", window, "q")
        assert end_of(webcam)[0] == 0
    (screenshot,) = stored
    assert list(tmp_path.iterdir()) == stored, "Up, whose code ends as that of R does, has begun no recording"
    assert cv2.imread(str(screenshot)).shape == (600, 512, 3), "it has the camera's size, not the window's"


@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (240, 320)])
def test_it_opens_as_large_as_the_screen_allows(desktop, size):
    with showing(desktop, *size) as (_, window, _):
        left, top, width, height = desktop.geometry(window)
    assert left >= 0 and top >= 0 and left + width <= 1280 and top + height <= 720
    assert max(width / 1280, height / 720) > 0.8
    assert width / height == pytest.approx(size[0] / size[1], rel=0.01)


def test_of_any_size_it_shows_the_whole_image_on_dark_borders(managed_desktop):
    with showing(managed_desktop, 640, 360) as (process, window, _):
        while managed_desktop.geometry(window)[2:] != (1000, 360):
            assert process.poll() is None
            managed_desktop.xdotool("windowsize", window, "1000", "360")
        # at first the image of the size before is stretched over all of it
        while not ((shown := managed_desktop.picture(window))[:, 180:820] == 128).all() or (shown == 128).all():
            assert process.poll() is None
    assert shown.shape == (360, 1000, 3)
    assert (shown[:, :180] == BORDER).all() and (shown[:, 820:] == BORDER).all()


def test_it_fills_the_screen_and_comes_back(managed_desktop):
    with showing(managed_desktop, 640, 360) as (process, window, size):
        for fill, leave in (("F11", "F11"), ("f", "f"), ("f", "Escape")):
            managed_desktop.xdotool("key", "--window", window, fill)
            wait_for_size(process, 1280, 720)
            managed_desktop.xdotool("key", "--window", window, leave)
            wait_for_size(process, *size)
        managed_desktop.xdotool("key", "--window", window, "Escape")
        assert end_of(process)[0] == 0


def test_closing_a_filled_screen_ends_it(managed_desktop):
    with showing(managed_desktop, 640, 360) as (process, window, _):
        managed_desktop.xdotool("key", "--window", window, "f")
        wait_for_size(process, 1280, 720)
        managed_desktop.close_window(window)
        assert end_of(process)[0] == 0
