"""The page that lists the reports of many videos: how it is made, and what it is like in a browser."""

from __future__ import annotations

import html
import json
from urllib.parse import unquote

import numpy as np
import pytest
from browser import Browser, needs_browser
from click.testing import CliRunner
from test_report import STEP_S, Page, face, write_rows
from test_report_page import DESK, PHONE, TEXTS
from videos import damage, make_video, numbered_frames

from live_emotion.cli.main import cli
from live_emotion.errors import LiveEmotionError
from live_emotion.faces.quality import OTHER, TURNED_AWAY
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import open_results_writer
from live_emotion.types import EMOTIONS, Frame
from live_emotion.visualization.report.index import INDEX_FILE, write_index
from live_emotion.visualization.report.people import people
from live_emotion.visualization.report.report import PAGE_FILE, write_report
from live_emotion.visualization.report.summary import KEPT_IN, Summary, read_summary, summarize

NAMES = "[...document.querySelectorAll('tbody tr:not([hidden]) a')].map((link) => link.textContent)"
HEADINGS = "[...document.querySelectorAll('thead th')]"


def run(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


def write_seconds(path, seconds):
    """Rows of ten frames a second: in each second one person shows what is named; nothing: nobody is there."""
    with open_results_writer(path, EMOTIONS) as sink:
        for i in range(10 * len(seconds)):
            shown = seconds[i // 10]
            note, other = {"unclear": (TURNED_AWAY, 0.0), "other": (OTHER, 0.6)}.get(shown, ("", 0.0))
            emotion = shown if shown in EMOTIONS else "sad"
            faces = [face(1, emotion, 0.3 if note else 0.97, note=note, other=other)] if shown else []
            sink.write(Frame(i, i * STEP_S, np.zeros((4, 4, 3), np.uint8)), faces)
    return path


def keep(folder, summary):
    """A page that keeps a summary and says nothing."""
    folder.mkdir(parents=True)
    (folder / PAGE_FILE).write_text(
        f'<!doctype html><meta name="{KEPT_IN}" content="{html.escape(summary.to_json())}">'
    )


def test_a_summary_tells_of_what_time_the_shares_are(tmp_path):
    rows = write_seconds(tmp_path / "a.csv", ["happy", "happy", "sad", "other", "unclear", "", "", "", "", "happy"])
    table = read_table(rows)
    summary = summarize("a", table, people(table), (0.0, 20.0))
    assert summary.length_s == pytest.approx(20, abs=0.2)
    assert summary.people == 1
    assert summary.shares == pytest.approx({"angry": 0, "happy": 0.6, "neutral": 0, "sad": 0.2}, abs=0.03)
    assert summary.other == pytest.approx(0.2, abs=0.03)
    assert summary.unclear == pytest.approx(1 / 6, abs=0.03)
    assert summary.unseen == pytest.approx(14 / 20, abs=0.03)
    seconds = [summary.steps[3 * i + 1] for i in range(20)]  # sixty steps of a third of a second
    assert [step if isinstance(step, (str, int)) else int(np.argmax(step)) for step in seconds] == [
        *(1, 1, 3, 4, TURNED_AWAY, 0, 0, 0, 0, 1),
        *[0] * 10,
    ]
    page = write_report(table, tmp_path / "report", "a", span_s=(0.0, 20.0))
    assert read_summary(page) == summary


def test_a_video_without_a_face_is_all_out_of_view(tmp_path):
    open_results_writer(tmp_path / "a.csv", EMOTIONS).close()
    write_report(read_table(tmp_path / "a.csv"), tmp_path / "out" / "a", "a", span_s=(0.0, 20.0))
    summary = read_summary(tmp_path / "out" / "a" / PAGE_FILE)
    assert (summary.length_s, summary.people, summary.unseen, summary.is_read) == (20, 0, 1, False)
    words = " ".join(" ".join(Page(write_index(tmp_path / "out").read_text()).texts).split())
    assert "a no face 20.0 s 0 – – – – – – 100%" in words


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "{}", "0", '{"title": 1}', '{"steps": 5}'),
        *(
            json.dumps({**json.loads(Summary("a", 1.0, 1, {"sad": 1.0}, 0.0, 0.0, ((100, 0),)).to_json()), **wrong})
            for wrong in (
                *({"title": 5}, {"length_s": -1}, {"length_s": float("nan")}, {"people": "many"}, {"shares": []}),
                *({"shares": {"sad": 2}}, {"unclear": None}, {"steps": [[1, 2, 3]]}, {"steps": [7]}, {"more": 1}),
                *({"steps": [[1e9, 0]]}, {"steps": [0] * 100_000}),
            )
        ),
    ],
)
def test_pages_that_somebody_edited_are_not_listed(tmp_path, content):
    keep(tmp_path / "good", Summary("good", 1.0, 1, {"sad": 1.0}, 0.0, 0.0, ((100, 0),)))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / PAGE_FILE).write_text(f'<meta name="{KEPT_IN}" content="{html.escape(content)}">')
    parsed = Page(write_index(tmp_path).read_text())
    assert [value for _, name, value in parsed.attributes if name == "href"] == ["./good/report.html"]


def test_the_list_holds_all_it_shows_and_names_cannot_break_it(tmp_path):
    called = ["<b>a</b> & \udcff.mp4", "talk 10.mp4", "talk 2.mp4"]
    for i, title in enumerate(called):
        keep(tmp_path / f"#{i} ?&%", Summary(title, 60.0, 1, {"sad": 0.5, '"><i>': 0.2}, 0.1, 0.2, ((50, 20, 30), 0)))
    page = write_index(tmp_path)
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert parsed.open == [] and text.count("<script") == 1 and "<b>a" not in text and "<i>:" not in text
    assert not [value for _, name, value in parsed.attributes if name in ("src", "srcset", "action")]
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert "default-src 'none'" in text and "media-src" not in text
    links = [unquote(value) for _, name, value in parsed.attributes if name == "href"]
    assert links == ["./#0 ?&%/report.html", "./#2 ?&%/report.html", "./#1 ?&%/report.html"], "2 before 10"
    assert all((tmp_path / link).is_file() for link in links)


def test_a_folder_without_reports_has_no_list(tmp_path):
    assert write_index(tmp_path) is None
    assert write_index(tmp_path / "none") is None
    assert not (tmp_path / INDEX_FILE).exists()


def test_video_lists_the_reports_that_it_made(portrait, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        make_video(tmp_path / "in" / f"{name}.mp4", numbered_frames(portrait, 5))
    damage(tmp_path / "in" / "b.mp4", 0, 1)
    command = ["video", tmp_path / "in", "--device", "cpu", "--report", tmp_path / "rep"]
    done = run(*command)
    assert "1 of 3 videos failed" in str(done.exception)
    assert f"Saved {tmp_path / 'rep' / INDEX_FILE}" in done.stdout

    def links():
        parsed = Page((tmp_path / "rep" / INDEX_FILE).read_text())
        return [value for _, name, value in parsed.attributes if name == "href"]

    assert links() == ["./a/report.html", "./c/report.html"]
    make_video(tmp_path / "in" / "b.mp4", numbered_frames(portrait, 5))
    assert run(*command, "--resume").exit_code == 0
    assert links() == ["./a/report.html", "./b/report.html", "./c/report.html"]
    (tmp_path / "rep" / INDEX_FILE).write_text("<h1>my own page</h1>")
    refused = run(*command, "--resume")
    assert "index.html is another page" in str(refused.exception)
    assert (tmp_path / "rep" / INDEX_FILE).read_text() == "<h1>my own page</h1>"


def test_one_video_has_no_list(portrait, tmp_path):
    video = make_video(tmp_path / "a.mp4", numbered_frames(portrait, 5))
    assert run("video", video, "--device", "cpu", "--report", tmp_path / "rep").exit_code == 0
    assert not (tmp_path / "rep" / INDEX_FILE).exists()


def test_report_makes_what_is_missing_in_a_folder(portrait, tmp_path):
    folder = tmp_path / "annotated"
    folder.mkdir()
    for name in ("a.csv", "a.jsonl", "b.jsonl", "b.part.csv"):
        write_rows(folder / name)
    (folder / "labels.csv").write_text("x,y\n1,2\n")
    make_video(folder / "b.mp4", numbered_frames(portrait, 125))
    done = run("report", folder)
    assert str(done.exception) == "1 of 3 reports could not be made."
    assert f"Error: {folder / 'labels.csv'} does not hold rows" in done.stderr
    assert f"Saved {folder / INDEX_FILE}" in done.stdout
    assert sorted(page.parent.name for page in folder.glob(f"*/{PAGE_FILE}")) == ["a_report", "b_report"]
    assert 'src="./../b.mp4"' in (folder / "b_report" / PAGE_FILE).read_text()
    before = (folder / "a_report" / PAGE_FILE).stat().st_mtime_ns
    (folder / "labels.csv").unlink()
    write_rows(folder / "c.csv")
    assert run("report", folder).exit_code == 0, "the list is ours and may be renewed"
    assert (folder / "a_report" / PAGE_FILE).stat().st_mtime_ns == before
    parsed = Page((folder / INDEX_FILE).read_text())
    links = [value for _, name, value in parsed.attributes if name == "href"]
    assert links == ["./a_report/report.html", "./b_report/report.html", "./c_report/report.html"]
    assert run("report", folder, "--force").exit_code == 0
    assert (folder / "a_report" / PAGE_FILE).stat().st_mtime_ns > before


def test_report_finds_the_videos_of_a_folder_of_rows(portrait, tmp_path):
    rows, videos = tmp_path / "rows", tmp_path / "in"
    for folder in (rows, videos):
        folder.mkdir()
    for name in ("a", "b"):
        write_rows(rows / f"{name}.csv")
        make_video(videos / f"{name}.mov", numbered_frames(portrait, 125 if name == "a" else 30))
    done = run("report", rows, "--video", videos, "-o", tmp_path / "out")
    assert "b.mov ends at 0:01" in done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a_report", INDEX_FILE]
    assert 'src="./../../in/a.mov"' in (tmp_path / "out" / "a_report" / PAGE_FILE).read_text()


def test_report_lists_reports_whose_rows_lie_elsewhere(tmp_path):
    write_report(read_table(write_rows(tmp_path / "a.csv")), tmp_path / "rep" / "a", "a")
    assert run("report", tmp_path / "rep").exit_code == 0
    assert "./a/report.html" in (tmp_path / "rep" / INDEX_FILE).read_text()


def test_wrong_uses_of_a_folder_are_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "There are no rows in the folder" in str(run("report", tmp_path / "empty").exception)
    write_rows(tmp_path / "a.csv")
    done = run("report", tmp_path, "--names", "1=Anna")
    assert done.exit_code == 2 and "one video" in done.stderr
    assert "is no folder" in str(run("report", tmp_path, "--video", tmp_path / "a.csv").exception)
    (tmp_path / INDEX_FILE).write_text("mine")
    done = run("report", tmp_path)
    assert isinstance(done.exception, LiveEmotionError) and "another page" in str(done.exception)
    assert not (tmp_path / "a_report").exists()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The list of 500 reports: those of 500 to 1 s, happy for 0 to 100 %; number 7 shows no face."""
    folder = tmp_path_factory.mktemp("many")
    for i in range(500):
        shares = {"angry": 0.0, "happy": i / 500, "neutral": 1 - i / 500, "sad": 0.0}
        steps = ((0, i // 5, 100 - i // 5, 0, 0), "too dark", 0) * 20
        summary = Summary(f"lesson {i}.mp4", 500.0 - i, 1 + i % 3, shares, 0.1, 0.2, steps)
        if i == 7:
            summary = Summary("lesson 7.mp4", 493.0, 0, dict.fromkeys(EMOTIONS, 0.0), 0.0, 1.0, ())
        keep(folder / f"r{i}", summary)
    return write_index(folder)


@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_long_list_fits_and_its_text_can_be_read(browser, many, width, theme):
    browser.open(many, width, theme)
    assert browser.run("document.documentElement.scrollWidth") == width
    texts = browser.run(TEXTS)
    assert min(texts)[0] >= 11
    assert min(left for _, left, _, _ in texts) >= 0 and max(right for _, _, right, _ in texts) <= width
    shot = browser.screenshot().astype(int)
    assert (shot[2, 2].mean() > 200) == (theme == "light")
    left, top, right, bottom = browser.run(
        "(({ left, top, right, bottom }) => [left, top, right, bottom].map(Math.round))"
        "(document.querySelectorAll('.band')[250].getBoundingClientRect())"
    )
    assert right - left > 150
    first = shot[top + 2 : bottom - 2, left + 2 : left + (right - left) // 60 - 1]  # 51 % happy under neutral
    painted = (np.abs(first - (66, 228, 240)).max(axis=2) < 8).mean()
    assert painted == pytest.approx(0.5, abs=0.1)


@needs_browser
@pytest.mark.parametrize("width", [970, 1024, 1200])
@pytest.mark.parametrize("further", [(), ("surprise", "fear", "disgust", "contempt")])
def test_no_width_lets_the_page_scroll_sideways(browser, tmp_path, width, further):
    shares = {**dict.fromkeys((*EMOTIONS, *further), 0.0), "neutral": 1.0}
    steps = ((0, 0, 100, 0, 0, *(0 for _ in further)),) * 20
    for i in range(3):
        keep(tmp_path / f"r{i}", Summary("a video of some length.mp4", 20.0, 1, shares, 0.1, 0.2, steps))
    browser.open(write_index(tmp_path), width)
    assert browser.run("document.documentElement.scrollWidth") == width
    if not further:
        assert (
            browser.run(
                "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.card'))"
            )
            == 0
        )


@needs_browser
def test_headings_sort_by_mouse_and_keyboard_and_say_so(browser, many):
    browser.open(many, DESK)

    def press(heading):
        browser.run(f"{HEADINGS}.find((cell) => cell.textContent.trim() === '{heading}').firstChild.click()")
        return browser.run(NAMES)

    assert browser.run(NAMES)[:3] == ["lesson 0.mp4", "lesson 1.mp4", "lesson 2.mp4"]
    assert press("happy")[:2] == ["lesson 499.mp4", "lesson 498.mp4"]
    assert browser.run(f"{HEADINGS}.map((cell) => cell.ariaSort).filter(Boolean)") == ["descending"]
    assert browser.run("document.querySelector('[role=status]').textContent") == "Sorted by happy, largest first"
    assert press("happy")[:2] == ["lesson 0.mp4", "lesson 1.mp4"]
    assert browser.run(NAMES)[-1] == "lesson 7.mp4", "where there is no figure, it comes last"
    assert press("happy")[-1] == "lesson 7.mp4"
    assert press("People")[:2] == ["lesson 2.mp4", "lesson 5.mp4"], "those that are equal in the order of their names"
    assert press("Video")[:2] == ["lesson 0.mp4", "lesson 1.mp4"]
    assert press("Video")[:2] == ["lesson 499.mp4", "lesson 498.mp4"]
    kinds = browser.run(f"{HEADINGS}.map((cell) => cell.firstElementChild && cell.firstElementChild.tagName)")
    assert kinds == ["BUTTON", None, *["BUTTON"] * 9], "so that the keyboard reaches them"


@needs_browser
def test_typing_leaves_the_videos_that_hold_it(browser, many):
    browser.open(many, PHONE)
    typed = "const field = document.querySelector('input'); field.value = '{}'; field.dispatchEvent(new Event('input'))"
    browser.run("{" + typed.format("LESSON 49") + "}")
    assert browser.run(NAMES) == ["lesson 49.mp4", *(f"lesson {i}.mp4" for i in range(490, 500))]
    assert browser.run("document.querySelector('[role=status]').textContent") == "11 of 500"
    assert browser.run("document.querySelector('tbody tr[hidden]').getBoundingClientRect().height") == 0
    browser.run("{" + typed.format("") + "}")
    assert len(browser.run(NAMES)) == 500


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_stays_a_table_for_those_who_hear_it(browser, many, width):
    browser.open(many, width)
    tree = browser.accessibility()
    roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
    assert roles.count("table") == 1
    assert roles.count("columnheader") == (11 if width == DESK else 10)
    assert roles.count("rowheader") == 500
    assert roles.count("cell") == 500 * 10
