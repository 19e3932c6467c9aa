"""Fits the temperature that makes a checkpoint's confidence true, and stores it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from live_emotion.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from live_emotion.classifier import softmax
from live_emotion.model import pick_device
from train.data import FaceSet
from train.engine import predict_logits
from train.metrics import calibration_bins, calibration_error, fit_temperature, negative_log_likelihood


def calibrate(weights: Path, faces: FaceSet, device: str = "auto") -> tuple[Checkpoint, str]:
    """Fits the temperature of a checkpoint on faces that it was not trained on.

    Returns:
        the checkpoint with its new temperature, and a line that says what it changed.

    Raises:
        WeightsError: the file is missing or damaged.
        DeviceError: the device is not available.
    """
    checkpoint = load_checkpoint(weights)
    logits = predict_logits(checkpoint.build().to(pick_device(device)), faces.faces)
    temperature = fit_temperature(logits, faces.labels)
    before = _figures(logits, faces.labels, checkpoint.temperature)
    after = _figures(logits, faces.labels, temperature)
    report = f"Temperature {checkpoint.temperature:.3f} -> {temperature:.3f}: {before} -> {after}, {len(faces)} images"
    metadata = checkpoint.metadata | {"calibration": report}
    return replace(checkpoint, temperature=temperature, metadata=metadata), report


def store(checkpoint: Checkpoint, path: Path) -> None:
    """Writes the calibrated checkpoint in the precision in which it was stored.

    Raises:
        OutputError: the file cannot be written.
    """
    save_checkpoint(checkpoint, path, half=checkpoint.half)


def _figures(logits: np.ndarray, labels: np.ndarray, temperature: float) -> str:
    probabilities = softmax(logits, temperature)
    error = calibration_error(calibration_bins(probabilities, labels))
    return (
        f"calibration error {error:.4f}, negative log likelihood {negative_log_likelihood(probabilities, labels):.4f}"
    )
