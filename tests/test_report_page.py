"""The page of a report in a browser: what can be read on a phone, pointed at, tapped and played."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest
from browser import Browser, needs_browser
from test_report import STEP_S, face, write_rows
from videos import make_video, numbered_frames

from live_emotion.faces.quality import OTHER, TURNED_AWAY
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import open_results_writer
from live_emotion.types import EMOTIONS, Frame
from live_emotion.visualization.report.player import player
from live_emotion.visualization.report.report import write_report

pytestmark = needs_browser

PHONE, DESK = 412, 1280

TEXTS = """
(() => {
  const texts = [], walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, at = node.parentElement, range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect(), scale = at.getScreenCTM ? at.getScreenCTM().a : 1;
    const size = scale * parseFloat(getComputedStyle(at).fontSize);
    if (node.textContent.trim() && box.width) texts.push([size, box.left, box.right, at.tagName]);
  }
  return texts;
})()
"""
"""Of each text that is shown: its size, left and right edge in CSS pixels, and its element."""

BAND = "(({ left, top, width, height }) => [left, top, width, height])(document.querySelector('.band')" + (
    ".getBoundingClientRect())"
)
OUTPUTS = "[...document.querySelectorAll('output')].map((output) => output.textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def four_states(tmp_path):
    """A page of two people. Person 1: a second each of happy, turned away, none of the emotions, and out of sight.
    Person 2 comes for the fifth second."""
    with open_results_writer(tmp_path / "states.csv", EMOTIONS) as sink:
        for i in range(50):
            faces = [
                [face(1, "happy", 0.97)],
                [face(1, "sad", 0.9, note=TURNED_AWAY)],
                [face(1, "angry", 0.2, note=OTHER, other=0.5)],
                [],
                [face(2, "sad")],
            ]
            sink.write(Frame(i, i * STEP_S, np.zeros((4, 4, 3), np.uint8)), faces[i // 10])
    return write_report(read_table(tmp_path / "states.csv"), tmp_path / "report", "states")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_fits_and_its_text_can_be_read(browser, tmp_path, width):
    table = read_table(write_rows(tmp_path / "talk.csv"))
    browser.open(write_report(table, tmp_path, "a_video_of_a_very_long_name" * 3), width)
    assert browser.run("document.documentElement.scrollWidth") == width
    texts = browser.run(TEXTS)
    assert min(texts)[0] >= 11
    assert min(left for _, left, _, _ in texts) >= 0 and max(right for _, _, right, _ in texts) <= width
    times = [(left, right) for _, left, right, tag in texts if tag == "text"]
    assert len(times) >= 2 * 3
    gaps = [left - right for (_, right), (left, _) in itertools.pairwise(times) if left > right - width / 2]
    assert min(gaps) > 4, "times of the axis run into each other"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pointing_and_tapping_tell_the_values(browser, four_states, width):
    browser.open(four_states, width)
    left, top, length, _ = browser.run(BAND)
    said = []
    for part in (0.1, 0.3, 0.5, 0.7, 0.9):
        where = left + part * length, top + 9
        browser.tap(*where) if width == PHONE else browser.mouse("mouseMoved", *where)
        said.append([text.split("  ") for text in browser.run(OUTPUTS)])
    assert [[text for _, text in step] for step in said] == [
        ["happy 97%", "not in view"],
        ["unclear: turned away", "not in view"],
        ["other 50%, angry 20%, happy 10%", "not in view"],
        ["not in view", "not in view"],
        ["not in view", "sad 70%, angry 10%, happy 10%"],
    ]
    assert said[2][0][0].startswith("0:02.")


def test_arrow_keys_walk_along_a_band(browser, four_states):
    browser.open(four_states)
    pressed = "new KeyboardEvent('keydown', { key: 'ArrowRight' })"
    browser.run(f"for (let i = 0; i < 6; i++) document.querySelector('.band').dispatchEvent({pressed})")
    assert browser.run("document.querySelector('.band').ariaValueText") == "0:01.2  unclear: turned away"


MARKS = """
[...document.querySelectorAll(".axis g")].filter((g) => getComputedStyle(g).display !== "none")
  .flatMap((g) => [...g.children].map((text) => text.getBoundingClientRect())).map((box) => [box.left, box.right])
"""


@pytest.mark.parametrize(("step_s", "said"), [(STEP_S, "08:53:22.0"), (3600.0, "10-10 04:53:20.0")])
def test_times_of_the_world_are_told_and_do_not_run_into_each_other(browser, tmp_path, step_s, said):
    with open_results_writer(tmp_path / "rows.csv", EMOTIONS) as sink:
        for i in range(100):
            sink.write(Frame(i, 1760000000 + i * step_s, np.zeros((4, 4, 3), np.uint8)), [face(1, "happy")])
    page = write_report(read_table(tmp_path / "rows.csv"), tmp_path / "report", "rows")
    for width in (PHONE, DESK):
        browser.open(page, width)
        times = browser.run(MARKS)
        assert len(times) >= 2 and min(left - right for (_, right), (left, _) in itertools.pairwise(times)) > 8
        assert browser.run("document.documentElement.scrollWidth") == width
    browser.run(f"show(1760000000 + 20 * {step_s})")
    assert browser.run(OUTPUTS) == [f"{said}  happy 70%, angry 10%, neutral 10%"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_was_not_read_is_not_painted_as_an_emotion(browser, four_states, theme):
    browser.open(four_states, PHONE, theme)
    left, top, length, height = browser.run(BAND)
    shot = browser.screenshot().astype(int)
    assert (shot[2, 2].mean() > 200) == (theme == "light")
    band = shot[round(top) + 1 : round(top + height) - 1]

    def part(begin, end):
        return band[:, round(left + begin * length) : round(left + end * length)]

    def painted(pixels, bgr):
        return (np.abs(pixels - bgr).max(axis=2) < 8).mean()

    happy, unclear, other, unseen = part(0.02, 0.18), part(0.22, 0.38), part(0.42, 0.58), part(0.62, 0.78)
    assert painted(happy, (66, 228, 240)) > 0.85
    for pixels in (unclear, unseen):
        assert np.ptp(pixels, axis=2).max() < 20, "a colour where there is no emotion"
    assert painted(unseen, unseen[5, 5]) > 0.85  # nothing but lines
    dots = other[: len(other) // 3]  # none of the emotions is the upper half
    for pixels in (unclear, dots):
        assert 0.1 < 1 - painted(pixels, np.median(pixels, axis=(0, 1))) < 0.6  # two greys, in lines or dots
    assert np.abs(np.median(unclear, axis=(0, 1)) - np.median(dots, axis=(0, 1))).max() > 6


def test_a_click_goes_to_that_moment_of_the_video(browser, portrait, tmp_path):
    table, folder = read_table(write_rows(tmp_path / "talk.csv")), tmp_path / "a report"
    video = make_video(tmp_path / "talk & 100%#1.mp4", numbered_frames(portrait, 125), g="10")
    page = write_report(table, folder, "talk", played=player(video, folder, start_s=1.0))
    browser.open(page, DESK)
    settled = """new Promise((done) => {
        const video = document.querySelector("video");
        if (video.readyState || video.error) done();
        for (const kind of ["loadedmetadata", "error"]) video.addEventListener(kind, done);
    })"""
    browser.run(f"{settled}.then(() => null)")
    left, top, length, _ = browser.run(BAND)
    for kind in ("mousePressed", "mouseReleased"):
        browser.mouse(kind, left + 0.5 * length, top + 9)
    assert browser.run("document.querySelector('video').currentTime") == pytest.approx(2.5 - 1, abs=0.05)
    assert browser.run("document.querySelector('video').duration") == pytest.approx(5, abs=0.1)
    assert browser.run("document.querySelector('.player p').hidden")
    shutil.move(video, tmp_path / "elsewhere.mp4")
    browser.open(page, DESK)
    browser.run(f"{settled}.then(() => null)")
    assert not browser.run("document.querySelector('.player p').hidden")
