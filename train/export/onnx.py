"""Weights as ONNX models, which run without PyTorch."""

from __future__ import annotations

import importlib.util
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from live_emotion.emotions.classifier import Network
from live_emotion.emotions.onnx import EMBEDDING, INPUT, LOGITS, MAP_OFFSET, MAPS, OnnxNetwork
from live_emotion.errors import ArgumentError, LiveEmotionError, MissingExtraError
from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.io.description import describe
from live_emotion.io.files.atomic import atomic_path
from live_emotion.models.checkpoint import Checkpoint
from live_emotion.models.class_maps import WithClassMaps
from live_emotion.models.embedding import WithEmbedding
from train.engine.steps import predict_logits
from train.export.agreement import Agreement, check, compare
from train.export.half import store_half
from train.export.quantization import quantize
from train.export.torch_export import export_program, quiet

if TYPE_CHECKING:
    from onnx import ModelProto

BATCH = 64


def export_onnx(checkpoint: Checkpoint, opset: int = 18) -> ModelProto:
    """An ONNX model for batches of any size, with the checkpoint's description in its properties as JSON texts.

    It turns ``faces``, float32 (N, 1, 48, 48) in [-1, 1], into ``logits``, (N, C), ``embedding``, (N, D), and, where
    the network averages features over the face, ``maps``, (N, C, h, w). Its weights are the checkpoint's own numbers:
    BatchNorm is merged by what runs it.

    Args:
        checkpoint: what to export.
        opset: version of ONNX's operators.

    Raises:
        MissingExtraError: onnx or onnxscript is not installed.
        LiveEmotionError: the network can't be expressed in that version.
    """
    _need("onnx", "onnxscript")
    built = checkpoint.build()
    network, outputs = _with_outputs(built)
    with quiet():
        try:
            exported = torch.onnx.export(
                export_program(network),
                dynamo=True,
                opset_version=opset,
                input_names=[INPUT],
                output_names=outputs,
                optimize=False,  # it would merge BatchNorm into the weights, which then need 32 bits
                verbose=False,
            )
            assert exported is not None  # the exporter without dynamo returns nothing
            _simplify(exported.model)
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
            raise LiveEmotionError(
                f"Cannot export {checkpoint.arch} with ONNX opset {opset}: {str(error).splitlines()[0]}"
            ) from error
    model = exported.model_proto
    if model.opset_import[0].version != opset:
        raise LiveEmotionError(f"{checkpoint.arch} can't be written with ONNX opset {opset}; leave --opset out.")
    _forget_origin(model.graph)
    placed = {MAP_OFFSET: getattr(built, MAP_OFFSET, 0.0)} if MAPS in outputs else {}
    describe_onnx(model, describe(checkpoint) | placed)
    return model


def _with_outputs(network: nn.Module) -> tuple[nn.Module, list[str]]:
    """A network that gives all that can be asked of it, and the names of that."""
    try:
        return WithClassMaps(network), [LOGITS, EMBEDDING, MAPS]
    except ArgumentError:  # it has no class maps
        return WithEmbedding(network), [LOGITS, EMBEDDING]


def describe_onnx(model: ModelProto, description: dict[str, Any]) -> None:
    """Puts a description, or a part of one, into a model's properties."""
    kept = {item.key: item.value for item in model.metadata_props}
    del model.metadata_props[:]
    for name, value in (kept | {name: json.dumps(value) for name, value in description.items()}).items():
        model.metadata_props.add(key=name, value=value)


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
) -> tuple[Network, Network, Agreement]:
    """Exports to a file, after a check against PyTorch; weights of a checkpoint in float16 lie in it in float16, too.

    Args:
        checkpoint: what to export.
        path: the ``.onnx`` file.
        faces: uint8 (N, 48, 48) to check it on.
        opset: version of ONNX's operators.
        int8: quantise it.
        fitting: the faces of :func:`train.export.quantization.quantize`.

    Returns:
        the network in float32, the one in the file, which is the same without ``int8``, and how near the latter is to
        PyTorch's.

    Raises:
        OutputError: the file cannot be written.
        MissingExtraError: onnx or onnxscript is not installed.
        LiveEmotionError: the network can't be exported, or the export gives other probabilities.
    """
    model = export_onnx(checkpoint, opset)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "float32.onnx"
        write_onnx(model, file)
        whole = OnnxNetwork(file, "cpu")
    wanted = predict_logits(checkpoint.build(), faces)
    agreement = compare(all_logits(whole, faces), wanted)
    check(agreement)
    if not int8:
        if checkpoint.half:
            store_half(model)
        write_onnx(model, path)
        return whole, whole, agreement
    write_onnx(quantize(model, fitting), path)
    small = OnnxNetwork(path, "cpu")
    return whole, small, compare(all_logits(small, faces), wanted)


def all_logits(network: Network, faces: np.ndarray) -> np.ndarray:
    """Logits of many faces, uint8 (N, 48, 48) -> float32 (N, C)."""
    return np.concatenate([network.logits(faces[i : i + BATCH]) for i in range(0, len(faces), BATCH)])


def face_ms(network: Network, runs: int = 30) -> float:
    """Milliseconds for one face, the median of some runs."""
    face, times = np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8), []
    for _ in range(runs):
        begin = time.perf_counter()
        network.logits(face)
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))


def _simplify(model: Any) -> None:
    """Computes what is constant, and takes out what nothing reads."""
    from onnxscript import optimizer

    optimizer.inline(model)
    optimizer.fold_constants(model)
    optimizer.remove_unused_nodes(model)


def _forget_origin(graph: Any) -> None:
    """Takes out where in which source files each node was made: it names this machine's folders."""
    for items in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer, [graph]):
        for item in items:
            item.ClearField("metadata_props")
            item.ClearField("doc_string")


def _need(*packages: str) -> None:
    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        raise MissingExtraError(f"Writing ONNX needs {missing[0]}; install it with: pip install 'live-emotion[train]'")
