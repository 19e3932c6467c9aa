"""Atomic writes."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

import pytest

from live_emotion.emotions.profile import profile_path
from live_emotion.errors import InputError, OutputError
from live_emotion.io.atomic import (
    LOCK_FILE,
    atomic_path,
    atomic_write_text,
    exclusive_folder,
    is_reserved,
    make_folder,
    refuse_existing,
    without_empty_folders,
)
from live_emotion.pipelines.videos.planning import output_names


def test_writes_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_an_error_keeps_the_old_file(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_the_file_is_readable_by_others_as_the_umask_allows(tmp_path):
    mask = os.umask(0o022)
    try:
        atomic_write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_the_umask_of_the_process_is_left_alone_since_other_threads_write_too(tmp_path, monkeypatch):
    def changed(mask):
        raise AssertionError("another thread's file would be open to everybody")

    monkeypatch.setattr(os, "umask", changed)
    atomic_write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").read_text() == "x"


def test_a_temporary_name_that_is_taken_is_left_alone(tmp_path, monkeypatch):
    names = iter(["0001", "0002"])
    monkeypatch.setattr("live_emotion.io.atomic.secrets.token_hex", lambda count: next(names))
    other = tmp_path / ".a.0001.txt"
    other.write_text("somebody else's")
    atomic_write_text(tmp_path / "a.txt", "x")
    assert (other.read_text(), (tmp_path / "a.txt").read_text()) == ("somebody else's", "x")


def test_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(OutputError, match="there is no folder") as caught, atomic_path(tmp_path / "no" / "a.txt"):
        pass
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_target(tmp_path):
    with pytest.raises(OutputError, match="folder"), atomic_path(tmp_path):
        pass


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_full_disk_is_one_clear_line(tmp_path):
    target = tmp_path / "a.txt"
    with pytest.raises(OutputError, match="No space left"), atomic_path(target), open("/dev/full", "w") as full:
        full.write("x")
        full.flush()
    assert os.listdir(tmp_path) == []


def test_make_folder_over_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputError):
        make_folder(tmp_path / "a" / "b")


def test_existing_files_are_protected(tmp_path):
    target = tmp_path / "a.mp4"
    refuse_existing(target)
    target.write_text("")
    with pytest.raises(OutputError, match="--force"):
        refuse_existing(target)
    refuse_existing(target, force=True)


def test_only_folders_that_were_made_and_got_nothing_are_removed(tmp_path):
    (tmp_path / "mine").mkdir()
    with contextlib.suppress(KeyError), without_empty_folders():
        make_folder(tmp_path / "mine")
        make_folder(tmp_path / "a" / "b" / "c")
        make_folder(tmp_path / "a" / "d")
        (tmp_path / "a" / "d" / "file").touch()
        raise KeyError
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        *("a", os.path.join("a", "d"), os.path.join("a", "d", "file"), "mine")
    ]


def test_of_two_programs_that_write_one_file_the_later_one_says_so(tmp_path):
    target = tmp_path / "out.txt"
    with pytest.raises(OutputError, match="another program wrote it meanwhile"), atomic_path(target) as later:
        later.write_text("later")
        atomic_write_text(target, "earlier")
    assert target.read_text() == "earlier"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_so_it_is_where_the_file_system_has_no_links(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    atomic_write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").read_text() == "x"
    with pytest.raises(OutputError, match=r"another program|File exists"), atomic_path(tmp_path / "b.txt") as later:
        later.write_text("later")
        atomic_write_text(tmp_path / "b.txt", "earlier")
    assert (tmp_path / "b.txt").read_text() == "earlier"


def leave(path, age_s):
    """Makes a file such as a killed program leaves, some seconds ago."""
    path.write_text("half")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows locks otherwise")
def test_what_a_killed_run_left_is_swept_and_what_another_one_writes_is_not(tmp_path):
    target = tmp_path / "a[1].txt"
    left = leave(tmp_path / ".a[1].0123abcd.txt", 3600)
    young = leave(tmp_path / ".a[1].1123abcd.txt", 1)
    others = [leave(tmp_path / name, 3600) for name in (".b.0123abcd.txt", ".a[1].part.txt", "a[1].part-0123abcd.txt")]
    with atomic_path(target) as busy:
        os.utime(busy, (1, 1))
        atomic_write_text(target.with_name("c.txt"), "x")
        with pytest.raises(OutputError), atomic_path(target) as second:
            assert busy.exists() and second.exists() and not left.exists()
            atomic_write_text(target, "x")
            busy.write_text("y")
        target.unlink()
    assert young.exists() and all(other.exists() for other in others)


def test_a_file_whose_name_is_no_text_stands_escaped_in_others(tmp_path):
    atomic_write_text(tmp_path / "a.txt", os.fsdecode(b"\xff.jpg"))
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "\\udcff.jpg"


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    with exclusive_folder(tmp_path):
        with pytest.raises(OutputError, match="Another program is writing into"), exclusive_folder(tmp_path):
            raise AssertionError
        assert os.listdir(tmp_path) == [LOCK_FILE]
    assert os.listdir(tmp_path) == []
    (tmp_path / LOCK_FILE).touch()  # as a killed program leaves it
    with exclusive_folder(tmp_path):
        pass
    with pytest.raises(OutputError, match="there is no folder"), exclusive_folder(tmp_path / "none"):
        raise AssertionError


@pytest.mark.parametrize("name", ["CON", "nul", "com1", "Lpt9", "aux "])
def test_what_windows_takes_for_a_device_is_no_name_of_ours(name):
    """Looked at on every system, since files go from one to another."""
    assert is_reserved(f"{name}.mp4") and not is_reserved(f"{name.strip()}sole.mp4")
    (written,) = output_names([Path(f"{name}.mp4")])
    assert not is_reserved(f"{written}.mp4")
    with pytest.raises(InputError, match="A profile's name"):
        profile_path(name)
