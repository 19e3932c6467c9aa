"""The networks that come with live-emotion, by their short names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from live_emotion import AnalysisConfig, EmotionClassifier, WeightsError, load_model
from live_emotion.cli.main import cli
from live_emotion.emotions.classifier import load_network
from live_emotion.faces.detection.blazeface import MODELS, BlazeFace
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.resources import (
    MODEL_SUFFIXES,
    check_intact,
    find_weights,
    shipped_hashes,
    shipped_weights,
    weights_file,
)
from live_emotion.types import BEST_WEIGHTS

NAMES = list(shipped_weights())


def card_scores():
    """Accuracy and mean recall by file, in percent as texts, as the table of the model card has them."""
    card = weights_file("README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d.]+) % \| ([\d.]+) % \|", card, re.MULTILINE)
    return {file: scores for file, *scores in rows}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_network_is_what_it_is(name):
    about = shipped_weights()[name]
    network = load_network(name)
    assert (network.class_names, network.other_names) == (about.classes, about.others)
    assert [f"{100 * score:.1f}" for score in (about.accuracy, about.mean_recall)] == card_scores()[about.file]
    assert about.terms


def test_every_network_has_a_name():
    stems = {file.stem for file in weights_file("README.md").parent.iterdir() if file.suffix in (".onnx", ".pth")}
    assert {Path(each.file).stem for each in shipped_weights().values()} == stems


def test_every_model_file_is_the_one_whose_hash_is_noted():
    """After a change: cd weights && sha256sum *.onnx *.pth *.tflite > SHA256SUMS.txt"""
    folder = weights_file("README.md").parent
    found = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.suffix in MODEL_SUFFIXES}
    assert found == shipped_hashes()


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of the shipped folder, in its place."""
    folder = shutil.copytree(weights_file("README.md").parent, tmp_path / "weights").resolve()
    monkeypatch.setattr("live_emotion.resources.WEIGHTS_FOLDERS", (folder,))
    shipped_hashes.cache_clear()
    yield folder
    shipped_hashes.cache_clear()


@pytest.mark.parametrize("name", ["best_emotion_model.onnx", "emotion_cnn.pth", MODELS["short"]])
def test_a_shipped_file_that_was_changed_is_refused_and_ones_own_is_not(name, tmp_path, shipped):
    changed = shipped / name
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} is not the file that came with live-emotion, by its SHA-256"):
        BlazeFace("short", 0.5) if name == MODELS["short"] else load_network(changed, "cpu")
    mine = shutil.copy(weights_file("eight.pth"), tmp_path / "best_emotion_model.pth")
    assert load_network(mine, "cpu").class_names


@pytest.mark.parametrize("name", [*sorted(shipped_hashes())])
def test_a_shipped_file_whose_hash_is_missing_is_refused(name, shipped):
    hashes = shipped / "SHA256SUMS.txt"
    hashes.write_text("".join(line for line in hashes.read_text().splitlines(True) if name not in line))
    with pytest.raises(WeightsError, match="by its SHA-256"):
        check_intact(shipped / name)


def test_a_network_of_ones_own_among_them_loads(shipped):
    mine = shutil.copy(shipped / "best_emotion_model.onnx", shipped / "mine.onnx")
    assert load_network(mine, "cpu").class_names


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="Windows asks who may make links")
def test_a_link_in_place_of_a_shipped_file_is_looked_at(tmp_path, shipped):
    other = shutil.copy(shipped / "large.onnx", tmp_path / "other.onnx")
    (shipped / "best_emotion_model.onnx").unlink()
    (shipped / "best_emotion_model.onnx").symlink_to(other)
    with pytest.raises(WeightsError, match="by its SHA-256"):
        load_network("default", "cpu")


@pytest.mark.parametrize("line", ["{}", "ab12  {}", "", "{0}  {0}", "nothing"])
def test_a_damaged_list_of_hashes_is_one_line(line, shipped):
    (shipped / "SHA256SUMS.txt").write_text(f"{line.format('large.onnx')}\n")
    with pytest.raises(WeightsError, match=r"SHA256SUMS.txt is damaged; install"):
        shipped_hashes()


def test_hashes_are_read_as_windows_writes_them(shipped):
    hashes = shipped / "SHA256SUMS.txt"
    hashes.write_bytes(hashes.read_bytes().replace(b"  ", b" *").replace(b"\n", b"\r\n"))
    check_intact(shipped / "large.onnx")


def test_a_short_name_is_text_and_a_path_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(weights_file("fer2013_labels.pth"), "cnn")
    assert find_weights("cnn") == weights_file("emotion_cnn.pth")
    for file in ("./cnn", Path("cnn"), str(tmp_path / "cnn")):
        assert find_weights(file) == Path(file)
    Path("mine").write_bytes(Path("cnn").read_bytes())
    assert find_weights("mine") == Path("mine")  # a file without a suffix still is one


def test_a_mistyped_name_is_told_from_a_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"No weights are called eigth; give default, large.* or an \.onnx or \.pth"):
        EmotionClassifier("eigth")
    with pytest.raises(WeightsError, match=r"There is no weights file eigth\.onnx"):
        EmotionClassifier("eigth.onnx")
    for path in (f".{os.sep}cnn", Path("cnn")):  # whatever is called so
        with pytest.raises(WeightsError, match=r"There is no weights file .*cnn; check the name"):
            EmotionClassifier(path)


def test_a_program_is_no_weights_file(tmp_path):
    (tmp_path / "a.pt2").touch()
    with pytest.raises(WeightsError, match=r"a\.pt2 is a program for torch\.export\.load"):
        EmotionClassifier(tmp_path / "a.pt2")


def test_of_a_folder_the_weights_in_it_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    for path in ("run", Path("run")):
        with pytest.raises(WeightsError, match=r"^run is a folder; give a file\.$"):
            EmotionClassifier(path)
    best = Path("run") / BEST_WEIGHTS
    best.touch()
    with pytest.raises(WeightsError, match=rf"^run is a folder; its weights are {re.escape(str(best))}\.$"):
        EmotionClassifier("run")


def test_python_programs_take_short_names():
    assert EmotionClassifier(("default", "large")).files == tuple(
        map(weights_file, ("best_emotion_model.onnx", "large.onnx"))
    )
    model, names = load_model("default")
    assert names == model.class_names
    with EmotionAnalyzer(AnalysisConfig(weights="cnn")) as analyzer:
        assert analyzer.classifier.files == (weights_file("emotion_cnn.pth"),)


def test_weights_lists_them():
    text = CliRunner().invoke(cli, ["weights"]).output
    rows = json.loads(CliRunner().invoke(cli, ["weights", "--json"]).output)
    assert [row["name"] for row in rows] == NAMES
    for row in rows:
        assert Path(row["path"]).stat().st_size == row["bytes"]
        for part in (row["name"], row["file"], f"{row['accuracy']:.1%}", f"{row['bytes'] / 1e6:.1f} MB", row["terms"]):
            assert part in text
