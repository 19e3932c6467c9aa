"""What the doctor finds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from live_emotion.cli import diagnostics as doctor
from live_emotion.cli.main import cli
from live_emotion.errors import LiveEmotionError, WeightsError
from live_emotion.faces.detection.blazeface import MODELS
from live_emotion.resources import weights_file


@pytest.fixture(scope="module")
def findings():
    return {finding.name: finding for finding in doctor.examine()}


def test_this_machine_has_what_is_needed(findings):
    assert [f.name for f in findings.values() if f.is_fatal] == []
    assert "no network client" in findings["mediapipe"].text
    assert "angry, happy, neutral, sad" in findings["weights"].text
    assert "portrait" in findings["faces"].text


def test_the_terms_of_the_weights_are_told_as_their_model_card_has_them(findings):
    terms, card = findings["licence"].text.split(": see ")
    assert terms.startswith("MIT for the code; ")
    for name in ("VGGFace2 (non-commercial)", "FER2013 (for research use)"):
        assert name in terms and name in Path(card).read_text(encoding="utf-8")


def versions(monkeypatch, **there):
    monkeypatch.setattr(doctor, "_version", lambda package: there.get(package.replace("-", "_")))


def test_two_opencv_packages_over_each_other(monkeypatch):
    versions(monkeypatch, opencv_python="4.10", opencv_contrib_python="5.0")
    finding = doctor.look_at_opencv()
    assert "opencv-python and opencv-contrib-python are installed over each other" in finding.text
    assert finding.fix.startswith("pip uninstall -y opencv-python opencv-contrib-python && pip install")


@pytest.mark.parametrize(
    ("version", "problem"), [("0.10.35", "calls home"), ("1.2.2", "calls home"), ("0.10.21", "fit")]
)
def test_a_mediapipe_that_calls_home(monkeypatch, version, problem):
    versions(monkeypatch, mediapipe=version)
    finding = doctor.look_at_mediapipe_release()
    assert finding.is_fatal
    assert problem in finding.text
    assert finding.fix == "pip install mediapipe==0.10.33"


def test_a_damaged_model(monkeypatch, tmp_path):
    shutil.copytree(weights_file("README.md").parent, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("live_emotion.resources.WEIGHTS_FOLDERS", (tmp_path.resolve(),))
    found = doctor.look_at_models()
    assert "all 9 files of networks are intact" in found.text and not found.fix
    (tmp_path / "mine.pth").write_bytes(b"somebody's own")
    found = doctor.look_at_models()
    assert "all 9 files" in found.text and "mine.pth" in found.fix and not found.is_fatal
    (tmp_path / MODELS["short"]).write_bytes(b"half of it")
    finding = doctor.look_at_models()
    assert finding.is_fatal and MODELS["short"] in finding.text


def test_no_display(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    finding = doctor.look_at_display()
    assert (finding.text, finding.is_fatal) == ("none", False)
    assert "--no-window" in finding.fix


def test_what_fails_is_a_finding_and_the_command_exits_with_1(monkeypatch):
    def look_at_weights():
        raise WeightsError("The weights are damaged; install live-emotion again.")

    def look_at_nothing():
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(doctor, "CHECKS", (doctor.look_at_system, look_at_weights, look_at_nothing))
    done = CliRunner().invoke(cli, ["doctor"])
    assert isinstance(done.exception, LiveEmotionError)
    lines = done.output.splitlines()
    assert lines[0].startswith("  ok  system")
    assert lines[1].startswith(" bad  weights")
    assert "-> The weights are damaged; install live-emotion again." in lines[2]
    assert "ZeroDivisionError: oh no" in lines[3]
