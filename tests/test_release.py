"""What the notes of a release say, from what the tools that were asked answered."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def release():
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(folder, *packages):
    """A file as pip-audit writes it."""
    path = folder / "audit.json"
    path.write_text(json.dumps({"dependencies": packages, "fixes": []}))
    return path


FINE = {"name": "click", "version": "8.1", "vulns": []}
BAD = {"name": "pillow", "version": "9", "vulns": [{"id": "CVE-1", "fix_versions": ["10"]}]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}
OURS = {"name": "live_emotion", "skip_reason": "Dependency not found on PyPI"}


def test_what_was_not_audited_is_not_said_to_be_without_vulnerabilities(release, tmp_path):
    assert release.audited(answer(tmp_path, FINE, OURS)) == (
        [],
        "pip-audit looked at 1 packages at the versions that were installed and found none.",
    )
    problems, text = release.audited(answer(tmp_path, SKIPPED))
    assert problems == ["The service knows nothing about any of the 1 packages: none was audited."]
    assert text == f"**{problems[0]}**"
    problems, text = release.audited(answer(tmp_path, FINE, SKIPPED))
    assert problems == ["The service knows nothing about 1 of 2 packages, which were not audited."]
    assert "not audited:** torch." in text
    problems, text = release.audited(tmp_path / "none.json")
    assert problems == [text] == ["pip-audit could not look for known vulnerabilities: no service answered."]


def test_vulnerabilities_are_named(release, tmp_path):
    problems, text = release.audited(answer(tmp_path, FINE, BAD))
    assert problems == ["Known vulnerabilities: pillow; see notes.md."]
    assert "| pillow | 9 | CVE-1 | 10 |" in text


def test_direct_dependencies_are_all_and_for_whom(release):
    found = release.direct(str(ROOT / "setup.cfg"))
    assert (found["numpy"], found["torch"], found["ruff"]) == ("", "train", "dev")
    assert "live-emotion" not in found


def test_libraries_with_copyleft_are_seen_in_wheels(release, tmp_path):
    record = tmp_path / "pillow_heif-1.8.1.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text(
        "pillow_heif.libs/libx265-4883ecb5.so.217,sha256=a,1\npillow_heif/.dylibs/libheif.1.dylib,,\n"
        "pillow_heif/libde265-0.dll,,\npillow_heif/heif.py,,\n"
    )
    assert release.bundled(tmp_path) == {
        "pillow-heif": ["libde265, LGPL-3.0-or-later", "libheif, LGPL-3.0-or-later", "x265, GPL-2.0-or-later"]
    }


def test_notes_tell_first_what_obliges(release, tmp_path):
    row = {"Version": "1", "URL": "UNKNOWN"}
    packages = {name: row | {"Name": name, "License": licence} for name, licence in (("a", "MIT"), ("b", "UNKNOWN"))}
    text = release.licence_notes(tmp_path, packages)
    assert text.count("| b | not said |") == 1 and text.count("| a |") == 1 and "UNKNOWN" not in text


@pytest.mark.parametrize("content", [b"weights", b"others"])
def test_weights_in_a_wheel_are_those_whose_hashes_are_noted(release, tmp_path, content):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("live_emotion/weights/a.onnx", content)
        archive.writestr("live_emotion/weights/SHA256SUMS.txt", f"{hashlib.sha256(b'weights').hexdigest()}  a.onnx\n")
        about = "Name: live-emotion\nVersion: 0.2.0\nSummary: of\nLicense-Expression: MIT\n"
        archive.writestr("live_emotion-0.2.0.dist-info/METADATA", about)
    assert 'name = "live-emotion"\nversion = "0.2.0"\n' in release.root(wheel)
    if content == b"weights":
        assert [name for name, _ in release.models(wheel)] == ["weights/a.onnx"]
    else:
        with pytest.raises(SystemExit, match=r"a\.onnx in the wheel is not the one"):
            list(release.models(wheel))


def test_the_changelog_is_quoted_for_its_version(release, monkeypatch):
    monkeypatch.chdir(ROOT)
    heading, text = release.changes("0.2.0")
    assert heading == "## Changes" and text.startswith("- ") and "## " not in text
    assert release.changes("9.9") == []
