"""From faces to probabilities."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

from live_emotion.api import load_model
from live_emotion.emotions.classifier import BATCH, EmotionClassifier, softmax
from live_emotion.errors import ArgumentError, DeviceError, WeightsError
from live_emotion.faces.preprocessing import normalize_faces
from live_emotion.models.checkpoint import Checkpoint, save_checkpoint
from live_emotion.models.registry import build_model
from live_emotion.models.torch_network import TorchNetwork, merge_norms
from live_emotion.resources import weights_file
from live_emotion.types import EMOTIONS


def make_weights(path, class_names=EMOTIONS, seed=0, temperature=1.0):
    """A small network with random weights, on disk."""
    torch.manual_seed(seed)
    model = build_model("emotion_cnn", num_classes=len(class_names), channels=(4, 8), hidden=(16,))
    checkpoint = dataclasses.replace(Checkpoint.of(model, "emotion_cnn", class_names), temperature=temperature)
    save_checkpoint(checkpoint, path)
    return checkpoint.build()


def as_tensor(faces):
    return normalize_faces(torch.from_numpy(faces))


@pytest.fixture
def faces(portrait):
    return np.stack([portrait[i : i + 48, i : i + 48, 1] for i in (0, 100, 200)])


def test_probabilities_are_the_networks(tmp_path, faces):
    model = make_weights(tmp_path / "a.pth")
    probabilities = EmotionClassifier(tmp_path / "a.pth").predict(faces)
    with torch.inference_mode():
        expected = torch.softmax(model(as_tensor(faces)), dim=1).numpy()
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (3, 4)
    np.testing.assert_allclose(probabilities, expected, atol=0.005)  # bfloat16 where the processor has it
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_temperature_flattens_and_keeps_the_order(tmp_path, faces):
    make_weights(tmp_path / "sharp.pth")
    make_weights(tmp_path / "flat.pth", temperature=3.0)
    sharp, flat = (EmotionClassifier(tmp_path / f"{n}.pth").predict(faces) for n in ("sharp", "flat"))
    assert (flat.max(axis=1) < sharp.max(axis=1)).all()
    assert np.array_equal(flat.argsort(axis=1), sharp.argsort(axis=1))


def test_the_embedding_is_what_the_last_layer_makes_the_logits_of(tmp_path, faces):
    model = make_weights(tmp_path / "a.pth")
    (network,) = EmotionClassifier(tmp_path / "a.pth").networks
    logits, embedding = network.run(faces)
    assert embedding.shape == (3, 16)
    assert embedding.dtype == logits.dtype == np.float32
    np.testing.assert_array_equal(logits, network.logits(faces))
    with torch.inference_mode():
        np.testing.assert_allclose(model.classifier[-1](torch.from_numpy(embedding)).numpy(), logits, atol=0.02)


def test_a_network_of_convolutions_alone_has_logits_and_no_embedding(faces):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 48), torch.nn.Flatten())
    (network,) = EmotionClassifier.of(model, EMOTIONS).networks
    assert network.logits(faces).shape == (3, 4)
    with pytest.raises(ArgumentError, match="no fully connected layer"):
        network.run(faces)


def test_several_weights_are_averaged(tmp_path, faces):
    paths = [tmp_path / "a.pth", tmp_path / "b.pth"]
    for seed, path in enumerate(paths):
        make_weights(path, seed=seed)
    single = [EmotionClassifier(path).predict(faces) for path in paths]
    np.testing.assert_allclose(EmotionClassifier(paths).predict(faces), np.mean(single, axis=0), atol=1e-6)


def test_weights_of_other_classes_do_not_mix(tmp_path):
    make_weights(tmp_path / "a.pth")
    make_weights(tmp_path / "b.pth", ("awake", "asleep"))
    with pytest.raises(WeightsError, match="differ in their classes"):
        EmotionClassifier([tmp_path / "a.pth", tmp_path / "b.pth"])


def test_any_class_names_come_from_the_file(tmp_path, faces):
    make_weights(tmp_path / "b.pth", ("awake", "asleep"))
    classifier = EmotionClassifier(tmp_path / "b.pth")
    assert classifier.class_names == ("awake", "asleep")
    for prediction, row in zip(classifier.classify(faces), classifier.predict(faces)):
        assert prediction.emotion == ("awake", "asleep")[row.argmax()]
        assert prediction.confidence == pytest.approx(row.max())


def test_no_faces_run_no_network(tmp_path):
    model = make_weights(tmp_path / "a.pth")
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    classifier = EmotionClassifier.of(model, EMOTIONS)
    calls.clear()  # it was tried out
    assert classifier.predict(np.empty((0, 48, 48), np.uint8)).shape == (0, 4)
    assert classifier.classify(np.empty((0, 48, 48), np.uint8)) == []
    assert not calls


def test_names_for_another_number_of_classes_are_one_clear_line(tmp_path, faces):
    model = make_weights(tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="tells 4 classes apart; give 4 names, as load_model does"):
        EmotionClassifier.of(model, [*EMOTIONS, "bored"]).predict(faces)


def test_the_names_that_are_asked_for_are_those_that_load_model_gives(faces):
    network, names = load_model()
    assert network.other_names
    with pytest.raises(WeightsError, match=f"give {len(names)} names"):
        EmotionClassifier.of(network, ["a"]).predict(faces)


def test_threads_are_kept_to(tmp_path, faces, monkeypatch):
    make_weights(tmp_path / "a.pth")
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    EmotionClassifier(tmp_path / "a.pth")
    EmotionClassifier(tmp_path / "a.pth", threads=1)
    assert asked == [1]


def test_unknown_device_is_one_clear_line(tmp_path):
    make_weights(tmp_path / "a.pth")
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(DeviceError, match=r"is not available here; there is cpu.* Choose one of them, or auto"):
        EmotionClassifier(tmp_path / "a.pth", device=missing)


def test_softmax_is_stable_for_large_logits():
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4, -1e4]])), [[0.5, 0.5, 0]])


def learn_statistics(model, faces):
    """BatchNorm that changes what comes through it, as a trained network's does."""
    generator = torch.Generator().manual_seed(1)
    for norm in (m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d)):
        norm.momentum = 1.0
        with torch.no_grad():
            norm.weight.uniform_(0.5, 1.5, generator=generator)
            norm.bias.uniform_(-0.5, 0.5, generator=generator)
    with torch.no_grad():
        model.train()(as_tensor(np.tile(faces, (4, 1, 1))))
    return model.eval()


@pytest.mark.parametrize(
    ("arch", "dimensions"),
    [("emotion_cnn", {"channels": (4, 8), "hidden": (16,)}), ("emotion_resnet", {}), ("mobilenet", {"input_size": 64})],
)
def test_merging_norms_changes_no_output_and_leaves_none(arch, dimensions, faces):
    torch.manual_seed(0)
    model = learn_statistics(build_model(arch, **dimensions), faces)
    merged = merge_norms(copy.deepcopy(model))
    with torch.inference_mode():
        wanted, found = (each(as_tensor(faces)) for each in (model, merged))
    assert wanted.std() > 0.05
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d) for m in merged.modules())


def test_mobilenets_first_layers_keep_all_their_digits_in_bfloat16(faces, monkeypatch):
    monkeypatch.setattr("live_emotion.models.torch_network.fast_dtype", lambda device: torch.bfloat16)
    torch.manual_seed(0)
    model = learn_statistics(build_model("mobilenet", input_size=64), faces)
    network = TorchNetwork(model, EMOTIONS)
    precise, exact = network.model.precise.state_dict(), merge_norms(copy.deepcopy(model)).precise.state_dict()
    assert all(torch.equal(precise[name], exact[name]) for name in exact)
    assert network.model.features[-1][0].weight.dtype == torch.bfloat16
    assert np.isfinite(network.logits(faces)).all()


def test_many_faces_go_through_in_parts_and_any_strides_are_taken(portrait):
    classifier = EmotionClassifier()
    faces = np.stack([portrait[i : i + 48, i : i + 48, 1] for i in range(3 * BATCH // 2)])
    whole = classifier.predict(faces)
    assert whole.shape == (len(faces), 4)
    np.testing.assert_allclose(whole[:5], classifier.predict(faces[:5]), atol=1e-5)
    np.testing.assert_allclose(classifier.predict(faces[::-1]), whole[::-1], atol=1e-5)
    probabilities, embeddings = classifier.read(np.asfortranarray(faces))
    assert len(probabilities) == len(embeddings) == len(faces)


def test_a_network_that_gives_no_numbers_for_a_face_is_named(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(weights_file("best_emotion_model.onnx").read_bytes())
    classifier = EmotionClassifier(path)
    classifier.networks[0].logits = lambda faces: np.full((len(faces), 9), np.nan, np.float32)
    with pytest.raises(WeightsError, match=r"The network in .*mine\.onnx gives no numbers"):
        classifier.predict(np.zeros((1, 48, 48), np.uint8))
