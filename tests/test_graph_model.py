import json

import numpy as np
import pytest
import torch
from faces import vary, write_data
from torch.nn import functional as F

from live_emotion.errors import WeightsError
from live_emotion.faces.preprocessing import faces_to_tensor
from live_emotion.models.checkpoint import load_checkpoint
from live_emotion.models.emotion_cnn import build_model
from live_emotion.models.mobilenet import HALVING, WIDTHS
from train.config import TrainConfig
from train.engine.graph_model import MEAN_BGR, read_graph_model
from train.engine.pretrained import load_pretrained
from train.engine.trainer import FINAL, train

SIDE = 64


def write_graph_model(path, kind="float32", seed=0):
    """A MobileNet for colours as TensorFlow.js has it, BatchNorm merged, its weights in two parts."""
    rng = np.random.default_rng(seed)

    def kernel(*shape, fan_in):
        return rng.normal(0, np.sqrt(2 / fan_in), shape)

    arrays = {"conv1/convolution/merged_input": kernel(3, 3, 3, WIDTHS[0], fan_in=27) / 60}
    arrays["conv1_bn/batchnorm_1/sub"] = rng.normal(0, 0.3, WIDTHS[0])
    for i in range(1, len(WIDTHS)):
        inputs, outputs = WIDTHS[i - 1 : i + 1]
        arrays[f"conv_dw_{i}/depthwise_kernel"] = kernel(3, 3, inputs, 1, fan_in=9)
        arrays[f"conv_dw_{i}_bn/batchnorm_1/mul"] = rng.uniform(0.5, 1.5, (1, 1, inputs))
        arrays[f"conv_dw_{i}_bn/batchnorm_1/sub"] = rng.normal(0, 0.3, (1, 1, inputs))
        arrays[f"conv_pw_{i}/convolution/merged_input"] = kernel(1, 1, inputs, outputs, fan_in=inputs)
        arrays[f"conv_pw_{i}_bn/batchnorm_1/sub"] = rng.normal(0, 0.3, (outputs,))
    stored = {name: array.astype(kind) for name, array in arrays.items()}
    described = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in stored.items()]
    if kind == "float16":
        described = [item | {"quantization": {"dtype": kind, "original_dtype": "float32"}} for item in described]
    data = b"".join(array.tobytes() for array in stored.values())
    parts = {"a.bin": data[:1000], "b.bin": data[1000:]}
    for name, part in parts.items():
        (path.parent / name).write_bytes(part)
    path.write_text(json.dumps({"weightsManifest": [{"paths": list(parts), "weights": described}]}))
    return {name: array.astype(np.float32) for name, array in stored.items()}


def run_graph_model(arrays, pixels):
    """What the network in the file computes of (N, 3, H, W) BGR pixels, 0 to 255, up to its last convolution."""

    def convolve(x, kernel, stride, groups=1):
        x = F.pad(x, (0, 1, 0, 1)) if stride == 2 else F.pad(x, (kernel.shape[-1] // 2,) * 4)
        return F.conv2d(x, kernel, stride=stride, groups=groups)

    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    x = pixels - torch.tensor(MEAN_BGR).view(1, 3, 1, 1)
    x = convolve(x, weights["conv1/convolution/merged_input"].permute(3, 2, 0, 1), 2)
    x = F.relu6(x + weights["conv1_bn/batchnorm_1/sub"].view(1, -1, 1, 1))
    for i in range(1, len(WIDTHS)):
        kernel = weights[f"conv_dw_{i}/depthwise_kernel"].permute(2, 3, 0, 1)
        x = convolve(x, kernel, 2 if i in HALVING else 1, groups=WIDTHS[i - 1])
        factor, offset = (weights[f"conv_dw_{i}_bn/batchnorm_1/{part}"].view(1, -1, 1, 1) for part in ("mul", "sub"))
        x = F.relu6(x * factor + offset)
        x = convolve(x, weights[f"conv_pw_{i}/convolution/merged_input"].permute(3, 2, 0, 1), 1)
        x = F.relu6(x + weights[f"conv_pw_{i}_bn/batchnorm_1/sub"].view(1, -1, 1, 1))
    return x


@torch.inference_mode()
def test_a_network_for_colours_sees_the_same_in_grey_faces(tmp_path, portrait):
    arrays = write_graph_model(tmp_path / "model.json")
    faces = vary(portrait, 6, 1)
    model = build_model("mobilenet", input_size=SIDE)
    assert load_pretrained(model, tmp_path / "model.json", faces) > 0.99
    grey = F.interpolate(torch.from_numpy(faces)[:, None].float(), size=(SIDE, SIDE), mode="bilinear")
    wanted = run_graph_model(arrays, grey.expand(-1, 3, -1, -1))
    found = model.eval().features(faces_to_tensor(faces))
    inside = (..., slice(0, -1), slice(0, -1))  # a border of zeros is mid grey for one, the mean colour for the other
    assert wanted.std() > 0.1
    torch.testing.assert_close(found[inside], wanted[inside], rtol=0.05, atol=0.05)


def test_a_network_begins_to_learn_from_it(tmp_path, portrait):
    arrays = write_graph_model(tmp_path / "model.json")
    data = write_data(tmp_path / "data", portrait, train=4, val=2)
    pretrained, network = tmp_path / "model.json", (f"input_size={SIDE}",)
    config = TrainConfig(
        data=data,
        output=tmp_path / "run",
        arch="mobilenet",
        network=network,
        pretrained=pretrained,
        freeze=True,
        epochs=1,
    )
    train(config)
    state = load_checkpoint(config.output / FINAL).state_dict
    kernel = torch.from_numpy(arrays["conv_pw_13/convolution/merged_input"]).permute(3, 2, 0, 1)
    assert torch.equal(state["features.27.0.weight"], kernel)


def test_half_precision_is_read(tmp_path):
    arrays = write_graph_model(tmp_path / "model.json", "float16")
    found = read_graph_model(tmp_path / "model.json")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array)


def damage_json(folder):
    (folder / "model.json").write_text('{"weightsManifest": [')


def damage_kind(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"float32"', '"object"'))


def cut_part(folder):
    (folder / "b.bin").write_bytes((folder / "b.bin").read_bytes()[:-4])


def lengthen_part(folder):
    (folder / "b.bin").write_bytes((folder / "b.bin").read_bytes() + b"1234")


def lose_part(folder):
    (folder / "a.bin").unlink()


def lose_layer(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace("conv_pw_7/", "other/"))


def damage_list(folder):
    (folder / "model.json").write_text('{"weightsManifest": [{"paths": [], "weights": ["conv1"]}]}')


def swap_layers(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace("conv1_bn/", "conv0_bn/").replace("conv_pw_1_bn/", "conv1_bn/"))


@pytest.mark.parametrize(
    "harm", [damage_list, swap_layers, damage_json, damage_kind, cut_part, lengthen_part, lose_part, lose_layer]
)
def test_damage_is_one_clear_error(tmp_path, portrait, harm):
    write_graph_model(tmp_path / "model.json")
    harm(tmp_path)
    with pytest.raises(WeightsError, match=r"get it again|a\.bin|another network"):
        load_pretrained(build_model("mobilenet", input_size=SIDE), tmp_path / "model.json", vary(portrait, 2, 1))


def test_only_its_own_architecture_takes_it(tmp_path, portrait):
    write_graph_model(tmp_path / "model.json")
    with pytest.raises(WeightsError, match="--arch mobilenet"):
        load_pretrained(build_model("emotion_cnn"), tmp_path / "model.json", vary(portrait, 2, 1))


def test_a_picture_too_small_for_the_network_is_refused():
    with pytest.raises(ValueError, match="input_size must be at least 32"):
        build_model("mobilenet", input_size=31)
    assert build_model("mobilenet", input_size=32).eval()(torch.zeros(1, 1, 48, 48)).shape == (1, 4)
