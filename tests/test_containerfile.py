"""The files for containers, desktops and systemd. There need be no container engine: the steps run in plain folders."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from servers import TOKEN

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"


def instructions():
    """The Containerfile's instructions as pairs of a word and its text."""
    text = re.sub(r"^\s*#.*\n", "", (PACKAGING / "Containerfile").read_text(encoding="utf-8"), flags=re.M)
    return [tuple(line.split(None, 1)) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def all_of(word):
    return [text for name, text in instructions() if name == word]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What the Containerfile installs, in a folder: the wheel of what it copies. Other packages are the tests' own."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for text in all_of("COPY"):
        if text.startswith("--from"):
            continue
        *names, to = text.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / to)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run([*pip, "--no-build-isolation", "--target", target, source], capture_output=True, text=True)
    if "No module named 'setuptools'" in done.stderr:
        pytest.skip("needs setuptools to build a wheel without a network")
    assert done.returncode == 0, done.stderr
    return target


SCRIPT = """
set -e
ip link set lo up
cd {folder}
{python} -m live_emotion {arguments} >address 2>errors &
while ! [ -s address ]; do kill -0 $!; sleep 0.1; done
{health}
kill -TERM $!
wait $!
"""


@pytest.mark.skipif(not (shutil.which("unshare") and shutil.which("ip")), reason="needs Linux's namespaces")
def test_its_command_runs_without_a_network_or_a_home_and_is_healthy(installed, tmp_path):
    if subprocess.run(["unshare", "--net", "--map-root-user", "true"], capture_output=True).returncode:
        pytest.skip("this system gives no namespaces")
    program, *arguments = json.loads(all_of("ENTRYPOINT")[0])
    check = json.loads(all_of("HEALTHCHECK")[0].removeprefix("CMD"))
    assert program == "live-emotion" and check[0] == "python"
    script = SCRIPT.format(
        folder=tmp_path,
        python=sys.executable,
        arguments=" ".join(arguments),
        health=" ".join([sys.executable, check[1], f'"{check[2]}"']),
    )
    environment = {"PYTHONPATH": str(installed), "LIVE_EMOTION_TOKEN": TOKEN, "PATH": os.environ["PATH"]}
    environment |= {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "profiles"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["unshare", "--net", "--map-root-user", "sh", "-c", script]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    errors = (tmp_path / "errors").read_text()
    assert done.returncode == 0, done.stderr + errors
    assert (tmp_path / "address").read_text() == f"http://127.0.0.1:8765/#token={TOKEN}\n"
    assert "Others can reach this server" in errors and "Traceback" not in errors
    assert {path.name for path in tmp_path.iterdir()} == {"address", "errors"}, "it writes nothing"


def test_it_is_nobody_and_brings_no_secret():
    assert all_of("USER") == ["10001"]
    assert not re.search(r"token=|TOKEN=", "\n".join(" ".join(pair) for pair in instructions()), re.I)
    assert all(":" in image for image in all_of("FROM"))
    assert '".[serve]"' in "\n".join(all_of("RUN")) and "train]" not in "\n".join(all_of("RUN"))


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint") or shutil.which("hadolint", path=os.path.dirname(sys.executable))
    if not hadolint:
        pytest.skip("needs hadolint")
    done = subprocess.run([hadolint, PACKAGING / "Containerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def commands(text):
    return re.findall(r"live-emotion\"? (\w+)([^\n']*)", text)


@pytest.mark.parametrize("name", ["live-emotion.desktop", "live-emotion-log.service"])
def test_commands_in_desktop_and_systemd_files_exist(name):
    from live_emotion.cli.main import LazyGroup

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read(PACKAGING / name, encoding="utf-8")
    lines = [value for part in parser.values() for key, value in part.items() if key in ("Exec", "ExecStart")]
    for line in lines:
        ((command, rest),) = commands(line)
        known = {
            option for p in LazyGroup("x").get_command(None, command).params for option in (*p.opts, *p.secondary_opts)
        }
        assert set(re.findall(r"--[\w-]+", rest)) <= known
    assert lines


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("desktop-file-validate", "live-emotion.desktop"),
        ("systemd-analyze --user verify", "live-emotion-log.service"),
    ],
)
def test_desktop_and_systemd_files_are_valid(tmp_path, program, name):
    program, *arguments = program.split()
    if not shutil.which(program):
        pytest.skip(f"needs {program}")
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    command = [program, *arguments, PACKAGING / name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
