"""What is no file, or one without an end, where a file is read: one line, at once."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest

from live_emotion.emotions.classifier import load_network
from live_emotion.emotions.profile import Profile, profile_path
from live_emotion.errors import DataError, InputError, LiveEmotionError
from live_emotion.io.files.inputs import LONGEST_LINE, lines, open_file, read_file
from live_emotion.io.images import read_image
from live_emotion.io.results_reader import read_table
from live_emotion.server.access.tokens import find_token
from train.config_file import read_config
from train.data.dataset import read_faces
from train.data.sample_weights import weigh
from train.data.sources.fer2013 import unpack
from train.data.votes import list_shares
from train.evaluation.groups import read_groups

ZEROS = Path("/dev/zero")
needs_unix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")

TABLES = {
    "votes": lambda path: list_shares(path.parent, ["happy"], path),
    "weights of images": lambda path: weigh(read_faces([]), path.parent, path, ()),
    "groups": read_groups,
    "fer2013.csv": lambda path: unpack(path, None, path.parent / "out"),
}


@needs_unix
@pytest.mark.parametrize("read", [*TABLES.values(), read_config], ids=[*TABLES, "settings"])
@pytest.mark.parametrize("named", ["pipe", "zeros"])
def test_what_training_reads_is_a_file(tmp_path, read, named):
    path = ZEROS if named == "zeros" else tmp_path / "pipe.csv"
    if named == "pipe":
        os.mkfifo(path)
    with pytest.raises(DataError, match=rf"{re.escape(str(path))}: it is no file, but a device or a pipe"):
        read(path)


@needs_unix
def test_a_pipe_is_no_photo_and_nobody_waits_for_one(tmp_path):
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(InputError, match=r"photo\.jpg: it is no file, but a device or a pipe"):
        read_image(tmp_path / "photo.jpg")
    assert read_faces([(tmp_path / "photo.jpg", np.ones(1))]).broken == (tmp_path / "photo.jpg",)


@needs_unix
def test_a_pipe_is_no_profile(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = profile_path("anna")
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(InputError, match="it is no file, but a device or a pipe"):
        Profile.load("anna")


@needs_unix
def test_a_device_is_no_token():
    with pytest.raises(InputError, match="it is no file, but a device or a pipe"):
        find_token(ZEROS)


@pytest.mark.parametrize("read", [read_image, load_network], ids=["photo", "network"])
def test_a_file_larger_than_the_memory_bears_is_not_read(tmp_path, read):
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(10**10)  # of holes: it takes no place on the disk
    with pytest.raises(LiveEmotionError, match=r"large\.onnx: it has more than 1,000 MB"):
        read(path)


def test_a_table_has_lines(tmp_path):
    for name in ("rows.csv", "rows.jsonl"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(10**10)
        with pytest.raises(InputError, match=rf"{name} does not hold rows .* a line has more than 1,000,000"):
            read_table(tmp_path / name)
    assert list(lines(io.StringIO("a\nb"))) == ["a\n", "b"]
    assert list(lines(io.StringIO("x" * LONGEST_LINE))) == ["x" * LONGEST_LINE]


def test_files_are_read_as_ever(tmp_path):
    (tmp_path / "file").write_bytes(b"all of it")
    assert read_file(tmp_path / "file") == b"all of it"
    with open_file(tmp_path / "file", "r", encoding="ascii") as file:
        assert file.read() == "all of it"
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(OSError, match=r"none|directory|denied"):
            read_file(missing)


def test_a_name_that_no_file_can_have_is_no_file(tmp_path):
    for name in ("a\0b.jpg", "\ud800.jpg"):
        with pytest.raises(OSError, match="no file can have this name"):
            open_file(tmp_path / name)
        assert read_faces([(tmp_path / name, np.ones(1))]).broken == (tmp_path / name,)
