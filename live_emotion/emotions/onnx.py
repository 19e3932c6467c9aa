"""ONNX models: networks that run by onnxruntime, an optional package, in place of PyTorch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from live_emotion.errors import DeviceError, MissingExtraError, WeightsError
from live_emotion.models.checkpoint import check_description

SUFFIX = ".onnx"
INPUT, OUTPUT = "faces", "logits"

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
"""onnxruntime's names for what runs a model."""


class OnnxModel(nn.Module):
    """A model that ``python -m train export`` wrote, used as the PyTorch network that it was made of.

    Args:
        path: the ``.onnx`` file.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``; the last two need a build of onnxruntime for them.

    Attributes:
        class_names: in the order of the logits.
        temperature: what the logits are to be divided by.
        metadata: how the network was trained.

    Raises:
        WeightsError: the file is missing, damaged, or not of live-emotion.
        DeviceError: onnxruntime has no support for the device.
        MissingExtraError: onnxruntime is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], device: str = "auto") -> None:
        super().__init__()
        self._session = _open(path, device)
        description = read_description(self._session.get_modelmeta().custom_metadata_map)
        check_description(description, path)
        self.class_names = tuple(description["class_names"])
        self.temperature = float(description["temperature"])
        self.metadata: dict[str, Any] = description["metadata"]

    def forward(self, faces: Tensor) -> Tensor:
        """Logits of normalised faces: (N, 1, 48, 48) float32 in [-1, 1] -> (N, C) on the CPU."""
        (logits,) = self._session.run([OUTPUT], {INPUT: faces.cpu().contiguous().numpy()})
        return torch.from_numpy(logits)


def is_onnx(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it is an ONNX model."""
    return Path(path).suffix.lower() == SUFFIX


def read_description(properties: Mapping[str, str]) -> dict[str, Any]:
    """The description of a network from a model's properties, each a JSON text; foreign ones are passed over."""
    description = {}
    for name, text in properties.items():
        try:
            description[name] = json.loads(text)
        except ValueError:
            continue
    return description


def _open(path: str | os.PathLike[str], device: str) -> Any:
    if not Path(path).is_file():
        raise WeightsError(f"There is no weights file {path}; check the name, or leave --weights out.")
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(
            f"{path} needs onnxruntime; install it with: pip install 'live-emotion[onnx]', or use a .pth file."
        ) from error
    onnxruntime.disable_telemetry_events()  # Windows builds send some
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what matters is raised
    try:
        return onnxruntime.InferenceSession(os.fspath(path), options, providers=_providers(device))
    except DeviceError:
        raise
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise WeightsError(f"{path} is damaged or is no ONNX model; export it again.") from error


def _providers(device: str) -> list[str]:
    import onnxruntime

    there = onnxruntime.get_available_providers()
    if device == "auto":
        return [p for p in (PROVIDERS["cuda"], PROVIDERS["cpu"]) if p in there]
    wanted = PROVIDERS.get(device.split(":")[0])
    if wanted not in there:
        raise DeviceError(f"onnxruntime can't run on {device} here; use --device auto, or a .pth file.")
    return [wanted] if wanted == PROVIDERS["cpu"] else [wanted, PROVIDERS["cpu"]]
