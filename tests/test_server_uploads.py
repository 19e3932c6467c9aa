"""Images and videos that are sent."""

from __future__ import annotations

import errno
import json
import os
import re
import struct
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from servers import encoded, running
from videos import cut_off, make_video, numbered_frames

from live_emotion.errors import InputError
from live_emotion.io.first_bytes import LENGTH
from live_emotion.server.uploads import jobs
from live_emotion.server.uploads.image_header import image_size
from live_emotion.server.uploads.video_header import video_suffix


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def server():
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def video(folder, portrait):
    return make_video(folder / "clip.mp4", numbered_frames(portrait, 30)).read_bytes()


def form(*images, boundary="between"):
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'.encode()
    parts = [head + image + b"\r\n" for image in images]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def test_an_image_is_answered(server, portrait):
    reply = server.ask("/v1/analyze", "POST", encoded(portrait))
    assert reply.status == 200 and reply.json["model"] == "best_emotion_model.onnx"
    (result,) = reply.json["results"]
    (face,) = result["faces"]
    assert (result["width"], result["height"], result["found"]) == (512, 600, 1)
    assert face["emotion"] in face["probabilities"] and 0 < face["confidence"] <= 1
    assert sum(face["probabilities"].values()) + face["other"] == pytest.approx(1, abs=0.001)


def test_several_images_are_answered_in_order(server, portrait, two_faces, no_face):
    body, kind = form(encoded(two_faces), b"none", encoded(no_face), encoded(portrait))
    reply = server.ask("/v1/analyze?max_faces=1&detector=short", "POST", body, Content_Type=kind)
    two, damaged, none, one = reply.json["results"]
    assert (two["found"], len(two["faces"])) == (2, 1)
    assert damaged == {"error": "This is no image that is read here; send JPEG, PNG or WebP."}
    assert none["faces"] == [] and len(one["faces"]) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_without_an_image_is_refused(server, body, kind):
    assert server.ask("/v1/analyze", "POST", body, Content_Type=kind).status == 400


def test_an_upright_phone_photo_is_upright(server, portrait, folder):
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(portrait)[:, :, ::-1]))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned.save(folder / "phone.jpg", exif=exif)
    (result,) = server.ask("/v1/analyze", "POST", (folder / "phone.jpg").read_bytes()).json["results"]
    assert (result["width"], result["height"], len(result["faces"])) == (512, 600, 1)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("size", [(1, 1), (17, 300), (640, 360)])
def test_sizes_are_read_from_headers(suffix, size):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    assert image_size(encoded(image, suffix))[1:] == size


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"quality": 80, "exif": b"Exif\0\0"}])
def test_sizes_of_all_kinds_of_webp(folder, options):
    Image.new("RGBA" if "exif" in options else "RGB", (301, 77)).save(folder / "a.webp", **options)
    assert image_size((folder / "a.webp").read_bytes())[1:] == (301, 77)


@pytest.mark.parametrize("options", [{"progressive": True}, {"exif": Image.Exif(), "comment": b"\xff\xc0" * 30}])
def test_sizes_of_all_kinds_of_jpeg(folder, options):
    Image.new("RGB", (301, 77)).save(folder / "a.jpg", **options)
    assert image_size((folder / "a.jpg").read_bytes())[1:] == (301, 77)


BEGINNINGS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8L"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200))
def test_no_header_does_more_than_fail(begin, rest):
    try:
        _, width, height = image_size(begin + rest)
        assert width > 0 and height > 0
    except InputError:
        pass


def wait(server, address, states=("done",)):
    deadline = time.monotonic() + 180
    while (answer := server.ask(address).json)["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert answer["state"] in states, answer
    return answer


def test_a_video_is_read_and_forgotten(server, video, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    begun = server.ask("/v1/jobs", "POST", video, Content_Type="video/mp4")
    assert begun.status == 202
    address = begun.headers["location"]
    assert server.ask(f"{address}/rows").status == 409
    busy = server.ask("/v1/jobs", "POST", video)
    assert busy.status == 503 and int(busy.headers["retry-after"]) > 0
    assert server.ask(address, token=None, Cookie=server.cookie()).status == 404, "it is not theirs"
    done = wait(server, address)
    assert (done["frames"], done["people"], done["detail"]) == (30, 1, "")
    rows = [json.loads(line) for line in server.ask(done["links"]["rows"]).body.splitlines()]
    assert len(rows) == 30 and rows[-1]["time_s"] == pytest.approx(29 / 25, abs=0.001)
    report = server.ask(done["links"]["report"])
    assert b'src="./video"' in report.body and str(tmp_path).encode() not in report.body
    assert "media-src 'self'" in report.headers["content-security-policy"]
    copy = server.ask(done["links"]["video"])
    assert copy.headers["content-type"] == "video/mp4" and copy.body[4:8] == b"ftyp"
    assert server.ask(done["links"]["video"], Range="bytes=0-99").status == 206, "so that browsers can seek"
    (folder,) = tmp_path.iterdir()
    assert not list(folder.glob("video*")), "what was sent is removed once it is read"
    assert server.ask(address, "DELETE").status == 204
    assert server.ask(address).status == 404 and not list(tmp_path.iterdir())


def test_a_video_that_is_damaged_says_so(server, folder, portrait):
    whole = make_video(folder / "cut.mp4", numbered_frames(portrait, 30))
    address = server.ask("/v1/jobs", "POST", cut_off(whole, 0.3).read_bytes()).headers["location"]
    failed = wait(server, address, ("failed",))
    assert failed["detail"].startswith("The video") and "/" not in failed["detail"] and failed["links"] == {}


def test_a_disk_that_is_full_says_so(server, video, monkeypatch, tmp_path, full_disk, caplog):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with full_disk(1000):
        refused = server.ask("/v1/jobs", "POST", video)
    reason = os.strerror(errno.EFBIG)  # a limit of a file's size stands for the disk's
    assert (refused.status, refused.headers["content-type"]) == (507, "application/problem+json")
    assert f"{tmp_path}: {reason}." in refused.json["detail"]
    assert "507" in server.ask("/openapi.json").json["paths"]["/v1/jobs"]["post"]["responses"]
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith(f"OSError ({reason}) in ") and "bodies.py:" in line
    assert not list(tmp_path.iterdir())
    begun = server.ask("/v1/jobs", "POST", video)
    assert begun.status == 202, "the server goes on"
    assert server.ask(begun.headers["location"], "DELETE").status == 204


def test_a_video_that_breaks_off_says_so(server, folder, portrait):
    cut = cut_off(make_video(folder / "cut.mkv", numbered_frames(portrait, 50), audio=(), g="5"))
    address = server.ask("/v1/jobs?every=10", "POST", cut.read_bytes()).headers["location"]
    done = wait(server, address)
    assert re.search(r"It breaks off at \d\.\d s of 2\.0 s; was it copied whole\?$", done["detail"])
    assert 5 < done["frames"] < 50 and done["links"]
    assert server.ask(address, "DELETE").status == 204


def test_what_came_of_the_last_videos_is_kept(folder, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_KEPT", 4)
    nothing = b"\x00\x00\x00\x20ftypisom" + bytes(100)
    with running() as server:
        addresses = []
        for count in range(1, 6):
            addresses.append(server.ask("/v1/jobs", "POST", nothing).headers["location"])
            wait(server, addresses[-1], ("failed",))
            there = [server.ask(address).status for address in addresses]
            assert there == [404] * (count - 4) + [200] * min(count, 4)


def test_a_job_can_be_stopped_and_ends_with_the_server(folder, portrait, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = make_video(folder / "long.mp4", numbered_frames(portrait, 20) * 60).read_bytes()
    with running() as server:
        address = server.ask("/v1/jobs", "POST", long).headers["location"]
        assert server.ask("/v1/status").json["job"] == {"running": True}
        assert server.ask(address, "DELETE").status == 204
        assert server.ask("/v1/status").json["job"] == {"running": False}
        assert server.ask("/v1/jobs", "POST", long).status == 202
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx"),
        ("a.avi", "mpeg4"),
        ("a.ts", "libx264"),
        ("a.mpg", "mpeg2video"),
        ("a.flv", "libx264"),
    ],
)
def test_videos_are_told_by_their_beginning(folder, portrait, name, codec):
    path = make_video(folder / name, numbered_frames(portrait, 3), codec=codec, audio=())
    suffix = video_suffix(path.read_bytes()[:LENGTH])
    assert suffix == {".mov": ".mp4"}.get(path.suffix, path.suffix)


def test_other_files_are_no_videos(portrait):
    lists = [b"#EXTM3U", b"ffconcat version 1.0", b"<?xml version='1.0'?><MPD>", b"v=0\r\no=- 0 0 IN IP4"]
    for begin in (b"", *lists, encoded(portrait), struct.pack(">I", 0), Path(__file__).read_bytes()):
        with pytest.raises(InputError):
            video_suffix(begin[:LENGTH])


def test_the_preview_of_a_huge_photo_is_not_needed(server, portrait):
    large = cv2.resize(portrait, (5120, 6000), interpolation=cv2.INTER_LINEAR)
    (result,) = server.ask("/v1/analyze", "POST", encoded(large)).json["results"]
    assert (result["width"], result["height"], len(result["faces"])) == (5120, 6000, 1)
