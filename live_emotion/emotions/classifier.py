"""Face crops -> probabilities. The only place that applies temperature, softmax and class names."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

import numpy as np

from live_emotion.checks import check_device, check_names, check_number, check_weights, check_whole, is_name, wrong
from live_emotion.emotions.onnx import OnnxNetwork, is_onnx
from live_emotion.emotions.profile import Profile
from live_emotion.errors import ArgumentError, MissingExtraError, WeightsError
from live_emotion.faces.preprocessing import FACE_SIZE, PIXEL_MEAN, check_faces
from live_emotion.io.description import TEMPERATURES, check_checkpoint_file, damaged
from live_emotion.resources import DEFAULT, find_weights
from live_emotion.types import Prediction, StrPath

MOST_THREADS = 1024

PROGRAM = ".pt2"
"""Suffix of what ``train export`` writes for programs that run without this package."""

BATCH = 64
"""Faces that go through a network at once: each takes some megabytes meanwhile."""

GREY_FACES = np.full((2, FACE_SIZE, FACE_SIZE), round(PIXEL_MEAN), np.uint8)
"""What a network is tried out with, after which it is warm, too."""


@runtime_checkable
class Network(Protocol):
    """A network that is ready to run, whatever runs it.

    Attributes:
        class_names: C names, of the first logits in their order.
        other_names: K names, of the logits after those: what is none of the classes.
        temperature: what the logits are to be divided by.
        metadata: how it was trained.
        map_offset: where its class maps begin inside the face, from the left and from the top, in sides of it.
    """

    class_names: tuple[str, ...]
    other_names: tuple[str, ...]
    temperature: float
    metadata: dict[str, Any]
    map_offset: float

    def logits(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48), N at least 1 -> float32 (N, C + K)."""

    def run(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Faces as for :meth:`logits` -> logits, and the embedding that they are made of, float32 (N, D).

        Raises:
            LiveEmotionError: the network gives no embedding.
        """

    def maps(self, faces: np.ndarray) -> np.ndarray:
        """Faces as for :meth:`logits` -> where on the face each class is seen, float32 (N, C + K, h, w): class
        activation maps, whose means are the logits.

        Raises:
            LiveEmotionError: the network has none.
        """


def load_network(path: StrPath, device: str = "auto", threads: int = 0) -> Network:
    """The network in a checkpoint or an ONNX model.

    Args:
        path: a ``.pth`` or ``.onnx`` file, or a short name of what comes with live-emotion.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: processor cores to use; 0: all.

    Raises:
        WeightsError: the file is missing, damaged or of another kind.
        DeviceError: the device is not available.
        MissingExtraError: a checkpoint needs PyTorch.
    """
    network: Network
    path = find_weights(path)
    if path.suffix.lower() == PROGRAM:
        raise WeightsError(f"{path} is a program for torch.export.load; give the network's .onnx or .pth file.")
    if is_onnx(path):
        network = OnnxNetwork(path, device, threads)
    else:
        check_checkpoint_file(path)
        network = import_torch_networks().load_torch_network(path, device, threads)
    _try_out(network, path)
    return network


def import_torch_networks() -> ModuleType:
    """The module that runs checkpoints, and with it PyTorch; the only way to it for those who only use networks.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read by PyTorch: its threads sleep when they wait
    try:
        from live_emotion.models import torch_network
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "torchvision"):
            raise
        raise MissingExtraError(
            "A .pth file needs PyTorch; install it with: pip install 'live-emotion[train]', or give an .onnx file."
        ) from error
    return torch_network


def _try_out(network: Network, path: StrPath) -> None:
    """Shows a network one face and several, since it may take only as many as were exported.

    Raises:
        WeightsError: it fails at that.
    """
    try:
        logits = [network.logits(faces) for faces in (GREY_FACES[:1], GREY_FACES)]
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise damaged(path, "its network does not run") from error
    if not all(np.isfinite(each).all() for each in logits):
        raise damaged(path, "its network gives no numbers")


def _run_by_torch(model: Any, class_names: Sequence[str], temperature: float) -> Network:
    """An ``nn.Module`` of anybody's, tried out as a network.

    Raises:
        ArgumentError: it fails at that.
    """
    torch_networks = import_torch_networks()
    try:
        others = tuple(getattr(model, "other_names", ()))
        network: Network = torch_networks.TorchNetwork(model, class_names, temperature, other_names=others)
        shape = network.logits(GREY_FACES).shape
    except Exception as error:  # whatever a module raises that is made for something else
        reason = [*str(error).strip().splitlines(), type(error).__name__][0]
        raise ArgumentError(
            f"the model does not turn faces (N, 1, {FACE_SIZE}, {FACE_SIZE}) into logits: {reason}"
        ) from error
    if len(shape) != 2 or shape[0] != len(GREY_FACES):
        raise ArgumentError(f"the model must turn {len(GREY_FACES)} faces into as many rows of logits, not {shape}")
    return network


class EmotionClassifier:
    """Turns faces into probabilities of emotions.

    Args:
        weights: a checkpoint or ONNX model, or the short name of one that comes with live-emotion; several, whose
            probabilities are averaged; or None for ``default``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: processor cores to use; 0: all. PyTorch, which runs checkpoints, takes it for the whole process.
        profile: of the person whose faces these are, which corrects what is read.

    Attributes:
        class_names: in the order of the probabilities.
        other_names: what else the networks know, which is none of the classes; often nothing.
        networks: whose probabilities are averaged.
        files: that they lie in; none for a network in memory.

    Raises:
        WeightsError: a file is missing or damaged, or several differ in their classes.
        DeviceError: the device is not available.
        MissingExtraError: a checkpoint needs PyTorch.
        InputError: the profile is for other weights.
        ArgumentError: a value makes no sense.
    """

    def __init__(
        self,
        weights: StrPath | Sequence[StrPath] | None = None,
        device: str = "auto",
        threads: int = 0,
        profile: Profile | None = None,
    ) -> None:
        check_device(device)
        check_whole("threads", threads, f"a whole number from 0 to {MOST_THREADS}", 0, MOST_THREADS)
        if profile is not None and not isinstance(profile, Profile):
            raise wrong("profile", "a Profile or None", profile)
        self.files = tuple(find_weights(each) for each in check_weights(weights) or (DEFAULT,))
        self.networks = [load_network(path, device, threads) for path in self.files]
        self.class_names, self.other_names = self.networks[0].class_names, self.networks[0].other_names
        outputs = {(network.class_names, network.other_names) for network in self.networks}
        if len(outputs) > 1:
            raise WeightsError("The weights files differ in their classes; give files that were trained on the same.")
        self.profile = profile
        if profile:
            self.check_profile(profile)

    @classmethod
    def of(cls, model: Any, class_names: Sequence[str]) -> EmotionClassifier:
        """A classifier around a network in memory.

        Args:
            model: a :class:`Network`, or an ``nn.Module`` that maps float32 (N, 1, 48, 48) in [-1, 1] to logits
                (N, C + K); its attributes ``temperature`` and ``other_names`` are used, if it has them.
            class_names: C names.

        Raises:
            ArgumentError: it is no such model, or these are no names.
        """
        names, temperature = check_class_names(class_names), check_model(model)
        if is_module(model):
            model = _run_by_torch(model, names, temperature)
        self = cls.__new__(cls)
        self.networks, self.class_names, self.other_names = [model], names, tuple(model.other_names)
        self.profile, self.files = None, ()
        return self

    def check_profile(self, profile: Profile) -> None:
        """Looks whether a profile fits these weights.

        Raises:
            InputError: it doesn't.
            LiveEmotionError: the network gives no embedding.
        """
        profile.check(self.class_names, self.fingerprint, self.read(GREY_FACES[:1])[1].shape[1])

    @property
    def fingerprint(self) -> str:
        """Of the weights' files: SHA-256 as hexadecimal digits; empty for a network in memory."""
        content = hashlib.sha256()
        for path in self.files:
            content.update(path.read_bytes())
        return content.hexdigest() if self.files else ""

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Probabilities of the classes for all faces, by one batch through each network.

        Args:
            faces: uint8 (N, 48, 48), as ``preprocessing.crop_face`` cuts them; N may be 0, which runs no network.

        Returns:
            float32 (N, C). What a row lacks of 1 is the probability that the face shows something else; it lacks
            nothing where the networks know nothing else.

        Raises:
            ArgumentError: another kind, shape or dtype.
            WeightsError: the network has another number of outputs than there are names, or they are no numbers.
        """
        return self.predict_all(faces)[:, : len(self.class_names)]

    def predict_all(self, faces: np.ndarray) -> np.ndarray:
        """As :meth:`predict`, but with the probabilities of ``other_names`` behind: float32 (N, C + K), rows sum to 1.

        Raises:
            ArgumentError: as :meth:`predict` does, like WeightsError.
        """
        _check_array(faces)
        if len(faces) == 0:
            return np.empty((0, self._count), np.float32)
        if self.profile:
            return self.profile.correct(*self.read(faces))
        parts = [self._mean([network.logits(each) for network in self.networks]) for each in _batches(faces)]
        return np.concatenate(parts)

    def read(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities without a profile's correction, float32 (N, C + K), rows that sum to 1, and embeddings by the
        first network, (N, D).

        Args:
            faces: as for :meth:`predict`.

        Raises:
            ArgumentError: another kind, shape or dtype.
            LiveEmotionError: the network gives no embedding.
        """
        _check_array(faces)
        if len(faces) == 0:
            return np.empty((0, self._count), np.float32), np.empty((0, 0), np.float32)
        probabilities, embeddings = [], []
        for each in _batches(faces):
            outputs = [network.run(each) for network in self.networks]
            probabilities.append(self._mean([logits for logits, _ in outputs]))
            embeddings.append(outputs[0][1])
        return np.concatenate(probabilities), np.concatenate(embeddings)

    @property
    def title(self) -> str:
        """Names of the weights' files, without their folders; of a network in memory, nothing."""
        return ", ".join(path.name for path in self.files)

    @property
    def _count(self) -> int:
        """Of outputs."""
        return len(self.class_names) + len(self.other_names)

    def _mean(self, logits: Sequence[np.ndarray]) -> np.ndarray:
        parts = [softmax(each, network.temperature) for each, network in zip(logits, self.networks)]
        probabilities = np.asarray(np.mean(parts, axis=0), np.float32)
        if probabilities.shape[1] != self._count:
            count = probabilities.shape[1] - len(self.other_names)
            raise WeightsError(
                f"The network tells {count} classes apart; give {count} names, as load_model does, "
                f"not {self.class_names}."
            )
        if not np.isfinite(probabilities).all():
            name = f"The network in {', '.join(map(str, self.files))}" if self.files else "The network"
            raise WeightsError(f"{name} gives no numbers; its weights are damaged, get them again or train anew.")
        return probabilities

    def classify(self, faces: np.ndarray) -> list[Prediction]:
        """As :meth:`predict`, with names: one :class:`Prediction` a face."""
        return [Prediction.from_probabilities(row, self.class_names) for row in self.predict(faces)]


def _batches(faces: np.ndarray) -> Iterator[np.ndarray]:
    """The faces in parts of at most :data:`BATCH`, each with its pixels in order."""
    for i in range(0, len(faces), BATCH):
        yield np.ascontiguousarray(faces[i : i + BATCH])


def _check_array(faces: Any) -> None:
    """Looks whether something is an array of faces.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(faces, np.ndarray):
        raise wrong("faces", f"a uint8 array (N, {FACE_SIZE}, {FACE_SIZE})", faces)
    check_faces(faces)


def is_module(model: object) -> bool:
    """Whether something is an ``nn.Module``, which it cannot be where nobody has imported PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def check_model(model: Any) -> float:
    """The temperature of an ``nn.Module`` or a :class:`Network`.

    Raises:
        ArgumentError: it is neither, or its temperature makes no sense.
    """
    if not is_module(model) and not isinstance(model, Network):
        raise wrong("the model", "one that load_model gives, or an nn.Module", model)
    temperature = getattr(model, "temperature", 1.0)
    low, high = TEMPERATURES
    return check_number("the model's temperature", temperature, f"a number from {low:g} to {high:g}", low, high)


def check_class_names(names: Any) -> tuple[str, ...]:
    """Names of classes as a tuple.

    Raises:
        ArgumentError: they are none.
    """
    several = () if isinstance(names, str) else check_names("class_names", names, "names of the classes")
    if not several or not all(map(is_name, several)):
        raise wrong("class_names", "names of the classes", names)
    return several


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of logits divided by a temperature (Guo et al., ICML 2017); rows of (N, C) sum to 1."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
