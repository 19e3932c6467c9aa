"""Calibrates weights: fits the temperature of their probabilities and stores it with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.emotions.classifier import load_network, softmax
from live_emotion.emotions.onnx import is_onnx
from live_emotion.models.checkpoint import load_checkpoint, save_checkpoint
from train.data.dataset import FaceSet
from train.export.onnx import all_logits, describe_onnx, read_onnx, write_onnx
from train.metrics import calibration_bins, calibration_error, fit_temperature, negative_log_likelihood


def calibrate(weights: Path, faces: FaceSet, device: str = "auto") -> tuple[float, str]:
    """Fits the temperature of weights on faces that they were not trained on.

    Args:
        weights: a checkpoint or ONNX model.
        faces: labelled with the weights' classes and, where there are any, the others behind them.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns:
        the temperature, and a line that says what it changes.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
    """
    network = load_network(weights, device)
    logits = all_logits(network, faces.faces)
    temperature = fit_temperature(logits, faces.labels)
    before = _figures(logits, faces.labels, network.temperature)
    after = _figures(logits, faces.labels, temperature)
    return (
        temperature,
        f"Temperature {network.temperature:.3f} -> {temperature:.3f}: {before} -> {after}, {len(faces)} images",
    )


def store(weights: Path, output: Path, temperature: float, report: str, half: bool = False) -> None:
    """Writes the weights with another temperature.

    Args:
        weights: a checkpoint or ONNX model.
        output: of the same kind; may be ``weights`` itself.
        temperature: to store.
        report: of the calibration, which goes into the metadata.
        half: store a checkpoint's weights in float16; those that are so already stay so.

    Raises:
        WeightsError: the file is missing or damaged.
        OutputError: the file cannot be written.
        MissingExtraError: an ONNX model needs onnx.
    """
    if is_onnx(weights):
        model = read_onnx(weights)
        metadata = load_network(weights, "cpu").metadata | {"calibration": report}
        describe_onnx(model, {"temperature": temperature, "metadata": metadata})
        write_onnx(model, output)
        return
    checkpoint = load_checkpoint(weights)
    metadata = checkpoint.metadata | {"calibration": report}
    calibrated = replace(checkpoint, temperature=temperature, metadata=metadata)
    save_checkpoint(calibrated, output, half=half or checkpoint.half)


def _figures(logits: np.ndarray, labels: np.ndarray, temperature: float) -> str:
    probabilities = softmax(logits, temperature)
    error = calibration_error(calibration_bins(probabilities, labels))
    return (
        f"calibration error {error:.4f}, negative log likelihood {negative_log_likelihood(probabilities, labels):.4f}"
    )
