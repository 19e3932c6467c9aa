"""The page of ``live-emotion serve`` in a browser, before a camera whose pictures are a file's."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from browser import BROWSER
from faces import pose
from PIL import Image
from test_classifier import make_weights
from videos import cut_off, make_video, numbered_frames

from live_emotion.types import EMOTIONS
from live_emotion.visualization.palette import QUIET, emotion_colours

if BROWSER is None or sys.platform == "win32":
    pytest.skip("needs Chromium or Chrome on the PATH, and the signals of Linux or macOS", allow_module_level=True)
pytest.importorskip("starlette", reason="needs the extra serve")
playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe, of the extra dev")
expect = playwright_api.expect
expect.set_options(timeout=60_000)

TOKEN = "a-token-that-stays-over-restarts"
SIZE = (640, 480)
RATE = 30
"""Frames a second that Chromium gives of a file of JPEGs."""

POSE_S = 7.0
"""How long the camera sees each emotion: an enrolment takes 6.5 seconds for each, and falls behind a little."""

GUIDED = ("neutral", "angry", "happy", "sad")
"""The order in which an enrolment asks for them."""

EDGES = (40, 90, 140, 190)
"""Grey levels beside the face, by which a test knows which emotion the camera sees."""

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}

FAKE = ("--use-fake-device-for-media-stream",)
ALLOWED = "--use-fake-ui-for-media-stream"
IN_USE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotReadableError'); }"
"""What another program does to a camera; Chromium's fake one can be opened by all."""


class Server:
    """``live-emotion serve`` in a process of its own."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        command = [sys.executable, "-m", "live_emotion", "serve", "--no-browser", "--port", str(port), *options]
        environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "LIVE_EMOTION_TOKEN": TOKEN}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        self.origin = self.address.partition("/#")[0]
        self.port = int(self.origin.rpartition(":")[2])

    def close(self) -> None:
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(timeout=60) in (0, 130)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def camera(tmp_path_factory, portrait) -> Path:
    """What the camera sees, again and again: the portrait shows one emotion after the other."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    with path.open("wb") as file:
        for emotion, grey in zip(GUIDED, EDGES):
            jpegs = []
            for light in (0.9, 0.95, 1.0, 1.05, 1.1):
                image = np.full((SIZE[1], SIZE[0], 3), grey, np.uint8)
                image[:, 64:576] = pose(portrait, emotion, light)[: SIZE[1]]
                jpegs.append(cv2.imencode(".jpg", image)[1].tobytes())
            file.writelines(itertools.islice(itertools.cycle(jpegs), round(POSE_S * RATE)))
    return path


@pytest.fixture(scope="module")
def playwright():
    with playwright_api.sync_playwright() as started:
        yield started


def launch(playwright, *options):
    return playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", *options])


@pytest.fixture(scope="module")
def browser(playwright, camera):
    opened = launch(playwright, *FAKE, ALLOWED, f"--use-file-for-fake-video-capture={camera}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("settings"))
    yield started
    started.close()


@pytest.fixture
def tab(browser, server):
    """Opens pages of the server, which must raise no error and ask nobody else for anything."""
    problems, contexts = [], []

    def open_page(path="/", viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        origin = server.origin
        ours = (origin, origin.replace("http", "ws"), "blob:", "data:")
        page.on("console", lambda message: is_error(message) and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: request.url.startswith(ours) or problems.append(request.url))
        page.goto(f"{origin}{path}#token={TOKEN}")
        return page

    def is_error(message):
        # an overlay asks again and again until there is a session
        passing = "ERR_CONNECTION|WebSocket connection" + ("|404" if "/v1/events" in message.location["url"] else "")
        return message.type == "error" and not re.search(passing, message.text)

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def see(page):
    """Waits until a face is read."""
    expect(page.locator("#people .shown").first).to_contain_text("%")
    return page


def serious(page):
    """What axe finds on a page that keeps somebody from using it."""
    found = axe.Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


def picture(page):
    """What is painted: (480, 640, 3) uint8 BGR."""
    data = page.evaluate("document.getElementById('view').toDataURL('image/png')")
    return cv2.imdecode(np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)


def pause(page):
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_have_text("Go on")


def test_the_emotion_of_a_face_is_shown(tab):
    page = see(tab())
    assert page.url.endswith("/"), "the token stays in the address"
    expect(page.locator("#connection")).to_have_text("connected")
    expect(page.locator("#privacy")).to_have_text("Nothing leaves this machine")
    expect(page.locator("#people .name").first).to_have_text("Person 1")
    bars = page.locator("#people .bars").first
    expect(bars.locator("dt").filter(visible=True)).to_contain_text(["angry", "happy", "neutral", "sad"])
    expect(page.locator("#said")).to_contain_text(re.compile(r"Person \d+: "))
    expect(page.locator("#numbers")).to_have_text(re.compile(r"[1-9]\d* FPS · \d+ ms"))
    told = re.compile(r"Person 1, last minute: \w+ \d+%")
    expect(page.locator("#bands canvas").first).to_have_attribute("aria-label", told)
    pause(page)
    emotion = page.locator(".person:not(.away) .shown").inner_text().split()[0]
    colours = {**dict(zip(EMOTIONS, emotion_colours(EMOTIONS))), "unsure:": QUIET}
    box = np.abs(picture(page).astype(int) - colours[emotion]).max(axis=2) < 12
    assert box.sum() > 500, "no box of the emotion's colour"


def test_the_mirror_turns_the_picture_and_not_the_text(tab):
    page = see(tab())
    pause(page)
    turned = picture(page)
    page.locator("#mirror").click()
    plain = picture(page)
    corner = np.s_[-60:, :60], np.s_[-60:, -60:]  # of the camera's picture, no label is there
    turned_back = turned[corner[1]][:, ::-1]
    assert np.abs(plain[corner[0]].astype(int) - turned_back).mean() < 2
    assert np.abs(plain.astype(int) - turned[:, ::-1]).mean() > 0.5, "the label is turned, too"


def test_it_comes_back_after_the_server_was_started_again(tab, tmp_path, server, monkeypatch):
    own = Server(tmp_path)
    monkeypatch.setattr(server, "origin", own.origin)
    page = see(tab())
    own.close()
    expect(page.locator("#notice")).to_contain_text("comes back by itself")
    own = Server(tmp_path, port=own.port)
    try:
        expect(page.locator("#connection")).to_have_text("connected")
        before = page.locator("#session-summary").inner_text()
        expect(page.locator("#session-summary")).not_to_have_text(before)
        see(page)
    finally:
        page.context.close()
        own.close()


def test_without_the_token_it_says_where_to_find_it(browser, server):
    page = browser.new_page(viewport=PHONE)
    page.goto(f"{server.origin}/#token=not-the-token-of-this-server")
    expect(page.locator("#notice")).to_contain_text("Open the address that live-emotion serve prints, with the token")
    welcome, said = page.locator("#welcome").bounding_box(), page.locator("#notice").bounding_box()
    assert said["y"] >= welcome["y"] + welcome["height"], "it covers nothing"
    page.close()


def test_a_recording_and_a_screenshot_are_saved(tab, tmp_path):
    page = see(tab())
    page.keyboard.press("r")
    expect(page.locator("#record")).to_have_text(re.compile("0:0[2-9]"))
    with page.expect_download() as download:
        page.keyboard.press("r")
    download.value.save_as(video := tmp_path / download.value.suggested_filename)
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    assert (frames[0].width, frames[0].height) == SIZE
    assert len(frames) > 1 and 1 < frames[-1].time < 60
    with page.expect_download() as download:
        page.keyboard.press("s")
    download.value.save_as(shot := tmp_path / download.value.suggested_filename)
    assert Image.open(shot).size == SIZE


def test_names_and_markers_are_in_what_is_exported(tab):
    page = see(tab())
    page.get_by_text("Labels").click()
    page.get_by_label("3", exact=True).and_(page.locator("input")).fill("a question")
    page.locator("h1").click()
    page.keyboard.press("3")
    expect(page.locator("#marks")).to_contain_text("a question")
    pause(page)
    name = page.locator(".person:not(.away) .name")
    name.click()
    page.keyboard.type("Grace")
    page.keyboard.press("Enter")
    expect(name).to_have_text("Grace")

    def export(name):
        with page.expect_download() as download:
            page.locator(f"#export-{name}").click()
        return Path(download.value.path()).read_text()

    rows = list(csv.DictReader(io.StringIO(export("csv"))))
    assert rows[-1]["name"] == "Grace" and rows[-1]["emotion"] in EMOTIONS
    assert [json.loads(line)["frame"] for line in export("jsonl").splitlines()] == [int(row["frame"]) for row in rows]
    assert "a question" in export("markers")
    with page.expect_popup() as popup:
        page.locator("#export-report").click()
    expect(popup.value.locator("h3", has_text="Grace").first).to_be_visible()
    page.locator("#forget").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget it").click()
    expect(page.locator("#marks")).to_be_empty()
    page.locator("#pause").click()
    expect(page.locator("#people .name").first).to_have_text("Person 1")


def test_it_learns_a_face(tab):
    page = see(tab())
    page.wait_for_timeout(2000)
    if int(page.locator("#numbers").inner_text().split()[0]) < 6:
        pytest.skip("this machine is too busy to take five frames within two seconds")
    page.locator("#enrol").click()
    page.get_by_label("Name", exact=True).fill("grace")
    page.get_by_role("button", name="Begin").click()
    begin = page.locator("#guide-keys").get_by_role("button", name="Begin")
    expect(begin).to_be_visible()
    # the camera sees each emotion when it is asked for, if both begin with the first
    edge = "document.getElementById('view').getContext('2d').getImageData(5, 5, 1, 1).data[0]"
    for grey in (EDGES[-1], EDGES[0]):
        while abs(page.evaluate(edge) - grey) > 20:
            page.wait_for_timeout(50)
    begin.click()
    for word in ("Relax", "angry", "Smile", "sad"):
        expect(page.locator("#guide-title")).to_contain_text(word)
    # the portrait cannot be pulled into more of a sad face, which it says
    expect(page.locator("#guide-title")).to_have_text(re.compile("grace was learned|looked much like"))
    if (keep := page.locator("#guide-keys").get_by_role("button", name="Keep")).is_visible():
        keep.click()
    expect(page.locator("#guide-title")).to_have_text("grace was learned")
    expect(page.locator("#guide-note")).to_contain_text(re.compile(r"recognised \d+% before, \d+% now"))
    page.keyboard.press("Enter")
    expect(page.locator("#guide")).to_be_hidden()
    expect(page.locator("#people .name", has_text="grace")).to_be_visible()


def test_what_came_of_an_enrolment_stands_when_a_key_comes_late(tab):
    page = tab("/about")
    sockets = []

    def stand_between(socket):
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("/v1/live"), stand_between)
    page.goto(page.url.replace("/about", "/"))
    see(page)
    page.locator("#enrol").click()
    page.get_by_label("Name", exact=True).fill("../grace")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#guide-note")).to_contain_text("A profile's name")
    late = {"type": "enrol", "phase": "refused", "text": "No enrolment goes on; begin one."}
    sockets[-1].send(json.dumps(late))
    page.wait_for_timeout(500)
    expect(page.locator("#guide-note")).to_contain_text("A profile's name")
    page.locator("#guide-keys").get_by_role("button", name="Close").click()
    expect(page.locator("#guide")).to_be_hidden()


def test_photos_and_videos_are_read(tab, tmp_path, portrait):
    page = tab()
    cv2.imwrite(str(photo := tmp_path / "a photo.png"), portrait)
    Image.fromarray(portrait[:, :, ::-1]).save(other := tmp_path / "other.avif")
    video = make_video(tmp_path / "talk.mp4", numbered_frames(portrait, 20))
    (broken := tmp_path / "broken.jpg").write_bytes(b"no photo")
    cut = cut_off(make_video(tmp_path / "cut.mkv", numbered_frames(portrait, 50), audio=(), g="5"))
    page.locator("#files").set_input_files([photo, other, broken, cut, video])
    for name in (photo.name, other.name):
        card = page.locator("article", has_text=name)
        expect(card.locator("li")).to_have_text(re.compile(r"1: \w+ \d+%"))
        expect(card.locator("canvas")).to_have_attribute("aria-label", "The photo with 1 face marked")
    expect(page.locator("article", has_text=broken.name)).to_contain_text("cannot read this photo")
    breaks_off = re.compile(r"1 person\. .*It breaks off at \S+ s of 2\.0 s; was it copied whole\?")
    expect(page.locator("article", has_text=cut.name)).to_contain_text(breaks_off)
    card = page.locator("article", has_text=video.name)
    expect(card).to_contain_text("1 person")
    with page.expect_popup() as popup:
        card.get_by_role("link", name="Report").click()
    expect(popup.value.locator("h3").first).to_have_text("Person 1")
    card.get_by_role("button", name="Close").click()
    expect(card).to_have_count(0)


def test_a_photo_can_be_dropped(tab, portrait):
    page = tab()
    content = base64.b64encode(cv2.imencode(".png", portrait)[1].tobytes()).decode()
    page.evaluate(
        """(content) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), data = new DataTransfer();
            data.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
            for (const kind of ["dragover", "drop"]) {
                const how = { dataTransfer: data, bubbles: true, cancelable: true };
                document.body.dispatchEvent(new DragEvent(kind, how));
            }
        }""",
        content,
    )
    expect(page.locator("article", has_text="dropped.png").locator("li")).to_have_count(1)


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_anybody_can_use_it(tab, server, viewport, theme):
    page = see(tab(viewport=viewport, color_scheme=theme, reduced_motion="reduce"))
    page.get_by_text("Labels").click()
    pause(page)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert serious(page) == []
    for button, title in (
        ("open-settings", "Settings"),
        ("forget", "Forget this session?"),
        ("enrol", "Learn my face"),
    ):
        page.locator(f"#{button}").click()
        box = page.get_by_role("dialog", name=title).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"]
        assert page.evaluate(
            "[...document.querySelectorAll('dialog[open] *')].every((e) => e.scrollWidth <= innerWidth)"
        )
        assert serious(page) == []
        page.keyboard.press("Escape")
    for path in ("/about", "/docs"):
        page.goto(server.origin + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert serious(page) == []


def test_the_keyboard_alone_does_everything(tab):
    page = see(tab())
    focused = "(({ id, className, textContent }) => id || className || textContent)(document.activeElement)"

    def walk_to(wanted):
        seen = []
        while page.evaluate(focused) != wanted:
            page.keyboard.press("Tab")
            seen.append(page.evaluate(focused))
            assert len(seen) < 80, seen
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none" or page.evaluate("document.activeElement.matches('body, #files')"), seen[-1]

    walk_to("pause")
    page.keyboard.press("Space")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    walk_to("name")
    page.keyboard.press("Enter")
    page.keyboard.type("Grace")
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "name"
    walk_to("7")
    page.keyboard.press("Enter")
    expect(page.locator("#marks")).to_contain_text("7")
    for wanted in ("export-csv", "export-report", "forget", "files", "open-settings"):
        walk_to(wanted)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    walk_to("shortcuts")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "open-settings"
    page.keyboard.press("p")  # keys were switched off
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    "options, script, says",
    [
        ((*FAKE, "--deny-permission-prompts"), "", "Allow it at the camera's sign in the address bar"),
        ((ALLOWED,), "", "No camera was found. Plug one in"),
        ((*FAKE, ALLOWED), IN_USE, "in use by another program. Close that one"),
    ],
    ids=["refused", "none", "in use"],
)
def test_without_a_picture_it_says_what_to_do(playwright, server, options, script, says):
    opened = launch(playwright, *options)
    page = opened.new_page()
    page.add_init_script(script)
    page.goto(server.address)
    if page.locator("#start").is_enabled():
        page.locator("#start").click()
    expect(page.locator("#welcome-text")).to_contain_text(says)
    expect(page.locator("#start")).to_have_text("Try again")
    opened.close()


def test_an_address_without_https_says_what_the_browser_wants(playwright, tmp_path):
    own = Server(tmp_path, "--allow-host", "studio.test")
    opened = launch(playwright, *FAKE, ALLOWED, "--host-resolver-rules=MAP studio.test 127.0.0.1")
    page = opened.new_page()
    page.goto(own.address.replace("127.0.0.1", "studio.test"))
    page.locator("#start").click()
    expect(page.locator("#welcome-text")).to_contain_text("--certificate and --key")
    expect(page.locator("#privacy")).to_contain_text("studio.test")
    opened.close()
    own.close()


@pytest.mark.parametrize("class_names", [("calm", "tense"), tuple(f"a rather long name {i}" for i in range(10))])
def test_other_emotions_have_bars_and_colours_of_their_own(tab, tmp_path, server, monkeypatch, class_names):
    make_weights(tmp_path / "own.pth", class_names)
    own = Server(tmp_path, "--weights", str(tmp_path / "own.pth"))
    monkeypatch.setattr(server, "origin", own.origin)
    page = tab(viewport=PHONE)
    expect(page.locator("#people .bars").first.locator("dt").filter(visible=True)).to_have_text(list(class_names))
    expect(page.locator("#key li").filter(visible=True)).to_have_text([*class_names, "unclear"])
    fills = page.locator("#people .fill").evaluate_all("(all) => all.slice(0, 2).map((e) => e.style.background)")
    assert len(set(fills)) == 2
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.context.close()
    own.close()


@pytest.mark.parametrize("style, shown", [("bars", ".bar"), ("label", ".shown"), ("boxes", "canvas")])
def test_the_overlay_shows_who_is_seen_on_nothing(tab, server, style, shown):
    page = see(tab())
    overlay, nobody = page.context.new_page(), page.context.new_page()
    overlay.goto(f"{server.origin}/overlay?style={style}&scale=2")
    expect(overlay.locator(shown).first).to_be_visible()
    if style != "boxes":
        expect(overlay.locator("main")).to_contain_text("Person ")
    shot = np.array(Image.open(io.BytesIO(overlay.screenshot(omit_background=True))))
    assert shot[-1, -1, 3] == 0 and (shot[..., 3] > 0).any()
    nobody.goto(f"{server.origin}/overlay?person=Ben")
    nobody.wait_for_timeout(1000)
    assert nobody.locator("main").inner_text() == ""


def test_the_overlay_of_another_browser_needs_to_be_allowed(tab):
    page, obs = see(tab()), tab("/overlay")
    obs.wait_for_timeout(2000)
    expect(obs.locator("main")).to_be_empty()
    page.locator("#open-settings").click()
    page.get_by_label("The overlay for OBS").check()
    page.keyboard.press("Escape")
    expect(obs.locator("main")).to_contain_text("Person ")


def test_another_tab_with_the_token_takes_nothing_from_the_first(tab, server):
    page = see(tab())
    other = page.context.new_page()
    other.goto(server.address)
    see(other)
    with page.expect_download() as download:
        page.locator("#export-csv").click()
    assert "emotion" in Path(download.value.path()).read_text()
    page.reload()
    see(page)
    expect(page.locator("#connection")).to_have_text("connected")


def test_the_notice_names_the_law(tab):
    page = tab("/about")
    for words in ("5(1)(f)", "50(3)", "48 by 48 grey pixels", "forbids"):
        expect(page.locator("main")).to_contain_text(words)
