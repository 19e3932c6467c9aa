"""Nothing leaves the machine, and nothing is written but what was asked for: looked at from outside, by the system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from commands import COMMANDS, write_files
from servers import TOKEN, encoded, say, serving, show
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, which looks at system calls")

DRAWS = {"demo", "image", "report", "--report"}
"""What draws a picture by matplotlib, which keeps a list of the machine's fonts in folders of its own."""

CALLS = "connect,sendto,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"


@pytest.fixture(scope="module")
def files(tmp_path_factory, portrait):
    """A folder with a photo and a video."""
    return write_files(tmp_path_factory.mktemp("files"), portrait, 10)


def system_calls(argv, folder):
    """The lines that strace wrote of a command, which had an empty home and none of CI's variables."""
    quiet = (
        "CI",
        "GITHUB_ACTIONS",
        "ORT_DISABLE_TELEMETRY",
        "DISPLAY",
        "COVERAGE_PROCESS_START",
        "COVERAGE_PROCESS_CONFIG",
    )
    kept = {name: value for name, value in os.environ.items() if name not in quiet and not name.startswith("XDG_")}
    folders = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}
    for path in folders.values():
        Path(path).mkdir()
    (folder / "out").mkdir()
    log = folder / "strace.txt"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", log, sys.executable, "-m", "live_emotion", *argv],
        cwd=ROOT,
        env=kept | folders | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    return done, log.read_text(errors="replace").splitlines()


def is_network(line: str) -> bool:
    """Whether a system call is one that leaves the machine, or tries to."""
    return "AF_INET" in line


def written(lines):
    """The paths that were opened for writing, made or renamed, but for those that are no files."""
    for line in lines:
        call, _, rest = re.sub(r"^\d+ +", "", line).partition("(")
        if call.startswith("open") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest):
            continue
        if call in ("connect", "sendto") or line.startswith("---") or "= -1" in line:
            continue
        for path in re.findall(r'"([^"]*)"', rest):
            if not path.startswith(("/dev/", "/proc/")):
                yield path


def test_a_server_neither_connects_nor_writes(tmp_path, portrait):
    """From its start over a live frame and the files of a session to its end."""
    # -D: the server is the process that is started, and gets its signals
    strace = ("strace", "-D", "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(tmp_path / "strace.txt"))
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    places = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary"), "DISPLAY": ""}
    with serving(before=strace, PYTHONDONTWRITEBYTECODE="1", **places) as served:
        address = f"127.0.0.1:{served.port}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with connect(f"ws://{address}/v1/live", additional_headers=headers) as live:
            session = say(live, "start")["session"]
            assert show(live, 0, encoded(portrait))["faces"]
            for end in ("rows.csv", "report.html"):
                with urlopen(Request(f"http://{address}/v1/sessions/{session}/{end}", headers=headers)) as reply:
                    assert reply.status == 200
    lines = (tmp_path / "strace.txt").read_text(errors="replace").splitlines()
    assert any("live_emotion" in line for line in lines)  # it did look
    assert [line for line in lines if is_network(line)] == []
    fonts = [tmp_path / "home" / name for name in (".cache", ".config")]
    allowed = [tmp_path / "temporary", *(folder / "matplotlib" for folder in fonts)]
    elsewhere = {Path(path) for path in written(lines)} - set(fonts)
    elsewhere = {path for path in elsewhere if not path.name.startswith(".coverage.")}  # of these tests, if asked for
    assert {path for path in elsewhere if not {path, *path.parents} & set(allowed)} == set()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    "argv",
    COMMANDS,
    ids=lambda argv: argv[0],
)
def test_no_command_connects_or_writes_elsewhere(tmp_path, files, argv):
    done, lines = system_calls([part.format(out=tmp_path / "out", files=files) for part in argv], tmp_path)
    assert done.returncode == 0 or argv == ["cameras"], done.stderr
    assert any("live_emotion" in line for line in lines)  # it did look
    assert [line for line in lines if is_network(line)] == []
    allowed = [tmp_path / "out", tmp_path / "temporary"]
    elsewhere = {Path(path) for path in written(lines)}
    if DRAWS & set(argv):
        fonts = [tmp_path / "home" / name for name in (".cache", ".config")]
        allowed += [folder / "matplotlib" for folder in fonts]
        elsewhere -= set(fonts)  # made for those
    if "calibrate" in argv:
        allowed.append(tmp_path / "home" / ".config" / "live-emotion")
        elsewhere -= {tmp_path / "home", tmp_path / "home" / ".config"}
    assert {path for path in elsewhere if not {path, *path.parents} & set(allowed)} == set()
