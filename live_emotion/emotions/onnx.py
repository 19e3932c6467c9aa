"""Runs networks by ONNX Runtime, without PyTorch."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from live_emotion.concurrency.cpu import cores
from live_emotion.errors import DeviceError, WeightsError
from live_emotion.faces.preprocessing import FACE_SIZE, PIXEL_MEAN, normalize_faces
from live_emotion.io.description import check_weights_file, damaged, parse_description
from live_emotion.io.files.inputs import read_file
from live_emotion.types import StrPath

SUFFIX = ".onnx"
INPUT, LOGITS, EMBEDDING, MAPS = "faces", "logits", "embedding", "maps"
"""Names of what goes into an exported network and what comes out of it."""

MAP_OFFSET = "map_offset"
"""Name of the property that says where class maps lie on the face."""

MOST_MEMORY = 1_250_000_000
"""That all networks of this process may take on the CPU, in bytes: a small file may ask for any."""

LONGEST_TRIAL_S = 10.0
"""How long a network may take for its first face, in seconds: a small file may loop for ever."""

LARGEST_EMBEDDING = 65_536
"""Numbers in an embedding."""

NO_MEMORY = "Failed to allocate memory"
"""How ONNX Runtime says that the machine has no more."""

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
"""ONNX Runtime's names for what runs a model."""


class OnnxNetwork:
    """A network that ``python -m train export`` wrote.

    Args:
        path: the ``.onnx`` file.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``; the last two need a build of ONNX Runtime for them.
        threads: processor cores to use; 0: all.

    Attributes:
        class_names: C names, of the first logits in their order.
        other_names: K names, of the logits after those: what is none of the classes.
        temperature: what the logits are to be divided by.
        metadata: how the network was trained.
        map_offset: where class maps begin inside the face, from the left and from the top, in sides of it.

    Raises:
        WeightsError: the file is missing, damaged, or not of live-emotion.
        DeviceError: ONNX Runtime has no support for the device.
    """

    def __init__(self, path: StrPath, device: str = "auto", threads: int = 0) -> None:
        self._session = _open(path, device, threads)
        properties = read_properties(self._session.get_modelmeta().custom_metadata_map)
        about = parse_description(properties, path)
        self.class_names, self.other_names = about.class_names, about.other_names
        self.temperature, self.metadata = about.temperature, about.metadata
        self.map_offset = properties.get(MAP_OFFSET, 0.0)
        if not isinstance(self.map_offset, (int, float)) or not 0 <= self.map_offset < 1:
            raise damaged(path, f"its {MAP_OFFSET} makes no sense")
        inputs = {item.name: item.shape[1:] for item in self._session.get_inputs()}
        outputs = {item.name: item.shape[1:] for item in self._session.get_outputs()}
        self._has_embedding, self._has_maps, self._path = EMBEDDING in outputs, MAPS in outputs, path
        if inputs != {INPUT: [1, FACE_SIZE, FACE_SIZE]} or outputs.get(LOGITS) != [len(about.outputs)]:
            raise damaged(path, f"its network does not turn faces into {len(about.outputs)} logits")
        self._try_out()

    def logits(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C + K)."""
        return self._run(faces, LOGITS)[0]

    def run(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (N, 48, 48) -> logits, float32 (N, C + K), and the embedding that they are made of, float32 (N, D).

        Raises:
            WeightsError: the file is of a version that exported no embedding.
        """
        if not self._has_embedding:
            raise WeightsError(f"{self._path} gives no embedding; export it again with this version of live-emotion.")
        logits, embedding = self._run(faces, LOGITS, EMBEDDING)
        return logits, embedding

    def maps(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> class maps, float32 (N, C + K, h, w), whose means over the face are the logits.

        Raises:
            WeightsError: the file has none, since it is of an older version or its network has none.
        """
        if not self._has_maps:
            raise WeightsError(
                f"{self._path} gives no heat map: export it again with this version of live-emotion, or train a "
                "network that averages over the face, such as --arch mobilenet."
            )
        return self._run(faces, MAPS)[0]

    def _run(self, faces: np.ndarray, *names: str, options: Any = None) -> list[np.ndarray]:
        """These outputs for faces, uint8 (N, 48, 48). A graph may compute anything, so each answer is looked at.

        Args:
            faces: what to run it on.
            names: of the outputs.
            options: onnxruntime's ``RunOptions``, by which another thread can end it.

        Raises:
            WeightsError: they are not what their names say, or cannot be computed.
            MemoryError: there is not enough memory.
        """
        try:
            found = self._session.run(names, {INPUT: normalize_faces(faces)}, options)
        except Exception as error:  # onnxruntime's errors have no base of their own
            if NO_MEMORY in str(error):
                raise MemoryError(str(error)) from error
            raise damaged(self._path, "its network does not run") from error
        for name, output in zip(names, found):
            if not self._fits(name, output, len(faces)):
                raise damaged(self._path, f"its {name} makes no sense")
            if not np.isfinite(output).all():
                raise damaged(self._path, "its network gives no numbers")
        return found

    def _fits(self, name: str, output: Any, count: int) -> bool:
        """Whether an output can be that of this name for so many faces."""
        if not isinstance(output, np.ndarray) or output.dtype != np.float32 or output.shape[:1] != (count,):
            return False
        shape, outputs = output.shape[1:], len(self.class_names) + len(self.other_names)
        if name == LOGITS:
            return shape == (outputs,)
        if name == EMBEDDING:
            return len(shape) == 1 and 0 < shape[0] <= LARGEST_EMBEDDING
        return len(shape) == 3 and shape[0] == outputs and all(0 < side <= FACE_SIZE for side in shape[1:])

    def _try_out(self) -> None:
        """Shows it a face, within a time.

        Raises:
            WeightsError: that fails.
        """
        names = [LOGITS, *[EMBEDDING] * self._has_embedding, *[MAPS] * self._has_maps]
        options = import_onnxruntime().RunOptions()
        watch = threading.Timer(LONGEST_TRIAL_S, setattr, (options, "terminate", True))
        watch.start()
        try:
            self._run(np.full((1, FACE_SIZE, FACE_SIZE), round(PIXEL_MEAN), np.uint8), *names, options=options)
        finally:
            watch.cancel()


def is_onnx(path: StrPath) -> bool:
    """Whether a file's name says that it is an ONNX model."""
    return Path(path).suffix.lower() == SUFFIX


def read_properties(properties: Mapping[str, str]) -> dict[str, Any]:
    """A model's properties, each of which is a JSON text; foreign ones are passed over."""
    content = {}
    for name, text in properties.items():
        try:
            content[name] = json.loads(text)
        except (ValueError, RecursionError):
            continue
    return content


def import_onnxruntime() -> Any:
    """The module ``onnxruntime``, told to send nothing; the only way to it."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read while it is imported
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # Windows builds send some
    return onnxruntime


def _open(path: StrPath, device: str, threads: int) -> Any:
    check_weights_file(path)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what matters is raised
    options.intra_op_num_threads = threads or cores()
    for pool in ("intra", "inter"):  # a thread that has nothing to do sleeps: the detector wants the core
        options.add_session_config_entry(f"session.{pool}_op.allow_spinning", "0")
    _limit_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    providers = _providers(onnxruntime.get_available_providers(), device)
    try:
        content = read_file(path)  # onnxruntime itself opens no file whose name is no text
        return onnxruntime.InferenceSession(content, options, providers=providers)
    except OSError as error:
        raise WeightsError(f"Cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise WeightsError(f"{path} is damaged or is no ONNX model; export it again.") from error


@functools.cache
def _limit_memory() -> None:
    """Gives all sessions of this process one arena, which grows to :data:`MOST_MEMORY`."""
    onnxruntime = import_onnxruntime()
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    with contextlib.suppress(Exception):  # the program that we are a part of has one already
        onnxruntime.create_and_register_allocator(
            onnxruntime.OrtMemoryInfo("Cpu", *kind), onnxruntime.OrtArenaCfg({"max_mem": MOST_MEMORY})
        )


def _providers(there: list[str], device: str) -> list[str]:
    if device == "auto":
        return [p for p in (PROVIDERS["cuda"], PROVIDERS["cpu"]) if p in there]
    wanted = PROVIDERS.get(device.split(":")[0])
    if wanted not in there:
        raise DeviceError(f"onnxruntime can't run on {device} here; choose auto, or give a .pth file.")
    return [wanted] if wanted == PROVIDERS["cpu"] else [wanted, PROVIDERS["cpu"]]
