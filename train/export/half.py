"""ONNX models whose weights lie in the file with 16 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto


def store_half(model: ModelProto) -> None:
    """Stores in float16, in place, all weights that lose nothing by it; the network still computes in float32.

    ONNX Runtime makes them float32 once, when it opens the file. Those of a checkpoint in float16 all fit.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for i, weight in enumerate(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or not weight.dims:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if np.array_equal(half.astype(np.float32), values):
            name = f"{weight.name}_half"
            casts.append(helper.make_node("Cast", [name], [weight.name], to=TensorProto.FLOAT))
            graph.initializer[i].CopyFrom(numpy_helper.from_array(half, name))
    nodes = [*casts, *graph.node]
    graph.ClearField("node")
    graph.node.extend(nodes)
