"""The live socket: frames in, faces out; and what a session leaves."""

from __future__ import annotations

import contextlib
import csv
import http.client
import io
import itertools
import json
import time

import anyio
import numpy as np
import pytest
from faces import pose
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import TOKEN, encoded, frame, running, say, server_config, show
from websockets.exceptions import ConnectionClosed

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import Profile, delete_profile
from live_emotion.errors import LiveEmotionError
from live_emotion.pipelines import guide
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.server.live.messages import Start, parse
from live_emotion.server.live.row_log import RowLog
from live_emotion.server.live.session import SessionClock
from live_emotion.server.live.sessions import Sessions
from live_emotion.types import EMOTIONS, Frame

busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The servers of this module's tests run beside."""


@pytest.fixture(scope="module")
def server():
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def photo(portrait):
    return encoded(portrait, ".png")


def table(server, session, end="rows.csv"):
    return [*csv.DictReader(io.StringIO(server.ask(f"/v1/sessions/{session}/{end}").body.decode()))]


def test_frames_are_read_as_the_analyzer_reads_them(server, photo, portrait):
    with EmotionAnalyzer(AnalysisConfig(device="cpu", track=True)) as analyzer:
        expected = [analyzer.analyze(Frame(i, i / 10, portrait)) for i in range(4)]
    with server.live() as live:
        ready = say(live, "start", mirrored=False)
        assert ready["model"] == "best_emotion_model.onnx" and ready["detector"] == "full"
        assert set(ready["colors"]) == set(ready["class_names"])
        for i, result in enumerate(expected):
            answer = show(live, i, photo)
            (face,), (seen,) = answer["faces"], result.faces
            assert (answer["frame"], answer["width"], answer["height"], answer["found"]) == (i, 512, 600, 1)
            assert answer["time_s"] == pytest.approx(i / 10)
            assert face["box"] == pytest.approx(seen.box, abs=0.06)
            assert face["track_id"] == seen.track_id == 1
            assert (face["emotion"], face["note"]) == (seen.emotion, seen.note)
            assert [*face["probabilities"].values()] == pytest.approx(seen.probabilities, abs=1e-3)
            assert face["other"] == pytest.approx(seen.other, abs=1e-3)


def test_what_a_session_saw_can_be_had(server, photo):
    with server.live() as live:
        session = say(live, "start")["session"]
        for i in range(10):
            show(live, i, photo)
        assert say(live, "marker", label="=2")["time_s"] == pytest.approx(0.9)
        assert say(live, "name", track_id=1, name="Ben")["name"] == "Ben"
        assert say(live, "name", track_id=77, name="Nobody")["type"] == "named"
        rows = table(server, session)
        assert [row["frame"] for row in rows] == [str(i) for i in range(10)]
        assert {row["name"] for row in rows} == {"Ben"}
        lines = [json.loads(line) for line in server.ask(f"/v1/sessions/{session}/rows.jsonl").body.splitlines()]
        assert [line["time_s"] for line in lines] == pytest.approx([i / 10 for i in range(10)])
        assert table(server, session, "markers.csv") == [{"time_s": "0.9", "label": "'=2"}], "it is no formula"
        report = server.ask(f"/v1/sessions/{session}/report.html?download=1")
        assert b"Ben" in report.body and "attachment" in report.headers["content-disposition"]
        assert "script-src 'sha256-" in report.headers["content-security-policy"]
        assert server.ask(f"/v1/sessions/{session}", "DELETE").status == 204
        assert server.ask(f"/v1/sessions/{session}/rows.csv").status == 404


def test_a_session_that_saw_nothing_has_a_report_as_well(server):
    with server.live() as live:
        session = say(live, "start")["session"]
        assert server.ask(f"/v1/sessions/{session}/report.html").status == 200
        assert table(server, session) == []


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"1234",
        frame(3, b""),
        frame(3, b"nonsense"),
        frame(3, b"\xff\xd8\xff\xe0" + bytes(100)),
        frame(3, b"\x89PNG\r\n\x1a\n"),
        frame(3, b"RIFF\x00\x00\x00\x00WEBP"),
        frame(3, b"x", float("nan")),
        "no json",
        "[]",
        "{}",
        "null",
        "1e999",
        '{"type": "begin"}',
        '{"type": "start", "mirrored": 1}',
        '{"type": "start", "detector": "best"}',
        '{"type": "start", "max_faces": 1e9}',
        '{"type": "marker"}',
        '{"type": "marker", "label": "\\u0000"}',
        '{"type": "name", "track_id": true, "name": "a"}',
        '{"type": "enrol", "name": ["a"]}',
        '{"type": "enrol_key", "key": "q"}',
        "[" * 20_000,
    ],
)
def test_what_makes_no_sense_is_said_and_the_session_goes_on(server, photo, message):
    with server.live() as live:
        live.send(message)
        answer = json.loads(live.recv(10))
        assert answer["type"] == "error" and answer["title"] and "\n" not in answer["detail"]
        assert show(live, 5, photo)["frame"] == 5


def test_a_photo_that_is_cut_off_is_said(server, portrait):
    with server.live() as live:
        whole = encoded(portrait)
        assert show(live, 1, encoded(portrait, ".png")[:5000])["type"] == "error"
        assert show(live, 2, whole)["faces"]


def test_of_many_frames_at_once_the_newest_is_read(server, photo):
    with server.live() as live:
        show(live, 0, photo)
        for i in range(1, 30):
            live.send(frame(i, photo))
        answers = [json.loads(live.recv(60))]
        while answers[-1]["frame"] < 29:
            answers.append(json.loads(live.recv(60)))
        assert len(answers) < 29
        numbers = [answer["frame"] for answer in answers]
        assert numbers == sorted(numbers)
        assert say(live, "ping") == {"type": "pong"}, "and nothing comes after"


def test_options_change_and_people_keep_their_numbers(server, two_faces):
    image = encoded(two_faces)
    with server.live() as live:
        say(live, "start")
        assert len([show(live, i, image) for i in range(4)][-1]["faces"]) == 2
        ready = say(live, "start", detector="short", max_faces=1)
        assert (ready["detector"], ready["max_faces"], ready["mirrored"]) == ("short", 1, False)
        answers = [show(live, i, image) for i in range(4, 10)]
        assert [len(answer["faces"]) for answer in answers[-2:]] == [1, 1] and answers[-1]["found"] == 2
        assert answers[-1]["faces"][0]["track_id"] in (1, 2)


def test_a_mirrored_camera_keeps_everybody(server, portrait):
    plain = np.hstack([portrait, np.full_like(portrait, 120)])
    with server.live() as live:
        say(live, "start", mirrored=False)
        before = [show(live, i, encoded(plain)) for i in range(4)][-1]["faces"][0]
        say(live, "start", mirrored=True)
        after = [show(live, i, encoded(plain[:, ::-1])) for i in range(4, 8)][-1]["faces"][0]
        assert after["box"][0] > 512 > before["box"][0]
        assert after["track_id"] == before["track_id"]


def test_a_lost_connection_goes_on_where_it_was(server, photo):
    with server.live() as live:
        session = say(live, "start")["session"]
        for i in range(3):
            show(live, i, photo, 100 + i / 10)
    with server.live(session) as live:
        ready = say(live, "start")
        assert (ready["session"], ready["resumed"]) == (session, True)
        assert ready["time_s"] == pytest.approx(0.2)
        answer = show(live, 0, photo, 5.0)  # the page was loaded anew, and its clock with it
        assert answer["time_s"] > 0.2 and answer["faces"][0]["track_id"] == 1
    assert len(table(server, session)) == 4


def test_a_second_socket_takes_the_session_over(server, photo):
    with server.live() as first:
        session = say(first, "start")["session"]
        with server.live(session) as second:
            with pytest.raises(ConnectionClosed) as closed:
                first.recv(10)
            assert closed.value.rcvd.code == 1013
            assert show(second, 1, photo)["faces"]
            assert server.ask("/v1/status").json["sessions"]["live"] >= 1


def test_a_session_of_an_earlier_server_begins_anew_under_its_id(server, photo):
    old = "a" * 22
    with server.live(old) as live:
        ready = say(live, "start")
        assert (ready["session"], ready["resumed"]) == (old, False)


def test_the_end_of_the_server_is_told(photo):
    with contextlib.ExitStack() as stack:
        with running() as server:
            live = stack.enter_context(server.live())
            show(live, 0, photo)
        with pytest.raises(ConnectionClosed) as closed:
            live.recv(10)
    assert closed.value.rcvd.code == 1001


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder for profiles."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_somebody_enrols_over_the_socket(home, portrait, monkeypatch):
    monkeypatch.setattr(guide, "COUNTDOWN_S", 0.05)
    monkeypatch.setattr(guide, "RECORDING_S", 0.8)
    monkeypatch.setattr(guide, "PRAISE_S", 0.01)
    images = {name: encoded(pose(portrait, name), ".png") for name in ("angry", "happy", "neutral", "sad")}
    with running() as server, server.live() as live:
        say(live, "start")
        live.send(json.dumps({"type": "enrol", "name": "anna"}))
        answer = show(live, 0, images["neutral"])
        assert (answer["phase"], answer["frame"], answer["of"]) == ("show", 0, 4)
        live.send(json.dumps({"type": "enrol_key", "key": "begin"}))
        seen, number = [], 0
        while answer["phase"] not in ("done", "refused"):
            number += 1
            answer = show(live, number, images[answer.get("emotion") or "neutral"])
            assert (answer["type"], answer["frame"]) == ("enrol", number)
            seen.append((answer["phase"], answer.get("emotion")))
            if answer["phase"] == "review" and not answer["good"]:
                live.send(json.dumps({"type": "enrol_key", "key": "keep"}))
        assert (answer["phase"], answer["name"]) == ("done", "anna"), answer
        assert "recognised" in answer["text"] and str(home) not in answer["text"]
        assert {emotion for phase, emotion in seen if phase == "record"} == {"angry", "happy", "neutral", "sad"}
        assert Profile.load("anna")
        results = [show(live, number + 1 + i, images["neutral"]) for i in range(3)]
        assert results[-1]["faces"][0]["name"] == "anna"
        with server.live() as later:
            assert say(later, "start")["profiles"] == ["anna"], "a later session of the same client knows it"
        delete_profile("anna")
        with server.live() as later:
            assert say(later, "start")["profiles"] == [], "one that was deleted is in nobody's way"
        Profile(EMOTIONS, (0.0,) * 4).save("anna")
        assert say(live, "enrol", name="anna")["phase"] == "refused", "nobody's profile is overwritten"


def test_a_session_that_goes_on_while_another_is_freed_stays():
    async def sweep():
        now_s = 1000.0
        config = server_config()
        classifier = EmotionClassifier(device="cpu")
        sessions = Sessions(config, classifier, lambda _: setattr(second, "left_s", None), lambda: now_s)
        (first, _), (second, _) = [await sessions.open("somebody") for _ in range(2)]
        sessions.leave(first)
        sessions.leave(second)
        now_s += config.limits.kept_s + 1
        await sessions.sweep()  # the second one's socket comes back while the first is freed
        assert sessions.known(second.id) is second
        await sessions.close()

    anyio.run(sweep)


def test_an_enrolment_that_is_called_off_saves_nothing(home, server, photo):
    with server.live() as live:
        assert say(live, "enrol", name="../evil")["phase"] == "refused"
        assert say(live, "enrol_key", key="keep")["phase"] == "refused"
        live.send(json.dumps({"type": "enrol", "name": "ben"}))
        assert show(live, 0, photo)["pictogram"] is None
        assert say(live, "enrol_key", key="cancel")["phase"] == "refused"
        assert show(live, 1, photo)["type"] == "result"
    assert not list(home.rglob("*.json"))


def test_rows_are_kept_within_their_room():
    log = RowLog(most_bytes=20_000)
    rng = np.random.default_rng(0)
    for i in range(20_000):
        log.add([{"frame": i, "noise": float(rng.random())}])
    kept = [row["frame"] for row in log]
    assert kept[-1] == 19_999 and 500 < len(kept) < 5_000
    assert kept == list(range(kept[0], 20_000))


@busy
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_a_session_s_time_goes_on_whatever_the_camera_s_does(times):
    clock = SessionClock()
    given = [clock.tick(camera_s, came_s / 10) for came_s, camera_s in enumerate(times)]
    assert given[0] == 0
    assert all(0 < later - sooner < 61 for sooner, later in itertools.pairwise(given))


@busy
@given(st.text() | st.from_regex(r'\{"type":.*\}'))
def test_no_message_does_more_than_fail(text):
    try:
        parse(text, 10_000, Start(False, "full", 10, False))
    except LiveEmotionError as error:
        assert "\n" not in str(error)


def test_a_listener_sees_what_a_session_sees(server, photo):
    with server.live() as live:
        session = say(live, "start")["session"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", f"/v1/events?session={session}", headers={"Authorization": f"Bearer {TOKEN}"})
        reply = connection.getresponse()
        assert (reply.status, reply.getheader("content-type")) == (200, "text/event-stream; charset=utf-8")
        answer = show(live, 3, photo)
        lines = [reply.readline() for _ in range(5)]
        assert b"event: faces\n" in lines
        event = json.loads(next(line for line in lines if line.startswith(b"data: "))[6:])
        assert event == answer
        assert server.ask(f"/v1/sessions/{session}", "DELETE").status == 204
        rest = reply.read()
        assert rest.endswith(b"event: end\ndata: {}\n\n")
        connection.close()
    deadline = time.monotonic() + 10
    while b"live_emotion_listeners 0" not in server.ask("/metrics").body:
        assert time.monotonic() < deadline
    assert server.ask("/v1/events?session=unknown").status == 404


def test_what_happens_is_counted(photo):
    with running() as server:
        with server.live() as live:
            show(live, 0, photo)
            show(live, 1, b"nothing")
        server.ask("/v1/analyze", "POST", photo)
        server.ask("/nothing")
        text = server.ask("/metrics").body.decode()
    for line in (
        "live_emotion_frames_total 1",
        "live_emotion_frames_refused_total 1",
        "live_emotion_faces_total 1",
        "live_emotion_images_total 1",
        'live_emotion_requests_total{method="POST",route="analyze",status="200"} 1',
        'live_emotion_requests_total{method="GET",route="none",status="404"} 1',
    ):
        assert line in text.splitlines()


def test_an_overlay_elsewhere_sees_what_is_open_to_all_and_nothing_else(server, photo):
    obs = server.cookie()
    with server.live() as live:
        say(live, "start")
        assert server.ask("/v1/events", token=None, Cookie=obs).status == 404
        assert say(live, "start", overlay=True)["overlay"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/v1/events", headers={"Cookie": obs})
        reply = connection.getresponse()
        assert reply.status == 200
        show(live, 3, photo)
        assert any(line.startswith(b"data: ") for line in (reply.readline() for _ in range(5)))
        connection.close()


def test_a_live_session_that_is_forgotten_ends(server, photo):
    with server.live() as live:
        session = say(live, "start")["session"]
        show(live, 0, photo)
        assert server.ask(f"/v1/sessions/{session}", "DELETE").status == 204
        with pytest.raises(ConnectionClosed) as closed:
            live.recv(10)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "forgotten")


def test_a_fault_of_ours_ends_no_session(server, photo, monkeypatch, caplog):
    from live_emotion.server.live.session import Session

    with server.live() as live:
        with monkeypatch.context() as patch:
            patch.setattr(Session, "_opened", lambda *_: 1 / 0)
            answer = show(live, 1, photo)
        assert answer["type"] == "error" and "ZeroDivisionError" in caplog.text
        assert show(live, 2, photo)["faces"]
