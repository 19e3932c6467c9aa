"""Weights in forms that run without their PyTorch code: ONNX, also in int8, and torch.export's."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from live_emotion.emotions.classifier import softmax
from live_emotion.emotions.onnx import INPUT, OUTPUT, OnnxModel
from live_emotion.errors import LiveEmotionError, MissingExtraError
from live_emotion.faces.preprocessing import FACE_SIZE, faces_to_tensor
from live_emotion.io.atomic import atomic_path
from live_emotion.models.checkpoint import Checkpoint, describe

if TYPE_CHECKING:
    from onnx import ModelProto

TOLERANCE = 1e-4
"""Largest difference of a probability between float32 forms of one network."""

FITTING_FACES = 512
"""Fit the ranges of static int8."""

BATCH = 64


@dataclass(frozen=True)
class Agreement:
    """How near an exported network is to the one that it was made of.

    Attributes:
        difference: of a probability, the largest, 0 to 1.
        same: part of the faces with the same emotion.
    """

    difference: float
    same: float


def export_onnx(checkpoint: Checkpoint, opset: int = 18) -> ModelProto:
    """An ONNX model for batches of any size, with the checkpoint's description in its properties as JSON texts.

    Args:
        checkpoint: what to export.
        opset: version of ONNX's operators.

    Raises:
        MissingExtraError: onnx or onnxscript is not installed.
        LiveEmotionError: the network can't be expressed in that version.
    """
    _need("onnx", "onnxscript", "onnxruntime")
    with _quiet():
        try:
            program = torch.onnx.export(
                checkpoint.build(),
                (_example(),),
                dynamo=True,
                opset_version=opset,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
            raise LiveEmotionError(
                f"Cannot export {checkpoint.arch} with ONNX opset {opset}: {str(error).splitlines()[0]}"
            ) from error
    model = program.model_proto
    if model.opset_import[0].version != opset:
        raise LiveEmotionError(f"{checkpoint.arch} can't be written with ONNX opset {opset}; leave --opset out.")
    _forget_origin(model.graph)
    describe_onnx(model, describe(checkpoint))
    return model


def describe_onnx(model: ModelProto, description: dict[str, Any]) -> None:
    """Puts a description, as ``checkpoint.describe`` gives it, into a model's properties."""
    kept = {item.key: item.value for item in model.metadata_props}
    del model.metadata_props[:]
    for name, value in (kept | {name: json.dumps(value) for name, value in description.items()}).items():
        model.metadata_props.add(key=name, value=value)


def quantise(model: ModelProto, faces: np.ndarray | None) -> ModelProto:
    """The model with int8 weights.

    Args:
        model: in float32.
        faces: uint8 (N, 48, 48), which fit the ranges of the activations, so that convolutions compute in int8, too
            (static quantisation). None: ranges are found while it runs, and only in the fully connected layers
            (dynamic quantisation).
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, _quiet():
        whole, prepared, quantised = (Path(folder) / f"{name}.onnx" for name in ("whole", "prepared", "quantised"))
        write_onnx(model, whole)
        # its symbolic shapes stumble over transformers, and it can do without
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        # 7 bits of weight, since 8 overflow on processors without VNNI instructions
        shared = {"weight_type": quantization.QuantType.QInt8, "per_channel": True, "reduce_range": True}
        if faces is None:
            quantization.quantize_dynamic(prepared, quantised, op_types_to_quantize=["Gemm", "MatMul"], **shared)
        else:
            quantization.quantize_static(prepared, quantised, _reader(faces), **shared)
        small = read_onnx(quantised)
    del small.metadata_props[:]
    for item in model.metadata_props:
        small.metadata_props.add(key=item.key, value=item.value)
    return small


def read_onnx(path: Path) -> ModelProto:
    """Reads a model for changing it.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    _need("onnx")
    import onnx

    return onnx.load(path)


def write_onnx(model: ModelProto, path: Path) -> None:
    """Writes a model.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def save_onnx(
    checkpoint: Checkpoint,
    path: Path,
    faces: np.ndarray,
    opset: int = 18,
    int8: bool = False,
    fitting: np.ndarray | None = None,
) -> tuple[OnnxModel, OnnxModel, Agreement]:
    """Exports to a file, after a check against PyTorch.

    Args:
        checkpoint: what to export.
        path: the ``.onnx`` file.
        faces: uint8 (N, 48, 48) to check it on.
        opset: version of ONNX's operators.
        int8: quantise it.
        fitting: the faces of :func:`quantise`.

    Returns:
        the model in float32, the one in the file, which is the same without ``int8``, and how near the latter is to
        PyTorch's.

    Raises:
        OutputError: the file cannot be written.
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
        LiveEmotionError: the network can't be exported, or the export gives other probabilities.
    """
    whole = export_onnx(checkpoint, opset)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "float32.onnx"
        write_onnx(whole, file)
        model = OnnxModel(file, "cpu")
    wanted = probabilities(checkpoint.build(), faces)
    agreement = compare(probabilities(model, faces), wanted)
    _check(agreement)
    if not int8:
        write_onnx(whole, path)
        return model, model, agreement
    write_onnx(quantise(whole, fitting), path)
    small = OnnxModel(path, "cpu")
    return model, small, compare(probabilities(small, faces), wanted)


def save_pt2(checkpoint: Checkpoint, path: Path, faces: np.ndarray) -> Agreement:
    """Writes a program of ``torch.export`` for batches of any size, after a check against PyTorch.

    ``torch.export.load`` reads it; the checkpoint's description lies in its extra file ``description.json``.

    Returns:
        how near the program, as it was read back from the file, is to the network.

    Raises:
        OutputError: the file cannot be written.
        LiveEmotionError: the program gives other probabilities.
    """
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(checkpoint.build(), (_example(),), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names this machine's folders
    with atomic_path(path) as temporary:
        with _quiet():
            extra = {"description.json": json.dumps(describe(checkpoint))}
            torch.export.save(program, temporary, extra_files=extra)
            model = torch.export.load(temporary).module()
        agreement = compare(probabilities(model, faces), probabilities(checkpoint.build(), faces))
        _check(agreement)
    return agreement


def compare(own: np.ndarray, other: np.ndarray) -> Agreement:
    """How near two networks' probabilities of the same faces are, (N, C) each."""
    same = own.argmax(axis=1) == other.argmax(axis=1)
    return Agreement(difference=float(np.abs(own - other).max()), same=float(same.mean()))


@torch.inference_mode()
def probabilities(model: nn.Module, faces: np.ndarray) -> np.ndarray:
    """Uncalibrated probabilities of faces, uint8 (N, 48, 48) -> float32 (N, C)."""
    batches = (faces_to_tensor(faces[i : i + BATCH]) for i in range(0, len(faces), BATCH))
    return softmax(np.concatenate([model(batch).numpy() for batch in batches]))


@torch.inference_mode()
def face_ms(model: nn.Module, runs: int = 30) -> float:
    """Milliseconds for one face, the median of some runs."""
    face, times = _example()[:1], []
    for _ in range(runs):
        begin = time.perf_counter()
        model(face)
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))


def _check(agreement: Agreement) -> None:
    if not agreement.difference < TOLERANCE:  # also for NaN
        raise LiveEmotionError(
            f"The exported network is not the same: a probability differs by {agreement.difference:.2g}; not kept."
        )


def _reader(faces: np.ndarray) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = iter(range(0, len(faces), BATCH))

        def get_next(self) -> dict[str, np.ndarray] | None:
            start = next(self.batches, None)
            return None if start is None else {INPUT: faces_to_tensor(faces[start : start + BATCH]).numpy()}

    return Reader()


def _example() -> Tensor:
    return torch.zeros(2, 1, FACE_SIZE, FACE_SIZE)  # the exporters take a batch of 1 for a constant


def _forget_origin(graph: Any) -> None:
    """Takes out where in which source files each node was made: it names this machine's folders."""
    for items in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer, [graph]):
        for item in items:
            item.ClearField("metadata_props")
            item.ClearField("doc_string")


def _need(*packages: str) -> None:
    import importlib.util

    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        raise MissingExtraError(f"Writing ONNX needs {missing[0]}; install it with: pip install 'live-emotion[onnx]'")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporters' remarks on their own inner life off the screen."""
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
