"""Looks for what goes wrong on people's machines, says how to fix it, and what the weights may be used for."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from live_emotion.errors import LiveEmotionError, WeightsError

QUIET_MEDIAPIPE = (0, 10, 33)
"""The newest release of MediaPipe that has no network client in it."""

REINSTALL = "Install live-emotion again, in a new virtual environment."

NEEDED_MODELS = (".tflite", ".onnx")
"""Ends of the names of models without which nothing works; somebody may have taken out others to save space."""

FREE_GB = 1.0
"""Disk space under which recordings soon end, in GB."""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        name: of the thing.
        text: what was found.
        fix: how to fix it; empty where all is well.
        is_fatal: whether nothing works without it.
    """

    name: str
    text: str
    fix: str = ""
    is_fatal: bool = False


def examine() -> Iterator[Finding]:
    """Looks at everything, one thing after another; a look that fails is a finding, too."""
    for look in CHECKS:
        try:
            yield look()
        except LiveEmotionError as error:
            yield Finding(look.__name__.removeprefix("look_at_"), "not as it should be", str(error), is_fatal=True)
        except Exception as error:
            yield Finding(
                look.__name__.removeprefix("look_at_"),
                " ".join(f"{type(error).__name__}: {error}".splitlines()),
                REINSTALL,
                is_fatal=True,
            )


def look_at_system() -> Finding:
    """Python and operating system."""
    return Finding("system", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")


def look_at_opencv() -> Finding:
    """Whether several OpenCV packages are installed over each other, and whether it has windows."""
    names = [f"opencv-{kind}" for kind in ("python", "contrib-python", "python-headless", "contrib-python-headless")]
    there = {name: version for name in names if (version := _version(name))}
    if len(there) > 1:
        return Finding(
            "opencv",
            f"{' and '.join(there)} are installed over each other, in one folder",
            f"pip uninstall -y {' '.join(there)} && pip install opencv-contrib-python",
        )
    import cv2

    windows = re.search(r"GUI:\s+(\w+)", cv2.getBuildInformation())
    if windows is None or windows.group(1) == "NONE":
        return Finding(
            "opencv",
            f"{cv2.__version__} without windows",
            f"pip uninstall -y {' '.join(there)} && pip install opencv-contrib-python",
        )
    return Finding("opencv", f"{', '.join(f'{n} {v}' for n, v in there.items())}, windows through {windows.group(1)}")


def look_at_mediapipe_release() -> Finding:
    """Whether MediaPipe is a release that calls nobody."""
    version = _version("mediapipe") or "missing"
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if numbers != QUIET_MEDIAPIPE:
        wanted = ".".join(map(str, QUIET_MEDIAPIPE))
        problem = "calls home while it runs" if numbers > QUIET_MEDIAPIPE else "does not fit"
        return Finding("mediapipe", f"{version}, which {problem}", f"pip install mediapipe=={wanted}", is_fatal=True)
    return Finding("mediapipe", f"{version}, which has no network client")


def look_at_models() -> Finding:
    """Whether all models are those that were shipped, and no others lie among them."""
    from live_emotion.resources import check_intact, is_shipped, model_files, weights_file

    names = model_files()
    for name in names:
        try:
            check_intact(weights_file(name))
        except WeightsError as error:
            is_needed = name.endswith(NEEDED_MODELS)
            return Finding("models", str(error), REINSTALL, is_fatal=is_needed)
    own = [name for name in names if not is_shipped(name)]
    text = f"all {len(names) - len(own)} files of networks are intact, by their SHA-256"
    if own:
        where = f"{weights_file(own[0]).parent}; if they are yours, keep them in another folder."
        return Finding(
            "models", f"{text}; others did not come with live-emotion", f"Look at {', '.join(own)} in {where}"
        )
    return Finding("models", text)


def look_at_weights() -> Finding:
    """Whether the emotion weights load."""
    from live_emotion.emotions.classifier import load_network
    from live_emotion.resources import DEFAULT, find_weights

    path = find_weights(DEFAULT)
    return Finding("weights", f"{path.name}: {', '.join(load_network(path).class_names)}")


def look_at_licence() -> Finding:
    """What the weights may be used for: that depends on the data that they learnt from."""
    from live_emotion.resources import weights_file

    return Finding(
        "licence",
        "MIT for the code; the default weights come from VGGFace2 (non-commercial) and FER2013 (for research use): "
        f"see {weights_file('README.md')}",
    )


def look_at_processor() -> Finding:
    """What the network can be computed with."""
    from live_emotion.concurrency.cpu import cores
    from live_emotion.emotions.onnx import import_onnxruntime

    onnxruntime = import_onnxruntime()
    kinds = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    torch = _version("torch")
    training = f"PyTorch {torch}" if torch else "no PyTorch, which only training and .pth files need"
    return Finding("processor", f"{cores()} cores; ONNX Runtime {onnxruntime.__version__} on {kinds}; {training}")


def look_at_faces() -> Finding:
    """Whether a known portrait's face is found and read."""
    from live_emotion.io.video.demo_clip import read_portrait
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.types import Frame

    with EmotionAnalyzer() as analyzer:
        faces = analyzer.analyze(Frame(0, 0.0, read_portrait())).faces
    if len(faces) != 1:
        return Finding("faces", f"{len(faces)} found in a portrait of one", REINSTALL, is_fatal=True)
    return Finding("faces", f"the portrait's face is found and read: {faces[0].emotion} {faces[0].confidence:.0%}")


def look_at_videos() -> Finding:
    """Whether H.264 can be written."""
    import av

    if "libx264" not in av.codecs_available:
        return Finding("videos", f"PyAV {av.__version__} cannot write H.264", "pip install --force-reinstall av")
    return Finding("videos", f"PyAV {av.__version__} writes H.264")


def look_at_display() -> Finding:
    """Whether there is a screen for the window."""
    from live_emotion.errors import DisplayError
    from live_emotion.io.display.screen import check_display

    try:
        check_display()
    except DisplayError as error:
        return Finding("display", "none", str(error))
    return Finding("display", os.environ.get("DISPLAY", "the system's"))


def look_at_cameras() -> Finding:
    """Whether there is a camera, and whether it may be opened."""
    from live_emotion.io.camera import list_cameras

    denied = [str(p) for p in sorted(Path("/dev").glob("video*")) if not os.access(p, os.R_OK | os.W_OK)]
    if denied:
        return Finding("cameras", f"no permission for {denied[0]}", 'sudo usermod -aG video "$USER", then log in again')
    devices = list_cameras()
    if not devices:
        fix = "Connect one; on macOS and Windows also allow your terminal to use it, in the system's privacy settings."
        return Finding("cameras", "none", fix)
    return Finding("cameras", ", ".join(map(str, devices)))


def look_at_disk() -> Finding:
    """Whether there is room for recordings."""
    free = shutil.disk_usage(".").free / 1e9
    fix = "Make room before you record." if free < FREE_GB else ""
    return Finding("disk", f"{free:.1f} GB free in the current folder", fix)


CHECKS: tuple[Callable[[], Finding], ...] = (
    look_at_system,
    look_at_opencv,
    look_at_mediapipe_release,
    look_at_models,
    look_at_weights,
    look_at_licence,
    look_at_processor,
    look_at_faces,
    look_at_videos,
    look_at_display,
    look_at_cameras,
    look_at_disk,
)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
