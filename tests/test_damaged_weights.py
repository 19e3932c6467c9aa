"""Weights files that are damaged, mistyped or absurd: one clear line, whatever is wrong."""

from __future__ import annotations

import json
import math
import pickle
import random
import zipfile

import numpy as np
import pytest
import torch

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.errors import WeightsError
from live_emotion.io.description import KINDS
from live_emotion.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from live_emotion.models.registry import build_model
from live_emotion.types import EMOTIONS

KERNEL = "features.0.0.weight"
DEEP: list = []
DEEP.append(DEEP)


def keep(**values):
    """A damage that puts values into a description."""
    return lambda content: content.update(values)


def lose(name):
    """A damage that takes a part away."""
    return lambda content: content.pop(name)


def reconfigure(**values):
    """A damage to the network's dimensions."""
    return lambda content: content["config"].update(values)


DESCRIPTIONS = {
    **{f"no {name}": lose(name) for name in KINDS if name != "other_names"},  # of the first version
    "version is text": keep(version="1"),
    "version is true": keep(version=True),
    "version is a fraction": keep(version=0.5),
    "version is 0": keep(version=0),
    "newer version": keep(version=99),
    "preprocessing is a list": keep(preprocessing=[48]),
    "other preprocessing": keep(preprocessing={"face_size": 64}),
    "arch is a list": keep(arch=["emotion_cnn"]),
    "config is none": keep(config=None),
    "classes are a text": keep(class_names="angry"),
    "classes are numbers": keep(class_names=[1, 2, 3, 4]),
    "five classes for four logits": keep(class_names=[*EMOTIONS, "bored"]),
    "three classes for four logits": keep(class_names=EMOTIONS[:3]),
    "the same class twice": keep(class_names=["angry", "happy", "sad", "sad"]),
    "others are a text": keep(other_names="fear"),
    "an other that is a class": keep(class_names=EMOTIONS[:3], other_names=["happy"]),
    "an other without an output": keep(other_names=["fear"]),
    "an empty class": keep(class_names=["angry", "happy", "sad", " "]),
    "a class with a line break": keep(class_names=["angry", "happy", "sad", "a\nb"]),
    "no classes": lambda content: (content.update(class_names=[]), content["config"].update(num_classes=0)),
    "no number of outputs": lambda content: content["config"].pop("num_classes"),
    "temperature is text": keep(temperature="warm"),
    "temperature is true": keep(temperature=True),
    "temperature is a list": keep(temperature=[1.0]),
    **{f"temperature is {value}": keep(temperature=value) for value in (0, -1.0, 1e-300, math.inf, math.nan, 10**400)},
    "metadata is a list": keep(metadata=[]),
    "metadata is a text": keep(metadata="epoch 7"),
}
"""Damages to what a file says of its network; they mean the same in a checkpoint and in an ONNX model."""

CHECKPOINTS = {
    "format is a number": keep(format=1),
    "another format": keep(format="other"),
    "no format": lose("format"),
    "unknown architecture": keep(arch="emotion_gpt"),
    "another architecture": keep(arch="resnet18"),
    "unknown dimension": reconfigure(depth=3),
    "a dimension is text": reconfigure(channels="wide"),
    "a dimension is negative": reconfigure(channels=[4, -8]),
    "a dimension is no whole number": reconfigure(channels=[4, 8.5]),
    "no blocks": reconfigure(channels=[]),
    "more blocks than pixels": reconfigure(channels=[4] * 9),
    "a dimension fills the memory": reconfigure(hidden=[10**12]),
    "dropout of 2": reconfigure(block_dropout=2.0),
    "dropout is text": reconfigure(block_dropout="often"),
    "unknown attention": reconfigure(attention="full"),
    "preprocessing is a tensor": keep(preprocessing={"face_size": torch.zeros(2)}),
    "metadata without end": keep(metadata={"a": DEEP}),
}
"""What an ONNX model cannot have, or does not mind."""


def weigh(name, value):
    """A damage to one weight."""
    return lambda content: content["state_dict"].update({name: value})


def spoil(value):
    """A damage to one number of a weight."""

    def damage(content):
        content["state_dict"][KERNEL][0, 0, 0, 0] = value

    return damage


STATES = {
    "no weights": lose("state_dict"),
    "weights are a list": keep(state_dict=[1, 2]),
    "weights are empty": keep(state_dict={}),
    "one weight is missing": lambda content: content["state_dict"].pop(KERNEL),
    "one weight too many": weigh("extra", torch.zeros(2)),
    "a weight's name is a number": weigh(3, torch.zeros(2)),
    "a weight is a number": weigh(KERNEL, 3.0),
    "a weight is none": weigh(KERNEL, None),
    "a weight has another shape": weigh(KERNEL, torch.zeros(4, 1, 5, 5)),
    "a weight has fewer dimensions": weigh(KERNEL, torch.zeros(36)),
    "a weight is of whole numbers": weigh(KERNEL, torch.zeros(4, 1, 3, 3, dtype=torch.int64)),
    "a weight is complex": weigh(KERNEL, torch.zeros(4, 1, 3, 3, dtype=torch.complex64)),
    "a weight is sparse": weigh(KERNEL, torch.zeros(4, 1, 3, 3).to_sparse()),
    "a weight is NaN": spoil(math.nan),
    "a weight is infinite": spoil(-math.inf),
    "a variance is negative": weigh("features.0.1.running_var", torch.full((4,), -1.0)),
    "weights of another network": lambda content: content.update(
        state_dict=build_model("emotion_cnn", channels=(8, 8), hidden=(16,)).state_dict()
    ),
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A whole one, on disk."""
    torch.manual_seed(0)
    model = build_model("emotion_cnn", channels=(4, 8), hidden=(16,))
    path = tmp_path_factory.mktemp("whole") / "whole.pth"
    save_checkpoint(Checkpoint.of(model, "emotion_cnn", EMOTIONS, epoch=7), path)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint, portrait):
    """The ONNX model of it."""
    pytest.importorskip("onnxscript", reason="needs what exports")
    from train.export.onnx import save_onnx

    path = checkpoint.with_suffix(".onnx")
    save_onnx(load_checkpoint(checkpoint), path, np.stack([portrait[i : i + 48, i : i + 48, 1] for i in (0, 100)]))
    return path


def assert_one_line(path):
    """A classifier refuses the file in one line that names it."""
    with pytest.raises(WeightsError) as caught:
        EmotionClassifier(path, device="cpu")
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_whole_files_load(checkpoint, exported):
    for path in (checkpoint, exported):
        assert EmotionClassifier(path, device="cpu").class_names == EMOTIONS


@pytest.mark.parametrize("damage", [pytest.param(d, id=n) for n, d in (DESCRIPTIONS | CHECKPOINTS | STATES).items()])
def test_a_damaged_checkpoint_is_one_clear_line(checkpoint, tmp_path, damage):
    content = torch.load(checkpoint, weights_only=True)
    damage(content)
    torch.save(content, tmp_path / "damaged.pth")
    assert_one_line(tmp_path / "damaged.pth")


@pytest.mark.parametrize("damage", [pytest.param(d, id=n) for n, d in DESCRIPTIONS.items()])
def test_a_damaged_onnx_model_is_one_clear_line(exported, tmp_path, damage):
    import onnx

    model = onnx.load(exported)
    content = {item.key: json.loads(item.value) for item in model.metadata_props}
    damage(content)
    del model.metadata_props[:]
    for name, value in content.items():
        model.metadata_props.add(key=name, value=json.dumps(value))
    onnx.save(model, tmp_path / "damaged.onnx")
    assert_one_line(tmp_path / "damaged.onnx")


def test_an_onnx_model_with_other_outputs_than_it_says_is_one_clear_line(exported, tmp_path):
    import onnx

    model = onnx.load(exported)
    content = {item.key: json.loads(item.value) for item in model.metadata_props}
    content["class_names"].append("bored")
    content["config"]["num_classes"] = 5
    del model.metadata_props[:]
    for name, value in content.items():
        model.metadata_props.add(key=name, value=json.dumps(value))
    onnx.save(model, tmp_path / "damaged.onnx")
    assert_one_line(tmp_path / "damaged.onnx")


@pytest.mark.parametrize("count", [1, 2])
def test_an_onnx_model_for_a_fixed_number_of_faces_is_one_clear_line(exported, tmp_path, count):
    import onnx

    model = onnx.load(exported)
    for item in (*model.graph.input, *model.graph.output):
        item.type.tensor_type.shape.dim[0].dim_value = count
    onnx.save(model, tmp_path / "fixed.onnx")
    assert_one_line(tmp_path / "fixed.onnx")


def test_onnx_weights_that_are_no_numbers_are_one_clear_line(exported, tmp_path):
    import onnx

    model = onnx.load(exported)
    for item in model.graph.initializer:
        values = onnx.numpy_helper.to_array(item)
        if values.dtype == np.float32:
            item.CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, np.nan), item.name))
    onnx.save(model, tmp_path / "damaged.onnx")
    assert_one_line(tmp_path / "damaged.onnx")


def rebuilt(exported, path, *nodes, **constants):
    """The exported model with nodes put behind its logits, which they take as ``inner`` and give as ``logits``."""
    import onnx

    model = onnx.load(exported)
    for node in model.graph.node:
        node.output[:] = ["inner" if name == "logits" else name for name in node.output]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(np.array(v), k) for k, v in constants.items())
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("operator", "options", "shape"), [("ReduceMean", {"keepdims": 1}, [0]), ("Tile", {}, [2, 1])], ids=str
)
def test_an_onnx_model_that_answers_for_other_faces_is_one_clear_line(exported, tmp_path, operator, options, shape):
    import onnx

    node = onnx.helper.make_node(operator, ["inner", "shape"], ["logits"], **options)
    assert_one_line(rebuilt(exported, tmp_path / "other.onnx", node, shape=np.int64(shape)))


def test_an_onnx_model_that_fills_the_memory_is_one_clear_line(exported, tmp_path):
    import onnx

    nodes = [
        onnx.helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        onnx.helper.make_node("ReduceMax", ["large"], ["most"], keepdims=0),
        onnx.helper.make_node("Add", ["inner", "most"], ["logits"]),
    ]
    assert_one_line(rebuilt(exported, tmp_path / "large.onnx", *nodes, shape=np.int64([10**9])))


def test_an_onnx_model_that_never_ends_is_one_clear_line(exported, tmp_path, monkeypatch):
    from onnx import helper

    monkeypatch.setattr("live_emotion.emotions.onnx.LONGEST_TRIAL_S", 0.2)
    ins = [helper.make_tensor_value_info(*each) for each in (("i", 7, []), ("goes_on", 9, []), ("before", 1, None))]
    outs = [helper.make_tensor_value_info(*each) for each in (("goes_on_still", 9, []), ("after", 1, None))]
    steps = [
        helper.make_node("Identity", ["goes_on"], ["goes_on_still"]),
        helper.make_node("Neg", ["before"], ["after"]),
    ]
    loop = helper.make_node("Loop", ["count", "go", "inner"], ["logits"], body=helper.make_graph(steps, "b", ins, outs))
    assert_one_line(rebuilt(exported, tmp_path / "loop.onnx", loop, count=np.int64(10**12), go=np.bool_(True)))


def test_an_onnx_model_that_gives_no_numbers_for_some_faces_says_so(exported, tmp_path):
    import onnx

    nodes = [  # the root of what is negative where a face has white in it
        onnx.helper.make_node("ReduceMax", ["faces"], ["white"], keepdims=0),
        onnx.helper.make_node("Sub", ["half", "white"], ["left"]),
        onnx.helper.make_node("Sqrt", ["left"], ["root"]),
        onnx.helper.make_node("Add", ["inner", "root"], ["logits"]),
    ]
    classifier = EmotionClassifier(rebuilt(exported, tmp_path / "some.onnx", *nodes, half=np.float32(0.5)))
    with pytest.raises(WeightsError, match=r"some\.onnx.*no numbers"):
        classifier.predict(np.full((1, 48, 48), 255, np.uint8))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED], ids=["packed", "overlapping"])
def test_a_checkpoint_that_unpacks_to_more_than_itself_is_not_unpacked(checkpoint, tmp_path, monkeypatch, compression):
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(checkpoint) as whole, zipfile.ZipFile(bomb, "w", compression) as archive:
        for name in whole.namelist():
            archive.writestr(name, bytes(10**7) if name.endswith("data/0") else whole.read(name))
        if compression == zipfile.ZIP_STORED:
            archive.filelist += [archive.getinfo(name) for name in whole.namelist() if name.endswith("data/0")]
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("unpacked"))
    assert_one_line(bomb)


def test_weights_too_large_to_compute_with_are_one_clear_line(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content["state_dict"] = {n: v * 3e38 if n.endswith("weight") else v for n, v in content["state_dict"].items()}
    torch.save(content, tmp_path / "damaged.pth")
    assert_one_line(tmp_path / "damaged.pth")


@pytest.mark.parametrize(
    "content", [b"", b"no weights", b"PK\x03\x04", b"\x80\x02.", pickle.dumps([1]), pickle.dumps(print), b"\x00" * 5000]
)
def test_what_is_no_weights_file_is_one_clear_line(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    assert_one_line(tmp_path / "a.pth")


def test_a_checkpoint_cut_anywhere_is_one_clear_line(checkpoint, tmp_path):
    whole = checkpoint.read_bytes()
    for length in range(1, len(whole) - 1, len(whole) // 40):
        (tmp_path / "a.pth").write_bytes(whole[:length])
        assert_one_line(tmp_path / "a.pth")


def test_a_damaged_pickle_in_a_whole_archive_never_escapes_as_another_error(checkpoint, tmp_path):
    """Bytes of the pickle are exchanged at random; whatever the reader trips over comes out as a WeightsError."""
    with zipfile.ZipFile(checkpoint) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in parts if name.endswith("data.pkl"))
    refused = 0
    for seed in range(150):
        chance, damaged = random.Random(seed), bytearray(parts[name])
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
            for part, content in (parts | {name: bytes(damaged)}).items():
                archive.writestr(part, content)
        try:
            load_checkpoint(tmp_path / "a.pth")
        except WeightsError:
            refused += 1
    assert refused > 75
