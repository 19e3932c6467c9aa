"""``live-emotion serve`` and ``webcam --publish`` as users run them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from servers import ROOT, TOKEN, encoded, frame, serving
from videos import make_video, numbered_frames
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from live_emotion.errors import InputError, ServerError
from live_emotion.io.files.locks import can_lock
from live_emotion.io.files.temporary import MARK
from live_emotion.server.access.tokens import find_token
from live_emotion.server.app import EventsApp
from live_emotion.server.config import ServerConfig
from live_emotion.server.run import BackgroundServer, check_certificate, open_port

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "live_emotion", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def ask(port, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=AUTHORIZATION | headers)
    reply = connection.getresponse()
    return reply.status, reply.read()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")
def test_it_ends_well_and_says_goodbye(portrait, kind):
    with serving() as served:
        assert re.fullmatch(rf"http://127\.0\.0\.1:\d+/#token={TOKEN}", served.address)
        assert ask(served.port, "/health/ready") == (200, b"ready")
        with connect(f"ws://127.0.0.1:{served.port}/v1/live", additional_headers=AUTHORIZATION) as live:
            live.send(frame(0, encoded(portrait)))
            assert json.loads(live.recv(60))["faces"]
            served.process.send_signal(kind)
            with pytest.raises(ConnectionClosed) as closed:
                live.recv(30)
            assert closed.value.rcvd.code == 1001
        assert served.process.wait(30) == 0
        assert served.process.stdout.read() == "" and served.said() == ""


def test_a_port_that_is_in_use_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "--no-browser", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert re.fullmatch(r"Error: Port \d+ is in use, .*; choose another with --port, or 0 for any\.\n", done.stderr)


def test_of_two_that_start_at_once_one_gets_the_port():
    with contextlib.closing(open_port("127.0.0.1", 0)) as first:
        number = first.getsockname()[1]
        with pytest.raises(ServerError, match=f"Port {number} is in use"):
            open_port("127.0.0.1", number)


def test_a_server_beside_other_work_that_cannot_start_says_so():
    port = open_port("127.0.0.1", 0)
    port.close()
    server = BackgroundServer(EventsApp(ServerConfig(TOKEN), {}), port)
    with pytest.raises(ServerError, match=r"The server cannot start: .*; try another port"), server:
        pass


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "message"),
    [
        (["--host", "host.invalid"], {}, 1, "no host host.invalid"),
        (["--host", "a" * 300], {}, 1, "There is no host aaa"),
        (["--host", "\udcff"], {}, 1, "There is no host \\udcff here"),
        (["--host", "203.0.113.1"], {}, 1, "Cannot use port"),
        ([], {"LIVE_EMOTION_TOKEN": "short"}, 1, "16 to 200"),
        (["--token-file", "nothing.txt"], {}, 1, "Cannot read a token from nothing.txt"),
        (["--token-file", "weights/best_emotion_model.onnx"], {}, 1, "Cannot read a token"),
        (["--certificate", "README.md"], {}, 2, "belong together"),
        (["--certificate", "README.md", "--key", "README.md"], {}, 1, "Cannot use README.md"),
        (["--cors", "*"], {}, 2, "no origin"),
        (["--cors", "https://a.example/"], {}, 2, "no origin"),
        (["--allow-host", "http://a.example"], {}, 2, "no host's name"),
        (["--weights", "nothing.onnx"], {}, 1, "There is no weights file"),
        (["--profile", "nobody-at-all"], {}, 1, "There is no profile"),
        (["--osc", "9000"], {}, 1, "HOST:PORT"),
        (["--osc", "..:9000"], {}, 1, "There is no host .. to send to"),
        (["--osc", "\udcff:9000"], {}, 1, "There is no host \\udcff to send to"),
        (["--osc", "a" * 300 + ":9000"], {}, 1, "There is no host aaa"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments, environment, code, message):
    done = run("serve", "--no-browser", "--port", "0", *arguments, **environment)
    assert done.returncode == code
    assert message in done.stderr and "Traceback" not in done.stderr and "token=" not in done.stdout
    assert len(done.stderr.splitlines()) == 1 or code == 2


def test_the_token_may_come_from_a_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("a-token-from-a-file\n")
    with serving("--token-file", str(file)) as served:
        assert served.address.endswith("#token=a-token-from-a-file")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_no_pipe_is_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match=r"Cannot read a token from .*pipe: it is no file"):
        find_token(pipe)
    for files in ((pipe, ROOT / "README.md"), (ROOT / "README.md", pipe)):
        with pytest.raises(ServerError, match=r"Cannot use .*: it is no file"):
            check_certificate(*files)


def make_certificate(folder):
    """Writes a certificate for localhost and its key, or skips the test."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run(["openssl", "req", *options.split(), *files], check=True, capture_output=True)


def test_https(tmp_path):
    make_certificate(tmp_path)
    with serving("--certificate", str(tmp_path / "certificate.pem"), "--key", str(tmp_path / "key.pem")) as served:
        assert served.address.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        trusting.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=trusting, timeout=30)
        origin = f"https://127.0.0.1:{served.port}"
        connection.request("POST", "/session", headers=AUTHORIZATION | {"Origin": origin})
        reply = connection.getresponse()
        assert reply.status == 204 and "Secure" in reply.getheader("set-cookie")
        connection.close()


@pytest.mark.skipif(not can_lock(), reason="needs locks of files")
def test_the_next_start_removes_what_a_killed_server_left(tmp_path, portrait):
    clip = make_video(tmp_path / "clip.mp4", numbered_frames(portrait, 30) * 20)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with serving(TMPDIR=str(temporary)) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        connection.request("POST", "/v1/jobs", clip.read_bytes(), AUTHORIZATION)
        assert connection.getresponse().status == 202
        served.process.kill()
        served.process.wait(30)
    (left,) = temporary.iterdir()
    assert list(left.rglob("video.mp4"))
    os.utime(left / MARK, (1, 1))
    with serving(TMPDIR=str(temporary)):
        assert not list(temporary.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows runs no shell scripts")
def test_the_browser_gets_a_token_that_is_good_once(tmp_path):
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "live_emotion", "serve", "--port", "0"]
    environment = os.environ | {"BROWSER": str(browser), "LIVE_EMOTION_TOKEN": TOKEN}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        stop = threading.Event()
        while not opened.exists() and not stop.wait(0.05):
            assert process.poll() is None
        url = opened.read_text().strip()
        process.terminate()
    assert url.partition("#")[0] == address.partition("#")[0]
    assert "#token=" in url and TOKEN not in url


def test_a_webcam_publishes_what_it_sees(tmp_path, portrait):
    clip = make_video(tmp_path / "clip.mp4", numbered_frames(portrait, 30) * 20)
    command = [sys.executable, "-m", "live_emotion", "webcam", "--camera", str(clip), "--no-window", "--publish", "0"]
    environment = os.environ | {"LIVE_EMOTION_TOKEN": TOKEN}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        said = [process.stderr.readline()]
        while "Overlay" not in said[-1]:
            said.append(process.stderr.readline())
            assert said[-1], said
        assert not any("Without a window" in line for line in said)
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/overlay#token=", said[-1])[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/v1/events", headers=AUTHORIZATION)
        reply = connection.getresponse()
        lines = iter(reply.readline, b"")
        event = json.loads(next(line for line in lines if line.startswith(b"data: "))[6:])
        assert event["faces"][0]["emotion"] in event["faces"][0]["probabilities"]
        assert (event["type"], event["width"], event["height"]) == ("result", 256, 300)
        status, about = ask(port, "/v1/status")
        assert status == 200 and json.loads(about)["colors"]
        assert ask(port, "/v1/live")[0] == 404 and ask(port, "/v1/analyze")[0] == 404
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(60) == 0
    assert "Traceback" not in rest
    assert Path(clip).exists()
