"""ONNX models with weights of 8 bits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from live_emotion.emotions.onnx import INPUT, import_onnxruntime
from live_emotion.faces.preprocessing import normalize_faces
from train.export.torch_export import quiet

if TYPE_CHECKING:
    from onnx import ModelProto

FITTING_FACES = 512
"""Fit the ranges of static int8."""

BATCH = 64


def quantize(model: ModelProto, faces: np.ndarray | None) -> ModelProto:
    """The model with int8 weights.

    Args:
        model: in float32.
        faces: uint8 (N, 48, 48), which fit the ranges of the activations, so that convolutions compute in int8, too
            (static quantisation). None: ranges are found while it runs, and only in the fully connected layers
            (dynamic quantisation).
    """
    import_onnxruntime()
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, quiet():
        file = Path(folder) / "model.onnx"
        onnx.save(model, file)
        # its symbolic shapes stumble over transformers, and it can do without
        quant_pre_process(file, file, skip_symbolic_shape=True)
        prepared = onnx.load(file)
        prepared.graph.ClearField("value_info")  # else the shapes of weights that it transposes contradict each other
        # 7 bits of weight, since 8 overflow on processors without VNNI instructions
        shared = {"weight_type": quantization.QuantType.QInt8, "per_channel": True, "reduce_range": True}
        if faces is None:
            quantization.quantize_dynamic(prepared, file, op_types_to_quantize=["Gemm", "MatMul"], **shared)
        else:
            quantization.quantize_static(prepared, file, _reader(faces), **shared)
        small = onnx.load(file)
    del small.metadata_props[:]
    for item in model.metadata_props:
        small.metadata_props.add(key=item.key, value=item.value)
    return small


def _reader(faces: np.ndarray) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = iter(range(0, len(faces), BATCH))

        def get_next(self) -> dict[str, np.ndarray] | None:
            start = next(self.batches, None)
            return None if start is None else {INPUT: normalize_faces(faces[start : start + BATCH])}

    return Reader()
