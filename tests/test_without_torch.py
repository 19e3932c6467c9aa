"""Everything but training runs without PyTorch, and never imports it where it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import COMMANDS, write_files

ROOT = Path(__file__).resolve().parent.parent

BLOCKED = """
import sys

class NoTorch:
    wanted = []

    def find_spec(self, name, *rest):
        if name.split(".")[0] in ("torch", "torchvision", "scipy"):
            self.wanted.append(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
"""
"""As if neither PyTorch nor what else comes with the extra ``train`` were installed."""

COMMAND = """
import sys
from {package}.main import main
sys.argv = {argv!r}
try:
    main()
finally:
    print("wanted", NoTorch.wanted, file=sys.stderr)
"""


def run(argv, home, package="live_emotion.cli"):
    """Runs a command in a process of its own; a profile that it makes lies in the folder ``home``."""
    text = BLOCKED + COMMAND.format(package=package, argv=["program", *map(str, argv)])
    environment = os.environ | {"XDG_CONFIG_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, cwd=ROOT, timeout=300
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory, portrait):
    """A folder with a photo and a video."""
    return write_files(tmp_path_factory.mktemp("files"), portrait, 30)


@pytest.mark.parametrize(
    "argv",
    [*COMMANDS, ["calibrate", "--help"]],
    ids=lambda argv: argv[0],
)
def test_commands_neither_need_torch_nor_ask_for_it(tmp_path, files, argv):
    done = run([part.format(out=tmp_path, files=files) for part in argv], tmp_path)
    assert done.returncode == 0 or argv == ["cameras"], done.stderr  # there may be none
    assert "wanted []" in done.stderr
    assert "Traceback" not in done.stderr


def test_python_programs_run_without_torch(files):
    program = (
        "import live_emotion, sys\n"
        "model, names = live_emotion.load_model()\n"
        f"emotion, confidence, probabilities = live_emotion.predict_image(model, {str(files / 'photo.png')!r}, names)\n"
        "assert emotion in names and probabilities.shape == (4,) and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", BLOCKED + program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("package", "argv", "what"),
    [
        (
            "live_emotion.cli",
            ["image", "{files}/photo.png", "--weights", "weights/emotion_cnn.pth"],
            r"A \.pth file needs",
        ),
        ("train.cli", ["--data", "{files}"], "This needs"),
        ("train.cli", ["evaluate", "--weights", "weights/best_emotion_model.pth", "--data", "{files}"], ".* needs"),
    ],
    ids=["image with a .pth", "training", "evaluation"],
)
def test_what_needs_torch_says_how_to_get_it(files, package, argv, what):
    done = run([part.format(files=files) for part in argv], files, package)
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("wanted")]
    assert re.match(f"Error: {what} PyTorch; install it with: pip install 'live-emotion\\[train\\]'", line)


@pytest.mark.parametrize(
    ("name", "message"), [("photo.png", "is no weights file"), ("none.pth", "There is no weights file")]
)
def test_what_is_no_weights_file_asks_for_no_torch(files, name, message):
    done = run(["image", files / "photo.png", "--no-pictures", "--weights", files / name], files)
    assert done.returncode == 1, done.stderr
    assert message in done.stderr and "PyTorch" not in done.stderr and "wanted []" in done.stderr
