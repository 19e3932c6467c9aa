"""Exported networks: the same answers, in files that say all that is needed to use them."""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from faces import vary, write_faces

from live_emotion import load_model, predict_image
from live_emotion.cli.main import cli as live_emotion
from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.onnx import OnnxNetwork, read_properties
from live_emotion.errors import DeviceError, LiveEmotionError, WeightsError
from live_emotion.faces.preprocessing import normalize_faces
from live_emotion.io.description import PREPROCESSING, NetworkDescription, parse_description
from live_emotion.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from live_emotion.models.embedding import WithEmbedding
from live_emotion.models.registry import build_model
from live_emotion.resources import weights_file
from train.cli.main import cli
from train.export.onnx import save_onnx
from train.export.torch_export import save_pt2

CLASSES = ("awake", "asleep", "unsure")
ROOT = Path(__file__).resolve().parent.parent


def make_checkpoint(arch="emotion_cnn", **dimensions):
    """A network with random weights that answers differently to each face."""
    torch.manual_seed(1)
    model = build_model(arch, num_classes=len(CLASSES), **dimensions)
    with torch.no_grad():
        for parameter in model.parameters():  # some last layers start at 0
            parameter += 0.1 * torch.randn_like(parameter)
        model(torch.rand(64, 1, 48, 48) * 2 - 1)  # gives BatchNorm something to go by
    return replace(Checkpoint.of(model, arch, CLASSES, epoch=7), temperature=1.7)


def run_module(model, faces):
    """Logits and embedding as PyTorch gives them in float32."""
    with torch.inference_mode():
        return [part.numpy() for part in WithEmbedding(model)(normalize_faces(torch.from_numpy(faces)))]


@pytest.fixture(scope="module")
def faces(portrait):
    return np.concatenate([vary(portrait, 40, 1), vary(portrait, 40, 2)[:, ::-1]])


@pytest.fixture(scope="module")
def exported(tmp_path_factory, faces):
    """A checkpoint and the ONNX model made of it."""
    folder = tmp_path_factory.mktemp("exported")
    checkpoint = make_checkpoint(channels=(8, 16), hidden=(32,))
    save_checkpoint(checkpoint, folder / "a.pth")
    save_onnx(checkpoint, folder / "a.onnx", faces)
    return folder / "a.pth", folder / "a.onnx"


@pytest.mark.parametrize("count", [1, 2, 80])
def test_onnx_gives_the_probabilities_of_its_checkpoint_for_any_number_of_faces(exported, faces, count):
    torch_one, onnx_one = map(EmotionClassifier, exported)
    assert onnx_one.class_names == CLASSES
    # the checkpoint may run in bfloat16
    np.testing.assert_allclose(onnx_one.predict(faces[:count]), torch_one.predict(faces[:count]), atol=0.02)


def test_onnx_describes_itself_and_names_no_folder(exported):
    described = {p.key: json.loads(p.value) for p in onnx.load(exported[1]).metadata_props}
    assert described["class_names"] == list(CLASSES)
    assert described["temperature"] == 1.7
    assert described["preprocessing"] == PREPROCESSING
    assert described["metadata"] == {"epoch": 7}
    content = exported[1].read_bytes()
    assert str(ROOT).encode() not in content
    assert b"site-packages" not in content


def test_the_opset_is_as_asked(tmp_path, faces):
    save_onnx(make_checkpoint(channels=(4, 8), hidden=(16,)), tmp_path / "a.onnx", faces[:4], opset=20)
    assert onnx.load(tmp_path / "a.onnx").opset_import[0].version == 20


@pytest.mark.parametrize(
    ("arch", "dimensions"),
    [
        ("emotion_cnn_se", {"channels": (4, 8), "hidden": (16,)}),
        ("emotion_cnn_cbam", {"channels": (4, 8), "hidden": (16,)}),
        ("emotion_resnet", {"channels": (4, 8)}),
        ("mobilenet", {"input_size": 48}),
        ("vit_b_16", {"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 32}),
    ],
)
def test_other_architectures_are_exported(tmp_path, faces, arch, dimensions):
    checkpoint = make_checkpoint(arch, **dimensions)
    _, model, agreement = save_onnx(checkpoint, tmp_path / "a.onnx", faces)
    assert agreement.difference < 1e-4
    plain = checkpoint.build().float()
    wanted = run_module(plain, faces)
    logits, embedding = model.run(faces)
    for found, part in zip((logits, embedding), wanted):
        np.testing.assert_allclose(found, part, atol=1e-4 * np.abs(part).max())
    assert embedding.dtype == np.float32
    assert len(embedding) == len(faces)
    spread = EmotionClassifier(tmp_path / "a.onnx").predict(faces).std(axis=0).max()
    assert spread > 10 * agreement.difference  # it does look at the face
    assert model.class_names == CLASSES


@pytest.mark.parametrize("arch", ["resnet18", "efficientnet_b0"])
def test_torchvisions_networks_give_their_embedding(tmp_path, faces, arch):
    torch.manual_seed(1)
    model = build_model(arch, num_classes=len(CLASSES)).eval()
    save_onnx(Checkpoint.of(model, arch, CLASSES), tmp_path / "a.onnx", faces[:8])
    for found, wanted in zip(OnnxNetwork(tmp_path / "a.onnx").run(faces[:8]), run_module(model, faces[:8])):
        np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


def test_the_weights_that_come_with_it_are_one_network_in_both_files(faces):
    network = OnnxNetwork(weights_file("best_emotion_model.onnx"), "cpu")
    checkpoint = load_checkpoint(weights_file("best_emotion_model.pth"))
    about = NetworkDescription(**{f.name: getattr(checkpoint, f.name) for f in fields(NetworkDescription)})
    properties = {p.key: p.value for p in onnx.load(weights_file("best_emotion_model.onnx")).metadata_props}
    assert parse_description(read_properties(properties), "best_emotion_model.onnx") == about
    for found, wanted in zip(network.run(faces), run_module(checkpoint.build(), faces)):
        assert wanted.std() > 0.1
        np.testing.assert_allclose(found, wanted, atol=1e-3)
    np.testing.assert_array_equal(network.logits(faces), network.run(faces)[0])


def test_weights_in_float16_stay_as_they_are_and_halve_the_file(tmp_path, exported, faces):
    save_checkpoint(load_checkpoint(exported[0]), tmp_path / "half.pth", half=True)
    checkpoint = load_checkpoint(tmp_path / "half.pth")
    save_onnx(checkpoint, tmp_path / "half.onnx", faces)
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * exported[1].stat().st_size
    wanted = run_module(checkpoint.build(), faces)
    for found, part in zip(OnnxNetwork(tmp_path / "half.onnx").run(faces), wanted):
        np.testing.assert_allclose(found, part, atol=1e-4)


def test_a_model_of_an_older_version_has_no_embedding_and_says_so(tmp_path, exported, faces):
    model = onnx.load(exported[1])
    del model.graph.output[1]
    onnx.save(model, tmp_path / "old.onnx")
    network = OnnxNetwork(tmp_path / "old.onnx")
    np.testing.assert_array_equal(network.logits(faces), OnnxNetwork(exported[1]).logits(faces))
    with pytest.raises(WeightsError, match=r"old\.onnx gives no embedding; export it again"):
        network.run(faces)


@pytest.mark.parametrize("static", [False, True])
def test_int8_is_smaller_and_nearly_the_same(tmp_path, exported, faces, static):
    checkpoint = load_checkpoint(exported[0])
    fitting = faces[::2] if static else None
    whole, small, agreement = save_onnx(checkpoint, tmp_path / "8.onnx", faces, int8=True, fitting=fitting)
    assert (tmp_path / "8.onnx").stat().st_size < 0.45 * exported[1].stat().st_size
    assert 0 < agreement.difference < 0.1
    assert small.class_names == whole.class_names == CLASSES
    assert EmotionClassifier(tmp_path / "8.onnx").predict(faces[:1]).shape == (1, 3)
    kinds = {node.op_type for node in onnx.load(tmp_path / "8.onnx").graph.node}
    assert kinds & ({"QuantizeLinear", "QLinearConv"} if static else {"DynamicQuantizeLinear"})


def test_torch_export_writes_the_same_network(tmp_path, exported, faces):
    checkpoint = load_checkpoint(exported[0])
    assert save_pt2(checkpoint, tmp_path / "a.pt2", faces).difference < 1e-5
    extra = {"description.json": ""}
    program = torch.export.load(tmp_path / "a.pt2", extra_files=extra)
    assert json.loads(extra["description.json"])["class_names"] == list(CLASSES)
    assert program.module()(torch.zeros(5, 1, 48, 48)).shape == (5, 3)
    with zipfile.ZipFile(tmp_path / "a.pt2") as archive:
        assert not any(str(ROOT).encode() in archive.read(name) for name in archive.namelist())


def test_an_export_that_differs_is_not_kept(tmp_path, exported, faces, monkeypatch):
    monkeypatch.setattr("train.export.agreement.TOLERANCE", 0.0)
    with pytest.raises(LiveEmotionError, match="not the same"):
        save_onnx(load_checkpoint(exported[0]), tmp_path / "a.onnx", faces)
    with pytest.raises(LiveEmotionError, match="not the same"):
        save_pt2(load_checkpoint(exported[0]), tmp_path / "a.pt2", faces)
    assert not list(tmp_path.iterdir())


def test_every_command_that_takes_weights_takes_onnx(tmp_path, exported, portrait, faces):
    checkpoint, model = map(str, exported)
    for i, name in enumerate(CLASSES):
        write_faces(tmp_path / "data/val" / name, faces[i::20])
    data = ["--data", str(tmp_path / "data")]
    mixed = ["--weights", checkpoint, "--weights", model]
    report = ["-o", str(tmp_path / "report"), "--json"]
    done = CliRunner().invoke(cli, ["evaluate", *mixed, *data, *report])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "report/evaluation.json").read_text())["images"] == 12
    cv2.imwrite(str(tmp_path / "photo.png"), portrait)
    out = ["-o", str(tmp_path / "results"), "--json"]
    done = CliRunner().invoke(live_emotion, ["image", str(tmp_path / "photo.png"), "--weights", model, *out])
    assert done.exit_code == 0, done.output
    (face,) = json.loads(done.stdout)[0]["faces"]
    assert set(face["probabilities"]) == set(CLASSES)


def test_an_onnx_model_is_calibrated(tmp_path, exported, faces):
    for i, name in enumerate(CLASSES):
        write_faces(tmp_path / "data/val" / name, faces[i::3])
    arguments = ["calibrate", "--weights", exported[1], "--data", tmp_path / "data", "-o", tmp_path / "b.onnx"]
    done = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    before, after = EmotionClassifier(exported[1]), EmotionClassifier(tmp_path / "b.onnx")
    p, q = before.predict(faces), after.predict(faces)
    assert np.array_equal(p.argmax(axis=1), q.argmax(axis=1))
    assert np.abs(p - q).max() > 0.001
    assert "Temperature 1.700 ->" in done.output


def test_python_programs_take_it_too(exported, portrait):
    model, class_names = load_model(exported[1])
    assert class_names == CLASSES
    assert model.temperature == 1.7
    emotion, _, probabilities = predict_image(model, portrait, class_names)
    assert emotion == CLASSES[probabilities.argmax()]


def test_the_command_exports_checks_and_refuses_to_write_over(tmp_path, exported):
    arguments = ["export", "--weights", str(exported[0]), "-o", str(tmp_path / "b.onnx")]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "real faces against PyTorch: the same emotion for 100.00%" in done.output
    with pytest.raises(LiveEmotionError, match="exists already"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    "arguments",
    [["-o", "a.tflite"], ["-o", "a.pt2", "--int8", "dynamic"], ["-o", "a.onnx", "--int8", "static"]],
)
def test_what_cannot_be_is_wrong_usage(arguments):
    assert CliRunner().invoke(cli, ["export", "--weights", "none.pth", *arguments]).exit_code == 2


def test_an_exported_model_is_not_exported_or_learnt_from(exported):
    with pytest.raises(WeightsError, match=r"needs the \.pth checkpoint"):
        load_checkpoint(exported[1])


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x0a" * 500])
def test_a_damaged_model_is_one_clear_line(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"a\.onnx"):
        EmotionClassifier(tmp_path / "a.onnx")


def test_a_cut_model_is_one_clear_line(tmp_path, exported):
    (tmp_path / "a.onnx").write_bytes(exported[1].read_bytes()[:5000])
    with pytest.raises(WeightsError, match=r"a\.onnx"):
        EmotionClassifier(tmp_path / "a.onnx")


def test_a_foreign_model_is_one_clear_line(tmp_path, exported):
    model = onnx.load(exported[1])
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(WeightsError, match="no network of live-emotion"):
        EmotionClassifier(tmp_path / "a.onnx")


def test_a_device_that_onnxruntime_lacks_is_one_clear_line(exported):
    import onnxruntime

    lacking = [
        d
        for d, p in (("cuda", "CUDA"), ("mps", "CoreML"))
        if f"{p}ExecutionProvider" not in onnxruntime.get_available_providers()
    ]
    with pytest.raises(DeviceError, match="choose auto, or give"):
        EmotionClassifier(exported[1], device=lacking[0])
