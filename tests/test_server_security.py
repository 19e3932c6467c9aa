"""The thirteen promises of the server, each by real requests to a real server."""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import struct
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from servers import TOKEN, encoded, frame, running, say, serving, show
from websockets.exceptions import ConnectionClosed, InvalidStatus

from live_emotion.server.access.tokens import COOKIE_S, Tokens
from live_emotion.server.app import LiveApp
from live_emotion.server.config import Limits, ServerConfig

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def server():
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def photo(portrait):
    return encoded(portrait)


def refused_socket(server, **headers):
    """The status with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as refused, server.live(headers=headers):
        pass
    return refused.value.response.status_code


# 1


def test_it_listens_to_this_machine_alone_unless_told_otherwise(server):
    listening = [s for s in server_addresses(server.port) if s]
    assert listening == ["0100007F"], "127.0.0.1 and nothing else"


def server_addresses(port):
    """Addresses at which somebody listens at a port, as Linux writes them."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        file = Path(table)
        if not file.exists():
            pytest.skip("needs Linux's list of sockets")
        for line in file.read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if address.endswith(f":{port:04X}") and state == "0A":
                yield address.partition(":")[0]


def test_another_host_is_said_and_needs_the_token_as_well():
    with serving("--host", "0.0.0.0", "--allow-host", "Studio.local") as served:
        assert served.address.startswith("http://studio.local:") and served.address.endswith(f"#token={TOKEN}")
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        connection.request("GET", "/v1/status", headers={"Host": f"studio.local:{served.port}"})
        assert connection.getresponse().status == 401
        connection.close()
        assert "Others can reach this server" in served.said() and "unencrypted" in served.said()


# 2


UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "a@localhost"]
)
def test_a_foreign_name_is_refused_for_http_and_websocket(server, host):
    port = server.port
    for connection in ("Connection: close\r\n", UPGRADE):
        request = f"GET /v1/live HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {TOKEN}\r\n{connection}"
        assert b" 421 " in server.raw(f"{request}\r\n".encode(), 1)
    # what is asked for with a whole address is decided by the Host header, too
    assert b" 421 " in server.raw(f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), 1)


def test_own_names_are_taken_with_any_case_and_port(server):
    for host in ("localhost", "LOCALHOST:1", f"127.0.0.1:{server.port}", "[::1]:80"):
        assert server.ask("/health/live", Host=host).status == 200


def test_two_hosts_are_refused(server):
    answer = server.raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", 1)
    assert answer.split(b" ")[1] == b"400"


# 3


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://localhost:1", "https://127.0.0.1", "http://127.0.0.1.evil.example"]
)
def test_another_origin_is_refused_with_the_token_and_with_the_cookie(server, photo, origin):
    assert server.ask("/v1/analyze", "POST", photo, Origin=origin).status == 403
    assert server.ask("/session", "POST", Origin=origin).status == 403
    assert server.ask("/v1/analyze", "POST", photo, token=None, Cookie=server.cookie(), Origin=origin).status == 403
    assert refused_socket(server, Origin=origin, Authorization=f"Bearer {TOKEN}") == 403
    assert refused_socket(server, Origin=origin, Cookie=server.cookie()) == 403


def test_our_origin_with_the_cookie_is_let_in(server, photo):
    cookie = server.cookie()
    assert server.ask("/v1/analyze", "POST", photo, token=None, Cookie=cookie, Origin=server.origin).status == 200
    with server.live(headers={"Cookie": cookie, "Origin": server.origin}) as live:
        assert say(live, "ping") == {"type": "pong"}


@pytest.mark.parametrize("other", ['theme={"dark":true}', "name=a b", "flag", "=x", 'open="', "path=/", "é=1"])
def test_cookies_of_other_servers_here_shut_nobody_out(server, other):
    cookie = server.cookie()
    for cookies in (f"{other}; {cookie}", f"{cookie}; {other}"):
        assert server.ask("/v1/status", token=None, Cookie=cookies).status == 200, cookies


def test_without_an_origin_the_cookie_does_not_do(server, photo):
    cookie = server.cookie()
    assert server.ask("/v1/analyze", "POST", photo, token=None, Cookie=cookie).status == 403
    assert refused_socket(server, Cookie=cookie) == 403
    assert server.ask("/v1/status", token=None, Cookie=cookie).status == 200, "browsers send none with GET"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_pages_reach_the_front_page_alone(server, site):
    assert server.ask("/health/live", Sec_Fetch_Site=site).status == 403
    assert server.ask("/v1/status", Sec_Fetch_Site=site).status == 403
    assert server.ask("/session", "POST", Sec_Fetch_Site=site, Origin=server.origin).status == 403
    assert server.ask("/", token=None, Sec_Fetch_Site=site).status in (200, 404), "404 where the page is not there"
    assert server.ask("/v1/status", Sec_Fetch_Site="none").status == 200
    assert server.ask("/v1/status", Sec_Fetch_Site="same-origin").status == 200


# 4


def test_nothing_is_told_without_the_token(server, photo):
    for path in ("/v1/status", "/metrics", "/v1/events", "/v1/jobs/x", "/v1/sessions/x/rows.csv", "/nothing"):
        reply = server.ask(path, token=None)
        assert reply.status == 401 and reply.headers["www-authenticate"] == "Bearer", path
        assert server.ask(path, token="b" * len(TOKEN)).status == 401, path
    for authorization in (TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
        assert server.ask("/v1/status", token=None, Authorization=authorization).status == 401
    assert server.ask(f"/v1/status?token={TOKEN}", token=None).status == 401
    assert refused_socket(server, Origin=server.origin) == 401


def test_the_cookie_is_not_the_token_and_scripts_do_not_see_it(server):
    cookie = server.ask("/session", "POST", Origin=server.origin).headers["set-cookie"]
    assert TOKEN not in cookie
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", f"max-age={COOKIE_S}"} <= parts


def test_cookies_cannot_be_made_changed_or_kept():
    now = [1000.0]
    tokens = Tokens(TOKEN, lambda: now[0])
    cookie = tokens.new_cookie()
    name, until, mark = cookie.split(".")
    assert tokens.browser(cookie) == name
    assert Tokens(TOKEN, lambda: now[0]).browser(cookie) == name, "also after a restart with the same token"
    assert Tokens(TOKEN + "x", lambda: now[0]).browser(cookie) is None
    for forged in (f"{name}.{int(until) + 1}.{mark}", f"x{name}.{until}.{mark}", f"{name}.{until}.", "", "..", "é.1.2"):
        assert tokens.browser(forged) is None
    now[0] += COOKIE_S
    assert tokens.browser(cookie) is None


def test_the_token_for_the_browser_that_is_opened_is_good_once(server):
    ticket = server.app.new_ticket()
    assert server.ask("/v1/status", token=ticket).status == 401
    assert server.ask("/session", "POST", token=ticket, Origin=server.origin).status == 204
    assert server.ask("/session", "POST", token=ticket, Origin=server.origin).status == 401


# 5


def test_other_pages_read_nothing_unless_they_are_named(server):
    reply = server.ask("/v1/status", "OPTIONS", Origin=EVIL, Access_Control_Request_Method="GET")
    assert reply.status == 403 and not [name for name in reply.headers if name.startswith("access-control")]


def test_a_page_that_is_named_needs_the_token(photo):
    friend = "https://friend.example:8443"
    config = ServerConfig(TOKEN, cors=(friend,), limits=Limits(burst=10_000))
    with running(LiveApp(config)) as server:
        asked = server.ask("/v1/analyze", "OPTIONS", token=None, Origin=friend, Access_Control_Request_Method="POST")
        assert asked.status == 204 and asked.headers["access-control-allow-origin"] == friend
        assert "access-control-allow-credentials" not in asked.headers
        given = server.ask("/v1/analyze", "POST", photo, Origin=friend, Sec_Fetch_Site="cross-site")
        assert given.status == 200 and given.headers["access-control-allow-origin"] == friend
        cookie = server.cookie()
        assert server.ask("/v1/status", token=None, Origin=friend, Cookie=cookie).status == 401, "a cookie does not do"
        for other in (EVIL, "https://friend.example", friend + ".evil.example"):
            assert server.ask("/v1/status", Origin=other).status == 403


# 6


@pytest.mark.parametrize(
    "path", ["/page/..%2fapp.py", "/page/../app.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/"]
)
def test_no_path_leaves_the_table_of_files(server, path):
    answer = server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"404", b"401"), answer


def test_what_files_are_called_is_not_looked_at(server, photo):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="../../../tmp/evil.jpg"\r\n\r\n'
        + photo
        + b"\r\n--x--\r\n"
    )
    reply = server.ask("/v1/analyze", "POST", form, Content_Type="multipart/form-data; boundary=x")
    assert reply.status == 200 and "evil" not in reply.body.decode()


def test_a_list_of_other_files_is_no_video(server):
    secret = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    concat = b"ffconcat version 1.0\nfile /etc/passwd\n"
    for body in (secret, concat, b"<MPD></MPD>", b"v=0\r\n", b""):
        reply = server.ask("/v1/jobs", "POST", body, Content_Type="video/mp4")
        assert reply.status == 415, reply.body


# 7


def test_too_much_is_refused_while_it_comes():
    with running(image=1000, images=2, batch=3000, upload=5000, text=100, body_s=0.5) as server:
        for path, size in (("/v1/analyze", 1001), ("/v1/jobs", 5001)):
            assert server.ask(path, "POST", b"x" * size).status == 413
            # without a length that is told before
            assert server.ask(path, "POST", iter([b"x" * 700] * 10)).status == 413
        parts = (
            b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _ in range(3)) + b"--x--\r\n"
        )
        assert server.ask("/v1/analyze", "POST", parts, Content_Type="multipart/form-data; boundary=x").status == 413
        with server.live() as live:
            assert say(live, "marker", label="x" * 200)["type"] == "error"
            assert say(live, "ping") == {"type": "pong"}, "the session goes on"


def test_a_frame_that_is_too_large_ends_the_socket_and_not_the_session():
    with running(frame=20_000) as server:
        with server.live() as live:
            session = say(live, "start")["session"]
            live.send(frame(0, b"x" * 30_000))
            with pytest.raises(ConnectionClosed) as closed:
                live.recv(10)
            assert closed.value.rcvd.code == 1009
        with server.live(session) as live:
            assert say(live, "start")["resumed"]


def test_who_is_slow_is_not_waited_for():
    with running(body_s=0.3, header_s=0.3) as server:
        head = f"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        assert b" 408 " in server.raw(f"{head}Content-Length: 100\r\n\r\nx".encode())
        began = time.monotonic()
        assert server.raw(b"GET / HT", 20) == b""
        assert time.monotonic() - began < 10


ALIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"GET /health"),
        (ALIVE, b"GET /health"),
        (b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"x"),  # it is refused
    ],
)
def test_nobody_keeps_others_out_without_a_token(first, then):
    with running(header_s=0.5, connections=3) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            held = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            held.sendall(first)
            if first:
                assert held.recv(1 << 16)
            held.sendall(then)
        assert server.raw(ALIVE).startswith(b"HTTP/1.1 503 ")
        until_s = time.monotonic() + 10
        while not (said := server.raw(ALIVE, 1)).startswith(b"HTTP/1.1 200 "):
            assert time.monotonic() < until_s, said
            with contextlib.suppress(OSError):  # what comes byte by byte is no more
                held.sendall(b"x")
            time.sleep(0.1)


def test_nobody_keeps_others_out_by_taking_no_answers():
    with running(body_s=2, connections=3) as server, contextlib.ExitStack() as stack:
        many = b"GET /page/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000
        for requests in (many, b""):
            held = stack.enter_context(socket.socket())
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            held.connect(("127.0.0.1", server.port))
            held.sendall(requests)
        time.sleep(0.5)  # until as much was answered as is taken
        assert server.raw(ALIVE, 1).startswith(b"HTTP/1.1 503 ")
        until_s = time.monotonic() + 8  # while the other one may be silent for ten seconds
        while not (said := server.raw(ALIVE, 1)).startswith(b"HTTP/1.1 200 "):
            assert time.monotonic() < until_s, said
            time.sleep(0.1)


# 8


def png(width, height):
    """The beginning of a PNG file of any size."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + body
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_an_image_that_would_fill_the_memory_is_not_decoded(server):
    jpeg = bytearray(encoded(np.zeros((16, 16, 3), np.uint8)))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    webp = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xff\xff\x3f" * 2
    for image in (png(30_000, 30_000), bytes(jpeg), webp):
        reply = server.ask("/v1/analyze", "POST", image)
        assert reply.status == 422 and "megapixels" in reply.json["detail"], reply.body
        with server.live() as live:
            answer = show(live, 7, image)
            assert (answer["type"], answer["frame"]) == ("error", 7) and "megapixels" in answer["detail"]


def test_a_second_header_does_not_lead_past_the_limit(server):
    """Decoders go by the last one; 50 megapixels are more than the server takes and less than the commands do."""
    rest = b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (b"IDATx", b"IEND")
    )
    image = png(16, 16) + png(10_000, 5_000)[8:] + rest
    reply = server.ask("/v1/analyze", "POST", image)
    assert reply.status == 422 and "40" in reply.json["detail"], reply.body


def test_only_three_formats_are_decoded(server, portrait):
    for suffix in (".jpg", ".png", ".webp"):
        assert server.ask("/v1/analyze", "POST", encoded(portrait, suffix)).status == 200
    for other in (
        encoded(portrait, ".bmp"),
        b"GIF89a" + bytes(50),
        b"\x00\x00\x00\x1cftypavif" + bytes(50),
        b"%PDF-1.7",
    ):
        assert server.ask("/v1/analyze", "POST", other).status == 422


# 9


def test_there_are_so_many_sessions_and_no_more():
    with running(sessions=1, kept_s=0) as server:
        with server.live():
            with pytest.raises(InvalidStatus) as refused, server.live():
                pass
            response = refused.value.response
            assert response.status_code == 429 and int(response.headers["Retry-After"]) > 0
            assert server.ask("/v1/status").json["sessions"] == {"live": 1, "most": 1}
        deadline = time.monotonic() + 10
        while server.ask("/v1/status").json["sessions"]["live"]:
            assert time.monotonic() < deadline
        with server.live() as live:
            assert say(live, "ping")["type"] == "pong"


def test_a_socket_that_says_nothing_is_closed():
    with running(idle_s=0.2) as server, server.live() as live:
        with pytest.raises(ConnectionClosed) as closed:
            live.recv(10)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "idle")


def test_a_client_may_ask_so_often():
    with running(burst=5, requests_per_s=0.01) as server:
        replies = [server.ask("/health/live") for _ in range(8)]
        assert [reply.status for reply in replies] == [200] * 5 + [429] * 3
        assert int(replies[-1].headers["retry-after"]) >= 1


def test_a_socket_that_says_too_much_is_taken_slowly(photo):
    with running(messages_per_s=5) as server, server.live() as live:
        began = time.monotonic()
        for _ in range(12):
            assert say(live, "ping") == {"type": "pong"}
        assert time.monotonic() - began > 1


# 10


def test_every_response_has_the_headers(server):
    for path in ("/", "/docs", "/openapi.json", "/health/live", "/v1/status", "/nothing", "/page/style.css"):
        headers = server.ask(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in headers["permissions-policy"]
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


# 11


def test_files_come_whole_or_not_at_all(server):
    whole = server.ask("/page/docs.css")
    part = server.ask("/page/docs.css", Range="bytes=0-3")
    assert part.status == 200 and part.body == whole.body and "accept-ranges" not in part.headers
    assert server.ask("/page/").status == 404, "there is no list"
    posted = server.ask("/page/docs.css", "POST")
    assert posted.status == 405 and {*posted.headers["allow"].split(", ")} == {"GET", "HEAD"}


# 12


def test_errors_are_problems_without_a_traceback(server, caplog):
    for path, method, body, status in (
        ("/nothing", "GET", None, 404),
        ("/v1/analyze", "GET", None, 405),
        ("/v1/analyze", "POST", b"", 400),
        ("/v1/analyze", "POST", b"no image", 422),
        ("/v1/analyze?detector=best", "POST", b"", 400),
        ("/v1/analyze?max_faces=0", "POST", b"", 400),
        ("/v1/jobs/unknown", "GET", None, 404),
        ("/v1/sessions/unknown/rows.csv", "GET", None, 404),
    ):
        reply = server.ask(path, method, body)
        assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json"), path
        assert set(reply.json) == {"type", "title", "status", "detail"}
        assert reply.json["status"] == status and reply.json["detail"].endswith(".")


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_a_body_that_is_no_http_is_no_fault_of_ours(server, caplog, method):
    head = f"{method} /v1/analyze HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.raw(f"{head}{'f' * 30}\r\nx".encode(), 3)
    assert server.ask("/health/live").status == 200
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def test_a_fault_of_ours_is_told_without_what_it_says(server, caplog, monkeypatch):
    async def fail(*_):
        raise RuntimeError(f"secret {TOKEN}")

    monkeypatch.setattr(server.app._photos, "_read", fail)
    with caplog.at_level(logging.DEBUG):
        reply = server.ask("/v1/analyze", "POST", b"x")
    assert reply.status == 500
    assert b"Traceback" not in reply.body and b"secret" not in reply.body
    assert "RuntimeError in" in caplog.text and "secret" not in caplog.text and TOKEN not in caplog.text


def test_no_log_holds_the_token_or_an_image(server, photo, caplog):
    with caplog.at_level(logging.DEBUG):
        server.ask(f"/v1/status?token={TOKEN}")
        server.ask("/v1/analyze", "POST", photo)
        cookie = server.cookie()
        with server.live() as live:
            show(live, 1, photo)
            show(live, 2, b"secret")
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("websockets.client")
    )
    assert "analyze 200" in ours
    assert TOKEN not in ours and cookie.partition("=")[2] not in ours and "JFIF" not in ours and "secret" not in ours


# 13


def test_sessions_do_not_see_each_other(server, photo):
    anna = {"Cookie": server.cookie(), "Origin": server.origin}
    ben = {"Cookie": server.cookie(), "Origin": server.origin}
    with server.live(headers=anna) as one, server.live(headers=ben) as other:
        first, second = say(one, "start")["session"], say(other, "start")["session"]
        assert first != second and min(len(first), len(second)) >= 22
        assert show(one, 0, photo)["faces"]
        for end in ("rows.csv", "rows.jsonl", "markers.csv", "report.html"):
            path = f"/v1/sessions/{first}/{end}"
            assert server.ask(path, token=None, Cookie=anna["Cookie"]).status == 200
            assert server.ask(path, token=None, Cookie=ben["Cookie"]).status == 404
            assert server.ask(path).status == 404, "nor does a program"
        assert server.ask(f"/v1/sessions/{first}", "DELETE", token=None, **ben).status == 404
        mine = server.ask(f"/v1/sessions/{second}/rows.jsonl", token=None, Cookie=ben["Cookie"])
        assert mine.status == 200 and mine.body == b""
        assert refused_socket_of(server, first, ben) == 403


def refused_socket_of(server, session, headers):
    with pytest.raises(InvalidStatus) as refused, server.live(session, headers):
        pass
    return refused.value.response.status_code


def test_nothing_is_left_on_the_disk(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with running() as server, server.live() as live:
        session = say(live, "start")["session"]
        show(live, 0, photo)
        server.ask("/v1/analyze", "POST", photo)
        assert server.ask(f"/v1/sessions/{session}/report.html").status == 200
        assert server.ask(f"/v1/sessions/{session}/rows.csv").status == 200
    assert list(tmp_path.iterdir()) == []


def test_what_a_session_saw_is_forgotten(photo):
    with running(kept_s=0) as server:
        with server.live() as live:
            session = say(live, "start")["session"]
            show(live, 0, photo)
            assert server.ask(f"/v1/sessions/{session}/rows.csv").status == 200
        deadline = time.monotonic() + 20
        while server.ask(f"/v1/sessions/{session}/rows.csv").status == 200:
            assert time.monotonic() < deadline
