"""TensorFlow.js graph models, a JSON file that lists weights and binary files beside it, and a MobileNet of one."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from live_emotion.errors import WeightsError
from live_emotion.faces.preprocessing import PIXEL_MEAN, PIXEL_SCALE, faces_to_tensor
from live_emotion.models.mobilenet import WIDTHS, ConvNorm, MobileNet

SUFFIX = ".json"
"""Of such files' names."""

KINDS = ("float32", "float16", "int32")

MEAN_BGR = (103.939, 116.779, 123.68)
"""What Keras subtracts from the pixels for networks that were trained in the manner of Caffe."""

SAMPLE = 512
"""How many faces tell mean and variance of a layer's outputs."""


def read_graph_model(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of a graph model by name, with their shapes; float16 becomes float32.

    Raises:
        WeightsError: a file is missing, damaged or of another kind.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        arrays: dict[str, np.ndarray] = {}
        for group in content["weightsManifest"]:
            data = b"".join((file.parent / Path(name).name).read_bytes() for name in group["paths"])
            arrays |= _split(data, group["weights"])
        return arrays
    except OSError as error:
        raise WeightsError(
            f"Cannot read {error.filename}: {error.strerror}; get {file.name} with all its parts."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged or is no TensorFlow.js graph model; get it again.") from error


def _split(data: bytes, described: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    arrays, begin = {}, 0
    for item in described:
        kind = item.get("quantization", item)["dtype"]
        if kind not in KINDS:
            raise ValueError(f"numbers of the kind {kind}")
        shape = tuple(item["shape"])
        array = np.frombuffer(data, np.dtype(kind).newbyteorder("<"), math.prod(shape), begin)
        begin += array.nbytes
        arrays[item["name"]] = array.astype(np.float32 if kind == "float16" else kind).reshape(shape)
    if begin != len(data):
        raise ValueError("another length than described")
    return arrays


@torch.no_grad()
def fill_mobilenet(model: MobileNet, arrays: Mapping[str, np.ndarray], faces: np.ndarray) -> float:
    """Fills all but the last layer with the weights of a Keras MobileNet for pictures in BGR, as a graph model.

    There each BatchNorm is merged into factors and offsets. Here it gets the mean and variance that a sample of the
    faces has in its layer, and such a factor and offset that the layer computes what it does there.

    Args:
        model: changed in place; in evaluation mode afterwards.
        arrays: of the graph model, by its names.
        faces: uint8 (N, 48, 48), such as the network will see.

    Returns:
        the part of the network's values that was filled, 0 to 1.

    Raises:
        WeightsError: the graph model is of another network.
    """
    features = faces_to_tensor(faces[:: max(1, len(faces) // SAMPLE)])
    steps = _steps(arrays)
    try:
        for layer in model.features.eval():
            if not isinstance(layer, ConvNorm):
                features = layer(features)
                continue
            *before, norm, activation = layer
            kernel, factor, offset = next(steps)
            if before[-1].weight.shape != kernel.shape:
                raise ValueError("another shape")
            before[-1].weight.copy_(kernel)
            for part in before:
                features = part(features)
            variance, mean = torch.var_mean(features, dim=(0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(factor * torch.sqrt(variance + norm.eps))
            norm.bias.copy_(offset + factor * mean)
            features = activation(norm(features))
    except (KeyError, ValueError, RuntimeError) as error:
        raise WeightsError("The graph model is of another network than MobileNet for faces; choose another.") from error
    sizes = {name: value.numel() for name, value in model.state_dict().items()}
    return sum(size for name, size in sizes.items() if name.startswith("features.")) / sum(sizes.values())


def _steps(arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[Tensor, Tensor | float, Tensor]]:
    """Kernel, factor and offset of each convolution, the first one for one grey channel in [-1, 1]."""
    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def dense(name: str) -> Tensor:
        return weights[f"{name}/convolution/merged_input"].permute(3, 2, 0, 1)

    def offset(name: str) -> Tensor:
        return weights[f"{name}_bn/batchnorm_1/sub"].flatten()

    kernel = dense("conv1")
    shift = torch.tensor([PIXEL_MEAN - mean for mean in MEAN_BGR])
    yield (
        kernel.sum(dim=1, keepdim=True) * PIXEL_SCALE,
        1.0,
        offset("conv1") + torch.einsum("oihw,i->o", kernel, shift),
    )
    for i in range(1, len(WIDTHS)):
        factor = weights[f"conv_dw_{i}_bn/batchnorm_1/mul"].flatten()
        yield weights[f"conv_dw_{i}/depthwise_kernel"].permute(2, 3, 0, 1), factor, offset(f"conv_dw_{i}")
        yield dense(f"conv_pw_{i}"), 1.0, offset(f"conv_pw_{i}")
