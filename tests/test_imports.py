"""What a quick look must not load, and what has one home; who may import whom is a contract in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "mediapipe", "cv2", "av", "matplotlib", "scipy", "starlette", "uvicorn")


def test_only_checkpoints_read_what_torch_saved():
    sources = [*(ROOT / "live_emotion").rglob("*.py"), *(ROOT / "train").rglob("*.py")]
    users = {file.name for file in sources if "torch.load(" in file.read_text(encoding="utf-8")}
    assert users == {"checkpoint.py"}


@pytest.mark.parametrize(
    "code",
    [
        "import live_emotion",
        "from live_emotion.cli.main import cli; cli.main(['--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['webcam', '--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['image', '--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['video', '--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['serve', '--help'], standalone_mode=False)",
        "from train.cli.main import cli; cli.main(['--help'], standalone_mode=False)",
    ],
)
def test_a_quick_look_loads_nothing_heavy(code):
    check = f"import sys; {code}; print('loaded', [m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "loaded []" in done.stdout
