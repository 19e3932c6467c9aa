"""What is read in faces, sent to other programs: Open Sound Control and Lab Streaming Layer."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from live_emotion.errors import InputError
from live_emotion.io.lsl import FACES, MARKERS, LslSender
from live_emotion.io.osc import OscSender, parse_address
from live_emotion.types import EMOTIONS, Frame, LiveFrame, Prediction, TrackedFace

IMAGE = np.zeros((4, 4, 3), np.uint8)


def face(track_id, emotion="happy", note=""):
    probabilities = tuple(0.75 if name == emotion else 0.05 for name in EMOTIONS)
    prediction = Prediction(emotion, 0.75, probabilities)
    return TrackedFace((0, 0, 1, 1), 0.9, np.zeros((6, 2), np.float32), prediction, track_id, note)


def test_osc_arrives_as_it_was_sent():
    from pythonosc.osc_packet import OscPacket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        sender = OscSender(f"127.0.0.1:{receiver.getsockname()[1]}", EMOTIONS)
        sender.write(Frame(0, 0.0, IMAGE), [face(3), face(12, "sad", "unsure")])
        packets = [OscPacket(receiver.recv(65_536)) for _ in range(2)]
        sender.close()
    said = {timed.message.address: timed.message.params for packet in packets for timed in packet.messages}
    assert said["/live_emotion/3/happy"] == pytest.approx([0.75])
    assert said["/live_emotion/3/other"] == pytest.approx([0.1])
    assert said["/live_emotion/3/label"] == ["happy"] and said["/live_emotion/12/label"] == ["unsure"]
    assert len(said) == 2 * (len(EMOTIONS) + 2)


def test_nobody_needs_to_listen_to_osc():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sender = OscSender(f"127.0.0.1:{port}", ("two words", "a/b*"))
    for _ in range(3):
        sender.write(Frame(0, 0.0, IMAGE), [face(1)])
    sender.close()


def test_addresses():
    assert parse_address("[::1]:9000") == ("::1", 9000)
    assert parse_address("studio.local:1") == ("studio.local", 1)
    for text in (
        "9000",
        "localhost",
        "localhost:",
        "localhost:0",
        "localhost:70000",
        "::1:9000",
        "http://a:1",
        "a b:1",
    ):
        with pytest.raises(InputError, match="HOST:PORT"):
            parse_address(text)
    with pytest.raises(InputError, match="no host"):
        OscSender("host.invalid:9000", EMOTIONS)


def test_lsl_has_the_times_of_the_frames():
    pylsl = pytest.importorskip("pylsl", reason="needs pylsl and liblsl")
    sender = LslSender(EMOTIONS)
    found = {name: pylsl.resolve_byprop("name", name, timeout=10) for name in (FACES, MARKERS)}
    if not all(found.values()):
        pytest.skip("needs a network on which streams are found")
    inlets = {name: pylsl.StreamInlet(streams[0]) for name, streams in found.items()}
    for inlet in inlets.values():
        inlet.open_stream(timeout=10)
    taken_s = time.monotonic() - 0.5
    for i, emotion in enumerate(("happy", "happy", "sad")):
        sender.write(LiveFrame(i, i / 10, IMAGE, taken_s + i / 10), [face(7, emotion)])
    samples = [inlets[FACES].pull_sample(timeout=10) for _ in range(3)]
    assert [sample[0] for sample, _ in samples] == [7, 7, 7]
    assert samples[2][0][1:] == pytest.approx([0.05, 0.05, 0.05, 0.75, 0.1], abs=1e-6)
    times = [time_s for _, time_s in samples]
    assert times[2] - times[0] == pytest.approx(0.2, abs=0.05)
    assert pylsl.local_clock() - times[0] > 0.4
    markers = [inlets[MARKERS].pull_sample(timeout=10)[0] for _ in range(2)]
    assert markers == [["7 happy"], ["7 sad"]]
    for inlet in inlets.values():
        inlet.close_stream()
    sender.close()


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, *rest):
        if name.split(".")[0] in ("pythonosc", "pylsl", "starlette", "uvicorn"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in ("starlette", "uvicorn") else find(name)
from live_emotion.cli.main import main
sys.argv = ["live-emotion", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["webcam", "--osc", "127.0.0.1:9000"], "osc"),
        (["webcam", "--lsl"], "lsl"),
        (["webcam", "--publish", "0"], "serve"),
        (["serve", "--no-browser"], "serve"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(arguments, extra):
    done = subprocess.run([sys.executable, "-c", BLOCKED, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ") and f"pip install 'live-emotion[{extra}]'" in line
