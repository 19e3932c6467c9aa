"""What setup.cfg says lies in the wheel, against what lies in the checkout."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("live_emotion", "train")


@pytest.fixture(scope="module")
def setup_cfg() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_every_package_is_listed(setup_cfg):
    listed = [line for line in setup_cfg["options"]["packages"].split() if line]
    lying_there = [
        ".".join(file.parent.relative_to(ROOT).parts)
        for name in PACKAGES
        for file in (ROOT / name).rglob("__init__.py")
    ]
    assert sorted(listed) == sorted([*lying_there, "live_emotion.weights"])


def test_every_file_that_is_no_code_is_listed(setup_cfg):
    listed = setup_cfg["options.package_data"]
    folders = {"live_emotion.weights": "weights"}
    matched = {
        file
        for package, patterns in listed.items()
        for pattern in patterns.replace(",", " ").split()
        for file in (ROOT / folders.get(package, package.replace(".", "/"))).glob(pattern)
    }
    needed = {file for name in PACKAGES for file in (ROOT / name).rglob("*") if file.is_file()}
    needed |= {file for file in (ROOT / "weights").iterdir() if file.is_file()}
    needed = {file for file in needed if file.suffix not in (".py", ".pyc")}
    assert matched == needed


def test_the_licence_files_are_there(setup_cfg):
    files = setup_cfg["metadata"]["license_files"].split()
    assert {"LICENSE", "NOTICE"} <= set(files)
    assert all((ROOT / file).is_file() for file in files)


def test_the_notice_names_every_file_of_weights():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    unnamed = [
        file.name
        for file in (ROOT / "weights").iterdir()
        if file.suffix not in (".json", ".md", ".txt", "") and file.name not in notice
    ]
    assert not unnamed


def test_every_benchmark_can_be_started():
    started = [
        subprocess.Popen([sys.executable, path, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for path in sorted((ROOT / "benchmarks").glob("*.py"))
    ]
    for process in started:
        text, errors = process.communicate()
        assert (process.returncode, text[:6]) == (0, "Usage:"), errors
