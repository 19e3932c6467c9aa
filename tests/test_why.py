"""Why a face is read as it is: the regions of a face, what hiding them changes, and the map of where it is seen."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from live_emotion import ArgumentError, EmotionClassifier, EmotionDetector, LiveEmotionError, WeightsError, Why
from live_emotion.cli.main import cli
from live_emotion.concurrency.worker import BackgroundWorker
from live_emotion.emotions.onnx import OnnxNetwork
from live_emotion.emotions.why import explain, heat_map
from live_emotion.faces import regions
from live_emotion.faces.preprocessing import FACE_SIZE, crop_face, normalize_faces
from live_emotion.io.video.demo_clip import demo_frames, read_smile
from live_emotion.models.checkpoint import Checkpoint
from live_emotion.models.class_maps import WithClassMaps
from live_emotion.models.registry import build_model
from live_emotion.models.torch_network import TorchNetwork
from live_emotion.pipelines.live.controls import Controls, Settings
from live_emotion.pipelines.live.explainer import EVERY_S, LONGEST_S, Explainer
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.pipelines.result import Result
from live_emotion.types import EMOTIONS, Frame, Prediction, TrackedFace
from live_emotion.visualization.heat import lay_heat
from train.export.onnx import export_onnx, write_onnx

ROOT = Path(__file__).resolve().parent.parent
NAMES = tuple(region.name for region in regions.REGIONS)
TYPICAL = regions.TYPICAL_KEYPOINTS * FACE_SIZE


@pytest.fixture(scope="module")
def detector():
    with EmotionDetector(device="cpu") as detector:
        yield detector


@pytest.fixture(scope="module")
def smile():
    return read_smile()


@pytest.fixture(scope="module")
def mapping(tmp_path_factory):
    """A small network with class maps, as PyTorch and as ONNX Runtime run it."""
    torch.manual_seed(0)
    model = build_model("mobilenet", num_classes=4, input_size=64).eval()
    path = tmp_path_factory.mktemp("maps") / "maps.onnx"
    write_onnx(export_onnx(Checkpoint.of(model, "mobilenet", EMOTIONS)), path)
    return TorchNetwork(model, EMOTIONS), OnnxNetwork(path, "cpu"), path


def test_regions_follow_the_keypoints():
    masks = regions.region_masks(TYPICAL)
    assert masks.shape == (5, FACE_SIZE, FACE_SIZE)
    assert masks.sum(axis=0).max() == 1, "no two overlap"
    middles = [np.argwhere(mask).mean(axis=0)[0] for mask in masks]
    assert middles == sorted(middles), "from the forehead to the chin"
    whole = TYPICAL.astype(int)
    for name, points in (("eyes", whole[:2]), ("nose and cheeks", whole[2:3]), ("mouth", whole[3:4])):
        assert all(masks[NAMES.index(name)][y, x] for x, y in points), name
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = FACE_SIZE / 2
    matrix = np.hstack([turn.T, (middle - turn.T @ [middle, middle])[:, None]])
    tilted = regions.region_masks(((TYPICAL - middle) @ turn + middle).astype(np.float32))
    for mask, other in zip(masks, tilted):
        turned = cv2.warpAffine(mask.astype(np.float32), matrix, (FACE_SIZE, FACE_SIZE)) > 0.5
        inside = turned & other
        assert inside.sum() > 0.85 * min(turned.sum(), other.sum())


@pytest.mark.parametrize("keypoints", [np.full((6, 2), np.nan), np.full((6, 2), 100.0), TYPICAL[::-1]])
def test_keypoints_that_make_no_face_are_typical_ones(keypoints):
    assert np.array_equal(regions.crop_keypoints(keypoints, (80.0, 80.0, 120.0, 120.0)), TYPICAL)


def test_keypoints_lie_in_the_crop_where_they_lie_on_the_face(detector, smile):
    (face,) = detector.detect(smile)
    inside = regions.crop_keypoints(face.keypoints, face.box)
    assert np.abs(inside - TYPICAL)[:4].max() < 6


def test_what_is_hidden_looks_like_what_is_around_it(detector, smile):
    (face,) = detector.detect(smile)
    crop = crop_face(smile, face.box)
    mask = regions.region_masks(regions.crop_keypoints(face.keypoints, face.box))[NAMES.index("mouth")]
    hidden = regions.hide(crop, mask)
    assert np.array_equal(hidden[~mask], crop[~mask])
    assert hidden[mask].std() < crop[mask].std() / 2
    assert crop[~mask].min() <= hidden[mask].min() and hidden[mask].max() <= crop[~mask].max()
    assert np.array_equal(regions.hide(crop, np.ones_like(mask)), crop), "nothing is left to look like"


def test_a_smile_is_the_mouth(detector, smile):
    (face,) = detector.detect(smile)
    why = detector.why(smile, face)
    assert isinstance(why, Why)
    assert (why.emotion, tuple(why.without), why.regions, why.heat) == ("happy", NAMES, ("mouth",), None)
    assert why.confidence == pytest.approx(face.confidence, abs=1e-6)
    assert str(why).startswith("mostly the mouth: without it ")


@pytest.mark.parametrize(
    ("without", "text"),
    [
        ((0.9, 0.9, 0.9, 0.41, 0.9), "mostly the mouth: without it 41% happy instead of 96%"),
        ((0.2, 0.9, 0.9, 0.9, 0.9), "mostly the forehead and brows: without them 20% happy instead of 96%"),
        ((0.9, 0.3, 0.9, 0.2, 0.9), "the mouth (without it 20%) and the eyes (without them 30%): happy 96% with all"),
        ((0.9, 0.95, 0.9, 0.87, 1.0), "no part alone: happy stays at 87% or more, 96% with all"),
    ],
)
def test_it_is_said_in_words(without, text):
    assert str(Why("happy", 0.96, dict(zip(NAMES, without)))) == text


def test_what_is_nearly_sure_is_told_to_a_tenth_of_a_per_cent():
    why = Why("happy", 0.9968, dict(zip(NAMES, (0.99, 0.99, 0.99, 0.978, 0.99))))
    assert str(why) == "mostly the mouth: without it 97.8% happy instead of 99.7%"


def test_an_emotion_of_other_frames_is_said_to_be_that():
    why = Why("happy", 0.02, dict.fromkeys(NAMES, 0.01))
    assert str(why) == "this image alone shows hardly any of it: happy 2%"


def test_faces_that_cannot_be_read_have_no_why(detector, smile):
    (face,) = detector.detect(smile)
    dark = TrackedFace(face.box, face.score, face.keypoints, face.prediction, note="too dark")
    assert detector.why(smile, dark) is None
    with pytest.raises(ArgumentError, match="face must be a face that detect gave"):
        detector.why(smile, "the first")


@pytest.mark.parametrize("part", [{"box": ""}, {"box": (1, 2)}, {"box": (1, 2, "3", 4)}, {"keypoints": 5}, {"note": 1}])
def test_faces_that_nobody_detected_have_no_why(detector, smile, part):
    (face,) = detector.detect(smile)
    with pytest.raises(ArgumentError, match="a face that detect gave"):
        detector.why(smile, replace(face, **part))


def test_other_is_explained_as_other(detector, smile):
    (face,) = detector.detect(smile)
    other = TrackedFace(face.box, face.score, face.keypoints, face.prediction, note="other")
    why = detector.why(smile, other)
    assert (why.emotion, why.confidence) == ("other", pytest.approx(face.other, abs=1e-6))


def test_the_named_region_matters_more_than_a_random_one(tmp_path, portrait, smile):
    """On real faces that may lie in the repository, by the benchmark that measures it on more."""
    frames = [frame.image for frame in demo_frames() if frame.index % 6 == 0]
    for i, image in enumerate([portrait, portrait[:, ::-1], smile, smile[:, ::-1], *frames]):
        cv2.imwrite(str(tmp_path / f"{i:03}.png"), image)
    command = [
        sys.executable,
        ROOT / "benchmarks" / "why.py",
        tmp_path,
        "--fill",
        "neighbours",
        "--json",
        "figures.json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())["neighbours"]
    assert figures["faces"] >= 20
    assert figures["named"] >= 0.8
    assert figures["fall"] > 2 * figures["fall at random"]
    assert figures["deletion"] < figures["deletion at random"]


def test_maps_are_what_the_logits_are_means_of(mapping, portrait):
    faces = np.stack([portrait[i : i + 48, i : i + 48, 1] for i in (0, 100, 200)])
    for network in mapping[:2]:
        maps = network.maps(faces)
        assert maps.shape == (3, 4, 2, 2)
        assert np.allclose(maps.mean(axis=(2, 3)), network.logits(faces), atol=0.02)
    assert np.allclose(mapping[0].maps(faces), mapping[1].maps(faces), atol=0.02)


def test_the_default_network_has_exact_maps(portrait):
    from live_emotion.models.torch_network import load_module
    from live_emotion.resources import weights_file

    model, _ = load_module(weights_file("best_emotion_model.pth"), "cpu")
    faces = normalize_faces(torch.from_numpy(portrait[None, 100:148, 230:278, 1].copy()))
    with torch.no_grad():
        logits, _, maps = WithClassMaps(model)(faces)
    assert torch.allclose(maps.mean(dim=(2, 3)), logits, atol=1e-4)


def test_maps_lie_where_the_network_looks():
    """Where the pixels are that a place of the map depends on, in sides of the face."""
    torch.manual_seed(0)
    model = build_model("mobilenet", num_classes=2, input_size=112).eval()
    faces = torch.randn(8, 1, FACE_SIZE, FACE_SIZE, requires_grad=True)
    maps = WithClassMaps(model)(faces)[2]
    middle = maps.shape[-1] // 2
    maps[:, 0, middle, middle].sum().backward()
    power = (faces.grad**2).mean(dim=(0, 1))
    at = (torch.arange(FACE_SIZE) + 0.5) / FACE_SIZE
    centre = (power.sum(dim=0) @ at / power.sum()).item()
    expected = model.map_offset + (1 - model.map_offset) * (middle + 0.5) / maps.shape[-1]
    assert centre == pytest.approx(expected, abs=0.03)
    assert expected > 0.55


def test_a_heat_map_is_over_the_face(mapping, detector, smile):
    classifier = EmotionClassifier(mapping[2], "cpu")
    (face,) = detector.detect(smile)
    crop, keypoints = crop_face(smile, face.box), regions.crop_keypoints(face.keypoints, face.box)
    why = explain(classifier, crop, keypoints, "sad", heat=True)
    assert (why.heat.shape, why.heat.dtype) == ((FACE_SIZE, FACE_SIZE), np.float32)
    assert why.heat.min() >= 0 and why.heat.max() == 1
    drawn = lay_heat(smile, face.box, why.heat)
    changed = np.argwhere((drawn != smile).any(axis=2))
    x1, y1, x2, y2 = face.box
    assert len(changed) > 100
    assert (changed.min(axis=0) > (y1 - 40, x1 - 20)).all() and (changed.max(axis=0) < (y2 + 20, x2 + 20)).all()
    for beyond in ((-80.0, -80.0, 60.0, 60.0), (300.0, 300.0, 420.0, 420.0), (900.0, 900.0, 990.0, 990.0)):
        assert lay_heat(smile, beyond, why.heat).shape == smile.shape


def test_networks_without_maps_say_so(tmp_path):
    torch.manual_seed(0)
    checkpoint = Checkpoint.of(build_model("emotion_cnn", channels=(4, 8), hidden=(16,)), "emotion_cnn", EMOTIONS)
    write_onnx(export_onnx(checkpoint), tmp_path / "plain.onnx")
    face = np.full((FACE_SIZE, FACE_SIZE), 90, np.uint8)
    with pytest.raises(WeightsError, match=r"plain\.onnx gives no heat map: export it again"):
        heat_map(EmotionClassifier(tmp_path / "plain.onnx"), face, "sad")
    with pytest.raises(ArgumentError, match="no class maps"):
        heat_map(EmotionClassifier.of(checkpoint.build(), EMOTIONS), face, "sad")


def test_image_says_why(tmp_path, smile, mapping):
    cv2.imwrite(str(tmp_path / "smile.png"), smile)
    photo = str(tmp_path / "smile.png")
    done = CliRunner().invoke(cli, ["image", photo, "--why", "-o", str(tmp_path / "words")])
    assert done.exit_code == 0, done.output
    assert "\n     mostly the mouth: without it" in done.output
    (face,) = json.loads(CliRunner().invoke(cli, ["image", photo, "--why", "--json"]).stdout)[0]["faces"]
    assert f"     {face['why']['text']}\n" in done.output
    assert list(face["why"]["without"]) == list(NAMES)
    plain = CliRunner().invoke(cli, ["image", photo, "--json"])
    assert "why" not in json.loads(plain.stdout)[0]["faces"][0], "nothing unless asked for"
    pictures = {}
    for name, options in (("plain", []), ("map", ["--heat-map"])):
        arguments = ["image", photo, "--weights", str(mapping[2]), "-o", str(tmp_path / name), *options]
        assert CliRunner().invoke(cli, arguments).exit_code == 0
        pictures[name] = [cv2.imread(str(file)) for file in sorted((tmp_path / name).iterdir())]
    assert (pictures["plain"][0] != pictures["map"][0]).any()
    assert pictures["map"][1].shape[1] > pictures["plain"][1].shape[1], "the example shows the map, too"


def result(time_s, track_id=1):
    face = TrackedFace((0.0, 0.0, 9.0, 9.0), 1.0, TYPICAL, Prediction("sad", 0.9, (0.9, 0.1)), track_id)
    return Result(Frame(0, time_s, np.zeros((9, 9, 3), np.uint8)), [face], ("sad", "happy"), 1)


def test_live_nothing_waits_for_an_explanation():
    busy, goes_on, asked = threading.Event(), threading.Event(), []

    def slow(image, face, heat):
        asked.append(heat)
        busy.set()
        assert goes_on.wait(30)
        return Why("sad", 0.9, dict.fromkeys(NAMES, 0.5))

    explainer = Explainer(slow, pytest.fail)
    with BackgroundWorker(1) as worker:
        explainer.offer(result(0.0), False, worker)
        assert busy.wait(30)
        for i in range(1, 50):  # while it works
            explainer.offer(result(i * EVERY_S), False, worker)
        assert explainer.latest(result(0.0).faces, 0.0) is None
        goes_on.set()
    assert 2 <= len(asked) <= 3, "one at work, one waiting, the others dropped"
    last = explainer.latest(result(0.0).faces, 10.0)
    assert last is None or last.time_s < 10


def test_live_explanations_come_five_times_a_second_and_go():
    explainer = Explainer(lambda *_: Why("sad", 0.9, dict.fromkeys(NAMES, 0.5)), pytest.fail)
    calls = []
    for i in range(60):
        with BackgroundWorker(1) as worker:
            explainer.offer(result(i / 30), False, worker)
        calls.append(explainer.latest(result(0).faces, i / 30).time_s)
    assert 9 <= len(set(calls)) <= 11
    assert explainer.latest(result(0, track_id=2).faces, 2.0) is None, "its face has gone"
    assert explainer.latest(result(0).faces, 2.0 + LONGEST_S) is None, "it is old"


def test_live_a_network_without_maps_is_said_once_and_goes_on_in_words():
    said = []

    def explain_(image, face, heat):
        if heat:
            raise LiveEmotionError("no heat map")
        return Why("sad", 0.9, dict.fromkeys(NAMES, 0.5))

    explainer = Explainer(explain_, said.append)
    for i in range(4):
        with BackgroundWorker(1) as worker:
            explainer.offer(result(float(i)), True, worker)
    assert said == ["no heat map"]
    assert explainer.latest(result(0).faces, 3.0).why.heat is None


def test_the_key_goes_from_words_to_a_map_and_off(tmp_path):
    settings = Settings()
    with Recorder(tmp_path) as recorder:
        controls = Controls(settings, recorder)
        states = []
        for _ in range(4):
            controls.press("w", None)
            states.append((settings.why, settings.heat))
    assert states == [(True, False), (True, True), (False, False), (True, False)]
