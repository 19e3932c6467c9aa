"""Atomic writes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from live_emotion.errors import OutputError
from live_emotion.io.files.atomic import (
    atomic_path,
    atomic_write_text,
    atomic_write_together,
    check_writable,
    missing,
    names_kept_free,
    patiently,
    publish,
    refuse_existing,
    write_error,
)
from live_emotion.io.files.folders import LOCK_FILE, exclusive_folder, make_folder, without_empty_folders
from live_emotion.io.files.locks import can_lock
from live_emotion.io.files.temporary import INSIDE, MARK, PREFIX, sweep_temporary, temporary_folder


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


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
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
    monkeypatch.setattr("live_emotion.io.files.atomic.secrets.token_hex", lambda count: next(names))
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


def test_files_are_written_together_or_not_at_all(tmp_path, full_disk, monkeypatch):
    old, new, last = tmp_path / "old.txt", tmp_path / "new.txt", tmp_path / "last.txt"
    old.write_bytes(b"before")
    contents = {old: b"1", new: b"2", last: bytes(1000)}
    with full_disk(500), pytest.raises(OutputError, match=r"last\.txt"):
        atomic_write_together(contents)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old.txt": b"before"}

    def refuse(temporary, target, replaces):
        if target == last:
            raise PermissionError(13, "Permission denied")
        publish(temporary, target, replaces)

    with monkeypatch.context() as patch, pytest.raises(OutputError, match=r"last\.txt: Permission denied"):
        patch.setattr("live_emotion.io.files.atomic.publish", refuse)
        atomic_write_together(contents)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old.txt": b"before"}
    atomic_write_together(contents)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_make_folder_over_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputError):
        make_folder(tmp_path / "a" / "b")
    with pytest.raises(OutputError, match="a: it is no folder; choose another name"):
        make_folder(tmp_path / "a")


def test_existing_files_are_protected(tmp_path):
    target = tmp_path / "a.mp4"
    refuse_existing(target)
    target.write_text("")
    with pytest.raises(OutputError, match="--force"):
        refuse_existing(target)
    refuse_existing(target, force=True)


def test_a_name_that_was_free_at_the_start_of_a_command_is_nobody_elses_at_its_end(tmp_path):
    target = tmp_path / "a.csv"
    with names_kept_free():
        refuse_existing(target)
        target.write_text("of another program")
        with pytest.raises(OutputError, match="another program wrote it meanwhile; its file stays"):
            atomic_write_text(target, "ours")
        assert target.read_text() == "of another program" and os.listdir(tmp_path) == ["a.csv"]
        refuse_existing(tmp_path / "b.csv")
        for text in ("first", "second"):  # what is ours may be written again
            atomic_write_text(tmp_path / "b.csv", text)
        assert (tmp_path / "b.csv").read_text() == "second"
    atomic_write_text(target, "the next command's")
    assert target.read_text() == "the next command's"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such devices")
def test_what_is_no_file_is_not_replaced_by_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    for target in (tmp_path / "pipe", tmp_path / "null"):
        with pytest.raises(OutputError, match="it is a device or a pipe; name a file"):
            atomic_write_text(target, "text")
    assert sorted(os.listdir(tmp_path)) == ["null", "pipe"]


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
    left = leave(tmp_path / ".a[1].0123abcd.txt", 0)
    others = [leave(tmp_path / name, 3600) for name in (".b.0123abcd.txt", ".a[1].part.txt", "a[1].part-0123abcd.txt")]
    with atomic_path(target) as busy:
        os.utime(busy, (1, 1))
        atomic_write_text(target.with_name("c.txt"), "x")
        with pytest.raises(OutputError), atomic_path(target) as second:
            assert busy.exists() and second.exists() and not left.exists()
            atomic_write_text(target, "x")
            busy.write_text("y")
        target.unlink()
    assert all(other.exists() for other in others)


def test_writers_of_one_file_sweep_nothing_of_each_other(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("x")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: atomic_write_text(target, f"{i}" * 1000), range(1000)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    text = target.read_text()
    assert text == text[: len(text) // 1000] * 1000


def test_a_file_whose_name_is_no_text_stands_escaped_in_others(tmp_path):
    atomic_write_text(tmp_path / "a.txt", "\udcff.jpg")
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


@pytest.mark.skipif(os.name == "nt", reason="Windows counts the folders, too")
def test_a_name_as_long_as_may_be_is_written_and_what_was_left_of_it_is_swept(tmp_path):
    target = tmp_path / ("é" * 125 + ".json")
    assert len(os.fsencode(target.name)) == 255
    with atomic_path(target) as temporary:
        name = temporary.name
        temporary.write_text("x")
    assert target.read_text() == "x"
    left = leave(tmp_path / name, 3600)
    atomic_write_text(target, "y")
    assert not left.exists() and target.read_text() == "y"
    with pytest.raises(OutputError, match=r"^Cannot write .*\.$"):
        atomic_write_text(tmp_path / ("x" * 256), "x")


WRITER = """
import pathlib, sys
from live_emotion.io.files.atomic import temporary_beside
temporary_beside(pathlib.Path(sys.argv[1]))
print("writing", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_what_another_program_is_writing_is_told_before_the_work(tmp_path):
    target = tmp_path / "out.mp4"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", WRITER, target], **pipes) as other:
        assert other.stdout.readline() == "writing\n"
        with pytest.raises(OutputError, match=r"Another program is writing .*out.mp4; wait for its end"):
            check_writable(target)
        other.kill()
    check_writable(target)
    assert not list(tmp_path.iterdir())


def test_without_locks_what_a_killed_run_left_is_swept_where_the_system_lets_it(tmp_path, monkeypatch):
    monkeypatch.setattr("live_emotion.io.files.locks.fcntl", None)
    left, young = leave(tmp_path / ".a.0123abcd.txt", 3600), leave(tmp_path / ".a.1123abcd.txt", 1)
    atomic_write_text(tmp_path / "a.txt", "x")
    assert not left.exists() and young.exists()
    with exclusive_folder(tmp_path):
        assert (tmp_path / LOCK_FILE).exists()
    assert not (tmp_path / LOCK_FILE).exists()


def in_use(code=32):
    """What Windows says of a file that somebody has open."""
    error = PermissionError(errno.EACCES, "The process cannot access the file", "a.txt")
    error.winerror = code
    return error


def test_a_file_that_is_in_use_for_a_moment_is_waited_for(tmp_path):
    tries = []

    def replace():
        tries.append(1)
        if len(tries) < 3:
            raise in_use()
        os.replace(tmp_path / "new", tmp_path / "old")

    (tmp_path / "new").write_text("new")
    patiently(replace, [0.0] * 5)
    assert (tmp_path / "old").read_text() == "new" and len(tries) == 3


@pytest.mark.parametrize(("error", "tries"), [(in_use(), 4), (in_use(1314), 1), (PermissionError(1, "no"), 1)])
def test_what_stays_in_use_or_is_forbidden_is_an_error(error, tries):
    tried = []

    def fail():
        tried.append(1)
        raise error

    with pytest.raises(PermissionError):
        patiently(fail, [0.0] * 3)
    assert len(tried) == tries


def test_of_a_file_that_another_program_has_open_the_line_says_so(tmp_path):
    (tmp_path / "a.txt").touch()
    assert "a.txt: another program has it open, or it is read-only" in str(write_error(tmp_path / "a.txt", in_use()))
    assert "The process cannot access" in str(write_error(tmp_path / "b.txt", in_use()))


def test_a_path_that_is_too_long_for_windows_is_said_to_be():
    path = Path("/") / "/".join(["folder" * 10] * 5)
    assert "Windows takes 259 unless long paths are enabled" in missing(path, is_windows=True)
    assert missing(path, is_windows=False) == f"there is no folder {path.parent}; make it first"
    assert "there is no folder" in missing(Path("none/a.txt"), is_windows=True)


@pytest.fixture
def immutable(tmp_path):
    """A folder that nobody can change, not even root; its file is that of a killed run."""
    folder = tmp_path / "immutable"
    folder.mkdir()
    (folder / "a.txt").write_text("old")
    leave(folder / ".a.0123abcd.txt", 3600)
    if (
        not shutil.which("chattr")
        or subprocess.run(["chattr", "-R", "+i", folder], stderr=subprocess.DEVNULL).returncode
    ):
        pytest.skip("there is no chattr here, or it may not be used")
    yield folder
    subprocess.run(["chattr", "-R", "-i", folder], check=True)


def test_a_folder_that_forbids_it_is_one_clear_line(immutable):
    for write in (atomic_write_text, lambda path, _: check_writable(path)):
        with pytest.raises(OutputError, match=r"^Cannot write .*a\.txt: Operation not permitted\.$"):
            write(immutable / "a.txt", "new")
    with pytest.raises(OutputError, match="Operation not permitted"), exclusive_folder(immutable):
        raise AssertionError
    assert (immutable / "a.txt").read_text() == "old"


def test_a_folder_that_forbids_it_at_the_end_is_one_clear_line(tmp_path):
    if not shutil.which("chattr"):
        pytest.skip("there is no chattr here")
    target = tmp_path / "a.txt"
    target.write_text("old")
    try:
        with pytest.raises(OutputError, match=r"a\.txt: Operation not permitted"), atomic_path(target) as temporary:
            temporary.write_text("new")
            if subprocess.run(["chattr", "+i", target], stderr=subprocess.DEVNULL).returncode:
                pytest.skip("chattr may not be used here")
    finally:
        subprocess.run(["chattr", "-i", target], stderr=subprocess.DEVNULL)
    assert (os.listdir(tmp_path), target.read_text()) == (["a.txt"], "old")


def test_folders_lie_as_deep_as_the_system_lets_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with without_empty_folders():
        assert make_folder("/".join("x" * 1500)).is_dir()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by_a_kill(temporary):
    """A temporary folder as a program leaves it that was killed a while ago."""
    with temporary_folder() as folder:
        (folder / "face.png").write_text("a face")
        copy = temporary / f"{PREFIX}left"
        shutil.copytree(folder.parent, copy)
    copy.chmod(0o700)
    os.utime(copy / MARK, (1, 1))
    return copy


def test_a_temporary_folder_goes_with_its_block(temporary):
    with temporary_folder() as folder:
        (folder / "a").write_text("a")
    assert not list(temporary.iterdir())


needs_locks = pytest.mark.skipif(not can_lock(), reason="needs locks of files")


@needs_locks
def test_what_a_killed_program_left_is_swept(temporary):
    left_by_a_kill(temporary)
    sweep_temporary()
    assert not list(temporary.iterdir())


@needs_locks
def test_nothing_else_is_swept(temporary, tmp_path_factory):
    elsewhere = left_by_a_kill(temporary).rename(tmp_path_factory.mktemp("elsewhere") / "face")
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    left_by_a_kill(temporary).rename(temporary / "another-name")
    shared = left_by_a_kill(temporary).rename(temporary / f"{PREFIX}shared")
    shared.chmod(0o755)
    fresh = left_by_a_kill(temporary).rename(temporary / f"{PREFIX}fresh")
    os.utime(fresh / MARK)
    linked = left_by_a_kill(temporary).rename(temporary / f"{PREFIX}linked")
    (linked / MARK).rename(linked / "mark")
    (linked / MARK).symlink_to("mark")
    run = temporary / f"{PREFIX}run"
    run.mkdir(0o700)
    (run / LOCK_FILE).write_text("")
    with temporary_folder() as held:
        os.utime(held.parent / MARK, (1, 1))
        there = sorted(temporary.rglob("*"))
        sweep_temporary()
        assert sorted(temporary.rglob("*")) == there
        assert (elsewhere / INSIDE / "face.png").exists()
